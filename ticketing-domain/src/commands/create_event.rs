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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::given::{ALICE, EVENT, ORGANISER, a_draft};
    use crate::refusal::Refusal;

    #[test]
    fn a_draft_opens_every_section_with_all_places_free() {
        let mut house = a_draft();
        let event_id = EventId::new(uuid::Uuid::from_u128(3));
        let draft = Box::new(house.draft());
        let created = house.asks(ORGANISER, CreateEvent { event_id, draft }).unwrap();
        assert_eq!(created.facts(), ["EventCreated", "SectionOpened", "SectionOpened"]);
        assert_eq!(created.staged.deadlines.len(), 1, "the start of the event");
    }

    #[test]
    fn an_id_that_is_taken_creates_nothing() {
        let mut house = a_draft();
        let draft = Box::new(house.draft());
        let again = house.asks(ORGANISER, CreateEvent { event_id: EVENT, draft });
        assert_eq!(again.unwrap_err(), Refusal::AlreadyExists);
    }

    #[test]
    fn a_customer_creates_no_events() {
        let mut house = a_draft();
        let draft = Box::new(house.draft());
        let event_id = EventId::new(uuid::Uuid::from_u128(3));
        let refused = house.asks(ALICE, CreateEvent { event_id, draft });
        assert_eq!(refused.unwrap_err(), Refusal::Forbidden);
        assert_eq!(house.version(event_id), None, "nothing is left of it");
    }
}
