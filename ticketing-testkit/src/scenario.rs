//! Tests of a reducer or a saga in the form *given* facts, *when* a command is decided, *then* facts, effects or a
//! refusal follow.
//!
//! ```
//! use ticketing_domain::payment::{Payment, PaymentCommand};
//! use ticketing_testkit::scenario::given;
//!
//! given::<Payment>([]).when(PaymentCommand::Retry).then_nothing();
//! ```

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta};
use ticketing_domain::generations::newest;
use ticketing_domain::reducer::{Context, Decision, Reducer};
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::DeadlineChange;
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::vocabulary::ids::IdSource;
use uuid::Uuid;

/// Returns the time at which a scenario decides unless it sets another: 2027-01-15T08:00:00Z.
pub fn start() -> Timestamp {
    DateTime::from_timestamp(1_800_000_000, 0).expect("the date is within range")
}

/// Returns the time that many seconds after [`start`].
pub fn after(seconds: i64) -> Timestamp {
    start() + TimeDelta::seconds(seconds)
}

/// A source of ids that count up from 1000, so that a scenario can name the ids that it expects.
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

/// Begins a scenario with the facts that were recorded before.
pub fn given<S: Reducer>(events: impl IntoIterator<Item = S::Event>) -> Given<S> {
    let mut state = S::State::default();
    for event in events {
        drop(S::evolve(&mut state, &event));
    }
    Given {
        state,
        now: start(),
        floor: newest(),
    }
}

#[derive(Debug)]
pub struct Given<S: Reducer> {
    state: S::State,
    now: Timestamp,
    floor: SchemaGeneration,
}

impl<S: Reducer> Given<S> {
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }

    /// Decides as if an older build, which reads only facts up to that generation, also worked on the log.
    #[must_use]
    pub fn beside_a_build_that_reads(self, floor: SchemaGeneration) -> Self {
        Self { floor, ..self }
    }

    pub fn when(self, command: impl Into<S::Command>) -> Then<S> {
        let ids = CountingIds::default();
        let ctx = Context {
            now: self.now,
            ids: &ids,
            floor: self.floor,
            max_live_holds: None,
        };
        Then(S::decide(&self.state, &command.into(), &ctx))
    }
}

#[derive(Debug)]
pub struct Then<S: Reducer>(Result<Decision<S::Event, S::Effect>, S::Refusal>);

#[track_caller]
fn accepted<S: Reducer>(then: &Then<S>) -> &Decision<S::Event, S::Effect> {
    match &then.0 {
        Ok(followed) => followed,
        Err(refusal) => panic!("the command was refused: {refusal:?}"),
    }
}

impl<S: Reducer> Then<S> {
    /// Checks that exactly these facts follow.
    ///
    /// # Panics
    /// Panics if that is not so.
    #[track_caller]
    pub fn then<E: Into<S::Event>>(self, events: impl IntoIterator<Item = E>) -> Self {
        let expected: Vec<S::Event> = events.into_iter().map(Into::into).collect();
        assert_eq!(accepted(&self).events, expected);
        self
    }

    /// Checks that exactly these effects follow.
    ///
    /// # Panics
    /// Panics if that is not so.
    #[track_caller]
    pub fn with_effects(self, effects: impl IntoIterator<Item = S::Effect>) -> Self {
        assert_eq!(accepted(&self).effects, effects.into_iter().collect::<Vec<_>>());
        self
    }

    /// Checks that exactly these deadlines change.
    ///
    /// # Panics
    /// Panics if that is not so.
    #[track_caller]
    pub fn with_deadlines(self, deadlines: impl IntoIterator<Item = DeadlineChange>) -> Self {
        assert_eq!(accepted(&self).deadlines, deadlines.into_iter().collect::<Vec<_>>());
        self
    }

    /// Checks that the command is accepted and nothing follows.
    ///
    /// # Panics
    /// Panics if that is not so.
    #[track_caller]
    pub fn then_nothing(self) {
        let followed = accepted(&self);
        assert!(
            followed.events.is_empty() && followed.deadlines.is_empty() && followed.effects.is_empty(),
            "nothing should follow the command, but this did: {followed:?}"
        );
    }

    /// # Panics
    /// Panics unless the command is refused for exactly this reason.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "tests write the expected refusal in place")]
    pub fn then_refused(self, refusal: S::Refusal) {
        match self.0 {
            Ok(followed) => panic!("the command was accepted: {followed:?}"),
            Err(given) => assert_eq!(given, refusal),
        }
    }
}
