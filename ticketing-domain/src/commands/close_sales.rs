//! Closing sales, for a while or for good. Seats that are held stay held, and can be paid.
//!
//! The command is refused if the caller does not manage the event, or sales are not open.

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::vocabulary::ids::EventId;

use crate::book::{Stop, UnitOfWork, Wants};
use crate::catalog::CatalogCommand;
use crate::command::{Address, Command, Never, Outcome};

/// Stops customers from holding more seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseSales {
    /// The event whose sales are closed.
    pub event_id: EventId,
}

impl Command for CloseSales {
    const NAME: &'static str = "close_sales";

    type Reply = EventView;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Lane(self.event_id.into())
    }

    fn wants(&self, wants: &mut Wants) {
        wants.add(self.event_id);
    }

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let by = unit.person()?;
        Ok(Outcome::Reply(
            unit.decide_on_event(&CatalogCommand::CloseSales { by })?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use ticketing_ports::vocabulary::event_details::EventStatus;

    use super::*;
    use crate::commands::given::{ALICE, EVENT, ORGANISER, floor, on_sale, paying};
    use crate::refusal::Refusal;
    use crate::transition::Action;

    #[test]
    fn nobody_holds_more_and_what_is_held_can_be_paid() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        house.asks(ORGANISER, CloseSales { event_id: EVENT }).unwrap();
        let refused = house.asks(ALICE, floor(1)).unwrap_err();
        assert_eq!(refused, Refusal::state(EventStatus::SalesClosed, Action::Reserve));
        assert!(house.asks(ALICE, paying(held)).is_ok());
    }

    #[test]
    fn sales_are_closed_once() {
        let mut house = on_sale();
        house.asks(ORGANISER, CloseSales { event_id: EVENT }).unwrap();
        let again = house.asks(ORGANISER, CloseSales { event_id: EVENT });
        assert_eq!(
            again.unwrap_err(),
            Refusal::state(EventStatus::SalesClosed, Action::CloseSales)
        );
    }
}
