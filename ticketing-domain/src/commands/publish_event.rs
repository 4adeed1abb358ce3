//! Publishing a draft: from then on everybody sees the event.
//!
//! The command is refused if the caller does not manage the event, or the event is not a draft.

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::vocabulary::ids::EventId;

use crate::book::{Stop, UnitOfWork, Wants};
use crate::catalog::CatalogCommand;
use crate::command::{Address, Command, Never, Outcome};

/// Shows a draft to everybody. Sales are not open yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishEvent {
    /// The event whose draft is published.
    pub event_id: EventId,
}

impl Command for PublishEvent {
    const NAME: &'static str = "publish_event";

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
        Ok(Outcome::Reply(unit.decide_on_event(&CatalogCommand::Publish { by })?))
    }
}

#[cfg(test)]
mod tests {
    use ticketing_ports::vocabulary::event_details::EventStatus;

    use super::*;
    use crate::commands::given::{ALICE, EVENT, ORGANISER, a_draft, on_sale};
    use crate::refusal::Refusal;
    use crate::transition::Action;

    #[test]
    fn a_draft_is_published_by_who_manages_it() {
        let mut house = a_draft();
        let publish = PublishEvent { event_id: EVENT };
        assert_eq!(house.asks(ORGANISER, publish).unwrap().facts(), ["EventPublished"]);
    }

    #[test]
    fn somebody_elses_draft_does_not_exist() {
        let refused = a_draft().asks(ALICE, PublishEvent { event_id: EVENT });
        assert_eq!(refused.unwrap_err(), Refusal::EventNotFound(EVENT));
    }

    #[test]
    fn what_is_on_sale_is_not_published_again() {
        let refused = on_sale().asks(ORGANISER, PublishEvent { event_id: EVENT });
        assert_eq!(
            refused.unwrap_err(),
            Refusal::state(EventStatus::SalesOpen, Action::Publish)
        );
    }
}
