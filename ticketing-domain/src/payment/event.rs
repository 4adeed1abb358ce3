use serde::{Deserialize, Serialize};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, RefundId, ReservationId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::payment::{ActionWanted, MethodKind};
use ticketing_ports::vocabulary::seating::Label;

use super::charge::Charge;
use super::method_fingerprint::MethodFingerprint;
use crate::stored::stored_events;

stored_events! {
    /// What has happened to a payment.
    pub enum PaymentEvent {
        /// The gateway was asked to set money aside.
        PaymentRequested(PaymentRequested) = "PaymentRequested" v 2 since 3 else 1 => told_without_fingerprint,
            from { 1 => without_fingerprint };
        /// The provider has received the payment and has not decided yet whether to approve it.
        PaymentDeferred(PaymentDeferred) = "PaymentDeferred" v 1 new in 2;
        /// The money is set aside.
        PaymentAuthorized(PaymentAuthorized) = "PaymentAuthorized" v 1;
        /// The provider has declined the payment, or the payment was given up because the call to the gateway was
        /// interrupted.
        PaymentDeclined(PaymentDeclined) = "PaymentDeclined" v 1;
        /// The gateway was asked to take the money.
        CaptureRequested(CaptureRequested) = "CaptureRequested" v 1;
        /// The money was taken.
        PaymentCaptured(PaymentCaptured) = "PaymentCaptured" v 1;
        /// The gateway was asked to release the money.
        VoidRequested(VoidRequested) = "VoidRequested" v 1;
        /// The gateway has released the money without taking it.
        PaymentVoided(PaymentVoided) = "PaymentVoided" v 1;
        /// The gateway was asked to give money back.
        RefundRequested(RefundRequested) = "RefundRequested" v 1;
        /// Money was given back.
        PaymentRefunded(PaymentRefunded) = "PaymentRefunded" v 1;
    }
}

/// The gateway was asked to set money aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRequested {
    /// The payment.
    pub payment_id: PaymentId,
    /// The reservation that the payment is for.
    pub reservation_id: ReservationId,
    /// The event on sale that the reservation is for.
    pub event_id: EventId,
    /// Who pays.
    pub customer_id: CustomerId,
    /// How much is paid.
    pub amount: Money,
    /// The kind of the means of payment.
    pub method: MethodKind,
    /// A fingerprint of the means of payment, by which a later request with the same means is recognised. `None` if
    /// the fact was written by a build that made no fingerprints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method_fingerprint: Option<MethodFingerprint>,
    /// Whether the money is taken as soon as the provider has approved, or only set aside.
    #[serde(rename = "capture")]
    pub charge: Charge,
    /// When the payment was requested.
    pub at: Timestamp,
}

/// Removes the fingerprint of the means of payment, which facts of schema version 1 do not have.
fn without_fingerprint(mut requested: PaymentRequested) -> PaymentRequested {
    requested.method_fingerprint = None;
    requested
}

/// Turns a fact into schema version 1, which tells every payment.
fn told_without_fingerprint(requested: PaymentRequested) -> Option<PaymentRequested> {
    Some(without_fingerprint(requested))
}

/// The provider has received the payment and has not decided yet. *How* the customer goes on (a page to open, or a
/// secret) is not recorded: facts are kept for good, and whoever knows the page or the secret can act in the
/// customer's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentDeferred {
    /// What the customer has to do before the provider decides; `None` while the provider works by itself.
    pub action: Option<ActionWanted>,
    /// When the provider's answer was recorded.
    pub at: Timestamp,
}

/// The provider has approved: the money is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentAuthorized {
    /// The last four digits of the card; `None` if the provider has not told them.
    pub last_four: Option<String>,
    /// When the approval was recorded.
    pub at: Timestamp,
}

/// The provider has declined the payment, or the payment was given up because the call to the gateway was
/// interrupted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentDeclined {
    /// Why there is no approval.
    pub reason: DeclineReason,
    /// When the decline was recorded.
    pub at: Timestamp,
}

/// The gateway was asked to take the money that is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureRequested {
    /// When the gateway was asked.
    pub at: Timestamp,
}

/// The money was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentCaptured {
    /// When the capture was recorded.
    pub at: Timestamp,
}

/// The gateway was asked to release the money that is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoidRequested {
    /// When the gateway was asked.
    pub at: Timestamp,
}

/// The gateway has released the money without taking it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentVoided {
    /// When it was recorded that the gateway has released the money.
    pub at: Timestamp,
}

/// Why money is given back to the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundCause {
    /// The money was captured, but the seats were gone; no ticket was ever issued.
    NoSeats,
    /// The customer cancelled, and the event's refund policy says how much goes back.
    Policy,
    /// The event was cancelled.
    EventCancelled,
    /// An admin decided to give the money back.
    Admin,
}

/// The gateway was asked to give money back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRequested {
    /// The id of the refund, by which the gateway recognises a repeated call.
    pub refund_id: RefundId,
    /// How much goes back.
    pub amount: Money,
    /// Why the money goes back.
    pub cause: RefundCause,
    /// What the admin wrote about the refund; `None` if nobody wrote anything.
    pub reason: Option<Label>,
    /// When the gateway was asked.
    pub at: Timestamp,
}

/// The gateway has given money back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRefunded {
    /// The reservation that the payment was for.
    pub reservation_id: ReservationId,
    /// The id of the refund.
    pub refund_id: RefundId,
    /// How much went back.
    pub amount: Money,
    /// The sum of all refunds of this payment, this one included.
    pub refunded_in_total: Money,
    /// Whether the whole payment has now been given back.
    pub in_full: bool,
    /// Why the money went back.
    pub cause: RefundCause,
    /// When the refund was recorded.
    pub at: Timestamp,
}
