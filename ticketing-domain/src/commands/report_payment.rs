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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Caller;
    use crate::commands::given::{ALICE, BOB, approved, floor, on_sale};
    use crate::refusal::Refusal;

    #[test]
    fn a_captured_payment_issues_tickets_and_counts_once() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        let payment_id = house.start_paying(ALICE, held);
        let facts = house.gateway_says(payment_id, approved());
        assert_eq!(facts, ["PaymentAuthorized", "CaptureRequested"]);
        let facts = house.gateway_says(payment_id, GatewayAnswer::Captured);
        assert_eq!(facts, ["PaymentCaptured", "SeatsSold", "ReservationCompleted"]);
        for again in [approved(), GatewayAnswer::Captured] {
            assert!(house.gateway_says(payment_id, again).is_empty());
        }
    }

    #[test]
    fn a_declined_payment_leaves_the_hold() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        let payment_id = house.start_paying(ALICE, held);
        let reason = DeclineReason::Declined;
        let declined = GatewayAnswer::Authorized(Authorization::Declined { reason });
        let facts = house.gateway_says(payment_id, declined);
        assert_eq!(facts, ["PaymentDeclined", "ReservationPaymentDeclined"]);
        house.start_paying(ALICE, held);
    }

    #[test]
    fn money_that_comes_when_the_seats_are_gone_goes_back() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 5);
        let payment_id = house.start_paying(ALICE, held);
        house.gateway_says(payment_id, approved());
        house.wait(300);
        house.asks(BOB, floor(5)).unwrap();
        let facts = house.gateway_says(payment_id, GatewayAnswer::Captured);
        assert_eq!(facts, ["PaymentCaptured", "ReservationCompensated", "RefundRequested"]);
    }

    #[test]
    fn nobody_has_heard_of_an_unknown_payment() {
        let payment_id = PaymentId::new(uuid::Uuid::from_u128(77));
        let answer = GatewayAnswer::Captured;
        let refused = on_sale().asks(Caller::World, ReportPayment { payment_id, answer });
        assert_eq!(refused.unwrap_err(), Refusal::PaymentNotFound(payment_id));
    }
}
