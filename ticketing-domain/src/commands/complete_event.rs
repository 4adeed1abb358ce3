//! The start of an event has come: nothing more is sold.
//!
//! The command is never refused. An event that was cancelled meanwhile stays cancelled.

use serde::{Deserialize, Serialize};
use ticketing_ports::log::deadlines::Deadline;

use crate::book::{Stop, UnitOfWork};
use crate::catalog::{Catalog, CatalogCommand};
use crate::command::{Address, Command, Never, Outcome};
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::vocabulary::ids::EventId;

/// Records that an event has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompleteEvent {
    /// The deadline that has come.
    pub deadline: Deadline,
}

impl Command for CompleteEvent {
    const NAME: &'static str = "complete_event";

    type Reply = EventView;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Lane(self.deadline.lane)
    }

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let event_id = EventId::new(self.deadline.key.stream.id);
        unit.decide::<Catalog>(event_id, &CatalogCommand::Start)?;
        unit.clear_if_idle(self.deadline.key);
        Ok(Outcome::Reply(event_id))
    }
}

#[cfg(test)]
mod tests {
    use ticketing_ports::log::deadlines::DeadlineKind;

    use super::*;
    use crate::book::Caller;
    use crate::commands::given::{ALICE, floor, on_sale};

    #[test]
    fn an_event_that_has_begun_is_over_for_the_box_office() {
        let mut house = on_sale();
        let deadline = house.deadline(DeadlineKind::EventStart).unwrap();
        house.wait(30 * 86_400);
        let completed = house.asks(Caller::World, CompleteEvent { deadline }).unwrap();
        assert_eq!(completed.facts(), ["EventCompleted"]);
        assert!(house.asks(ALICE, floor(1)).is_err());
    }

    #[test]
    fn a_deadline_that_comes_early_comes_again() {
        let mut house = on_sale();
        let deadline = house.deadline(DeadlineKind::EventStart).unwrap();
        let early = house.asks(Caller::World, CompleteEvent { deadline }).unwrap();
        assert!(early.facts().is_empty());
        assert_eq!(house.deadline(DeadlineKind::EventStart), Some(deadline));
    }
}
