//! What the payment gateway has to say about a payment. It counts once, however often and in whatever order it comes.
//!
//! Refused when there is no such payment.

use serde::{Deserialize, Serialize};
use ticketing_ports::gateway::{Authorization, DeclineReason};
use ticketing_ports::ids::{PaymentId, RefundId};
use ticketing_ports::payment::PaymentView;

use crate::book::{Stop, Unit, Wants};
use crate::command::{Address, Command, Never, Outcome};
use crate::payment::{Payment, PaymentCommand};

/// What became of a call to the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GatewayAnswer {
    Authorized(Authorization),
    /// The gateway never heard of the payment, or surely did not do it.
    NeverAuthorized,
    Captured,
    Voided,
    Refunded(RefundId),
}

/// Takes note of an outcome at the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportPayment {
    pub payment_id: PaymentId,
    pub answer: GatewayAnswer,
}

impl Command for ReportPayment {
    const NAME: &'static str = "report_payment";

    type Reply = PaymentView;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Stream(self.payment_id.into())
    }

    fn wants(&self, wants: &mut Wants) {
        wants.add(self.payment_id);
    }

    fn reports_on(&self) -> Option<PaymentId> {
        Some(self.payment_id)
    }

    fn run(&self, unit: &mut Unit<'_>) -> Result<Outcome<Self>, Stop> {
        let record = match &self.answer {
            GatewayAnswer::Authorized(authorization) => PaymentCommand::RecordAuthorization(authorization.clone()),
            GatewayAnswer::NeverAuthorized => PaymentCommand::RecordAuthorization(Authorization::Declined {
                reason: DeclineReason::Interrupted,
            }),
            GatewayAnswer::Captured => PaymentCommand::RecordCaptured,
            GatewayAnswer::Voided => PaymentCommand::RecordVoided,
            GatewayAnswer::Refunded(refund_id) => PaymentCommand::RecordRefunded(*refund_id),
        };
        unit.payment_here(self.payment_id)?;
        unit.decide::<Payment>(self.payment_id, &record)?;
        Ok(Outcome::Reply(self.payment_id))
    }
}
