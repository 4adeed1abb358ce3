//! Cancelling an event: nothing more is sold. Its reservations are settled afterwards, some at a time.
//!
//! The command is refused if the caller does not manage the event, or the event is over or cancelled already.

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::seating::Label;

use crate::book::{Stop, UnitOfWork, Wants};
use crate::catalog::CatalogCommand;
use crate::command::{Address, Command, Never, Outcome};

/// Cancels an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelEvent {
    /// The event on sale that is cancelled.
    pub event_id: EventId,
    /// Why the event is cancelled, in the organiser's words to the customers; `None` if the organiser gives no
    /// reason.
    pub reason: Option<Label>,
}

impl Command for CancelEvent {
    const NAME: &'static str = "cancel_event";

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
        Ok(Outcome::Reply(unit.decide_on_event(&CatalogCommand::Cancel {
            by,
            reason: self.reason.clone(),
        })?))
    }
}

#[cfg(test)]
mod tests {
    use ticketing_ports::log::deadlines::DeadlineKind;

    use super::*;
    use crate::commands::given::{ALICE, EVENT, ORGANISER, floor, on_sale};
    use crate::refusal::Refusal;

    const CANCEL: CancelEvent = CancelEvent {
        event_id: EVENT,
        reason: None,
    };

    #[test]
    fn nothing_is_sold_at_once_and_reservations_are_settled_later() {
        let mut house = on_sale();
        house.hold(ALICE, 1);
        assert_eq!(house.asks(ORGANISER, CANCEL).unwrap().facts(), ["EventCancelled"]);
        assert!(house.deadline(DeadlineKind::CancellationChunk).is_some());
        assert!(house.deadline(DeadlineKind::EventStart).is_none());
        assert_eq!(house.asks(ALICE, floor(1)).unwrap_err(), Refusal::EventCancelled(EVENT));
    }

    #[test]
    fn an_event_is_cancelled_once() {
        let mut house = on_sale();
        house.asks(ORGANISER, CANCEL).unwrap();
        assert_eq!(
            house.asks(ORGANISER, CANCEL).unwrap_err(),
            Refusal::EventCancelled(EVENT)
        );
    }

    #[test]
    fn a_customer_cancels_no_event() {
        assert_eq!(on_sale().asks(ALICE, CANCEL).unwrap_err(), Refusal::Forbidden);
    }
}
