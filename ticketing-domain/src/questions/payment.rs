//! One payment as it is now. A caller who asks for somebody else's payment is told that it does not exist.

use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::vocabulary::buyer::Buyer;
use ticketing_ports::vocabulary::ids::PaymentId;

use crate::book::{Stop, UnitOfWork};
use crate::command::{Address, Question};
use crate::payment::Payment;
use crate::policy;
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
        let own = match by {
            Buyer::Person(actor) => policy::may_act_for(actor, view.customer_id),
            Buyer::Guest(_) => unit.own_reservation(by, view.reservation_id).is_ok(),
        };
        if own {
            Ok(view)
        } else {
            Err(Refusal::PaymentNotFound(id).into())
        }
    }
}
