//! Laws of quotas: whatever happens in whatever order, no more tickets are held and sold than there are of a type, at the
//! price of a tier, or of a pool. The facts alone keep that, whatever the clocks say.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use ticketing_domain::catalog::{CatalogEvent, CatalogState, Codes};
use ticketing_domain::inventory::{InventoryEvent, Part};
use ticketing_domain::pricing::tiers_in_force;
use ticketing_domain::quotas::{Tickets, of_code, quotas_of};
use ticketing_domain::reservation::{Line, ReservationEvent};
use ticketing_domain::stored::StoredEvent as _;
use ticketing_ports::log::streams::{Aggregate, RecordedEvent};
use ticketing_ports::vocabulary::event_details::EventDetails;
use ticketing_ports::vocabulary::ids::{ReservationId, SectionId};
use ticketing_testkit::generators::House;

use super::facts::facts_of;

/// The tickets of all claims, by section and reservation.
type Claims = BTreeMap<(SectionId, ReservationId), Vec<Tickets>>;

/// Follows the facts of all sections and orders, and adds up after each what is claimed.
pub(crate) fn no_more_tickets_are_taken_than_there_are(house: &House) -> TestCaseResult {
    let details = house.details();
    let codes = codes_of(house);
    let mut claims = Claims::new();
    let mut orders: BTreeMap<ReservationId, Vec<Tickets>> = BTreeMap::new();
    for fact in &house.log {
        match fact.stream.aggregate {
            Aggregate::Inventory => follow(&mut claims, &orders, fact),
            Aggregate::Reservation => {
                if let ReservationEvent::ReservationHeld(held) = ReservationEvent::from_recorded(fact).unwrap() {
                    orders.insert(held.reservation_id, held.lines.iter().map(Tickets::from).collect());
                    for line in &*held.lines {
                        its_price_is_that_of_the_first_tier_with_tickets(&details, &claims, line, fact)?;
                    }
                    let of_lines = held.lines.iter().map(Tickets::from).map(counted);
                    let of_claims = claims.iter().filter(|((_, of), _)| *of == held.reservation_id);
                    let mut of_claims: Vec<_> = of_claims
                        .flat_map(|(_, tickets)| tickets.clone())
                        .map(counted)
                        .collect();
                    for line in of_lines {
                        let found = of_claims
                            .iter()
                            .position(|of| *of == line || *of == (line.0, None, None, None, line.4));
                        prop_assert!(found.is_some(), "{line:?} is claimed otherwise: {of_claims:?}");
                        of_claims.remove(found.unwrap());
                    }
                    prop_assert_eq!(of_claims, vec![]);
                }
            }
            _ => {}
        }
        let tickets: Vec<_> = claims.values().flatten().copied().collect();
        let of_codes = codes.all().filter_map(|code| of_code(&details, &code));
        for quota in quotas_of(&details).into_iter().chain(of_codes) {
            let taken = quota.count(&tickets);
            prop_assert!(taken <= quota.limit, "{taken} tickets are taken: {quota:?}");
        }
    }
    Ok(())
}

/// Returns the codes that the organiser has added.
pub(crate) fn codes_of(house: &House) -> Codes {
    let mut catalog = CatalogState::default();
    for fact in facts_of(house, Aggregate::Catalog) {
        catalog.evolve(&CatalogEvent::from_recorded(fact).unwrap());
    }
    Codes::clone(&catalog.listing().unwrap().codes)
}

type Counts = (SectionId, Option<u128>, Option<u128>, Option<u128>, u32);

fn counted(tickets: Tickets) -> Counts {
    let ticket_type = tickets.ticket_type_id.map(|id| id.uuid().as_u128());
    let tier = tickets.tier_id.map(|id| id.uuid().as_u128());
    let code = tickets.code_id.map(|id| id.uuid().as_u128());
    (tickets.section_id, ticket_type, tier, code, tickets.quantity)
}

/// What is taken again counts as its order says, whatever the fact itself tells.
fn follow(claims: &mut Claims, orders: &BTreeMap<ReservationId, Vec<Tickets>>, fact: &RecordedEvent) {
    let event = InventoryEvent::from_recorded(fact).unwrap();
    let section_id = SectionId::new(fact.stream.id);
    let Some(reservation) = event.reservation_id() else {
        return;
    };
    let mut claim = |quantity: u32, parts: &[Part]| {
        let whole = Tickets {
            section_id,
            ticket_type_id: None,
            tier_id: None,
            quantity,
            code_id: None,
        };
        let of_parts = parts.iter().map(|part| Tickets {
            ticket_type_id: part.ticket_type_id,
            tier_id: Some(part.tier_id),
            code_id: part.code_id,
            quantity: part.quantity,
            ..whole
        });
        let tickets = if parts.is_empty() {
            vec![whole]
        } else {
            of_parts.collect()
        };
        claims.insert((section_id, reservation), tickets);
    };
    match &event {
        InventoryEvent::SeatsHeld(held) => claim(held.seats.quantity(), &held.parts),
        InventoryEvent::SeatsRetaken(_) => {
            let of_order = orders[&reservation]
                .iter()
                .filter(|tickets| tickets.section_id == section_id);
            claims.insert((section_id, reservation), of_order.copied().collect());
        }
        InventoryEvent::SeatsReleased(_) => drop(claims.remove(&(section_id, reservation))),
        _ => {}
    }
}

/// Checks that a line is sold at a price in force, and that all tickets at the prices before it are taken.
fn its_price_is_that_of_the_first_tier_with_tickets(
    details: &EventDetails,
    claims: &Claims,
    line: &Line,
    fact: &RecordedEvent,
) -> TestCaseResult {
    let ticket_type = line.ticket_type.as_ref().map(|of| &of.name);
    let tiers = tiers_in_force(
        &details.pricing_tiers,
        line.section.as_str(),
        ticket_type,
        fact.recorded_at,
    );
    let tickets: Vec<_> = claims.values().flatten().copied().collect();
    for tier in tiers {
        if tier.tier_id == line.tier_id {
            prop_assert_eq!((&tier.tier, tier.price), (&line.tier, line.unit_price));
            return Ok(());
        }
        let quota = ticketing_domain::quotas::of_tier(details, tier).unwrap();
        prop_assert_eq!(quota.count(&tickets), quota.limit, "tickets are left in {}", tier.tier);
    }
    prop_assert!(false, "{} is not in force", line.tier);
    Ok(())
}
