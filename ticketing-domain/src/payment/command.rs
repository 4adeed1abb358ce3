use ticketing_ports::Timestamp;
use ticketing_ports::gateway::Authorization;
use ticketing_ports::ids::{CustomerId, EventId, PaymentId, RefundId, ReservationId};
use ticketing_ports::money::Money;
use ticketing_ports::payment::PaymentMethod;
use ticketing_ports::seating::Label;

use super::event::RefundCause;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentCommand {
    /// Ask the gateway to set the amount aside, and to take it at once if `capture`.
    Request {
        payment_id: PaymentId,
        reservation_id: ReservationId,
        event_id: EventId,
        customer_id: CustomerId,
        amount: Money,
        method: PaymentMethod,
        capture: bool,
        wanted_by: Timestamp,
    },
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
