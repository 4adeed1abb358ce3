use ticketing_ports::Timestamp;
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, RefundId, ReservationId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::PaymentMethod;
use ticketing_ports::vocabulary::seating::Label;

use super::charge::Charge;
use super::event::RefundCause;

/// What is asked of one payment, or reported about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentCommand {
    /// Ask the gateway to set money aside.
    Request(Box<PaymentRequest>),
    /// Take the money that is set aside.
    Capture,
    /// Let go of the money if it is set aside. While the gateway owes an answer nothing happens: the answer decides.
    Void,
    /// Give money back.
    Refund {
        /// A new id for the refund.
        refund_id: RefundId,
        /// How much goes back; `None` for all that is left.
        amount: Option<Money>,
        /// Why it goes back.
        cause: RefundCause,
        /// What the admin wrote about it; `None` if nobody wrote anything.
        reason: Option<Label>,
    },
    /// The provider has answered the request.
    RecordAuthorization(Authorization),
    /// The gateway has taken the money.
    RecordCaptured,
    /// The gateway has let go of the money.
    RecordVoided,
    /// The gateway has given money back.
    RecordRefunded(RefundId),
    /// A call was not answered in time, so that the gateway is asked again.
    Retry,
}

/// A payment as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRequest {
    /// A new id for the payment.
    pub payment_id: PaymentId,
    /// The reservation to pay.
    pub reservation_id: ReservationId,
    /// The event on sale that the reservation is for.
    pub event_id: EventId,
    /// Who pays.
    pub customer_id: CustomerId,
    /// How much to set aside.
    pub amount: Money,
    /// What the customer pays with. Its token goes to the gateway and is not recorded.
    pub method: PaymentMethod,
    /// Whether an approval is followed by a capture.
    pub charge: Charge,
    /// Until when the seats are held.
    pub wanted_by: Timestamp,
}
