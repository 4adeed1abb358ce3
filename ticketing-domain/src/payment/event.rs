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
    pub enum PaymentEvent {
        PaymentRequested(PaymentRequested) = "PaymentRequested" v 2 since 3 else 1 => without_fingerprint,
            from { 1 => without_fingerprint };
        PaymentDeferred(PaymentDeferred) = "PaymentDeferred" v 1 new in 2;
        PaymentAuthorized(PaymentAuthorized) = "PaymentAuthorized" v 1;
        PaymentDeclined(PaymentDeclined) = "PaymentDeclined" v 1;
        CaptureRequested(CaptureRequested) = "CaptureRequested" v 1;
        PaymentCaptured(PaymentCaptured) = "PaymentCaptured" v 1;
        VoidRequested(VoidRequested) = "VoidRequested" v 1;
        PaymentVoided(PaymentVoided) = "PaymentVoided" v 1;
        RefundRequested(RefundRequested) = "RefundRequested" v 1;
        PaymentRefunded(PaymentRefunded) = "PaymentRefunded" v 1;
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRequested {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub event_id: EventId,
    pub customer_id: CustomerId,
    pub amount: Money,
    pub method: MethodKind,
    /// `None` if the fact was written before fingerprints were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method_fingerprint: Option<MethodFingerprint>,
    #[serde(rename = "capture")]
    pub charge: Charge,
    pub at: Timestamp,
}

/// Version 1 has none.
fn without_fingerprint(mut requested: PaymentRequested) -> PaymentRequested {
    requested.method_fingerprint = None;
    requested
}

/// The provider has it and has not decided. How the customer goes on is not told: facts are for good, and whoever knows it
/// may act in the customer's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentDeferred {
    /// `None` while the provider works on it by itself.
    pub action: Option<ActionWanted>,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentAuthorized {
    pub last_four: Option<String>,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentDeclined {
    pub reason: DeclineReason,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureRequested {
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentCaptured {
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoidRequested {
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentVoided {
    pub at: Timestamp,
}

/// Why money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundCause {
    /// It was captured, but there are no seats for it; no ticket was ever issued.
    NoSeats,
    /// The customer cancelled.
    Policy,
    /// The event was cancelled.
    EventCancelled,
    /// An admin decided.
    Admin,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRequested {
    pub refund_id: RefundId,
    pub amount: Money,
    pub cause: RefundCause,
    pub reason: Option<Label>,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRefunded {
    pub reservation_id: ReservationId,
    pub refund_id: RefundId,
    pub amount: Money,
    /// All refunds of this payment together, this one included.
    pub refunded_in_total: Money,
    /// Whether nothing of the payment is left.
    pub in_full: bool,
    pub cause: RefundCause,
    pub at: Timestamp,
}
