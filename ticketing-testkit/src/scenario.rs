//! Given facts, when a command is decided, then facts, effects or a refusal follow.
//!
//! ```
//! use ticketing_testkit::scenario::{Payments, given};
//! use ticketing_domain::payment::PaymentCommand;
//!
//! given::<Payments>([]).when(PaymentCommand::Retry).then_nothing();
//! ```

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta};
use ticketing_domain::catalog::{self, CatalogCommand, CatalogEffect, CatalogEvent, CatalogState};
use ticketing_domain::inventory::{self, InventoryCommand, InventoryEvent, InventoryRefusal, InventoryState};
use ticketing_domain::payment::{self, GatewayCall, PaymentCommand, PaymentEvent, PaymentState};
use ticketing_domain::reducer::{Context, NoEffect};
use ticketing_domain::refusal::Refusal;
use ticketing_domain::reservation::{
    self, ReservationCommand, ReservationEvent, ReservationState, SagaCommand, SagaInput,
};
use ticketing_ports::Timestamp;
use ticketing_ports::deadlines::DeadlineChange;
use ticketing_ports::ids::IdSource;
use uuid::Uuid;

/// What a scenario takes as now unless it says otherwise: 2027-01-15T08:00:00Z.
pub fn start() -> Timestamp {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a date within range")
}

/// Some seconds after [`start`].
pub fn after(seconds: i64) -> Timestamp {
    start() + TimeDelta::seconds(seconds)
}

/// Ids that count up from 1000, so that a scenario can name the ones it will see.
#[derive(Debug)]
pub struct CountingIds(AtomicU64);

impl Default for CountingIds {
    fn default() -> Self {
        Self(AtomicU64::new(1_000))
    }
}

impl IdSource for CountingIds {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(self.0.fetch_add(1, Ordering::Relaxed).into())
    }
}

/// A part of the domain that turns commands into facts.
pub trait Subject {
    type State: Default + Clone + PartialEq + Debug;
    type Event: Clone + PartialEq + Debug;
    type Command: Debug;
    type Effect: PartialEq + Debug;
    type Refusal: PartialEq + Debug;

    fn evolve(state: &mut Self::State, event: &Self::Event);

    /// # Errors
    /// When the command is refused.
    fn decide(
        state: &Self::State,
        command: &Self::Command,
        ctx: &Context<'_>,
    ) -> Result<Followed<Self::Event, Self::Effect>, Self::Refusal>;
}

/// What followed from a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed<Event, Effect> {
    pub events: Vec<Event>,
    pub deadlines: Vec<DeadlineChange>,
    pub effects: Vec<Effect>,
}

macro_rules! reducer_subject {
    ($(#[$doc:meta])* $name:ident = $module:ident($state:ty, $event:ty, $command:ty, $effect:ty, $refusal:ty)) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl Subject for $name {
            type State = $state;
            type Event = $event;
            type Command = $command;
            type Effect = $effect;
            type Refusal = $refusal;

            fn evolve(state: &mut $state, event: &$event) {
                state.evolve(event);
            }

            fn decide(
                state: &$state,
                command: &$command,
                ctx: &Context<'_>,
            ) -> Result<Followed<$event, $effect>, $refusal> {
                let decision = $module::decide(state, command, ctx)?;
                Ok(Followed { events: decision.events, deadlines: decision.deadlines, effects: decision.effects })
            }
        }
    };
}

reducer_subject!(
    /// The catalog entry of an event on sale.
    Catalog = catalog(CatalogState, CatalogEvent, CatalogCommand, CatalogEffect, Refusal)
);
reducer_subject!(
    /// The inventory of a section.
    Inventory = inventory(InventoryState, InventoryEvent, InventoryCommand, NoEffect, InventoryRefusal)
);
reducer_subject!(
    /// A payment.
    Payments = payment(PaymentState, PaymentEvent, PaymentCommand, GatewayCall, Refusal)
);

/// The reservation saga: what people ask of it and what the world reports to it.
#[derive(Debug)]
pub struct Reservations;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskOrReport {
    Ask(ReservationCommand),
    Report(SagaInput),
}

