//! The deadline of a hold has come: who has not paid gives the seats back.
//!
//! Never refused: a hold that was paid or given up meanwhile stays what it is.

use serde::{Deserialize, Serialize};
use ticketing_ports::deadlines::Deadline;

use crate::book::{Stop, Unit};
use crate::command::{Address, Command, Never, Outcome};
use crate::reservation::{Reservation, SagaInput};
use ticketing_ports::ids::ReservationId;
use ticketing_ports::reservation::ReservationView;

/// Ends a hold that ran out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpireHold {
    pub deadline: Deadline,
}

impl Command for ExpireHold {
    const NAME: &'static str = "expire_hold";

    type Reply = ReservationView;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Lane(self.deadline.lane)
    }

    fn run(&self, unit: &mut Unit<'_>) -> Result<Outcome<Self>, Stop> {
        let reservation_id = ReservationId::new(self.deadline.key.stream.id);
        unit.decide::<Reservation>(reservation_id, &SagaInput::HoldRanOut.into())?;
        unit.clear_if_idle(self.deadline.key);
        Ok(Outcome::Reply(reservation_id))
    }
}
