//! What a customer has to do before the provider decides on a payment. Only the customer is told, and only while the
//! payment can still pay for the seats.

use ticketing_ports::vocabulary::buyer::Buyer;
use ticketing_ports::vocabulary::ids::{CustomerId, PaymentId};
use ticketing_ports::vocabulary::payment::ActionWanted;

use crate::book::{Stop, UnitOfWork};
use crate::command::{Address, Question};
use crate::payment::PaymentState;
use crate::reservation::{Reservation, ReservationState};

/// Asks what the customer has to do before the provider decides on a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeeActionWanted {
    /// The payment.
    pub payment_id: PaymentId,
}

impl Question for SeeActionWanted {
    const NAME: &'static str = "see_action_wanted";

    type Answer = Option<ActionWanted>;

    fn address(&self) -> Address {
        Address::Stream(self.payment_id.into())
    }

    fn look(&self, unit: &UnitOfWork<'_>) -> Result<Option<ActionWanted>, Stop> {
        let by = unit.buyer()?;
        let PaymentState::Deferred {
            terms: payment,
            action: Some(action),
        } = unit.payment_here(self.payment_id)?
        else {
            return Ok(None);
        };
        let ReservationState::PaymentPending {
            terms: hold,
            payment_id,
            ..
        } = unit.get::<Reservation>(payment.reservation_id)?
        else {
            return Ok(None);
        };
        let own = match by {
            Buyer::Person(actor) => hold.customer_id == CustomerId::from(actor.user_id),
            Buyer::Guest(_) => hold.belongs_to(by),
        };
        let holds = own && *payment_id == self.payment_id && unit.now() < action.until.min(hold.held_until);
        Ok(holds.then_some(*action))
    }
}
