//! The gateway has not answered in time: it is asked again.
//!
//! Never refused: a payment that was answered meanwhile stays what it is.

use serde::{Deserialize, Serialize};
use ticketing_ports::deadlines::Deadline;

use crate::book::{Stop, Unit};
use crate::command::{Address, Command, Never, Outcome};
use crate::payment::{Payment, PaymentCommand};
use ticketing_ports::ids::PaymentId;
use ticketing_ports::payment::PaymentView;

/// Asks the gateway again for everything it owes an answer for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPayment {
    pub deadline: Deadline,
}

impl Command for RetryPayment {
    const NAME: &'static str = "retry_payment";

    type Reply = PaymentView;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Lane(self.deadline.lane)
    }

    fn run(&self, unit: &mut Unit<'_>) -> Result<Outcome<Self>, Stop> {
        let payment_id = PaymentId::new(self.deadline.key.stream.id);
        unit.decide::<Payment>(payment_id, &PaymentCommand::Retry)?;
        unit.clear_if_idle(self.deadline.key);
        Ok(Outcome::Reply(payment_id))
    }
}
