//! Laws of what one customer may have: whatever happens in whatever order, nobody has more.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use ticketing_domain::inventory::{InventoryEvent, Part};
use ticketing_domain::stored::StoredEvent as _;
use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::{Aggregate, StreamId};
use ticketing_ports::vocabulary::ids::{CustomerId, ReservationId};
use ticketing_testkit::generators::House;

use super::facts::facts_of;

/// What a customer has in one section by one reservation.
struct Has {
    customer: CustomerId,
    quantity: u32,
    /// How many of the seats have a code.
    with_code: u32,
    /// When the hold runs out; `None` if the seats are sold.
    until: Option<Timestamp>,
}

/// Follows the facts of all sections, and checks after each what its customer has at that moment.
pub(crate) fn nobody_has_more_than_one_customer_may_have(house: &House) -> TestCaseResult {
    let mut claims: BTreeMap<(ReservationId, StreamId), Has> = BTreeMap::new();
    for fact in facts_of(house, Aggregate::Inventory) {
        let event = InventoryEvent::from_recorded(fact).unwrap();
        let Some(reservation) = event.reservation_id() else {
            continue;
        };
        let key = (reservation, fact.stream);
        match event {
            InventoryEvent::SeatsHeld(held) => {
                let has = Has {
                    customer: held.customer_id.unwrap(),
                    quantity: held.seats.quantity(),
                    with_code: with_code(&held.parts),
                    until: Some(held.held_until),
                };
                claims.insert(key, has);
            }
            InventoryEvent::SeatsRetaken(retaken) => {
                let has = Has {
                    customer: retaken.customer_id.unwrap(),
                    quantity: retaken.seats.quantity(),
                    with_code: with_code(&retaken.parts),
                    until: None,
                };
                claims.insert(key, has);
            }
            InventoryEvent::HoldExtended(extended) => {
                claims.get_mut(&key).unwrap().until = Some(extended.held_until);
            }
            InventoryEvent::SeatsSold(sold) => {
                let has = claims.get_mut(&key).unwrap();
                has.until = None;
                has.customer = sold.customer_id.unwrap_or(has.customer);
            }
            _ => drop(claims.remove(&key)),
        }
        let Some(customer) = claims.get(&key).map(|has| has.customer) else {
            continue;
        };
        // A hold that has run out counts until it is released: so the facts alone keep the limits, whatever the clocks say.
        let theirs = claims.iter().filter(|(_, has)| has.customer == customer);
        let theirs: Vec<_> = theirs.collect();
        let seats: u32 = theirs.iter().map(|(_, has)| has.quantity).sum();
        if let Some(limit) = house.draft.max_seats_per_customer {
            prop_assert!(seats <= limit, "{customer} has {seats} seats, but may have {limit}");
        }
        let uses: u32 = theirs.iter().map(|(_, has)| has.with_code).sum();
        prop_assert!(
            uses <= House::USES_PER_CUSTOMER,
            "{customer} uses the code for {uses} tickets"
        );
        let is_live = |has: &Has| has.until.is_some_and(|until| fact.recorded_at < until);
        let held = theirs.iter().filter(|(_, has)| is_live(has));
        let holds: BTreeSet<_> = held.map(|((reservation, _), _)| reservation).collect();
        prop_assert!(
            holds.len() <= House::MAX_LIVE_HOLDS as usize,
            "{customer} has {} holds",
            holds.len()
        );
    }
    Ok(())
}

fn with_code(parts: &[Part]) -> u32 {
    let with_code = parts.iter().filter(|part| part.code_id.is_some());
    with_code.map(|part| part.quantity).sum()
}
