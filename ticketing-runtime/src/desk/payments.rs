//! Questions about payments.

use std::time::Duration;

use ticketing_domain::book::Caller;
use ticketing_domain::policy;
use ticketing_domain::questions::SeeActionWanted;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::outside::gateway::{Authorization, GatewayRecord};
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::vocabulary::ids::PaymentId;
use ticketing_ports::vocabulary::paging::{Listed, Page};
use ticketing_ports::vocabulary::payment::NextAction;
use ticketing_ports::vocabulary::roles::Actor;
use tracing::warn;

use super::Desk;
use crate::failure::Failure;

/// How long the payment gateway may take to say what the customer has to do.
const GATEWAY_PATIENCE: Duration = Duration::from_secs(5);

impl Desk {
    /// Checks that the caller may refund outside the event's refund policy. Called before the request is read.
    ///
    /// # Errors
    /// Fails with [`Refusal::Forbidden`] if the caller's role does not allow it.
    pub fn may_refund(&self, by: Actor) -> Result<(), Refusal> {
        if policy::may_refund(by) {
            Ok(())
        } else {
            Err(Refusal::Forbidden)
        }
    }

    /// Returns one payment, from the write side, for its customer and for admins.
    ///
    /// # Errors
    /// Fails if there is no such payment or the caller may not see it.
    pub async fn payment(&self, by: impl Into<Caller>, id: PaymentId) -> Result<PaymentView, Failure> {
        self.office.payment(by, id).await
    }

    /// Returns what the customer has to do to complete a payment, for example confirm it with the bank. Only the
    /// payment's own customer is told, and only while the customer may still pay. `None` if nothing has to be done,
    /// or if the gateway does not answer in time. The gateway is asked each time, because its answer is not stored.
    ///
    /// # Errors
    /// Fails if there is no such payment.
    pub async fn next_action(&self, by: impl Into<Caller>, id: PaymentId) -> Result<Option<NextAction>, Failure> {
        let see = SeeActionWanted { payment_id: id };
        if self.office.see(by.into(), see).await?.is_none() {
            return Ok(None);
        }
        let looked_up = self.office.gateway().look_up(id);
        Ok(match tokio::time::timeout(GATEWAY_PATIENCE, looked_up).await {
            Ok(Ok(GatewayRecord::Answered(Authorization::MustAct(action)))) => Some(action),
            // The gateway does not wait for the customer any more, and the lane will soon know what became of the
            // payment.
            Ok(Ok(_)) => None,
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                warn!(payment_id = %id, error, "the payment gateway failed to say what the customer has to do");
                None
            }
            Err(_) => {
                warn!(payment_id = %id, "the payment gateway did not say in time what the customer has to do");
                None
            }
        })
    }

    /// Returns a page of the caller's own payments, newest first.
    ///
    /// # Errors
    /// Fails if the read models do not answer.
    pub async fn own_payments(&self, by: Actor, page: Page) -> Result<Listed<PaymentView>, Failure> {
        Ok(self.ports.payments.payments_of(by.user_id.into(), page).await?)
    }
}
