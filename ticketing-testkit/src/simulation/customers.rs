//! What the customers of a simulation do, which answers they get, and whether those answers stay true.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use ticketing_domain::payment::{PaymentEvent, RefundCause};
use ticketing_domain::reservation::ReservationEvent;
use ticketing_domain::stored::StoredEvent as _;
use ticketing_ports::log::streams::{Aggregate, RecordedEvent};
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, ReservationId, UserId};
use ticketing_ports::vocabulary::payment::{MethodKind, MethodToken, PaymentMethod, PaymentStatus};
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::{Label, SeatId};
use ticketing_runtime::{
    AuthorizePayment, Failure, GatewayAnswer, HoldFor, HoldSeats, PayReservation, RefundPayment, ReportPayment,
};
use uuid::Uuid;

use super::books::Violation;
use super::restored::Lost;
use super::stage::{ORGANISER, Stage, request};

const ACTIONS: u32 = 9;

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

/// Plays everything that one customer does during a run, and returns the answers that must stay true.
pub(super) async fn play(stage: Arc<Stage>, number: u64, event: EventId, mut rng: StdRng) -> Vec<Promise> {
    let me = Actor {
        user_id: UserId::new(Uuid::from_u128(100 + u128::from(number))),
        role: Role::Customer,
    };
    let customer = CustomerId::from(me.user_id);
    let mut promises = Vec::new();
    let mut mine: Vec<ReservationId> = Vec::new();
    let mut payments: Vec<PaymentId> = Vec::new();
    let mut holds = 0;
    let mut refunds = 0;
    for action in 0..ACTIONS {
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..25_000))).await;
        let key = u64::from(action) + 10;
        let some_reservation = (!mine.is_empty()).then(|| mine[rng.random_range(0..mine.len())]);
        match (rng.random_range(0..100), some_reservation) {
            (0..40, _) | (_, None) => {
                holds += 1;
                let hold = some_hold(event, &mut rng);
                for _ in 0..rng.random_range(1..5) {
                    let answer = stage.box_office().hold(request(me, hold.clone(), Some(key))).await;
                    match answer {
                        Ok(answer) => {
                            mine.push(answer.value.reservation_id);
                            promises.push(Promise::Held {
                                key: (customer, key),
                                view: Box::new(answer.value),
                            });
                            // Sometimes the answer is lost on its way to the customer, who then repeats the request.
                            if rng.random_range(0..4) > 0 {
                                break;
                            }
                        }
                        Err(Failure::Refused(_)) => break,
                        Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
                    }
                }
            }
            (40..75, Some(reservation_id)) => {
                let payment_id = match rng.random_range(0..4) {
                    0 if !payments.is_empty() => Some(payments[rng.random_range(0..payments.len())]),
                    1 => Some(PaymentId::new(Uuid::from_u128(rng.random()))),
                    _ => None,
                };
                let pay = PayReservation {
                    reservation_id,
                    payment_id,
                    method: Some(some_method(&mut rng)),
                };
                let key = rng.random_bool(0.5).then_some(key);
                let patience = Duration::from_millis(rng.random_range(1..40_000));
                let office = stage.box_office();
                let paying = office.pay(request(me, pay, key));
                if let Ok(Ok(answer)) = tokio::time::timeout(patience, paying).await {
                    payments.extend(answer.value.payment_id);
                    match answer.value.status {
                        ReservationStatus::PaymentPending => go_on(&stage, answer.value.payment_id, &mut rng).await,
                        _ => promises.push(Promise::Completed(Box::new(answer.value))),
                    }
                }
            }
            (75..83, Some(reservation_id)) => {
                let authorize = AuthorizePayment {
                    reservation_id,
                    method: some_method(&mut rng),
                };
                let office = stage.box_office();
                if let Ok(answer) = office.authorize(request(me, authorize, None)).await {
                    payments.push(answer.value.payment_id);
                    if answer.value.status == PaymentStatus::Pending {
                        go_on(&stage, Some(answer.value.payment_id), &mut rng).await;
                    }
                }
            }
            (83..95, Some(reservation_id)) => {
                let key = rng.random_bool(0.5).then_some(key);
                drop(
                    stage
                        .box_office()
                        .cancel_reservation(request(me, reservation_id, key))
                        .await,
                );
            }
            (_, Some(_)) => {
                if let Some(payment_id) = payments.last() {
                    let amount = rng.random_bool(0.5).then(|| {
                        let currency = ticketing_ports::vocabulary::money::Currency::EUR;
                        ticketing_ports::vocabulary::money::Money::new(rng.random_range(1..6_000), currency)
                    });
                    let reason = Label::new("goodwill").expect("a short plain text is a valid label");
                    let refund = RefundPayment {
                        payment_id: *payment_id,
                        amount,
                        reason,
                    };
                    refunds += 1;
                    // Idempotency keys belong to the user who sends the request, here the organiser, so they must
                    // differ between customers.
                    let key = 1_000 * (number + 1) + u64::from(action);
                    for _ in 0..rng.random_range(1..5) {
                        match stage
                            .box_office()
                            .refund(request(ORGANISER, refund.clone(), Some(key)))
                            .await
                        {
                            Ok(_) | Err(Failure::Refused(_)) => {
                                if rng.random_range(0..4) > 0 {
                                    break;
                                }
                            }
                            Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
                        }
                    }
                }
            }
        }
    }
    promises.push(Promise::Asked {
        customer,
        holds,
        refunds,
    });
    promises
}

