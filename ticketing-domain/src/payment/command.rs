use ticketing_ports::Timestamp;
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, RefundId, ReservationId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::PaymentMethod;
use ticketing_ports::vocabulary::seating::Label;

use super::charge::Charge;
use super::event::RefundCause;

/// A command to one payment: what somebody asks for, or what the gateway reports about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentCommand {
    /// Ask the gateway to set money aside.
    Request(Box<PaymentRequest>),
    /// Take the money that is set aside.
    Capture,
    /// Release the money if it is set aside. While the gateway owes an answer about the payment, this command changes
    /// nothing: what happens to the money is decided when the answer comes.
    Void,
    /// Give money back.
    Refund {
        /// A new id for the refund.
        refund_id: RefundId,
        /// How much goes back; `None` for all that is left of the payment.
        amount: Option<Money>,
        /// Why the money goes back.
        cause: RefundCause,
        /// What the admin wrote about the refund; `None` if nobody wrote anything.
        reason: Option<Label>,
    },
    /// Record the provider's answer to the request to set money aside.
    RecordAuthorization(Authorization),
    /// Record that the gateway has taken the money.
    RecordCaptured,
    /// Record that the gateway has released the money.
    RecordVoided,
    /// Record that the gateway has given the money of this refund back.
    RecordRefunded(RefundId),
    /// Repeat the calls about this payment that the gateway has not answered in time.
    Retry,
}

/// The request for one payment: who pays how much, for which reservation and with what.
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
    /// What the customer pays with. The token in it goes to the gateway and is not recorded.
    pub method: PaymentMethod,
    /// Whether the money is taken as soon as the provider has approved, or only set aside.
    pub charge: Charge,
    /// Until when the seats are held: an approval after that may come too late.
    pub wanted_by: Timestamp,
}
