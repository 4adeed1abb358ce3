//! What every reducer of this crate has in common: `decide` a command against a state, `evolve` the state by a fact.

use serde::Serialize;
use ticketing_ports::Timestamp;
use ticketing_ports::deadlines::DeadlineChange;
use ticketing_ports::ids::IdSource;
use uuid::Uuid;

/// What a decision may know beside state and command.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub now: Timestamp,
    pub ids: &'a dyn IdSource,
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

    pub fn event(event: Event) -> Self {
        Self::events(vec![event])
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
