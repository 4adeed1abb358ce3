//! What the customers of a simulation do.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use ticketing_domain::book::Caller;
use ticketing_ports::vocabulary::buyer::Guest;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, ReservationId, UserId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::payment::{MethodKind, MethodToken, PaymentMethod, PaymentStatus};
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::{Label, SeatId};
use ticketing_ports::vocabulary::secrets::SecretDigest;
use ticketing_runtime::{
    AuthorizePayment, Failure, GatewayAnswer, HoldFor, HoldSeats, PayReservation, RefundPayment, ReportPayment,
    WantedLine,
};
use uuid::Uuid;

use super::organiser::CODE;
use super::organiser::ORGANISER;
use super::promises::Promise;
use super::stage::{Stage, request};

const ACTIONS: u32 = 9;

/// A customer, with what the customer has got and asked for so far.
struct Customer {
    stage: Arc<Stage>,
    number: u64,
    event: EventId,
    me: Actor,
    /// The secret of all orders that the customer makes as a guest.
    guest: Guest,
    /// The reservations, each with who made it: the customer's account, or the customer as a guest.
    reservations: Vec<(ReservationId, Caller)>,
    payments: Vec<PaymentId>,
    /// How many holds the customer has asked for.
    holds: usize,
    /// How many refunds the organiser has asked for on behalf of the customer.
    refunds: usize,
    promises: Vec<Promise>,
}

/// Returns the secret of a customer's orders as a guest, from which one can tell the customer.
pub(super) fn secret_of(customer: CustomerId) -> SecretDigest {
    let mut secret = [0; 32];
    secret[..16].copy_from_slice(customer.uuid().as_bytes());
    SecretDigest::from_bytes(secret)
}

/// Plays everything that one customer does during a run, and returns the answers that must stay true.
pub(super) async fn play(stage: Arc<Stage>, number: u64, event: EventId, mut rng: StdRng) -> Vec<Promise> {
    let user_id = UserId::new(Uuid::from_u128(100 + u128::from(number)));
    let mut customer = Customer {
        stage,
        number,
        event,
        me: Actor {
            user_id,
            role: Role::Customer,
        },
        guest: Guest {
            secret: secret_of(user_id.into()),
            person: Some(user_id.into()),
        },
        reservations: Vec::new(),
        payments: Vec::new(),
        holds: 0,
        refunds: 0,
        promises: Vec::new(),
    };
    for action in 0..ACTIONS {
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..25_000))).await;
        customer.act(u64::from(action), &mut rng).await;
    }
    customer.promises.push(Promise::Asked {
        customer: CustomerId::from(customer.me.user_id),
        holds: customer.holds,
        refunds: customer.refunds,
    });
    customer.promises
}

impl Customer {
    /// Does one thing. Its idempotency key, if it has one, is made from the number of the action.
    async fn act(&mut self, action: u64, rng: &mut StdRng) {
        let key = action + 10;
        let mine = &self.reservations;
        let some_reservation = (!mine.is_empty()).then(|| mine[rng.random_range(0..mine.len())]);
        match (rng.random_range(0..100), some_reservation) {
            (0..40, _) | (_, None) => self.hold(key, rng).await,
            (40..75, Some((reservation_id, by))) => self.pay(reservation_id, by, key, rng).await,
            (75..83, Some((reservation_id, by))) => self.authorize(reservation_id, by, rng).await,
            (83..87, Some((reservation_id, by))) => {
                let key = rng.random_bool(0.5).then_some(key);
                let office = self.stage.box_office();
                drop(office.extend_hold(request(by, reservation_id, key)).await);
            }
            (87..95, Some((reservation_id, by))) => {
                let key = rng.random_bool(0.5).then_some(key);
                let office = self.stage.box_office();
                drop(office.cancel_reservation(request(by, reservation_id, key)).await);
            }
            (_, Some(_)) => self.have_refunded(action, rng).await,
        }
    }

    /// Asks for seats, and sometimes asks again as if the answer had been lost on its way to the customer.
    async fn hold(&mut self, key: u64, rng: &mut StdRng) {
        self.holds += 1;
        let hold = some_hold(self.event, rng);
        let by = if rng.random_range(0..3) == 0 {
            Caller::Guest(self.guest)
        } else {
            Caller::Person(self.me)
        };
        for _ in 0..rng.random_range(1..5) {
            let office = self.stage.box_office();
            match office.hold(request(by, hold.clone(), Some(key))).await {
                Ok(answer) => {
                    self.reservations.push((answer.value.reservation_id, by));
                    self.promises.push(Promise::Held {
                        key: (CustomerId::from(self.me.user_id), key),
                        view: Box::new(answer.value),
                    });
                    if rng.random_range(0..4) > 0 {
                        break;
                    }
                }
                Err(Failure::Refused(_)) => break,
                Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            }
        }
    }

