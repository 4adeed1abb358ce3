//! Holding seats: they are set aside for a few minutes, at the price that is in force now.
//!
//! The command reads the terms from the catalog, has the section hold the seats, and opens the reservation with the
//! deadline of the hold. The command is refused if the event is not on sale, or is a draft that the caller may not
//! see, the section is unknown, no price is in force, the quantity is above the limit, the customer does not exist,
//! or the seats are not free.

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId};
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::{Label, SeatId};

use crate::book::{Stop, UnitOfWork, Wants};
use crate::catalog::SaleTerms;
use crate::command::{Address, Command, Never, Outcome};
use crate::inventory::{self, Inventory, InventoryCommand, InventoryEvent, InventoryRefusal, SeatWish, SeatsHeld};
use crate::refusal::Refusal;
use crate::reservation::{Reservation, ReservationCommand, ReservationHeld};

/// Sets seats aside for a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldSeats {
    /// The event on sale that the section belongs to.
    pub event_id: EventId,
    /// The section's name.
    pub section: String,
    /// How many seats are held.
    pub quantity: u32,
    /// The seats that the customer names, which are held all together or not at all; `None` for the best that are
    /// free.
    pub specific_seats: Option<Vec<SeatId>>,
    /// For whom the seats are held.
    pub customer: HoldFor,
}

/// For whom seats are held. The domain cannot tell whether a customer exists, so whoever calls the engine looks that
/// up first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldFor {
    /// The seats are held for whoever sends the command.
    Caller,
    /// The seats are held for this customer. Only an admin may hold seats for somebody else.
    Customer(CustomerId),
    /// A customer who does not exist, or was deleted: the command is refused.
    Nobody(CustomerId),
}

impl Command for HoldSeats {
    const NAME: &'static str = "hold_seats";

    type Reply = ReservationView;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Lane(self.event_id.into())
    }

    fn wants(&self, wants: &mut Wants) {
        wants.add(self.event_id);
    }

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let by = unit.person()?;
        let customer_id = self.customer(by)?;
        let terms = unit
            .listing_seen_by(Some(by))?
            .terms(&self.section, self.quantity, unit.now())?;
        let reservation_id = unit.mint::<Reservation>();
        let hold = inventory::HoldSeats {
            reservation_id,
            quantity: self.quantity,
            wish: match &self.specific_seats {
                Some(seats) => SeatWish::Exactly(seats.clone()),
                None => SeatWish::BestAvailable,
            },
            held_until: terms.held_until,
        };
        let made = unit
            .decide::<Inventory>(terms.section_id, &InventoryCommand::Hold(hold))
            .map_err(|declined| declined.or_refuse(|refusal| refused(refusal, &terms.section)))?;
        let Some(InventoryEvent::SeatsHeld(held)) = unit.made(&made).last() else {
            unreachable!("the last fact of an accepted hold is SeatsHeld");
        };
        let open = ReservationCommand::Open(opening(self.event_id, customer_id, terms, held, unit));
        unit.decide::<Reservation>(reservation_id, &open.into())?;
        Ok(Outcome::Reply(reservation_id))
    }
}

impl HoldSeats {
    fn customer(&self, by: Actor) -> Result<CustomerId, Refusal> {
        let own = CustomerId::from(by.user_id);
        match self.customer {
            HoldFor::Caller => Ok(own),
            HoldFor::Customer(customer_id) if customer_id == own || by.role == Role::Admin => Ok(customer_id),
            HoldFor::Nobody(customer_id) if by.role == Role::Admin => Err(Refusal::CustomerNotFound(customer_id)),
            HoldFor::Customer(_) | HoldFor::Nobody(_) => Err(Refusal::Forbidden),
        }
    }
}

fn opening(
    event_id: EventId,
    customer_id: CustomerId,
    terms: SaleTerms,
    held: &SeatsHeld,
    unit: &UnitOfWork<'_>,
) -> ReservationHeld {
    ReservationHeld {
        reservation_id: held.reservation_id,
        event_id,
        customer_id,
        section_id: terms.section_id,
        section: terms.section,
        tier: terms.tier,
        seats: held.seats.clone(),
        allocation: held.allocation,
        unit_price: terms.unit_price,
        total: terms.total,
        held_until: terms.held_until,
        at: unit.now(),
    }
}

