//! What a customer has bought, for that customer and for admins.

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
    /// Newest first.
    ///
    /// # Errors
    /// When the caller knows of no such customer.
    pub async fn purchases(&self, by: Actor, of: CustomerId, page: Page) -> Result<Listed<Purchase>, Failure> {
        self.must_know(by, of).await?;
        Ok(self.ports.sales.purchases_of(of, page).await?)
    }

    /// What the customer has spent so far, an entry for each currency.
    ///
    /// # Errors
    /// When the caller knows of no such customer.
    pub async fn lifetime_value(&self, by: Actor, of: CustomerId) -> Result<Vec<LifetimeValue>, Failure> {
        self.must_know(by, of).await?;
        Ok(self.ports.sales.lifetime_value(of).await?)
    }

    /// For whom the caller wants seats held. Only for an admin it is found out whether there is such a customer: others may not
    /// hold for somebody else, and learn nothing about who exists.
    ///
    /// # Errors
    /// When the users cannot be read.
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

    /// Somebody else is not found, so that ids cannot be probed.
    async fn must_know(&self, by: Actor, customer: CustomerId) -> Result<(), Failure> {
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