    /// Pays a reservation, with a payment that was begun before, with one that nobody has begun, or with a new one. A
    /// customer who runs out of patience asks for no answer any more.
    async fn pay(&mut self, reservation_id: ReservationId, by: Caller, key: u64, rng: &mut StdRng) {
        let payments = &self.payments;
        let payment_id = match rng.random_range(0..4) {
            0 if !payments.is_empty() => Some(payments[rng.random_range(0..payments.len())]),
            1 => Some(PaymentId::new(Uuid::from_u128(rng.random()))),
            _ => None,
        };
        let pay = PayReservation {
            reservation_id,
            payment_id,
            method: Some(some_method(rng)),
        };
        let key = rng.random_bool(0.5).then_some(key);
        let patience = Duration::from_millis(rng.random_range(1..40_000));
        let office = self.stage.box_office();
        let paying = office.pay(request(by, pay, key));
        if let Ok(Ok(answer)) = tokio::time::timeout(patience, paying).await {
            self.payments.extend(answer.value.payment_id);
            match answer.value.status {
                ReservationStatus::PaymentPending => go_on(&self.stage, answer.value.payment_id, rng).await,
                _ => self.promises.push(Promise::Completed(Box::new(answer.value))),
            }
        }
    }

    /// Has the money for a reservation set aside.
    async fn authorize(&mut self, reservation_id: ReservationId, by: Caller, rng: &mut StdRng) {
        let authorize = AuthorizePayment {
            reservation_id,
            method: some_method(rng),
        };
        let office = self.stage.box_office();
        if let Ok(answer) = office.authorize(request(by, authorize, None)).await {
            self.payments.push(answer.value.payment_id);
            if answer.value.status == PaymentStatus::Pending {
                go_on(&self.stage, Some(answer.value.payment_id), rng).await;
            }
        }
    }

    /// Has the organiser refund the customer's last payment, and sometimes ask again as if the answer had been lost.
    async fn have_refunded(&mut self, action: u64, rng: &mut StdRng) {
        let Some(payment_id) = self.payments.last().copied() else {
            return;
        };
        let amount = rng
            .random_bool(0.5)
            .then(|| Money::new(rng.random_range(1..6_000), Currency::EUR));
        let reason = Label::new("goodwill").expect("a short plain text is a valid label");
        let refund = RefundPayment {
            payment_id,
            amount,
            reason,
        };
        self.refunds += 1;
        // Idempotency keys belong to the user who sends the request, here the organiser, so they must differ between
        // customers.
        let key = 1_000 * (self.number + 1) + action;
        for _ in 0..rng.random_range(1..5) {
            let office = self.stage.box_office();
            match office.refund(request(ORGANISER, refund.clone(), Some(key))).await {
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

/// Asks for places on the floor, for seats of the balcony, or for both in one order.
fn some_hold(event_id: EventId, rng: &mut StdRng) -> HoldSeats {
    let (floor, balcony) = [(true, false), (false, true), (true, true)][rng.random_range(0..3)];
    let floor = floor.then(|| WantedLine::best("Floor", rng.random_range(1..4)));
    let balcony = balcony.then(|| some_seats(rng));
    let mut lines: Vec<_> = floor.into_iter().chain(balcony).collect();
    // Some orders of the balcony also have a ticket of another type, which comes after a line that names no seats.
    if rng.random_bool(0.3)
        && lines
            .last()
            .is_some_and(|line| line.section == "Balcony" && line.specific_seats.is_none())
    {
        lines.push(WantedLine::best("Balcony", 1).of_type("student"));
    }
    if rng.random_bool(0.5) {
        lines.reverse();
    }
    HoldSeats {
        event_id,
        lines,
        customer: HoldFor::Caller,
        code: rng.random_bool(0.3).then(|| CODE.to_owned()),
    }
}

fn some_seats(rng: &mut StdRng) -> WantedLine {
    if rng.random_bool(0.6) {
        return WantedLine::best("Balcony", rng.random_range(1..4));
    }
    let row = ["A", "B"][rng.random_range(0..2)];
    let first = rng.random_range(1..4);
    let seats = (first..first + 2)
        .map(|n| SeatId::parse(&format!("{row}-{n}")).expect("the section has this seat"))
        .collect();
    WantedLine {
        specific_seats: Some(seats),
        ..WantedLine::best("Balcony", 2)
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
