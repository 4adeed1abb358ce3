//! What all reducers have in common: `decide` a command against a state, `evolve` the state by a fact, and `undo`
//! what the fact changed.

use std::fmt::Debug;

use serde::Serialize;
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::DeadlineChange;
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::log::streams::{Aggregate, StreamId};
use ticketing_ports::vocabulary::ids::IdSource;
use uuid::Uuid;

use crate::snapshot::SnapshotFormat;
use crate::stored::StoredEvent;

/// The rules of one aggregate: how commands to its streams are decided, and how its facts change their states.
///
/// Each aggregate has a type without values that implements this trait.
///
/// ```
/// use ticketing_domain::catalog::{Catalog, CatalogEvent, CatalogState, SalesOpened};
/// use ticketing_domain::reducer::Reducer;
///
/// let mut state = CatalogState::default();
/// let undo = Catalog::evolve(&mut state, &CatalogEvent::from(SalesOpened {}));
/// assert_eq!(state, CatalogState::Absent, "a fact that does not fit changes nothing");
/// Catalog::undo(&mut state, undo);
/// assert_eq!(state, CatalogState::default());
/// ```
pub trait Reducer: Debug + Clone + PartialEq + Eq + Send + Sync + 'static {
    /// The aggregate.
    const AGGREGATE: Aggregate;
    /// The format in which states are stored as snapshots; `None` if streams are short enough to be read from their
    /// beginning.
    const SNAPSHOTS: Option<SnapshotFormat<Self::State>> = None;

    /// The type of a stream's id.
    type Id: Copy + Ord + Debug + Into<StreamId> + Send + Sync;
    /// The state of a stream. The default is that of a stream without facts.
    type State: Debug + Clone + PartialEq + Eq + Default + Send + Sync;
    /// The facts that can be in a stream.
    type Event: StoredEvent + Debug + Clone + PartialEq + Eq + Send + Sync;
    /// The commands that can be given to a stream.
    type Command: Debug;
    /// What has to be done besides writing the facts, as plain data: a call to the outside, or a command to another
    /// aggregate.
    type Effect: Debug + PartialEq;
    /// Why a command can be refused.
    type Refusal: Debug + PartialEq;
    /// What one fact changed in the state, so that the change can be taken back.
    type Undo: Debug + Clone + PartialEq + Eq + Send + Sync;

    /// Makes the id of a stream.
    fn id(uuid: Uuid) -> Self::Id;

    /// Decides a command.
    ///
    /// # Errors
    /// When the command is refused. The state has not changed then.
    fn decide(
        state: &Self::State,
        command: &Self::Command,
        ctx: &Context<'_>,
    ) -> Result<Decision<Self::Event, Self::Effect>, Self::Refusal>;

    /// Applies a fact and returns what it changed. A fact that does not fit the state changes nothing: history is
    /// never refused.
    fn evolve(state: &mut Self::State, event: &Self::Event) -> Self::Undo;

    /// Takes the latest fact back. The cost is that of the fact, not that of the state.
    fn undo(state: &mut Self::State, undo: Self::Undo);

    /// Returns whether the stream stays as it is until somebody gives it a command, so that its state can be freed
    /// from memory until then.
    fn is_dormant(state: &Self::State) -> bool;
}

/// What a decision may use besides the state and the command: the time, new ids, the log's schema floor, and a
/// limit that the box office sets.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The time of the decision.
    pub now: Timestamp,
    /// Where new ids come from.
    pub ids: &'a dyn IdSource,
    /// The schema floor: the generation of facts that every build working on the log can read.
    pub floor: SchemaGeneration,
    /// In how many reservations of one event a customer may hold seats at a time; `None` for any number.
    pub max_live_holds: Option<u32>,
}

impl Context<'_> {
    /// Makes a new id.
    pub fn new_id<I>(&self, wrap: impl FnOnce(Uuid) -> I) -> I {
        wrap(self.ids.uuid())
    }
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// What follows from a command: facts, deadlines that are changed in the same commit, and effects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision<Event, Effect> {
    /// What has happened.
    pub events: Vec<Event>,
    /// Deadlines to set and to clear.
    pub deadlines: Vec<DeadlineChange>,
    /// What has to be done besides writing the facts: calls to the outside or commands to other aggregates.
    pub effects: Vec<Effect>,
}

impl<Event, Effect> Decision<Event, Effect> {
    /// Makes an empty decision: what the command asks for is true already, or the command comes too late to matter.
    pub fn nothing() -> Self {
        Self::events(Vec::new())
    }

    /// Makes a decision with one fact.
    pub fn event(event: impl Into<Event>) -> Self {
        Self::events(vec![event.into()])
    }

    /// Makes a decision with these facts.
    pub fn events(events: Vec<Event>) -> Self {
        Self {
            events,
            deadlines: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// Adds a change of a deadline.
    #[must_use]
    pub fn with_deadline(mut self, deadline: DeadlineChange) -> Self {
        self.deadlines.push(deadline);
        self
    }

    /// Adds an effect.
    #[must_use]
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }

    /// Adds several effects.
    #[must_use]
    pub fn with_effects(mut self, effects: impl IntoIterator<Item = Effect>) -> Self {
        self.effects.extend(effects);
        self
    }
}

/// The effect type of a reducer that never has effects: no value of it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum NoEffect {}

/// Declares the reducer of an aggregate whose state is small and has its own `evolve`. A fact is taken back by
/// restoring a copy of the state from before the fact.
macro_rules! small_reducer {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            id: $id:ty,
            state: $state:ty,
            event: $event:ty,
            command: $command:ty,
            effect: $effect:ty,
            decide: $decide:expr,
            is_dormant: $is_dormant:expr,
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {}

        impl $crate::reducer::Reducer for $name {
            const AGGREGATE: ticketing_ports::log::streams::Aggregate = ticketing_ports::log::streams::Aggregate::$name;

            type Id = $id;
            type State = $state;
            type Event = $event;
            type Command = $command;
            type Effect = $effect;
            type Refusal = $crate::refusal::Refusal;
            type Undo = Box<$state>;

            fn id(uuid: uuid::Uuid) -> $id {
                <$id>::new(uuid)
            }

            fn decide(
                state: &$state,
                command: &$command,
                ctx: &$crate::reducer::Context<'_>,
            ) -> Result<$crate::reducer::Decision<$event, $effect>, $crate::refusal::Refusal> {
                let decide: fn(&$state, &$command, &$crate::reducer::Context<'_>) -> _ = $decide;
                decide(state, command, ctx)
            }

            fn evolve(state: &mut $state, event: &$event) -> Box<$state> {
                let before = Box::new(state.clone());
                state.evolve(event);
                before
            }

            fn undo(state: &mut $state, before: Box<$state>) {
                *state = *before;
            }

            fn is_dormant(state: &$state) -> bool {
                let is_dormant: fn(&$state) -> bool = $is_dormant;
                is_dormant(state)
            }
        }
    };
}

pub(crate) use small_reducer;
