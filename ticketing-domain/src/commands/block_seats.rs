//! Taking places off sale: free seats become blocked, and stay so until they are unblocked.
//!
//! Seats of holds that ran out count as free; those holds are released first. Refused to who does not manage the event,
//! when the event is over or cancelled, the section is unknown, or a place is not free.

use serde::{Deserialize, Serialize};
use ticketing_ports::event_details::EventStatus;
use ticketing_ports::ids::{EventId, SectionId};
use ticketing_ports::read_models::SectionAvailability;
use ticketing_ports::seating::Label;

use crate::book::{Stop, Unit, Wants};
use crate::command::{Address, Command, Never, Outcome};
use crate::inventory::{Inventory, InventoryCommand, InventoryRefusal, TakenSeats};
use crate::refusal::Refusal;

use super::hold_seats;

/// Takes free places of a section off sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockSeats {
    pub event_id: EventId,
    pub section: String,
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

    fn run(&self, unit: &mut Unit<'_>) -> Result<Outcome<Self>, Stop> {
        let (section_id, section) = section_to_block(unit, &self.section)?;
        let seats = self.seats.clone();
        unit.decide::<Inventory>(section_id, &InventoryCommand::Block { seats })
            .map_err(|declined| declined.or_refuse(|refusal| refused(refusal, &section)))?;
        Ok(Outcome::Reply(section_id))
    }
}

/// The section of that name, for somebody who manages the event and while that still means something.
pub(super) fn section_to_block(unit: &Unit<'_>, name: &str) -> Result<(SectionId, Label), Stop> {
    let listing = unit.listing_managed_by(unit.person()?)?;
    match listing.status_at(unit.now()) {
        EventStatus::Cancelled => return Err(Refusal::EventCancelled(listing.event_id).into()),
        EventStatus::Completed => {
            return Err(Refusal::state(EventStatus::Completed.as_str(), "block_seats").into());
        }
        EventStatus::Draft | EventStatus::Published | EventStatus::SalesOpen | EventStatus::SalesClosed => {}
    }
    let section = listing.details.section(name);
    let section = section.ok_or_else(|| Refusal::SectionNotFound(name.to_owned()))?;
    Ok((section.section_id, section.name.clone()))
}

/// Says in an organiser's words why a section does not take places off sale, or back.
pub(super) fn refused(refusal: InventoryRefusal, section: &Label) -> Refusal {
    match refusal {
        InventoryRefusal::QuantityMismatch => Refusal::invalid(
            "seats",
            "a numbered section takes `seats`, general admission a `quantity` from 1",
        ),
        InventoryRefusal::NotBlocked => Refusal::invalid("seats", "not all of these places are blocked"),
        other => match hold_seats::refused(other, section) {
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
