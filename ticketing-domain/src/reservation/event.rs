use serde::{Deserialize, Serialize};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, ReservationId, SectionId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::reservation::Sale;
use ticketing_ports::vocabulary::reservation::Ticket;
use ticketing_ports::vocabulary::seating::{Allocation, Label};

use crate::inventory::TakenSeats;
use crate::stored::stored_events;

stored_events! {
    pub enum ReservationEvent {
        ReservationHeld(ReservationHeld) = "ReservationHeld" v 1;
        ReservationPaymentStarted(ReservationPaymentStarted) = "ReservationPaymentStarted" v 1;
        ReservationPaymentDeclined(ReservationPaymentDeclined) = "ReservationPaymentDeclined" v 1;
        ReservationPaymentGivenUp(ReservationPaymentGivenUp) = "ReservationPaymentGivenUp" v 1;
        ReservationCompleted(ReservationCompleted) = "ReservationCompleted" v 2 since 3 else 1 => with_some_payment,
            from { 1 => without_made_up_payment };
        ReservationExpired(ReservationExpired) = "ReservationExpired" v 1;
        ReservationCancelled(ReservationCancelled) = "ReservationCancelled" v 1;
        ReservationCompensated(ReservationCompensated) = "ReservationCompensated" v 1;
        ReservationRefunded(ReservationRefunded) = "ReservationRefunded" v 1;
    }
}

/// Seats are held at a price that no longer changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationHeld {
    pub reservation_id: ReservationId,
    pub event_id: EventId,
    pub customer_id: CustomerId,
    pub section_id: SectionId,
    pub section: Label,
    pub tier: Label,
    pub seats: TakenSeats,
    pub allocation: Allocation,
    pub unit_price: Money,
    pub total: Money,
    pub held_until: Timestamp,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationPaymentStarted {
    pub payment_id: PaymentId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationPaymentDeclined {
    pub payment_id: PaymentId,
    pub reason: DeclineReason,
    /// How often a payment for this reservation has been declined by now.
    pub declines: u32,
}

/// The attempt never reached the gateway, or the customer chose another means of payment; it does not count against the
/// customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationPaymentGivenUp {
    pub payment_id: PaymentId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationCompleted {
    #[serde(flatten)]
    pub sale: Sale,
    pub tickets: Vec<Ticket>,
}

/// In version 1 each sale has a payment. What cost nothing names one that nobody has heard of, by the reservation's own id.
fn with_some_payment(completed: ReservationCompleted) -> ReservationCompleted {
    let made_up = made_up_payment(&completed.sale);
    let payment_id = completed.sale.payment_id.or(Some(made_up));
    with_payment(completed, payment_id)
}

fn without_made_up_payment(completed: ReservationCompleted) -> ReservationCompleted {
    let made_up = made_up_payment(&completed.sale);
    let payment_id = completed.sale.payment_id.filter(|payment| *payment != made_up);
    with_payment(completed, payment_id)
}

fn made_up_payment(sale: &Sale) -> PaymentId {
    PaymentId::new(sale.reservation_id.uuid())
}

fn with_payment(completed: ReservationCompleted, payment_id: Option<PaymentId>) -> ReservationCompleted {
    ReservationCompleted {
        sale: Sale {
            payment_id,
            ..completed.sale
        },
        ..completed
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationExpired {
    /// A payment that had not been answered by then.
    pub payment_id: Option<PaymentId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    Customer,
    EventCancelled,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationCancelled {
    pub reason: CancelReason,
    /// Whether tickets had been issued, which are void now.
    pub was_completed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompensationReason {
    /// Payments were declined too often; the seats are given back.
    DeclinedTooOften,
    /// The money came when the seats were gone; it goes back.
    PaidTooLate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationCompensated {
    pub reason: CompensationReason,
    pub payment_id: PaymentId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationRefunded {
    pub amount: Money,
    /// Whether tickets were valid until now.
    pub was_completed: bool,
}
