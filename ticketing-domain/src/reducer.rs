//! What every reducer of this crate has in common: `decide` a command against a state, `evolve` the state by a fact, and
//! `undo` what the fact changed.

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

/// How the streams of one aggregate are decided on and remembered.
///
/// Implemented by types without values, one for each aggregate of the closed list.
pub trait Reducer: Debug + Clone + PartialEq + Eq + Send + Sync + 'static {
    const AGGREGATE: Aggregate;
    /// `None` if its streams are short enough to be folded from their beginning.
    const SNAPSHOTS: Option<SnapshotFormat<Self::State>> = None;

    type Id: Copy + Ord + Debug + Into<StreamId> + Send + Sync;
    /// The default is a stream without facts.
    type State: Debug + Clone + PartialEq + Eq + Default + Send + Sync;
    type Event: StoredEvent + Debug + Clone + PartialEq + Eq + Send + Sync;
    type Command: Debug;
    /// What has to be done beside writing the facts, as plain data.
    type Effect: Debug + PartialEq;
    type Refusal: Debug + PartialEq;
    /// What one fact changed.
    type Undo: Debug + Clone + PartialEq + Eq + Send + Sync;

    fn id(uuid: Uuid) -> Self::Id;

    /// # Errors
    /// When the command is refused; nothing has changed then.
    fn decide(
        state: &Self::State,
        command: &Self::Command,
        ctx: &Context<'_>,
    ) -> Result<Decision<Self::Event, Self::Effect>, Self::Refusal>;

    /// Takes a fact in. History is never refused: a fact that does not fit changes nothing.
    fn evolve(state: &mut Self::State, event: &Self::Event) -> Self::Undo;

    /// Takes the latest fact back. Costs as much as the fact did, however large the state is.
    fn undo(state: &mut Self::State, undo: Self::Undo);

    /// Whether nothing more will come of the stream on its own, so that its memory may be given back.
    fn is_settled(state: &Self::State) -> bool;
}

/// What a decision may know beside state and command.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub now: Timestamp,
    pub ids: &'a dyn IdSource,
    /// The generation of facts that every build on the log reads.
    pub floor: SchemaGeneration,
}

impl Context<'_> {
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

/// What follows from a command: facts to store and effects to carry out once they are stored.
///
/// Deadlines are effects that become durable in the same commit as the facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision<Event, Effect> {
    pub events: Vec<Event>,
    pub deadlines: Vec<DeadlineChange>,
    pub effects: Vec<Effect>,
}

impl<Event, Effect> Decision<Event, Effect> {
    /// Nothing to do: the command asks for what is already true.
    pub fn nothing() -> Self {
        Self::events(Vec::new())
    }

    pub fn event(event: impl Into<Event>) -> Self {
        Self::events(vec![event.into()])
    }

    pub fn events(events: Vec<Event>) -> Self {
        Self {
            events,
            deadlines: Vec::new(),
            effects: Vec::new(),
        }
    }

    #[must_use]
    pub fn with_deadline(mut self, deadline: DeadlineChange) -> Self {
        self.deadlines.push(deadline);
        self
    }

    #[must_use]
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }
}

/// A reducer without effects uses this: it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum NoEffect {}

/// Declares the reducer of an aggregate whose state is small and has an `evolve` of its own: what a fact changed is taken back
/// by putting back the state before it.
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
            is_settled: $is_settled:expr,
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

            fn is_settled(state: &$state) -> bool {
                let is_settled: fn(&$state) -> bool = $is_settled;
                is_settled(state)
            }
        }
    };
}

pub(crate) use small_reducer;
