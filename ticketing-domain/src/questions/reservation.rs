//! One reservation as it is now. For a caller who may not see it, it does not exist.

use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::ids::ReservationId;

use crate::book::{Stop, UnitOfWork};
use crate::command::{Address, Question};
use crate::refusal::Refusal;
use crate::reservation::Reservation;

/// Asks for one reservation as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeeReservation {
    /// The reservation.
    pub reservation_id: ReservationId,
}

impl Question for SeeReservation {
    const NAME: &'static str = "see_reservation";

    type Answer = ReservationView;

    fn address(&self) -> Address {
        Address::Stream(self.reservation_id.into())
    }

    fn look(&self, unit: &UnitOfWork<'_>) -> Result<ReservationView, Stop> {
        let id = self.reservation_id;
        unit.own_reservation(unit.buyer()?, id)?;
        let (state, version) = unit.get_with_version::<Reservation>(id)?;
        Ok(state
            .view(version, unit.now())
            .ok_or(Refusal::ReservationNotFound(id))?)
    }
}
