//! Laws of prices: the parts of each price add up, and nothing changes a price once the seats are held.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use ticketing_domain::payment::PaymentEvent;
use ticketing_domain::reservation::{Line, ReservationEvent};
use ticketing_domain::stored::StoredEvent as _;
use ticketing_ports::log::streams::Aggregate;
use ticketing_ports::vocabulary::ids::ReservationId;
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::pricing::PricePart;
use ticketing_ports::vocabulary::reservation::SoldLine;
use ticketing_testkit::generators::House;

use super::facts::facts_of;

pub(crate) fn prices_add_up_and_never_change(house: &House) -> TestCaseResult {
    let mut held: BTreeMap<ReservationId, (Vec<SoldLine>, i64)> = BTreeMap::new();
    for fact in facts_of(house, Aggregate::Reservation) {
        match ReservationEvent::from_recorded(fact).unwrap() {
            ReservationEvent::ReservationHeld(order) => {
                for line in &*order.lines {
                    its_parts_add_up(line)?;
                }
                let sum: i64 = order.lines.iter().map(|line| line.total.amount).sum();
                prop_assert_eq!(sum, order.total.amount);
                an_order_that_costs_nothing_has_no_fee(&order.lines)?;
                let lines = order.lines.iter().map(Line::sold).collect();
                held.insert(order.reservation_id, (lines, sum));
            }
            ReservationEvent::ReservationCompleted(completed) => {
                let (lines, total) = &held[&completed.sale.reservation_id];
                prop_assert_eq!(lines, &completed.sale.lines);
                prop_assert_eq!(*total, completed.sale.total_amount.amount);
            }
            _ => {}
        }
    }
    for fact in facts_of(house, Aggregate::Payment) {
        if let PaymentEvent::PaymentRequested(request) = PaymentEvent::from_recorded(fact).unwrap() {
            prop_assert_eq!(request.amount.amount, held[&request.reservation_id].1);
        }
    }
    Ok(())
}

fn its_parts_add_up(line: &Line) -> TestCaseResult {
    let of_tickets = line.unit_price.amount * i64::from(line.seats.quantity());
    let Some(first) = line.price_parts.first() else {
        prop_assert_eq!(line.total.amount, of_tickets);
        return Ok(());
    };
    prop_assert_eq!(
        first,
        &PricePart::Base {
            amount: Money::new(of_tickets, line.total.currency),
        }
    );
    let adding = line.price_parts.iter().filter(|part| !part.is_included());
    let sum: i64 = adding.map(|part| part.amount().amount).sum();
    prop_assert_eq!(sum, line.total.amount, "{:?}", line.price_parts);
    for part in &line.price_parts {
        let is_discount = matches!(part, PricePart::Discount { .. });
        prop_assert!(is_discount || part.amount().amount >= 0, "{part:?}");
        prop_assert!(part.amount().amount >= -of_tickets, "{part:?}");
    }
    Ok(())
}

fn an_order_that_costs_nothing_has_no_fee(lines: &[Line]) -> TestCaseResult {
    let is_of_the_tickets = |part: &&PricePart| matches!(part, PricePart::Base { .. } | PricePart::Discount { .. });
    let tickets = |line: &Line| -> i64 {
        let parts = line.price_parts.iter().filter(is_of_the_tickets);
        parts.map(|part| part.amount().amount).sum()
    };
    let has_parts = lines.iter().any(|line| !line.price_parts.is_empty());
    if has_parts && lines.iter().all(|line| tickets(line) == 0) {
        let parts = lines.iter().flat_map(|line| &line.price_parts);
        let mut fees = parts.filter(|part| matches!(part, PricePart::Fee { .. }));
        prop_assert_eq!(fees.next(), None);
        prop_assert!(lines.iter().all(|line| line.total.is_zero()), "{:?}", lines);
    }
    Ok(())
}
