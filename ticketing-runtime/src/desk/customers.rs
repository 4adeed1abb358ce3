//! Questions about a customer, answered to that customer and to admins.

use ticketing_domain::commands::HoldFor;
use ticketing_domain::policy;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::read_models::sales::{LifetimeValue, Purchase};
use ticketing_ports::vocabulary::ids::{CustomerId, UserId};
use ticketing_ports::vocabulary::paging::{Listed, Page};
use ticketing_ports::vocabulary::roles::{Actor, Role};

use super::Desk;
use crate::failure::Failure;

impl Desk {
    /// What the customer has bought, newest first.
    ///
    /// # Errors
    /// Fails with [`Refusal::CustomerNotFound`] if the caller may not see such a customer.
    pub async fn purchases(&self, by: Actor, of: CustomerId, page: Page) -> Result<Listed<Purchase>, Failure> {
        self.check_may_see(by, of).await?;
        Ok(self.ports.sales.purchases_of(of, page).await?)
    }

    /// What the customer has spent so far, with one entry for each currency.
    ///
    /// # Errors
    /// Fails with [`Refusal::CustomerNotFound`] if the caller may not see such a customer.
    pub async fn lifetime_value(&self, by: Actor, of: CustomerId) -> Result<Vec<LifetimeValue>, Failure> {
        self.check_may_see(by, of).await?;
        Ok(self.ports.sales.lifetime_value(of).await?)
    }

    /// For whom the caller wants to hold seats. Only an admin may name another customer, so only for an admin it is
    /// checked whether that customer exists; others learn nothing about it.
    ///
    /// # Errors
    /// Fails if the users cannot be read.
    pub async fn hold_for(&self, by: Actor, customer: Option<CustomerId>) -> Result<HoldFor, Failure> {
        let Some(customer) = customer else {
            return Ok(HoldFor::Caller);
        };
        let user = UserId::from(customer);
        let unknown = by.role == Role::Admin && by.user_id != user && self.ports.users.find(user).await?.is_none();
        Ok(if unknown {
            HoldFor::Nobody(customer)
        } else {
            HoldFor::Customer(customer)
        })
    }

    /// Checks that the caller may see the customer.
    ///
    /// # Errors
    /// Fails with [`Refusal::CustomerNotFound`] for every other customer, existing or not, so that ids cannot be
    /// probed.
    async fn check_may_see(&self, by: Actor, customer: CustomerId) -> Result<(), Failure> {
        let user = UserId::from(customer);
        let known =
            policy::may_act_for(by, customer) && (by.user_id == user || self.ports.users.find(user).await?.is_some());
        if known {
            Ok(())
        } else {
            Err(Refusal::CustomerNotFound(customer).into())
        }
    }
}
