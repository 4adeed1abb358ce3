use ticketing_ports::Timestamp;
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, RefundId, ReservationId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::PaymentMethod;
use ticketing_ports::vocabulary::seating::Label;

use super::charge::Charge;
use super::event::RefundCause;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentCommand {
    Request(Box<PaymentRequest>),
    Capture,
    /// Let go of the money if it was set aside. A payment under way is dealt with when its answer comes.
    Void,
    /// Give back `amount`, or all that is left.
    Refund {
        refund_id: RefundId,
        amount: Option<Money>,
        cause: RefundCause,
        reason: Option<Label>,
    },
    RecordAuthorization(Authorization),
    RecordCaptured,
    RecordVoided,
    RecordRefunded(RefundId),
    /// A call was not answered in time: ask again.
    Retry,
}

/// Asks the gateway to set the amount aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRequest {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub event_id: EventId,
    pub customer_id: CustomerId,
    pub amount: Money,
    pub method: PaymentMethod,
    pub charge: Charge,
    /// Until when the seats are held.
    pub wanted_by: Timestamp,
}
