//! Laws of seats and money: nothing is sold twice, the counts add up, and money is taken only for seats.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use ticketing_domain::inventory::{InventoryEvent, InventoryState};
use ticketing_domain::payment::{PaymentEvent, PaymentState};
use ticketing_domain::reservation::{ReservationEvent, ReservationState};
use ticketing_domain::stored::StoredEvent as _;
use ticketing_ports::log::streams::{Aggregate, StreamId, Version};
use ticketing_testkit::generators::{House, ORGANISER};

use super::facts::facts_of;

pub(crate) fn held_sold_blocked_and_available_add_up(house: &mut House) -> TestCaseResult {
    for section in house.draft.sections.clone() {
        let section = house.section(ORGANISER.into(), section.name.as_str()).unwrap();
        prop_assert_eq!(
            section.availability.counts.capacity(),
            section.availability.total_capacity
        );
    }
    Ok(())
}

pub(crate) fn nothing_is_sold_twice(house: &House) -> TestCaseResult {
    let mut sections: BTreeMap<StreamId, InventoryState> = BTreeMap::new();
    for fact in facts_of(house, Aggregate::Inventory) {
        let section = sections.entry(fact.stream).or_default();
        section.evolve(&InventoryEvent::from_recorded(fact).unwrap());
        let claims: Vec<_> = section.reservations().filter_map(|by| section.claim(by)).collect();
        let seats: Vec<_> = claims.iter().flat_map(|claim| claim.seats.seats()).collect();
        prop_assert_eq!(seats.iter().collect::<BTreeSet<_>>().len(), seats.len());
        let taken: u32 = claims.iter().map(|claim| claim.seats.quantity()).sum();
        prop_assert!(taken <= section.seating().unwrap().capacity());
    }
    Ok(())
}

#[derive(Default)]
struct Money {
    state: PaymentState,
    captures: u32,
    asked_back: i64,
}

pub(crate) fn money_is_taken_for_seats_or_asked_to_be_given_back(house: &House) -> TestCaseResult {
    let mut payments: BTreeMap<StreamId, Money> = BTreeMap::new();
    for fact in facts_of(house, Aggregate::Payment) {
        let payment = payments.entry(fact.stream).or_default();
        let event = PaymentEvent::from_recorded(fact).unwrap();
        payment.state.evolve(&event);
        match event {
            PaymentEvent::PaymentCaptured(_) => payment.captures += 1,
            PaymentEvent::RefundRequested(refund) => payment.asked_back += refund.amount.amount,
            _ => {}
        }
    }
    let mut bought = BTreeSet::new();
    for fact in facts_of(house, Aggregate::Reservation) {
        if let ReservationEvent::ReservationCompleted(completed) = ReservationEvent::from_recorded(fact).unwrap() {
            match completed.sale.payment_id {
                Some(payment_id) => {
                    prop_assert!(
                        bought.insert(StreamId::from(payment_id)),
                        "a payment completes only one reservation"
                    );
                }
                None => prop_assert!(
                    completed.sale.total_amount.is_zero(),
                    "a sale without a payment costs nothing"
                ),
            }
        }
    }
    for (stream, payment) in &payments {
        let Some(terms) = payment.state.terms() else { continue };
        prop_assert!(payment.captures <= 1);
        prop_assert!(
            payment.asked_back <= terms.amount.amount,
            "no more money goes back than was taken"
        );
        if payment.captures == 1 && !bought.contains(stream) {
            prop_assert_eq!(
                payment.asked_back,
                terms.amount.amount,
                "a payment that bought no seats is paid back in full"
            );
        }
    }
    for stream in &bought {
        prop_assert!(payments.get(stream).is_some_and(|payment| payment.captures == 1));
    }
    Ok(())
}

pub(crate) fn an_order_says_how_much_of_its_money_has_gone_back(house: &House) -> TestCaseResult {
    let mut reservations: BTreeMap<StreamId, ReservationState> = BTreeMap::new();
    for fact in facts_of(house, Aggregate::Reservation) {
        let reservation = reservations.entry(fact.stream).or_default();
        reservation.evolve(&ReservationEvent::from_recorded(fact).unwrap());
    }
    let mut payments: BTreeMap<StreamId, PaymentState> = BTreeMap::new();
    for fact in facts_of(house, Aggregate::Payment) {
        let payment = payments.entry(fact.stream).or_default();
        payment.evolve(&PaymentEvent::from_recorded(fact).unwrap());
    }
    for reservation in reservations.values() {
        let view = reservation.view(Version(1), house.now).unwrap();
        let payment = view.payment_id.and_then(|payment_id| payments.get(&payment_id.into()));
        let went_back = match payment {
            Some(PaymentState::Captured { refunded, .. }) => refunded.amount,
            _ => 0,
        };
        prop_assert_eq!(view.refunded_amount.amount, went_back, "{:?}", reservation);
    }
    Ok(())
}
