//! Questions about a customer, answered to that customer and to admins.

use ticketing_domain::commands::HoldFor;
use ticketing_domain::policy;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::read_models::sales::{LifetimeValue, Purchase};
use ticketing_ports::vocabulary::buyer::Buyer;
use ticketing_ports::vocabulary::ids::{CustomerId, UserId};
use ticketing_ports::vocabulary::paging::{Listed, Page};
use ticketing_ports::vocabulary::roles::{Actor, Role};

use super::Desk;
use crate::failure::Failure;

impl Desk {
    /// Returns what the customer has bought, newest first.
    ///
    /// # Errors
    /// Fails with [`Refusal::CustomerNotFound`] if there is no such customer or the caller may not see it.
    pub async fn purchases(&self, by: Actor, of: CustomerId, page: Page) -> Result<Listed<Purchase>, Failure> {
        self.check_may_see(by, of).await?;
        Ok(self.ports.sales.purchases_of(of, page).await?)
    }

    /// Returns what the customer has spent so far, with one entry for each currency.
    ///
    /// # Errors
    /// Fails with [`Refusal::CustomerNotFound`] if there is no such customer or the caller may not see it.
    pub async fn lifetime_value(&self, by: Actor, of: CustomerId) -> Result<Vec<LifetimeValue>, Failure> {
        self.check_may_see(by, of).await?;
        Ok(self.ports.sales.lifetime_value(of).await?)
    }

    /// Returns for whom the buyer asks to hold seats. Whether the named customer exists is looked up only if an
    /// admin names somebody else; other callers learn nothing about who is a customer.
    ///
    /// # Errors
    /// Fails if the store of users fails.
    pub async fn hold_for(&self, by: Buyer, customer: Option<CustomerId>) -> Result<HoldFor, Failure> {
        let Some(customer) = customer else {
            return Ok(HoldFor::Caller);
        };
        let user = UserId::from(customer);
        let is_admins = |actor: Actor| actor.role == Role::Admin && actor.user_id != user;
        let unknown = by.account().is_some_and(is_admins) && self.ports.users.find(user).await?.is_none();
        Ok(if unknown {
            HoldFor::Nobody(customer)
        } else {
            HoldFor::Customer(customer)
        })
    }

    /// Checks that the caller may see the customer.
    ///
    /// # Errors
    /// Fails with [`Refusal::CustomerNotFound`] both if the caller may not see the customer and if there is no such
    /// customer, so that callers cannot find out which ids exist.
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
