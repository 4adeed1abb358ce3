use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::people::buyers::BuyerStore;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{ReservationId, UserId};

#[derive(Debug, Default)]
pub struct InMemoryBuyerStore(Mutex<Buyers>);

#[derive(Debug, Default)]
struct Buyers {
    orders: BTreeMap<ReservationId, EmailAddress>,
    people: BTreeMap<EmailAddress, UserId>,
}

impl InMemoryBuyerStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn buyers(&self) -> MutexGuard<'_, Buyers> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

#[async_trait]
impl BuyerStore for InMemoryBuyerStore {
    async fn give_address(&self, order: ReservationId, email: &EmailAddress) -> Result<(), StoreError> {
        self.buyers().orders.insert(order, email.clone());
        Ok(())
    }

    async fn give_first_address(&self, order: ReservationId, email: &EmailAddress) -> Result<(), StoreError> {
        self.buyers().orders.entry(order).or_insert_with(|| email.clone());
        Ok(())
    }

    async fn address_of(&self, order: ReservationId) -> Result<Option<EmailAddress>, StoreError> {
        Ok(self.buyers().orders.get(&order).cloned())
    }

    async fn person_of(&self, email: &EmailAddress, fresh: UserId) -> Result<UserId, StoreError> {
        Ok(*self.buyers().people.entry(email.clone()).or_insert(fresh))
    }
}

#[async_trait]
impl Erase for InMemoryBuyerStore {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let mut buyers = self.buyers();
        let Buyers { orders, people } = &mut *buyers;
        let before = orders.len() + people.len();
        let is_theirs = |email: &EmailAddress, people: &BTreeMap<_, _>| {
            person.email.as_ref() == Some(email) || people.get(email) == Some(&person.id)
        };
        orders.retain(|_, email| !is_theirs(email, people));
        people.retain(|email, id| person.email.as_ref() != Some(email) && *id != person.id);
        Ok((before - orders.len() - people.len()) as u64)
    }
}
