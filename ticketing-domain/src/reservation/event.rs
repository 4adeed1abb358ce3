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
    /// What has happened to a reservation.
    pub enum ReservationEvent {
        /// Seats are held for a customer.
        ReservationHeld(ReservationHeld) = "ReservationHeld" v 1;
        /// A payment was asked for.
        ReservationPaymentStarted(ReservationPaymentStarted) = "ReservationPaymentStarted" v 1;
        /// A payment for the reservation was declined; the seats stay held.
        ReservationPaymentDeclined(ReservationPaymentDeclined) = "ReservationPaymentDeclined" v 1;
        /// A payment for the reservation was given up; the seats stay held.
        ReservationPaymentGivenUp(ReservationPaymentGivenUp) = "ReservationPaymentGivenUp" v 1;
        /// The seats are sold and the tickets issued.
        ReservationCompleted(ReservationCompleted) = "ReservationCompleted" v 2 since 3 else 1 => with_some_payment,
            from { 1 => without_made_up_payment };
        /// The hold ran out unpaid.
        ReservationExpired(ReservationExpired) = "ReservationExpired" v 1;
        /// The customer gave the reservation up, or the event was cancelled.
        ReservationCancelled(ReservationCancelled) = "ReservationCancelled" v 1;
        /// The reservation was undone because it could not be paid, or was paid too late.
        ReservationCompensated(ReservationCompensated) = "ReservationCompensated" v 1;
        /// The money of the reservation was given back.
        ReservationRefunded(ReservationRefunded) = "ReservationRefunded" v 1;
    }
}

/// Seats are held for a customer, at a price that no longer changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationHeld {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// The event on sale.
    pub event_id: EventId,
    /// The customer for whom the seats are held.
    pub customer_id: CustomerId,
    /// The section.
    pub section_id: SectionId,
    /// The section's name.
    pub section: Label,
    /// The name of the price tier that the customer pays.
    pub tier: Label,
    /// The seats, or the number of places in general admission.
    pub seats: TakenSeats,
    /// How the seats were found.
    pub allocation: Allocation,
    /// The price of one seat.
    pub unit_price: Money,
    /// The price of all the seats together.
    pub total: Money,
    /// When the hold runs out.
    pub held_until: Timestamp,
    /// When the hold began.
    pub at: Timestamp,
}

/// A payment for the reservation was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationPaymentStarted {
    /// The payment that was asked for.
    pub payment_id: PaymentId,
}

/// The payment was declined. The seats stay held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationPaymentDeclined {
    /// The payment that was declined.
    pub payment_id: PaymentId,
    /// Why there is no approval.
    pub reason: DeclineReason,
    /// How many payments for this reservation have been declined, this one included.
    pub declines: u32,
}

/// The payment was given up: its call never reached the gateway, or the customer chose another means of payment. A
/// payment that was given up does not count as declined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationPaymentGivenUp {
    /// The payment that was given up.
    pub payment_id: PaymentId,
}

/// The seats are sold to the customer, and the tickets are issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationCompleted {
    /// What was sold, to whom and for how much.
    #[serde(flatten)]
    pub sale: Sale,
    /// One ticket for each seat.
    pub tickets: Vec<Ticket>,
}

/// Turns a fact into the form of schema version 1, in which every sale has a payment. A sale that cost nothing gets a
/// made-up payment id, which is the reservation's own id.
fn with_some_payment(completed: ReservationCompleted) -> ReservationCompleted {
    let made_up = made_up_payment(&completed.sale);
    let payment_id = completed.sale.payment_id.or(Some(made_up));
    with_payment(completed, payment_id)
}

/// Removes the made-up payment id from a fact of schema version 1 whose sale cost nothing.
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

/// The hold ran out before the seats were paid for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationExpired {
    /// The payment that was under way when the hold ran out, and which the gateway may still answer; `None` if no
    /// payment was under way.
    pub payment_id: Option<PaymentId>,
}

/// Why a reservation was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The customer gave the reservation up.
    Customer,
    /// The event was cancelled.
    EventCancelled,
}

/// The reservation was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationCancelled {
    /// Why the reservation was cancelled.
    pub reason: CancelReason,
    /// Whether tickets had been issued. They are no longer valid.
    pub was_completed: bool,
}

/// Why a reservation was undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompensationReason {
    /// Too many payments were declined, and the seats are free again.
    DeclinedTooOften,
    /// The money was taken after the seats had gone to others, and is given back.
    PaidTooLate,
}

/// The reservation was undone: the customer has neither seats nor anything to pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationCompensated {
    /// Why the reservation was undone.
    pub reason: CompensationReason,
    /// The payment that was declined or came too late.
    pub payment_id: PaymentId,
}

/// Money was given back for the reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationRefunded {
    /// How much went back.
    pub amount: Money,
    /// Whether the tickets were valid until the money was given back.
    pub was_completed: bool,
}