/// Plays a customer who must act before the gateway decides. Some act in time, some after their hold has run out, and
/// some never. The box office learns the decision from one report, from several, or when it asks the gateway.
async fn go_on(stage: &Stage, payment: Option<PaymentId>, rng: &mut StdRng) {
    let Some(payment_id) = payment else { return };
    if rng.random_range(0..4) == 0 {
        return;
    }
    tokio::time::sleep(Duration::from_millis(rng.random_range(0..90_000))).await;
    let Some(decided) = stage.customers().act(payment_id) else {
        return;
    };
    for _ in 0..rng.random_range(0..3) {
        let report = ReportPayment {
            payment_id,
            answer: GatewayAnswer::Authorized(decided.clone()),
        };
        // Sometimes the report of the provider is lost. Then the deadline of the payment asks the gateway.
        drop(
            stage
                .box_office()
                .report_payment(request(ORGANISER, report, None))
                .await,
        );
    }
}

fn some_hold(event_id: EventId, rng: &mut StdRng) -> HoldSeats {
    let on_the_floor = rng.random_bool(0.5);
    let named = !on_the_floor && rng.random_bool(0.4);
    let specific_seats = named.then(|| {
        let row = ["A", "B"][rng.random_range(0..2)];
        let first = rng.random_range(1..4);
        (first..first + 2)
            .map(|n| SeatId::parse(&format!("{row}-{n}")).expect("the section has this seat"))
            .collect::<Vec<_>>()
    });
    HoldSeats {
        event_id,
        section: if on_the_floor { "Floor" } else { "Balcony" }.to_owned(),
        quantity: specific_seats.as_ref().map_or_else(|| rng.random_range(1..4), |_| 2),
        specific_seats,
        customer: HoldFor::Caller,
    }
}

fn some_method(rng: &mut StdRng) -> PaymentMethod {
    let token = match rng.random_range(0..10) {
        0..6 => "tok_visa",
        6 => ["tok_must_act", "tok_must_act_secret"][rng.random_range(0..2)],
        7 => ["tok_must_act_declined", "tok_must_act_given_up"][rng.random_range(0..2)],
        8 => "tok_declined",
        _ => "tok_insufficient_funds",
    };
    PaymentMethod {
        kind: MethodKind::Card,
        token: MethodToken::new(token).expect("the token is one of the sandbox"),
    }
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
                *holds_of.entry(fact.customer_id).or_default() += 1;
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
                    .is_some_and(|fact| fact.seats.seats() == view.seats);
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
