use serde::Serialize;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{PaymentId, RefundId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::PaymentMethod;

use super::state::PaymentTerms;

/// A call to the payment gateway, as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum GatewayCall {
    /// Asks the provider to set the money aside.
    Authorize {
        /// The id of the payment, by which the gateway recognises a repeated call.
        payment_id: PaymentId,
        /// How much to set aside.
        amount: Money,
        /// What the customer pays with.
        method: PaymentMethod,
        /// Until when the seats are held: an approval after that may come too late.
        wanted_by: Timestamp,
    },
    /// Asks what became of an authorisation. The authorisation itself cannot be sent again, because the token of the
    /// means of payment is never stored.
    LookUp {
        /// The payment whose authorisation is looked up.
        payment_id: PaymentId,
    },
    /// Takes the money that is set aside.
    Capture {
        /// The authorised payment.
        payment_id: PaymentId,
        /// The whole amount that was authorised.
        amount: Money,
    },
    /// Releases the money that is set aside.
    Void {
        /// The authorised payment.
        payment_id: PaymentId,
    },
    /// Gives money back that was taken.
    Refund {
        /// The captured payment.
        payment_id: PaymentId,
        /// The id of the refund, by which the gateway recognises a repeated call.
        refund_id: RefundId,
        /// How much goes back.
        amount: Money,
    },
}

impl GatewayCall {
    /// Returns the payment that the call is about.
    pub fn payment_id(&self) -> PaymentId {
        match self {
            Self::Authorize { payment_id, .. }
            | Self::LookUp { payment_id }
            | Self::Capture { payment_id, .. }
            | Self::Void { payment_id }
            | Self::Refund { payment_id, .. } => *payment_id,
        }
    }
}

/// Builds the calls to the gateway about one payment. A repeated call is built the same way as the first.
impl PaymentTerms {
    pub(super) fn look_up(&self) -> GatewayCall {
        GatewayCall::LookUp {
            payment_id: self.payment_id,
        }
    }

    pub(super) fn capture(&self) -> GatewayCall {
        GatewayCall::Capture {
            payment_id: self.payment_id,
            amount: self.amount,
        }
    }

    pub(super) fn void(&self) -> GatewayCall {
        GatewayCall::Void {
            payment_id: self.payment_id,
        }
    }

    pub(super) fn refund(&self, refund_id: RefundId, amount: Money) -> GatewayCall {
        GatewayCall::Refund {
            payment_id: self.payment_id,
            refund_id,
            amount,
        }
    }
}
