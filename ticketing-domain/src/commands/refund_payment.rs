//! Paying money back outside the event's refund policy.
//!
//! The command is refused if the caller is not an admin, the payment is unknown or not captured, or less money is
//! left of the payment than is to go back. The reply waits for the gateway.

use serde::{Deserialize, Serialize};
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::vocabulary::ids::{PaymentId, RefundId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::seating::Label;

use super::pending_payment::PendingPayment;
use crate::book::{Stop, UnitOfWork, Wants};
use crate::command::{Address, Command, Outcome};
use crate::payment::{Payment, PaymentCommand, RefundCause};
use crate::policy;
use crate::refusal::Refusal;

/// Gives back what was captured, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundPayment {
    /// The payment to refund.
    pub payment_id: PaymentId,
    /// How much money goes back; `None` for all that is left of the payment.
    pub amount: Option<Money>,
    /// Why the money goes back, in the admin's words.
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

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::GatewayAnswer;
    use crate::commands::given::{ADMIN, ALICE, ORGANISER, label, on_sale};
    use crate::payment::GatewayCall;

    fn all_of(payment_id: PaymentId) -> RefundPayment {
        RefundPayment {
            payment_id,
            amount: None,
            reason: label("goodwill"),
        }
    }

    #[test]
    fn everything_goes_back_and_the_seats_with_it() {
        let mut house = on_sale();
        let (_, payment_id) = house.buy(ALICE, 1);
        assert_eq!(
            house.asks(ADMIN, all_of(payment_id)).unwrap().facts(),
            ["RefundRequested"]
        );
        let Some(GatewayCall::Refund { refund_id, .. }) = house.calls().last().cloned() else {
            panic!("expected a refund as the last call to the gateway");
        };
        let facts = house.gateway_says(payment_id, GatewayAnswer::Refunded(refund_id));
        assert_eq!(facts, ["PaymentRefunded", "ReservationRefunded", "SeatsReleased"]);
    }

    #[test]
    fn only_an_admin_refunds_and_only_what_was_captured() {
        let mut house = on_sale();
        let (_, payment_id) = house.buy(ALICE, 1);
        for by in [ALICE, ORGANISER] {
            assert_eq!(house.asks(by, all_of(payment_id)).unwrap_err(), Refusal::Forbidden);
        }
        let unknown = PaymentId::new(uuid::Uuid::from_u128(77));
        let refused = house.asks(ADMIN, all_of(unknown)).unwrap_err();
        assert_eq!(refused, Refusal::PaymentNotFound(unknown));
    }
}
