//! A passkey store that makes one mistake on purpose, so that a conformance rule must fail on it.

use std::sync::Mutex;

use async_trait::async_trait;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::passkeys::{AddPasskeyError, Passkey, PasskeyStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;

/// The mistakes that the broken store can be told to make on purpose. `None` makes no mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum PasskeyLie {
    #[default]
    None,
    TakesACredentialTwice,
    TakesAnyNumber,
    CountsEverybody,
    NeverSuspects,
    FindsSomethingForEveryId,
    IgnoresTheCounter,
    GivesKeysAway,
    ListsInNoOrder,
    RenamesForAnybody,
    RemovesNothing,
    RemovesForAnybody,
    ErasesNothing,
    ErasesEverybody,
}

/// The rules of the conformance suite, each beside a lie (a mistake made on purpose) that must make the rule fail.
pub(crate) const BROKEN_BY: &[(&str, PasskeyLie)] = &[
    ("a_credential_belongs_to_one_user", PasskeyLie::TakesACredentialTwice),
    (
        "exactly_one_racing_registration_of_a_credential_wins",
        PasskeyLie::TakesACredentialTwice,
    ),
    (
        "a_user_has_no_more_passkeys_than_it_may_have",
        PasskeyLie::TakesAnyNumber,
    ),
    (
        "a_user_has_no_more_passkeys_than_it_may_have",
        PasskeyLie::CountsEverybody,
    ),
    (
        "racing_registrations_never_exceed_what_a_user_may_have",
        PasskeyLie::TakesAnyNumber,
    ),
    ("a_passkey_comes_back_as_it_was_added", PasskeyLie::NeverSuspects),
    ("an_unknown_passkey_is_nothing", PasskeyLie::FindsSomethingForEveryId),
    (
        "an_update_from_a_stale_counter_is_refused",
        PasskeyLie::IgnoresTheCounter,
    ),
    (
        "exactly_one_racing_update_from_a_counter_wins",
        PasskeyLie::IgnoresTheCounter,
    ),
    (
        "an_update_does_not_give_a_passkey_to_somebody_else",
        PasskeyLie::GivesKeysAway,
    ),
    ("passkeys_of_a_user_are_listed_oldest_first", PasskeyLie::ListsInNoOrder),
    ("a_passkey_is_renamed_by_its_owner_only", PasskeyLie::RenamesForAnybody),
    ("a_removed_passkey_is_gone", PasskeyLie::RemovesNothing),
    (
        "erasing_the_passkeys_of_a_person_spares_everybody_else",
        PasskeyLie::ErasesNothing,
    ),
    (
        "erasing_the_passkeys_of_a_person_spares_everybody_else",
        PasskeyLie::ErasesEverybody,
    ),
    ("only_its_owner_removes_a_passkey", PasskeyLie::RemovesForAnybody),
];

/// A store that keeps passkeys in a list, and makes the mistake `lie` on purpose.
#[derive(Debug)]
pub(crate) struct LyingPasskeys {
    lie: PasskeyLie,
    list: Mutex<Vec<Passkey>>,
}

impl LyingPasskeys {
    pub(crate) fn new(lie: PasskeyLie) -> Self {
        Self {
            lie,
            list: Mutex::default(),
        }
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<Passkey>> {
        self.list.lock().expect("no code panics while it holds this lock")
    }
}

#[async_trait]
impl PasskeyStore for LyingPasskeys {
    async fn add(&self, mut passkey: Passkey, most: usize) -> Result<(), AddPasskeyError> {
        let mut list = self.list();
        let taken = list.iter().any(|one| one.credential_id == passkey.credential_id);
        if taken && self.lie != PasskeyLie::TakesACredentialTwice {
            return Err(AddPasskeyError::Taken);
        }
        let counts = |one: &&Passkey| one.user_id == passkey.user_id || self.lie == PasskeyLie::CountsEverybody;
        if list.iter().filter(counts).count() >= most && self.lie != PasskeyLie::TakesAnyNumber {
            return Err(AddPasskeyError::TooMany);
        }
        passkey.suspect &= self.lie != PasskeyLie::NeverSuspects;
        list.push(passkey);
        Ok(())
    }

    async fn find(&self, credential_id: &[u8]) -> Result<Option<Passkey>, StoreError> {
        let list = self.list();
        let found = list.iter().find(|one| one.credential_id == credential_id);
        let anything = list
            .first()
            .filter(|_| self.lie == PasskeyLie::FindsSomethingForEveryId);
        Ok(found.or(anything).cloned())
    }

    async fn passkeys_of(&self, user: UserId) -> Result<Vec<Passkey>, StoreError> {
        let mut own: Vec<_> = self.list().iter().filter(|one| one.user_id == user).cloned().collect();
        if self.lie != PasskeyLie::ListsInNoOrder {
            own.sort_by_key(|one| one.created_at);
        }
        Ok(own)
    }

    async fn update(&self, passkey: Passkey, seen_counter: u32) -> Result<bool, StoreError> {
        let mut list = self.list();
        let fits = |one: &&mut Passkey| {
            one.credential_id == passkey.credential_id
                && (one.user_id == passkey.user_id || self.lie == PasskeyLie::GivesKeysAway)
                && (one.counter == seen_counter || self.lie == PasskeyLie::IgnoresTheCounter)
        };
        let current = list.iter_mut().find(fits);
        Ok(current.map(|current| *current = passkey).is_some())
    }

    async fn rename(&self, user: UserId, credential_id: &[u8], name: &str) -> Result<bool, StoreError> {
        let mut list = self.list();
        let own = list.iter_mut().find(|one| {
            one.credential_id == credential_id && (one.user_id == user || self.lie == PasskeyLie::RenamesForAnybody)
        });
        Ok(own.map(|own| name.clone_into(&mut own.name)).is_some())
    }

    async fn remove(&self, user: UserId, credential_id: &[u8]) -> Result<bool, StoreError> {
        let mut list = self.list();
        let before = list.len();
        let kept = |one: &Passkey| {
            one.credential_id != credential_id || (one.user_id != user && self.lie != PasskeyLie::RemovesForAnybody)
        };
        if self.lie == PasskeyLie::RemovesNothing {
            return Ok(!list.iter().all(kept));
        }
        list.retain(kept);
        Ok(list.len() < before)
    }
}

#[async_trait]
impl Erase for LyingPasskeys {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let mut list = self.list();
        let before = list.len();
        match self.lie {
            PasskeyLie::ErasesNothing => return Ok(2),
            PasskeyLie::ErasesEverybody => list.clear(),
            _ => list.retain(|one| one.user_id != person.id),
        }
        Ok((before - list.len()) as u64)
    }
}
