//! What is kept and looked up for buyers without an account.

use ticketing_domain::refusal::Refusal;
use ticketing_domain::transition::Action;
use ticketing_ports::vocabulary::buyer::{Buyer, Guest};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::ReservationId;
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_ports::vocabulary::secrets::Secret;

use super::Desk;
use crate::failure::Failure;

impl Desk {
    /// Makes the secret of a new order. Whoever has it may see and change that order.
    pub fn new_order_secret(&self) -> Secret {
        Secret::generate(self.ports.entropy.as_ref())
    }

    /// Notes the e-mail address of the buyer of a guest's order, in the place of an earlier one. When the order is sold, it
    /// becomes the order of the person with this address.
    ///
    /// # Errors
    /// Fails if there is no such order or the guest has not its secret, if the order does not wait to be paid any more, or
    /// if a store fails.
    pub async fn give_address(&self, by: Guest, order: ReservationId, email: &EmailAddress) -> Result<(), Failure> {
        let status = self.reservation(Buyer::Guest(by), order).await?.status;
        if status != ReservationStatus::Held {
            return Err(Refusal::state(status, Action::Change).into());
        }
        Ok(self.ports.buyers.give_address(order, email).await?)
    }

    /// Notes the e-mail address with which an order was made, unless another one was given since. So a repeated request
    /// undoes no correction.
    ///
    /// # Errors
    /// Fails if the store fails.
    pub async fn give_first_address(&self, order: ReservationId, email: &EmailAddress) -> Result<(), Failure> {
        Ok(self.ports.buyers.give_first_address(order, email).await?)
    }

    /// Finds out who the buyer is, as far as that is known: a guest is the person whose address was given for the order.
    /// Whoever pays as a guest asks this first.
    ///
    /// # Errors
    /// Fails if there is no such order or the guest has not its secret, or if a store fails.
    pub async fn known(&self, by: Buyer, order: ReservationId) -> Result<Buyer, Failure> {
        let Buyer::Guest(guest) = by else { return Ok(by) };
        // Nobody without the secret is to learn anything from the store, or to write to it.
        self.reservation(by, order).await?;
        let Some(email) = self.ports.buyers.address_of(order).await? else {
            return Ok(by);
        };
        // Accounts that are older than guests are not known to the store of buyers.
        let person = match self.ports.users.find_by_email(&email).await? {
            Some(user) => user.id,
            None => self.ports.buyers.person_of(&email, self.office.fresh_person()).await?,
        };
        let person = Some(person.into());
        Ok(Buyer::Guest(Guest { person, ..guest }))
    }
}
