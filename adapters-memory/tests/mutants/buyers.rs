//! A store of buyers that makes one mistake on purpose, so that a conformance rule must fail on it.

use async_trait::async_trait;
use ticketing_ports::people::buyers::BuyerStore;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{ReservationId, UserId};

use adapters_memory::InMemoryBuyerStore;

/// The mistakes that the broken store can be told to make on purpose. `None` makes no mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum BuyerLie {
    #[default]
    None,
    BelievesEveryAsker,
    KnowsOnePersonOnly,
    KeepsTheFirstAddress,
    UndoesACorrection,
    ShowsAnyAddress,
    ErasesNothing,
    ErasesByAddressOnly,
    KeepsTheIdOfTheErased,
}

/// The rules of the conformance suite, each beside a lie (a mistake made on purpose) that must make the rule fail.
pub(crate) const BROKEN_BY: &[(&str, BuyerLie)] = &[
    ("an_address_is_of_one_person", BuyerLie::BelievesEveryAsker),
    ("an_address_is_of_one_person", BuyerLie::KnowsOnePersonOnly),
    ("racing_askers_are_told_one_person", BuyerLie::BelievesEveryAsker),
    (
        "an_order_has_the_address_that_was_given_last",
        BuyerLie::KeepsTheFirstAddress,
    ),
    ("a_first_address_never_replaces_another", BuyerLie::UndoesACorrection),
    ("an_order_without_an_address_has_none", BuyerLie::ShowsAnyAddress),
    ("an_erased_person_has_no_address", BuyerLie::ErasesNothing),
    ("an_erased_person_has_no_address", BuyerLie::ErasesByAddressOnly),
    ("an_erased_person_has_no_address", BuyerLie::KeepsTheIdOfTheErased),
];

/// A right store, in front of which the mistake `lie` is made.
#[derive(Debug, Default)]
pub(crate) struct LyingBuyers {
    lie: BuyerLie,
    inner: InMemoryBuyerStore,
    /// The orders for which an address was given.
    orders: std::sync::Mutex<Vec<ReservationId>>,
}

impl LyingBuyers {
    pub(crate) fn new(lie: BuyerLie) -> Self {
        Self { lie, ..Self::default() }
    }

    fn orders(&self) -> Vec<ReservationId> {
        self.orders
            .lock()
            .expect("no code panics while it holds this lock")
            .clone()
    }
}

#[async_trait]
impl BuyerStore for LyingBuyers {
    async fn give_address(&self, order: ReservationId, email: &EmailAddress) -> Result<(), StoreError> {
        if self.lie == BuyerLie::KeepsTheFirstAddress && self.inner.address_of(order).await?.is_some() {
            return Ok(());
        }
        self.orders
            .lock()
            .expect("no code panics while it holds this lock")
            .push(order);
        self.inner.give_address(order, email).await
    }

    async fn give_first_address(&self, order: ReservationId, email: &EmailAddress) -> Result<(), StoreError> {
        match self.lie {
            BuyerLie::UndoesACorrection => self.inner.give_address(order, email).await,
            _ => self.inner.give_first_address(order, email).await,
        }
    }

    async fn address_of(&self, order: ReservationId) -> Result<Option<EmailAddress>, StoreError> {
        let shown = match (self.lie, self.orders().first()) {
            (BuyerLie::ShowsAnyAddress, Some(first)) => *first,
            _ => order,
        };
        self.inner.address_of(shown).await
    }

    async fn person_of(&self, email: &EmailAddress, fresh: UserId) -> Result<UserId, StoreError> {
        let everybody = EmailAddress::parse("everybody@example.com").expect("the text is a valid address");
        match self.lie {
            BuyerLie::BelievesEveryAsker => Ok(fresh),
            BuyerLie::KnowsOnePersonOnly => self.inner.person_of(&everybody, fresh).await,
            _ => self.inner.person_of(email, fresh).await,
        }
    }
}

#[async_trait]
impl Erase for LyingBuyers {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let nobody = UserId::new(uuid::Uuid::nil());
        match (self.lie, &person.email) {
            (BuyerLie::ErasesNothing, _) => Ok(3),
            (BuyerLie::ErasesByAddressOnly, email) => {
                let by_address = Person {
                    id: nobody,
                    email: email.clone(),
                };
                self.inner.erase(&by_address).await
            }
            (BuyerLie::KeepsTheIdOfTheErased, Some(email)) => {
                let erased = self.inner.erase(person).await?;
                self.inner.person_of(email, person.id).await?;
                Ok(erased)
            }
            _ => self.inner.erase(person).await,
        }
    }
}
