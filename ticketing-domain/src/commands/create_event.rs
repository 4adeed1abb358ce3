//! Creating an event: a draft with its sections, each with an inventory of its own.
//!
//! Refused to who may not create events, and when the draft is not acceptable; the refusal then names every field.

use serde::{Deserialize, Serialize};
use ticketing_ports::event_details::EventView;
use ticketing_ports::ids::EventId;

use crate::book::{Stop, Unit};
use crate::catalog::{Catalog, CatalogCommand, EventDraft};
use crate::command::{Address, Command, Never, Outcome};

/// Puts a draft into the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateEvent {
    /// A new one.
    pub event_id: EventId,
    pub draft: Box<EventDraft>,
}

impl Command for CreateEvent {
    const NAME: &'static str = "create_event";

    type Reply = EventView;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Lane(self.event_id.into())
    }

    fn run(&self, unit: &mut Unit<'_>) -> Result<Outcome<Self>, Stop> {
        let create = CatalogCommand::Create {
            event_id: self.event_id,
            by: unit.person()?,
            draft: self.draft.clone(),
        };
        unit.begin::<Catalog>(self.event_id);
        unit.decide::<Catalog>(self.event_id, &create)?;
        Ok(Outcome::Reply(self.event_id))
    }
}