/// Turns the section's refusal into words for a customer.
pub(super) fn refused(refusal: InventoryRefusal, section: &Label) -> Refusal {
    match refusal {
        InventoryRefusal::InsufficientInventory { requested, available } => Refusal::InsufficientInventory {
            requested,
            available,
            section: section.as_str().to_owned(),
        },
        InventoryRefusal::SeatsUnavailable(seats) => Refusal::SeatsUnavailable { seats },
        InventoryRefusal::UnknownSeats(seats) => {
            let names: Vec<_> = seats.iter().take(20).map(ToString::to_string).collect();
            Refusal::invalid(
                "specific_seats",
                format!("the section has no seat {}", names.join(", ")),
            )
        }
        InventoryRefusal::RepeatedSeat(seat) => {
            Refusal::invalid("specific_seats", format!("seat {seat} is named twice"))
        }
        InventoryRefusal::NotNumbered => Refusal::invalid("specific_seats", "the section has no numbered seats"),
        InventoryRefusal::QuantityMismatch => Refusal::invalid("quantity", "must be the number of specific seats"),
        InventoryRefusal::AlreadyHeld => Refusal::AlreadyExists,
        InventoryRefusal::NotOpen
        | InventoryRefusal::AlreadyOpen
        | InventoryRefusal::NothingToRelease
        | InventoryRefusal::AlreadySold
        | InventoryRefusal::NotBlocked => Refusal::SectionNotFound(section.as_str().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use ticketing_ports::log::deadlines::DeadlineKind;
    use ticketing_ports::vocabulary::seating::Allocation;

    use super::*;
    use crate::commands::given::{ADMIN, ALICE, BOB, ORGANISER, a_draft, balcony, floor, on_sale, seat};

    #[test]
    fn seats_are_held_at_the_price_in_force_until_the_deadline() {
        let mut house = on_sale();
        let held = house.asks(ALICE, floor(2)).unwrap();
        assert_eq!(held.facts(), ["SeatsHeld", "ReservationHeld"]);
        let view = held.reply();
        assert_eq!((view.quantity, view.total_amount.amount), (2, 5_000));
        let expiry = house.deadline(DeadlineKind::HoldExpiry).unwrap();
        assert_eq!(expiry.due_at, view.expires_at);
    }

    #[test]
    fn seats_that_are_gone_are_named_and_none_is_held() {
        let mut house = on_sale();
        house.asks(ALICE, balcony(&["A-2"])).unwrap();
        let refused = house.asks(BOB, balcony(&["A-1", "A-2"])).unwrap_err();
        let seats = vec![seat("A-2")];
        assert_eq!(refused, Refusal::SeatsUnavailable { seats });
        assert!(house.asks(BOB, balcony(&["A-1"])).is_ok());
    }

    #[test]
    fn who_names_no_seats_gets_the_best() {
        let mut house = on_sale();
        let best = HoldSeats {
            specific_seats: None,
            ..balcony(&["A-1", "A-2"])
        };
        let held = house.asks(ALICE, best).unwrap().reply();
        assert_eq!(held.allocation, Allocation::Adjacent);
    }

    #[test]
    fn a_hold_that_ran_out_gives_its_places_to_who_comes_next() {
        let mut house = on_sale();
        house.hold(ALICE, 5);
        assert!(matches!(
            house.asks(BOB, floor(1)).unwrap_err(),
            Refusal::InsufficientInventory { available: 0, .. }
        ));
        house.wait(300);
        let held = house.asks(BOB, floor(1)).unwrap();
        assert_eq!(held.facts(), ["SeatsReleased", "SeatsHeld", "ReservationHeld"]);
    }

    #[test]
    fn a_draft_and_an_unknown_section_sell_nothing() {
        let refused = a_draft().asks(ALICE, floor(1)).unwrap_err();
        assert!(matches!(refused, Refusal::EventNotFound(_)));
        let nowhere = HoldSeats {
            section: "Moon".to_owned(),
            ..floor(1)
        };
        let refused = on_sale().asks(ALICE, nowhere).unwrap_err();
        assert_eq!(refused, Refusal::SectionNotFound("Moon".to_owned()));
    }

    #[test]
    fn only_an_admin_holds_for_somebody_else() {
        let for_bob = HoldSeats {
            customer: HoldFor::Customer(BOB.user_id.into()),
            ..floor(1)
        };
        let mut house = on_sale();
        assert_eq!(house.asks(ALICE, for_bob.clone()).unwrap_err(), Refusal::Forbidden);
        let held = house.asks(ADMIN, for_bob).unwrap().reply();
        assert_eq!(held.customer_id, BOB.user_id.into());
    }

    #[test]
    fn nobody_sells_to_somebody_who_does_not_exist_and_only_an_admin_learns_that() {
        let nobody = CustomerId::from(BOB.user_id);
        let for_nobody = HoldSeats {
            customer: HoldFor::Nobody(nobody),
            ..floor(1)
        };
        let mut house = on_sale();
        for (by, refusal) in [
            (ADMIN, Refusal::CustomerNotFound(nobody)),
            (ALICE, Refusal::Forbidden),
            (ORGANISER, Refusal::Forbidden),
        ] {
            assert_eq!(house.asks(by, for_nobody.clone()).unwrap_err(), refusal);
        }
        let free = house.asks(ALICE, floor(5)).unwrap();
        assert_eq!(
            free.facts(),
            ["SeatsHeld", "ReservationHeld"],
            "the refused commands have held no seats"
        );
    }
}
