//! The deadline of a hold has come: if the hold was not paid, its seats are free again.
//!
//! The command is never refused. A reservation that was paid or given up meanwhile stays as it is.

use serde::{Deserialize, Serialize};
use ticketing_ports::log::deadlines::Deadline;

use crate::book::{Stop, UnitOfWork};
use crate::command::{Address, Command, Never, Outcome};
use crate::reservation::{Reservation, SagaInput};
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::ids::ReservationId;

/// Ends a hold that has run out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpireHold {
    /// The deadline that has come.
    pub deadline: Deadline,
}

impl Command for ExpireHold {
    const NAME: &'static str = "expire_hold";

    type Reply = ReservationView;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Lane(self.deadline.lane)
    }

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let reservation_id = ReservationId::new(self.deadline.key.stream.id);
        unit.decide::<Reservation>(reservation_id, &SagaInput::HoldRanOut.into())?;
        unit.clear_if_idle(self.deadline.key);
        Ok(Outcome::Reply(reservation_id))
    }
}

#[cfg(test)]
mod tests {
    use ticketing_ports::log::deadlines::DeadlineKind;

    use super::*;
    use crate::book::Caller;
    use crate::commands::given::{ALICE, on_sale};

    #[test]
    fn a_hold_that_ran_out_ends_and_gives_its_places_back() {
        let mut house = on_sale();
        house.hold(ALICE, 1);
        let deadline = house.deadline(DeadlineKind::HoldExpiry).unwrap();
        house.wait(300);
        let expired = house.asks(Caller::World, ExpireHold { deadline }).unwrap();
        assert_eq!(expired.facts(), ["ReservationExpired", "SeatsReleased"]);
        assert!(house.deadline(DeadlineKind::HoldExpiry).is_none());
    }

    #[test]
    fn a_deadline_that_comes_early_comes_again() {
        let mut house = on_sale();
        house.hold(ALICE, 1);
        let deadline = house.deadline(DeadlineKind::HoldExpiry).unwrap();
        let early = house.asks(Caller::World, ExpireHold { deadline }).unwrap();
        assert!(early.facts().is_empty());
        assert_eq!(house.deadline(DeadlineKind::HoldExpiry), Some(deadline));
    }

    #[test]
    fn what_was_paid_meanwhile_stays_paid() {
        let mut house = on_sale();
        house.hold(ALICE, 1);
        let deadline = house.deadline(DeadlineKind::HoldExpiry).unwrap();
        let reservation_id = ReservationId::new(deadline.key.stream.id);
        let payment_id = house.start_paying(ALICE, reservation_id);
        house.gateway_says(payment_id, crate::commands::given::approved());
        house.gateway_says(payment_id, crate::commands::GatewayAnswer::Captured);
        house.wait(300);
        let late = house.asks(Caller::World, ExpireHold { deadline }).unwrap();
        assert!(late.facts().is_empty());
    }
}
