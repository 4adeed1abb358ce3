//! The gateway has not answered a call in time: the call is made again.
//!
//! The command is never refused. A payment that was answered meanwhile stays as it is.

use serde::{Deserialize, Serialize};
use ticketing_ports::log::deadlines::Deadline;

use crate::book::{Stop, UnitOfWork};
use crate::command::{Address, Command, Never, Outcome};
use crate::payment::{Payment, PaymentCommand};
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::vocabulary::ids::PaymentId;

/// Repeats the calls that the gateway has not answered. Only an authorisation is not repeated: the gateway is asked
/// whether it has set the money aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPayment {
    /// The deadline that has come.
    pub deadline: Deadline,
}

impl Command for RetryPayment {
    const NAME: &'static str = "retry_payment";

    type Reply = PaymentView;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Lane(self.deadline.lane)
    }

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let payment_id = PaymentId::new(self.deadline.key.stream.id);
        unit.decide::<Payment>(payment_id, &PaymentCommand::Retry)?;
        unit.clear_if_idle(self.deadline.key);
        Ok(Outcome::Reply(payment_id))
    }
}

#[cfg(test)]
mod tests {
    use ticketing_ports::log::deadlines::DeadlineKind;

    use super::*;
    use crate::book::Caller;
    use crate::commands::given::{ALICE, on_sale};
    use crate::payment::GatewayCall;

    #[test]
    fn an_authorisation_without_an_answer_is_looked_up() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        house.start_paying(ALICE, held);
        let deadline = house.deadline(DeadlineKind::GatewayRetry).unwrap();
        house.wait(30);
        house.asks(Caller::World, RetryPayment { deadline }).unwrap();
        assert!(matches!(house.calls().last(), Some(GatewayCall::LookUp { .. })));
        assert!(
            house.deadline(DeadlineKind::GatewayRetry).is_some(),
            "the deadline is set again, since the repeated call may get lost too"
        );
    }

    #[test]
    fn a_payment_that_was_answered_is_left_alone() {
        let mut house = on_sale();
        let held = house.hold(ALICE, 1);
        house.start_paying(ALICE, held);
        let deadline = house.deadline(DeadlineKind::GatewayRetry).unwrap();
        let payment_id = PaymentId::new(deadline.key.stream.id);
        house.gateway_says(payment_id, crate::commands::given::approved());
        house.gateway_says(payment_id, crate::commands::GatewayAnswer::Captured);
        let asked = house.calls().len();
        house.asks(Caller::World, RetryPayment { deadline }).unwrap();
        assert_eq!(house.calls().len(), asked);
    }
}
