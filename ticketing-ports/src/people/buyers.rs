//! The buyers: under which id the person with an address buys, and which address was given for a guest's order.

use async_trait::async_trait;

use crate::people::erase::Erase;
use crate::vocabulary::email::EmailAddress;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::{ReservationId, UserId};

/// Stores which address belongs to which person, and which address the buyer of a guest's order has given.
///
/// An address has one id in the box office, before there is an account and after. An account that is made later gets this id,
/// so its owner finds there what was bought with the address before.
///
/// **Contract**
/// - `an_address_is_of_one_person`: the first call of `person_of` decides the id of the address; later calls return the
///   same id, whatever they propose.
/// - `racing_askers_are_told_one_person`.
/// - `an_order_has_the_address_that_was_given_last`.
/// - `a_first_address_never_replaces_another`.
/// - `an_order_without_an_address_has_none`: it is `None`, not an error.
/// - `an_erased_person_has_no_address`: neither their orders nor their id have one, whether they are given by the id or by
///   the address as well. Whoever asks for the address later is told another person. Everybody else stays.
///
/// # Example
///
/// ```
/// use adapters_memory::InMemoryBuyerStore;
/// use ticketing_ports::people::buyers::BuyerStore;
/// use ticketing_ports::vocabulary::email::EmailAddress;
/// use ticketing_ports::vocabulary::ids::{ReservationId, UserId};
/// use uuid::Uuid;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
///
/// let buyers = InMemoryBuyerStore::new();
/// let ada = EmailAddress::parse("ada@example.com")?;
/// let order = ReservationId::new(Uuid::from_u128(1));
/// buyers.give_address(order, &ada).await?;
/// assert_eq!(buyers.address_of(order).await?, Some(ada.clone()));
/// let [first, second] = [2, 3].map(|number| UserId::new(Uuid::from_u128(number)));
/// assert_eq!(buyers.person_of(&ada, first).await?, first);
/// assert_eq!(buyers.person_of(&ada, second).await?, first, "Ada has an id already");
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait BuyerStore: Erase + Send + Sync {
    /// Notes the address that was given for an order, in the place of an earlier one.
    async fn give_address(&self, order: ReservationId, email: &EmailAddress) -> Result<(), StoreError>;

    /// Notes the address that was given for an order, unless one was given already.
    async fn give_first_address(&self, order: ReservationId, email: &EmailAddress) -> Result<(), StoreError>;

    /// Returns the address that was given for an order; `None` if none was.
    async fn address_of(&self, order: ReservationId) -> Result<Option<EmailAddress>, StoreError>;

    /// Returns the id of the person with this address. If the address belongs to nobody yet, it belongs to `fresh` from
    /// now on.
    async fn person_of(&self, email: &EmailAddress, fresh: UserId) -> Result<UserId, StoreError>;
}
