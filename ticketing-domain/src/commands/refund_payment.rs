//! Paying money back outside the event's policy.
//!
//! Refused to all but admins, when the payment is unknown or not captured, or so much is not left. It waits for the
//! gateway.

use serde::{Deserialize, Serialize};
use ticketing_ports::ids::{PaymentId, RefundId};
use ticketing_ports::money::Money;
use ticketing_ports::payment::PaymentView;
use ticketing_ports::seating::Label;

use super::pending_payment::PendingPayment;
use crate::book::{Stop, Unit, Wants};
use crate::command::{Address, Command, Outcome};
use crate::payment::{Payment, PaymentCommand, RefundCause};
use crate::policy;
use crate::refusal::Refusal;

/// Gives back what was captured, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundPayment {
    pub payment_id: PaymentId,
    /// All that is left when absent.
    pub amount: Option<Money>,
    pub reason: Label,
}

impl Command for RefundPayment {
    const NAME: &'static str = "refund_payment";

    type Reply = PaymentView;
    type Awaits = PendingPayment;

    fn address(&self) -> Address {
        Address::Stream(self.payment_id.into())
    }

    fn wants(&self, wants: &mut Wants) {
        wants.add(self.payment_id);
    }

    fn run(&self, unit: &mut Unit<'_>) -> Result<Outcome<Self>, Stop> {
        if !policy::may_refund(unit.person()?) {
            return Err(Refusal::Forbidden.into());
        }
        let payment_id = self.payment_id;
        unit.payment_here(payment_id)?;
        let refund_id = unit.ctx().new_id(RefundId::new);
        let refund = PaymentCommand::Refund {
            refund_id,
            amount: self.amount,
            cause: RefundCause::Admin,
            reason: Some(self.reason.clone()),
        };
        unit.decide::<Payment>(payment_id, &refund)?;
        let pending = PendingPayment::Refunded { payment_id, refund_id };
        Ok(Outcome::Awaits(pending))
    }
}
