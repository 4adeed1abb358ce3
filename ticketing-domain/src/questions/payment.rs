//! One payment as it is now. Whoever may see the reservation may see its payment; everybody else is told that the payment
//! does not exist.

use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::vocabulary::ids::PaymentId;

use crate::book::{Stop, UnitOfWork};
use crate::command::{Address, Question};
use crate::payment::Payment;
use crate::refusal::Refusal;

/// Asks for one payment as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeePayment {
    /// The payment.
    pub payment_id: PaymentId,
}

impl Question for SeePayment {
    const NAME: &'static str = "see_payment";

    type Answer = PaymentView;

    fn address(&self) -> Address {
        Address::Stream(self.payment_id.into())
    }

    fn look(&self, unit: &UnitOfWork<'_>) -> Result<PaymentView, Stop> {
        let by = unit.buyer()?;
        let id = self.payment_id;
        unit.payment_here(id)?;
        let (state, version) = unit.get_with_version::<Payment>(id)?;
        let view = state.view(version).ok_or(Refusal::PaymentNotFound(id))?;
        match unit.own_reservation(by, view.reservation_id) {
            Err(Stop::Refused(_)) => Err(Refusal::PaymentNotFound(id).into()),
            Err(stop) => Err(stop),
            Ok(_) => Ok(view),
        }
    }
}
