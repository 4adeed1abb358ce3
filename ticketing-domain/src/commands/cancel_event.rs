//! Cancelling an event: at once nothing is sold any more. Its reservations are settled afterwards, chunk by chunk.
//!
//! Refused to who does not manage the event, and when it is over or cancelled already.

use serde::{Deserialize, Serialize};
use ticketing_ports::event_details::EventView;
use ticketing_ports::ids::EventId;
use ticketing_ports::seating::Label;

use crate::book::{Stop, Unit, Wants};
use crate::catalog::CatalogCommand;
use crate::command::{Address, Command, Never, Outcome};

/// Calls an event off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelEvent {
    pub event_id: EventId,
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

    fn run(&self, unit: &mut Unit<'_>) -> Result<Outcome<Self>, Stop> {
        let by = unit.person()?;
        Ok(Outcome::Reply(unit.decide_on_event(&CatalogCommand::Cancel {
            by,
            reason: self.reason.clone(),
        })?))
    }
}
