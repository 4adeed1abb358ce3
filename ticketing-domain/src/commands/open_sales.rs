//! Opening sales, for the first time or again.
//!
//! The command is refused if the caller does not manage the event, or if the status of the event is neither published
//! nor sales closed.

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::vocabulary::ids::EventId;

use crate::book::{Stop, UnitOfWork, Wants};
use crate::catalog::CatalogCommand;
use crate::command::{Address, Command, Never, Outcome};

/// Lets customers hold seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSales {
    /// The event whose sales are opened.
    pub event_id: EventId,
}

impl Command for OpenSales {
    const NAME: &'static str = "open_sales";

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
        Ok(Outcome::Reply(unit.decide_on_event(&CatalogCommand::OpenSales { by })?))
    }
}

#[cfg(test)]
mod tests {
    use ticketing_ports::vocabulary::event_details::EventStatus;

    use super::*;
    use crate::commands::CloseSales;
    use crate::commands::given::{BOB, EVENT, ORGANISER, a_draft, on_sale};
    use crate::refusal::Refusal;
    use crate::transition::Action;

    #[test]
    fn sales_open_again_after_they_were_closed() {
        let mut house = on_sale();
        house.asks(ORGANISER, CloseSales { event_id: EVENT }).unwrap();
        let open = OpenSales { event_id: EVENT };
        assert_eq!(house.asks(ORGANISER, open).unwrap().facts(), ["SalesOpened"]);
    }

    #[test]
    fn a_draft_is_not_sold() {
        let refused = a_draft().asks(ORGANISER, OpenSales { event_id: EVENT });
        assert_eq!(
            refused.unwrap_err(),
            Refusal::state(EventStatus::Draft, Action::OpenSales)
        );
    }

    #[test]
    fn a_stranger_opens_nothing() {
        let refused = on_sale().asks(BOB, OpenSales { event_id: EVENT });
        assert_eq!(refused.unwrap_err(), Refusal::Forbidden);
    }
}
