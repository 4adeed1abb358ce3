use serde::Serialize;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{PaymentId, RefundId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::PaymentMethod;

/// A call to the payment gateway, as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum GatewayCall {
    Authorize {
        payment_id: PaymentId,
        amount: Money,
        method: PaymentMethod,
        wanted_by: Timestamp,
    },
    /// Ask what became of an authorisation. The method's token is never stored, so it cannot be repeated.
    LookUp {
        payment_id: PaymentId,
    },
    Capture {
        payment_id: PaymentId,
        amount: Money,
    },
    Void {
        payment_id: PaymentId,
    },
    Refund {
        payment_id: PaymentId,
        refund_id: RefundId,
        amount: Money,
    },
}

impl GatewayCall {
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
