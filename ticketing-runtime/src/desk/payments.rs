//! Payments of a customer.

use std::time::Duration;

use ticketing_domain::policy;
use ticketing_domain::queries::SeeActionWanted;
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

/// How long the gateway has to say how a customer goes on.
const GATEWAY_PATIENCE: Duration = Duration::from_secs(5);

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

    /// How the customer of a payment goes on with it, for that customer only and while it may still pay; `None` if there is
    /// nothing to do, or the gateway does not say. It is kept nowhere, so the gateway is asked each time.
    ///
    /// # Errors
    /// When there is no such payment.
    pub async fn next_action(&self, by: Actor, id: PaymentId) -> Result<Option<NextAction>, Failure> {
        let see = SeeActionWanted { payment_id: id };
        if self.office.see(by.into(), see).await?.is_none() {
            return Ok(None);
        }
        let looked_up = self.office.gateway().look_up(id);
        Ok(match tokio::time::timeout(GATEWAY_PATIENCE, looked_up).await {
            Ok(Ok(GatewayRecord::Answered(Authorization::MustAct(action)))) => Some(action),
            // Decided, and not reported yet.
            Ok(Ok(_)) => None,
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                warn!(payment_id = %id, error, "the payment gateway does not say how its customer goes on");
                None
            }
            Err(_) => {
                warn!(payment_id = %id, "the payment gateway takes too long to say how its customer goes on");
                None
            }
        })
    }

    /// The caller's own, newest first.
    ///
    /// # Errors
    /// When the read models do not answer.
    pub async fn own_payments(&self, by: Actor, page: Page) -> Result<Listed<PaymentView>, Failure> {
        Ok(self.ports.payments.payments_of(by.user_id.into(), page).await?)
    }
}
