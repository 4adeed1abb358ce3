use std::convert::identity;

use serde::{Deserialize, Serialize};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::PaymentId;
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::DeclineReason;

use super::former::{
    completed_at_plain_prices, completed_one_line, completed_with_lines, completed_with_some_payment,
    completed_without_made_up_payment, completed_without_types, held_at_plain_prices, held_by_an_account,
    held_one_line, held_with_lines, held_without_types, paid_by_an_account, refunded_with_total,
    refunded_without_total,
};
use super::versioned::{ReservationCompleted, ReservationHeld, ReservationPaymentStarted, ReservationRefunded};
use crate::stored::stored_events;

stored_events! {
    /// What has happened to a reservation.
    pub enum ReservationEvent {
        /// Seats are held for a customer.
        ReservationHeld(ReservationHeld) = "ReservationHeld" v 5 since 8 else 4 => held_at_plain_prices, since 7 else 3 => held_by_an_account, since 6 else 2 => held_without_types,
            since 4 else 1 => held_one_line, from { 4 => identity, 3 => identity, 2 => identity, 1 => held_with_lines };
        /// A payment was asked for.
        ReservationPaymentStarted(ReservationPaymentStarted) = "ReservationPaymentStarted"
            v 2 since 7 else 1 => paid_by_an_account, from { 1 => identity };
        /// A payment for the reservation was declined; the seats stay held.
        ReservationPaymentDeclined(ReservationPaymentDeclined) = "ReservationPaymentDeclined" v 1;
        /// A payment for the reservation was given up; the seats stay held.
        ReservationPaymentGivenUp(ReservationPaymentGivenUp) = "ReservationPaymentGivenUp" v 1;
        /// The hold lasts longer.
        ReservationExtended(ReservationExtended) = "ReservationExtended" v 1 new in 5;
        /// The seats are sold and the tickets issued.
        ReservationCompleted(ReservationCompleted) = "ReservationCompleted"
            v 5 since 8 else 4 => completed_at_plain_prices, since 6 else 3 => completed_without_types, since 4 else 2 => completed_one_line,
            since 3 else 1 => completed_with_some_payment,
            from { 4 => identity, 3 => identity, 2 => completed_with_lines, 1 => completed_without_made_up_payment };
        /// The hold ran out unpaid.
        ReservationExpired(ReservationExpired) = "ReservationExpired" v 1;
        /// The customer gave the reservation up, or the event was cancelled.
        ReservationCancelled(ReservationCancelled) = "ReservationCancelled" v 1;
        /// The reservation was undone because it could not be paid, or was paid too late.
        ReservationCompensated(ReservationCompensated) = "ReservationCompensated" v 1;
        /// The money of the reservation was given back.
        ReservationRefunded(ReservationRefunded) = "ReservationRefunded" v 2 since 4 else 1 => refunded_without_total,
            from { 1 => refunded_with_total };
        /// Money went back, and the reservation keeps its status.
        ReservationMoneyReturned(ReservationMoneyReturned) = "ReservationMoneyReturned" v 1 new in 4;
    }
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

/// The hold lasts longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationExtended {
    /// When the hold runs out now.
    pub held_until: Timestamp,
    /// How often the hold was extended until now, this time included.
    pub extensions: u32,
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
    /// The money was taken after the hold had ended, and is given back: the seats had gone to others, or the customer
    /// had as many seats as one customer may have.
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

/// Money was given back for the reservation while its status stays as it is: a part of the price of valid tickets, more
/// of the price of a refunded reservation, or the payment of one that was undone or given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationMoneyReturned {
    /// How much went back.
    pub amount: Money,
    /// How much has gone back for the reservation until now, this amount included.
    pub refunded_in_total: Money,
}
