//! What a customer who gives a reservation up gets back, and when that changes. For a caller who may not see the
//! reservation it does not exist.

use ticketing_ports::vocabulary::ids::ReservationId;
use ticketing_ports::vocabulary::money::Money;

use crate::book::{Stop, UnitOfWork};
use crate::command::{Address, Question};
use crate::refunds::RefundChange;
use crate::reservation::may_be_cancelled;

/// Asks what goes back if the customer gives the reservation up now. Refused as the cancellation itself would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeeCancellation {
    /// The reservation.
    pub reservation_id: ReservationId,
}

/// What goes back if the customer gives the reservation up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancellation {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// How much goes back now.
    pub refund: Money,
    /// When another amount goes back; `None` if the amount stays as it is.
    pub next_change: Option<RefundChange>,
}

impl Question for SeeCancellation {
    const NAME: &'static str = "see_cancellation";

    type Answer = Cancellation;

    fn address(&self) -> Address {
        Address::Stream(self.reservation_id.into())
    }

    fn look(&self, unit: &UnitOfWork<'_>) -> Result<Cancellation, Stop> {
        let state = unit.own_reservation(unit.buyer()?, self.reservation_id)?;
        let now = unit.now();
        may_be_cancelled(state, now)?;
        let terms = unit.refund_terms(state)?;
        Ok(Cancellation {
            reservation_id: self.reservation_id,
            refund: terms.refund(now),
            next_change: terms.next_change(now),
        })
    }
}
