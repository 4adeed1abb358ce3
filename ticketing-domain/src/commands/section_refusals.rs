//! Turns the refusal of a section into the refusal of the whole command, in the words of a customer.

use ticketing_ports::vocabulary::seating::Label;

use super::wanted_line::other_quantity;
use crate::inventory::InventoryRefusal;
use crate::refusal::Refusal;

/// Turns the section's refusal into words for a customer. `field` makes the path of a field from its name.
pub(super) fn refused(refusal: InventoryRefusal, section: &Label, field: impl Fn(&str) -> String) -> Refusal {
    match refusal {
        InventoryRefusal::InsufficientInventory { requested, available } => Refusal::InsufficientInventory {
            requested,
            available,
            section: section.as_str().to_owned(),
        },
        InventoryRefusal::SeatsUnavailable(seats) => Refusal::SeatsUnavailable {
            seats,
            section: Some(section.as_str().to_owned()),
        },
        InventoryRefusal::UnknownSeats(seats) => {
            let names: Vec<_> = seats.iter().take(20).map(ToString::to_string).collect();
            Refusal::invalid(
                field("specific_seats"),
                format!("the section has no seat {}", names.join(", ")),
            )
        }
        InventoryRefusal::RepeatedSeat(seat) => {
            Refusal::invalid(field("specific_seats"), format!("seat {seat} is named twice"))
        }
        InventoryRefusal::NotNumbered => Refusal::invalid(field("specific_seats"), "the section has no numbered seats"),
        InventoryRefusal::QuantityMismatch => other_quantity(field),
        InventoryRefusal::AlreadyHeld => Refusal::AlreadyExists,
        InventoryRefusal::NotOpen
        | InventoryRefusal::AlreadyOpen
        | InventoryRefusal::NothingToExtend
        | InventoryRefusal::NothingToRelease
        | InventoryRefusal::AlreadySold
        | InventoryRefusal::NotBlocked => Refusal::SectionNotFound(section.as_str().to_owned()),
    }
}
