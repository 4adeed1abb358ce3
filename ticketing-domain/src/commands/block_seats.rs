//! Taking seats off sale: free seats become blocked, until they are unblocked.
//!
//! Seats of holds that have run out count as free; the command releases these holds first. It is refused if the
//! caller does not manage the event, the event is over or cancelled, the section is unknown, or a seat is not free.

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::ids::{EventId, SectionId};
use ticketing_ports::vocabulary::seating::Label;

use crate::book::{Stop, UnitOfWork, Wants};
use crate::command::{Address, Command, Never, Outcome};
use crate::inventory::{Inventory, InventoryCommand, InventoryRefusal, TakenSeats};
use crate::refusal::Refusal;
use crate::transition::Action;

use super::section_refusals;

/// Takes free seats of a section off sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockSeats {
    /// The event on sale that the section belongs to.
    pub event_id: EventId,
    /// The section's name.
    pub section: String,
    /// The seats, or the number of places in general admission.
    pub seats: TakenSeats,
}

impl Command for BlockSeats {
    const NAME: &'static str = "block_seats";

    type Reply = SectionAvailability;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Lane(self.event_id.into())
    }

    fn wants(&self, wants: &mut Wants) {
        wants.add(self.event_id);
    }

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let (section_id, section) = section_to_block(unit, &self.section)?;
        let seats = self.seats.clone();
        unit.decide::<Inventory>(section_id, &InventoryCommand::Block { seats })
            .map_err(|declined| declined.or_refuse(|refusal| refused(refusal, &section)))?;
        Ok(Outcome::Reply(section_id))
    }
}

/// Finds the section of that name. Refuses if the caller does not manage the event, or the event is over or
/// cancelled.
pub(super) fn section_to_block(unit: &UnitOfWork<'_>, name: &str) -> Result<(SectionId, Label), Stop> {
    let listing = unit.listing_managed_by(unit.person()?)?;
    match listing.status_at(unit.now()) {
        EventStatus::Cancelled => return Err(Refusal::EventCancelled(listing.event_id).into()),
        EventStatus::Completed => {
            return Err(Refusal::state(EventStatus::Completed, Action::BlockSeats).into());
        }
        EventStatus::Draft | EventStatus::Published | EventStatus::SalesOpen | EventStatus::SalesClosed => {}
    }
    let section = listing.details.section(name);
    let section = section.ok_or_else(|| Refusal::no_section(name))?;
    Ok((section.section_id, section.name.clone()))
}

/// Turns the section's refusal to block or unblock seats into words for an organiser.
pub(super) fn refused(refusal: InventoryRefusal, section: &Label) -> Refusal {
    match refusal {
        InventoryRefusal::QuantityMismatch => Refusal::invalid(
            "seats",
            "a numbered section takes `seats`, general admission a `quantity` from 1",
        ),
        InventoryRefusal::NotBlocked => Refusal::invalid("seats", "not all of these places are blocked"),
        other => match section_refusals::refused(other, section, str::to_owned) {
            Refusal::Invalid(errors) => {
                let renamed = errors.into_iter().map(|mut error| {
                    error.field = "seats".to_owned();
                    error
                });
                Refusal::Invalid(renamed.collect())
            }
            refusal => refusal,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::CancelEvent;
    use crate::commands::given::{ALICE, EVENT, ORGANISER, balcony, on_sale, seat};

    fn block(section: &str, seats: TakenSeats) -> BlockSeats {
        BlockSeats {
            event_id: EVENT,
            section: section.to_owned(),
            seats,
        }
    }

    #[test]
    fn blocked_places_are_not_for_sale() {
        let mut house = on_sale();
        let seats = TakenSeats::Seats(vec![seat("A-1")]);
        let blocked = house.asks(ORGANISER, block("Balcony", seats)).unwrap();
        assert_eq!(blocked.facts(), ["SeatsBlocked"]);
        let counts = blocked.reply().counts;
        assert_eq!((counts.blocked, counts.available), (1, 3));
        let refused = house.asks(ALICE, balcony(&["A-1"])).unwrap_err();
        assert_eq!(
            refused,
            Refusal::SeatsUnavailable {
                seats: vec![seat("A-1")],
                section: Some("Balcony".to_owned()),
            }
        );
    }

    #[test]
    fn a_place_that_somebody_holds_is_not_blocked_before_its_hold_has_run_out() {
        let mut house = on_sale();
        house.asks(ALICE, balcony(&["A-1"])).unwrap();
        let seats = TakenSeats::Seats(vec![seat("A-1"), seat("A-2")]);
        let refused = house.asks(ORGANISER, block("Balcony", seats.clone())).unwrap_err();
        assert_eq!(
            refused,
            Refusal::SeatsUnavailable {
                seats: vec![seat("A-1")],
                section: Some("Balcony".to_owned()),
            }
        );
        house.wait(300);
        let blocked = house.asks(ORGANISER, block("Balcony", seats)).unwrap();
        assert_eq!(blocked.facts(), ["SeatsReleased", "SeatsBlocked"]);
    }

    #[test]
    fn what_a_section_cannot_mean_names_the_field() {
        let mut house = on_sale();
        for (section, seats) in [
            ("Floor", TakenSeats::Seats(vec![seat("A-1")])),
            ("Balcony", TakenSeats::Places(1)),
            ("Balcony", TakenSeats::Seats(vec![seat("Z-1")])),
            ("Floor", TakenSeats::Places(0)),
        ] {
            match house.asks(ORGANISER, block(section, seats)).unwrap_err() {
                Refusal::Invalid(errors) => assert_eq!(errors[0].field, "seats"),
                refusal => panic!("{refusal:?}"),
            }
        }
    }

    #[test]
    fn only_who_manages_the_event_blocks_and_only_while_it_is_to_come() {
        let mut house = on_sale();
        let one = || block("Floor", TakenSeats::Places(1));
        assert_eq!(house.asks(ALICE, one()).unwrap_err(), Refusal::Forbidden);
        let nowhere = house.asks(ORGANISER, block("Moon", TakenSeats::Places(1)));
        assert_eq!(nowhere.unwrap_err(), Refusal::SectionNotFound("Moon".to_owned()));
        let (event_id, reason) = (EVENT, None);
        house.asks(ORGANISER, CancelEvent { event_id, reason }).unwrap();
        assert_eq!(
            house.asks(ORGANISER, one()).unwrap_err(),
            Refusal::EventCancelled(EVENT)
        );
    }
}
