//! An identity store that makes one mistake on purpose, so that a conformance rule must fail on it.

use std::sync::Mutex;

use async_trait::async_trait;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::identities::{Identity, IdentityStore, LinkIdentityError};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;

/// The mistakes that the broken store can be told to make on purpose. `None` makes no mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum IdentityLie {
    #[default]
    None,
    LastLinkWins,
    RefusesTheSameLinkTwice,
    FoldsCase,
    ForgetsTheIssuer,
    ListsInNoOrder,
    ErasesNothing,
    ErasesEverybody,
}

/// The rules of the conformance suite, each beside a lie (a mistake made on purpose) that must make the rule fail.
pub(crate) const BROKEN_BY: &[(&str, IdentityLie)] = &[
    ("an_identity_belongs_to_one_user", IdentityLie::LastLinkWins),
    ("exactly_one_racing_link_of_an_identity_wins", IdentityLie::LastLinkWins),
    (
        "linking_an_identity_to_its_user_again_changes_nothing",
        IdentityLie::RefusesTheSameLinkTwice,
    ),
    (
        "linking_an_identity_to_its_user_again_changes_nothing",
        IdentityLie::LastLinkWins,
    ),
    ("issuer_and_subject_are_compared_exactly", IdentityLie::FoldsCase),
    ("issuer_and_subject_are_compared_exactly", IdentityLie::ForgetsTheIssuer),
    (
        "identities_of_a_user_are_listed_oldest_first",
        IdentityLie::ListsInNoOrder,
    ),
    (
        "identities_of_an_erased_person_can_be_linked_again",
        IdentityLie::ErasesNothing,
    ),
    (
        "identities_of_an_erased_person_can_be_linked_again",
        IdentityLie::ErasesEverybody,
    ),
];

/// A store that keeps identities in a list, and makes the mistake `lie` on purpose.
#[derive(Debug)]
pub(crate) struct LyingIdentities {
    lie: IdentityLie,
    list: Mutex<Vec<Identity>>,
}

impl LyingIdentities {
    pub(crate) fn new(lie: IdentityLie) -> Self {
        Self {
            lie,
            list: Mutex::default(),
        }
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<Identity>> {
        self.list.lock().expect("no code panics while it holds this lock")
    }

    fn is(&self, one: &Identity, issuer: &str, subject: &str) -> bool {
        let subjects = match self.lie {
            IdentityLie::FoldsCase => one.subject.eq_ignore_ascii_case(subject),
            _ => one.subject == subject,
        };
        subjects && (self.lie == IdentityLie::ForgetsTheIssuer || one.issuer == issuer)
    }
}

#[async_trait]
impl IdentityStore for LyingIdentities {
    async fn link(&self, identity: Identity) -> Result<(), LinkIdentityError> {
        let mut list = self.list();
        let known = list
            .iter_mut()
            .find(|one| self.is(one, &identity.issuer, &identity.subject));
        match known {
            Some(known) if self.lie == IdentityLie::LastLinkWins => *known = identity,
            Some(known) if known.user_id == identity.user_id && self.lie != IdentityLie::RefusesTheSameLinkTwice => {}
            Some(_) => return Err(LinkIdentityError::Taken),
            None => list.push(identity),
        }
        Ok(())
    }

    async fn find(&self, issuer: &str, subject: &str) -> Result<Option<Identity>, StoreError> {
        Ok(self.list().iter().find(|one| self.is(one, issuer, subject)).cloned())
    }

    async fn identities_of(&self, user: UserId) -> Result<Vec<Identity>, StoreError> {
        let mut own: Vec<_> = self.list().iter().filter(|one| one.user_id == user).cloned().collect();
        if self.lie != IdentityLie::ListsInNoOrder {
            own.sort_by_key(|one| one.linked_at);
        }
        Ok(own)
    }
}

#[async_trait]
impl Erase for LyingIdentities {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let mut list = self.list();
        let before = list.len();
        match self.lie {
            IdentityLie::ErasesNothing => return Ok(2),
            IdentityLie::ErasesEverybody => list.clear(),
            _ => list.retain(|one| one.user_id != person.id),
        }
        Ok((before - list.len()) as u64)
    }
}
