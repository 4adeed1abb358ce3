//! Laws of states: each fact moves a reservation or an event as a table allows.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use ticketing_domain::catalog::{CatalogEvent, CatalogState};
use ticketing_domain::reservation::{ReservationEvent, ReservationState};
use ticketing_domain::stored::StoredEvent as _;
use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::{Aggregate, StreamId};
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_testkit::generators::House;

use super::facts::facts_of;

/// Every change of a reservation's status that a fact may record.
const RESERVATION_MOVES: &[(ReservationStatus, ReservationStatus)] = {
    use ReservationStatus::{Cancelled, Compensated, Completed, Expired, Held, PaymentPending, Refunded};
    &[
        (Held, PaymentPending),
        (Held, Expired),
        (Held, Cancelled),
        // The seats cost nothing, so the reservation is completed without a payment.
        (Held, Completed),
        // Too many payments for the reservation were declined.
        (Held, Compensated),
        (PaymentPending, Held),
        (PaymentPending, Completed),
        (PaymentPending, Expired),
        (PaymentPending, Cancelled),
        (PaymentPending, Compensated),
        // The money came after the hold had run out: the same seats were still free and are sold, or they were gone.
        (Expired, Completed),
        (Expired, Compensated),
        (Completed, Cancelled),
        (Completed, Refunded),
        (Cancelled, Refunded),
    ]
};

/// The facts after which a reservation has the status that it had before.
const KEEPS_STATUS: [&str; 2] = ["ReservationExtended", "ReservationMoneyReturned"];

/// Every change of an event's status that a fact may record.
const EVENT_MOVES: &[(EventStatus, EventStatus)] = {
    use EventStatus::{Cancelled, Completed, Draft, Published, SalesClosed, SalesOpen};
    &[
        (Draft, Published),
        (Draft, Cancelled),
        (Published, SalesOpen),
        (Published, Completed),
        (Published, Cancelled),
        (SalesOpen, SalesClosed),
        (SalesOpen, Completed),
        (SalesOpen, Cancelled),
        (SalesClosed, SalesOpen),
        (SalesClosed, Completed),
        (SalesClosed, Cancelled),
    ]
};

pub(crate) fn every_fact_of_a_reservation_is_a_move_that_the_table_allows(house: &House) -> TestCaseResult {
    let mut reservations: BTreeMap<StreamId, ReservationState> = BTreeMap::new();
    for fact in facts_of(house, Aggregate::Reservation) {
        let state = reservations.entry(fact.stream).or_default();
        // The earliest possible time gives the recorded status, since no hold has run out by then.
        let before = state.status_at(Timestamp::MIN_UTC);
        state.evolve(&ReservationEvent::from_recorded(fact).unwrap());
        let after = state.status_at(Timestamp::MIN_UTC).unwrap();
        match before {
            None => prop_assert_eq!(after, ReservationStatus::Held),
            Some(before) if KEEPS_STATUS.contains(&&*fact.event_type) => prop_assert_eq!(after, before),
            Some(before) => prop_assert!(
                RESERVATION_MOVES.contains(&(before, after)),
                "{}: {before:?} to {after:?}",
                fact.event_type
            ),
        }
    }
    Ok(())
}

pub(crate) fn every_fact_of_an_event_is_a_move_that_the_table_allows(house: &House) -> TestCaseResult {
    let mut catalog = CatalogState::default();
    for fact in facts_of(house, Aggregate::Catalog) {
        let before = catalog.listing().map(|listing| listing.status);
        catalog.evolve(&CatalogEvent::from_recorded(fact).unwrap());
        let listing = catalog.listing().unwrap();
        match before {
            None => prop_assert_eq!(listing.status, EventStatus::Draft),
            Some(EventStatus::Cancelled) => {
                prop_assert_eq!(fact.event_type.as_ref(), "CancellationFinished");
                prop_assert!(!listing.settling);
            }
            Some(before) if ["CodesAdded", "CodeEnded"].contains(&&*fact.event_type) => {
                prop_assert_eq!(listing.status, before);
            }
            Some(before) => prop_assert!(EVENT_MOVES.contains(&(before, listing.status))),
        }
    }
    Ok(())
}
