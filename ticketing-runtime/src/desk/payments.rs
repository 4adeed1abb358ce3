//! Payments of a customer.

use ticketing_domain::policy;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::ids::PaymentId;
use ticketing_ports::paging::{Listed, Page};
use ticketing_ports::payment::PaymentView;
use ticketing_ports::roles::Actor;

use super::Desk;
use crate::failure::Failure;

impl Desk {
    /// Refuses whoever may not give money back outside the event's policy, before what they wrote is looked at.
    ///
    /// # Errors
    /// When the caller's role does not allow it.
    pub fn may_refund(&self, by: Actor) -> Result<(), Refusal> {
        if policy::may_refund(by) {
            Ok(())
        } else {
            Err(Refusal::Forbidden)
        }
    }

    /// From the write side. For its customer and for admins.
    ///
    /// # Errors
    /// When the caller knows of no such payment.
    pub async fn payment(&self, by: Actor, id: PaymentId) -> Result<PaymentView, Failure> {
        self.office.payment(by, id).await
    }

    /// The caller's own, newest first.
    ///
    /// # Errors
    /// When the read models do not answer.
    pub async fn own_payments(&self, by: Actor, page: Page) -> Result<Listed<PaymentView>, Failure> {
        Ok(self.ports.payments.payments_of(by.user_id.into(), page).await?)
    }
}