impl From<ReservationCommand> for AskOrReport {
    fn from(command: ReservationCommand) -> Self {
        Self::Ask(command)
    }
}

impl From<SagaInput> for AskOrReport {
    fn from(input: SagaInput) -> Self {
        Self::Report(input)
    }
}

impl Subject for Reservations {
    type State = ReservationState;
    type Event = ReservationEvent;
    type Command = AskOrReport;
    type Effect = SagaCommand;
    type Refusal = Refusal;

    fn evolve(state: &mut ReservationState, event: &ReservationEvent) {
        state.evolve(event);
    }

    fn decide(
        state: &ReservationState,
        command: &AskOrReport,
        ctx: &Context<'_>,
    ) -> Result<Followed<ReservationEvent, SagaCommand>, Refusal> {
        let reaction = match command {
            AskOrReport::Ask(command) => reservation::decide(state, command, ctx)?,
            AskOrReport::Report(input) => reservation::react(state, input, ctx),
        };
        Ok(Followed {
            events: reaction.events,
            deadlines: reaction.deadlines,
            effects: reaction.commands,
        })
    }
}

/// Starts a scenario with what has happened so far.
pub fn given<S: Subject>(events: impl IntoIterator<Item = S::Event>) -> Given<S> {
    let mut state = S::State::default();
    for event in events {
        S::evolve(&mut state, &event);
    }
    Given { state, now: start() }
}

#[derive(Debug)]
pub struct Given<S: Subject> {
    state: S::State,
    now: Timestamp,
}

impl<S: Subject> Given<S> {
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }

    pub fn when(self, command: impl Into<S::Command>) -> Then<S> {
        let ids = CountingIds::default();
        let ctx = Context {
            now: self.now,
            ids: &ids,
        };
        Then(S::decide(&self.state, &command.into(), &ctx))
    }
}

#[derive(Debug)]
pub struct Then<S: Subject>(Result<Followed<S::Event, S::Effect>, S::Refusal>);

#[track_caller]
fn accepted<S: Subject>(then: &Then<S>) -> &Followed<S::Event, S::Effect> {
    match &then.0 {
        Ok(followed) => followed,
        Err(refusal) => panic!("refused: {refusal:?}"),
    }
}

impl<S: Subject> Then<S> {
    /// Exactly these facts follow.
    ///
    /// # Panics
    /// Otherwise.
    #[track_caller]
    pub fn then<E: Into<S::Event>>(self, events: impl IntoIterator<Item = E>) -> Self {
        let expected: Vec<S::Event> = events.into_iter().map(Into::into).collect();
        assert_eq!(accepted(&self).events, expected);
        self
    }

    /// Exactly these effects follow.
    ///
    /// # Panics
    /// Otherwise.
    #[track_caller]
    pub fn with_effects(self, effects: impl IntoIterator<Item = S::Effect>) -> Self {
        assert_eq!(accepted(&self).effects, effects.into_iter().collect::<Vec<_>>());
        self
    }

    /// Exactly these deadlines change.
    ///
    /// # Panics
    /// Otherwise.
    #[track_caller]
    pub fn with_deadlines(self, deadlines: impl IntoIterator<Item = DeadlineChange>) -> Self {
        assert_eq!(accepted(&self).deadlines, deadlines.into_iter().collect::<Vec<_>>());
        self
    }

    /// It is accepted, and nothing follows.
    ///
    /// # Panics
    /// Otherwise.
    #[track_caller]
    pub fn then_nothing(self) {
        let followed = accepted(&self);
        assert!(
            followed.events.is_empty() && followed.deadlines.is_empty() && followed.effects.is_empty(),
            "something followed: {followed:?}"
        );
    }

    /// # Panics
    /// Unless it is refused for exactly this reason.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "a refusal is written in place")]
    pub fn then_refused(self, refusal: S::Refusal) {
        match self.0 {
            Ok(followed) => panic!("accepted: {followed:?}"),
            Err(given) => assert_eq!(given, refusal),
        }
    }
}
