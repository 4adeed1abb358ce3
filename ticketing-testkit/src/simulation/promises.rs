//! The answers that customers got, and whether they stay true.

use std::collections::{BTreeMap, BTreeSet};

use ticketing_domain::payment::{PaymentEvent, RefundCause};
use ticketing_domain::reservation::{Line, ReservationEvent, ReservationHeld};
use ticketing_domain::stored::StoredEvent as _;
use ticketing_ports::log::streams::{Aggregate, RecordedEvent};
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::ids::{CustomerId, ReservationId};
use ticketing_ports::vocabulary::reservation::ReservationStatus;

use uuid::Uuid;

use super::books::Violation;
use super::lost::Lost;

/// An answer that a customer got and that must stay true.
#[derive(Debug, Clone)]
pub(super) enum Promise {
    Held {
        key: (CustomerId, u64),
        view: Box<ReservationView>,
    },
    Completed(Box<ReservationView>),
    /// How many holds the customer has asked for. Each request has its own idempotency key.
    Asked {
        customer: CustomerId,
        holds: usize,
        /// How many refunds the organiser has asked for on behalf of the customer. Each request has its own idempotency
        /// key.
        refunds: usize,
    },
}

/// Checks that everything customers were told is in the log exactly once.
pub(super) fn check_promises(log: &[RecordedEvent], promises: &[Promise], lost: &Lost) -> Vec<Violation> {
    let mut held = BTreeMap::new();
    let mut completed = BTreeSet::new();
    let mut holds_of: BTreeMap<CustomerId, usize> = BTreeMap::new();
    for event in log
        .iter()
        .filter(|event| event.stream.aggregate == Aggregate::Reservation)
    {
        match ReservationEvent::from_recorded(event) {
            Ok(ReservationEvent::ReservationHeld(fact)) => {
                *holds_of.entry(holder(&fact)).or_default() += 1;
                held.insert(fact.reservation_id, fact);
            }
            Ok(ReservationEvent::ReservationCompleted(fact)) => {
                completed.insert(fact.sale.reservation_id);
            }
            _ => {}
        }
    }
    let refunds_of = refunds_by_hand(log);
    let mut violations = Vec::new();
    let mut answers: BTreeMap<(CustomerId, u64), ReservationId> = BTreeMap::new();
    for promise in promises {
        match promise {
            Promise::Held { key, view } => {
                let first = *answers.entry(*key).or_insert(view.reservation_id);
                if first != view.reservation_id && lost.has(first) {
                    // If a restored backup has lost the first answer and its key, the answer to the repeated request is
                    // the one that must stay true.
                    answers.insert(*key, view.reservation_id);
                } else if first != view.reservation_id {
                    violations.push(Violation::AnsweredDifferently(first, view.reservation_id));
                }
                let kept = held
                    .get(&view.reservation_id)
                    .is_some_and(|fact| fact.lines.iter().map(Line::view).eq(view.lines.iter().cloned()));
                if !kept {
                    violations.push(Violation::PromiseBroken(view.reservation_id));
                }
            }
            Promise::Completed(view) => {
                let is_paid = view.status != ReservationStatus::Completed || completed.contains(&view.reservation_id);
                if !is_paid {
                    violations.push(Violation::PromiseBroken(view.reservation_id));
                }
            }
            Promise::Asked {
                customer,
                holds,
                refunds,
            } => {
                let made = refunds_of.get(customer).copied().unwrap_or_default();
                if made > *refunds {
                    violations.push(Violation::RefundedMoreThanAsked {
                        customer: *customer,
                        asked: *refunds,
                        made,
                    });
                }
                let made = holds_of.get(customer).copied().unwrap_or_default();
                if made > *holds {
                    violations.push(Violation::HeldMoreThanAsked {
                        customer: *customer,
                        asked: *holds,
                        made,
                    });
                }
            }
        }
    }
    violations
}

/// Returns the customer who has made an order, also as a guest.
fn holder(held: &ReservationHeld) -> CustomerId {
    held.order_secret.map_or(held.customer_id, |secret| {
        let (customer, _) = secret.as_bytes().split_at(16);
        CustomerId::new(Uuid::from_slice(customer).expect("an id has 16 bytes"))
    })
}

/// How many refunds the organiser has given to each customer.
fn refunds_by_hand(log: &[RecordedEvent]) -> BTreeMap<CustomerId, usize> {
    let mut payer = BTreeMap::new();
    let mut refunds: BTreeMap<CustomerId, usize> = BTreeMap::new();
    for event in log.iter().filter(|event| event.stream.aggregate == Aggregate::Payment) {
        match PaymentEvent::from_recorded(event) {
            Ok(PaymentEvent::PaymentRequested(requested)) => {
                payer.insert(event.stream, requested.customer_id);
            }
            Ok(PaymentEvent::RefundRequested(requested)) if requested.cause == RefundCause::Admin => {
                if let Some(customer) = payer.get(&event.stream) {
                    *refunds.entry(*customer).or_default() += 1;
                }
            }
            _ => {}
        }
    }
    refunds
}
