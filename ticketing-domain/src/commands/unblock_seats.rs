//! Putting blocked seats back on sale.
//!
//! The command is refused if the caller does not manage the event, the event is over or cancelled, the section is
//! unknown, or not all of the seats are blocked.

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::vocabulary::ids::EventId;

use crate::book::{Stop, UnitOfWork, Wants};
use crate::command::{Address, Command, Never, Outcome};
use crate::inventory::{Inventory, InventoryCommand, TakenSeats};

use super::block_seats::{refused, section_to_block};

/// Puts blocked seats of a section back on sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnblockSeats {
    /// The event on sale that the section belongs to.
    pub event_id: EventId,
    /// The section's name.
    pub section: String,
    /// The seats, or the number of places in general admission.
    pub seats: TakenSeats,
}

impl Command for UnblockSeats {
    const NAME: &'static str = "unblock_seats";

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
        unit.decide::<Inventory>(section_id, &InventoryCommand::Unblock { seats })
            .map_err(|declined| declined.or_refuse(|refusal| refused(refusal, &section)))?;
        Ok(Outcome::Reply(section_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::BlockSeats;
    use crate::commands::given::{ALICE, EVENT, ORGANISER, floor, on_sale};
    use crate::refusal::Refusal;

    #[test]
    fn what_was_blocked_can_be_sold_again() {
        let mut house = on_sale();
        let (event_id, section, seats) = (EVENT, "Floor".to_owned(), TakenSeats::Places(5));
        let block = BlockSeats {
            event_id,
            section: section.clone(),
            seats: seats.clone(),
        };
        house.asks(ORGANISER, block).unwrap();
        assert!(house.asks(ALICE, floor(1)).is_err());
        let unblock = UnblockSeats {
            event_id,
            section,
            seats,
        };
        let unblocked = house.asks(ORGANISER, unblock).unwrap();
        assert_eq!(unblocked.facts(), ["SeatsUnblocked"]);
        assert_eq!(unblocked.reply().counts.available, 5);
        assert!(house.asks(ALICE, floor(1)).is_ok());
    }

    #[test]
    fn what_is_not_blocked_is_not_unblocked() {
        let unblock = UnblockSeats {
            event_id: EVENT,
            section: "Floor".to_owned(),
            seats: TakenSeats::Places(1),
        };
        let refused = on_sale().asks(ORGANISER, unblock).unwrap_err();
        assert_eq!(
            refused,
            Refusal::invalid("seats", "not all of these places are blocked")
        );
    }
}
