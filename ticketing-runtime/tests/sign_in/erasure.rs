//! Erasing a person, also when a store fails in the middle of the erasure.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use adapters_memory::{InMemoryBuyerStore, InMemorySessionStore, RecordingMailer};
use async_trait::async_trait;
use ticketing_domain::sign_in::SignedIn;
use ticketing_ports::outside::clock::Clock as _;
use ticketing_ports::people::buyers::BuyerStore as _;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::identities::{Identity, IdentityStore as _};
use ticketing_ports::people::passkeys::{Passkey, PasskeyStore as _};
use ticketing_ports::people::users::{CreateUserError, User, UserStore};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{ReservationId, UserId};
use ticketing_ports::vocabulary::roles::Role;
use ticketing_runtime::SignInPorts;
use uuid::Uuid;

use crate::door::{Door, ada};

#[tokio::test]
async fn an_erased_person_is_nowhere_any_more_and_everybody_else_is() {
    let elsewhere = Arc::new(Failing::default());
    let door = door_with(|ports| ports.elsewhere.push(elsewhere.clone()));
    let ada = full_account(&door, 1).await;
    let grace = door.user("grace@example.com", Role::Customer).await;
    let grace = door.sign_in.sessions.open(&grace).await.unwrap();
    fill(&door, &grace, 2).await;

    assert!(door.sign_in.accounts.erase(ada.user.id).await.unwrap());

    assert_nothing_is_left(&door, &ada).await;
    assert_eq!(
        elsewhere.erased.load(Ordering::Relaxed),
        2,
        "the erasure asks each store twice"
    );
    let id = grace.user.id;
    assert!(door.authenticate(&grace.secret).await.is_some());
    assert_eq!(door.passkeys.passkeys_of(id).await.unwrap().len(), 1);
    assert_eq!(door.identities.identities_of(id).await.unwrap().len(), 1);
    assert!(
        !door.sign_in.accounts.erase(ada.user.id).await.unwrap(),
        "the account was still there"
    );
}

#[tokio::test]
async fn the_address_of_a_guest_without_an_account_is_forgotten() {
    let buyers = Arc::new(InMemoryBuyerStore::new());
    let door = door_with(|ports| ports.accounts.buyers = buyers.clone());
    let order = ReservationId::new(Uuid::from_u128(1));
    buyers.give_address(order, &ada()).await.unwrap();
    let fresh = |number| UserId::new(Uuid::from_u128(number));
    buyers.person_of(&ada(), fresh(1)).await.unwrap();
    assert_eq!(door.sign_in.accounts.forget_address(&ada()).await.unwrap(), 2);
    assert_eq!(buyers.address_of(order).await.unwrap(), None);
    assert_eq!(buyers.person_of(&ada(), fresh(2)).await.unwrap(), fresh(2));
    let nobody = EmailAddress::parse("nobody@example.com").unwrap();
    assert_eq!(door.sign_in.accounts.forget_address(&nobody).await.unwrap(), 0);
}

#[tokio::test]
async fn an_erasure_that_fails_half_way_still_finds_the_account_and_ends_complete_when_it_is_repeated() {
    let elsewhere = Arc::new(Failing::default());
    let mut users = None;
    let door = door_with(|ports| {
        let failing = Arc::new(FailingUsers {
            inner: ports.accounts.users.clone(),
            failing: Failing::default(),
        });
        ports.accounts.users = failing.clone();
        ports.elsewhere.push(elsewhere.clone());
        users = Some(failing);
    });
    let users = users.unwrap();
    let ada = full_account(&door, 1).await;
    // In the first round the store that is erased first fails, in the second round the store that is erased last.
    for broken in [elsewhere.as_ref(), &users.failing] {
        broken.failures.store(1, Ordering::Relaxed);
        door.sign_in.accounts.erase(ada.user.id).await.unwrap_err();
        let found = door.sign_in.accounts.find(&ada.user.email).await.unwrap();
        assert_eq!(
            found.as_ref(),
            Some(&ada.user),
            "a repeated erasure must find the account by its address"
        );
        assert!(
            door.authenticate(&ada.secret).await.is_none(),
            "the session has to end before anything can fail"
        );
    }
    assert!(door.sign_in.accounts.erase(ada.user.id).await.unwrap());
    assert_nothing_is_left(&door, &ada).await;
}

fn door_with(change: impl FnOnce(&mut SignInPorts)) -> Door {
    let mailer = Arc::new(RecordingMailer::new());
    Door::changed(Arc::new(InMemorySessionStore::new()), mailer, change)
}

/// Makes an account for Ada that has everything an account can have: a session, a passkey, an identity, a link that
/// was not used, and a ticket for a socket.
async fn full_account(door: &Door, number: u8) -> SignedIn {
    let ada = door.signed_in().await;
    fill(door, &ada, number).await;
    door.sign_in.ceremonies.issue_link(&ada.user.email).await.unwrap();
    door.sign_in.sessions.issue_ws_ticket(&ada.session).await.unwrap();
    ada
}

async fn fill(door: &Door, signed_in: &SignedIn, number: u8) {
    let (user_id, now) = (signed_in.user.id, door.clock.now());
    let passkey = Passkey {
        credential_id: vec![number],
        user_id,
        name: "Blue".to_owned(),
        credential: vec![number],
        counter: 0,
        created_at: now,
        last_used_at: None,
        suspect: false,
    };
    door.passkeys.add(passkey, 10).await.unwrap();
    let identity = Identity {
        issuer: "https://id.example.com".to_owned(),
        subject: number.to_string(),
        user_id,
        linked_at: now,
    };
    door.identities.link(identity).await.unwrap();
}

async fn assert_nothing_is_left(door: &Door, erased: &SignedIn) {
    let id = erased.user.id;
    assert_eq!(door.users.find(id).await.unwrap(), None);
    assert_eq!(door.sign_in.accounts.find(&ada()).await.unwrap(), None);
    assert!(door.authenticate(&erased.secret).await.is_none());
    assert_eq!(door.sign_in.sessions.of(id).await.unwrap(), []);
    assert_eq!(door.passkeys.passkeys_of(id).await.unwrap(), []);
    assert_eq!(door.identities.identities_of(id).await.unwrap(), []);
    let person = Person { id, email: Some(ada()) };
    assert_eq!(door.tokens.erase(&person).await.unwrap(), 0, "tokens were left");
}

/// A store that fails the next `failures` erasures and counts those that work.
#[derive(Debug, Default)]
struct Failing {
    failures: AtomicU64,
    erased: AtomicU64,
}

impl Failing {
    fn fail(&self) -> Result<(), StoreError> {
        let left = self
            .failures
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match left {
            Ok(_) => Err(StoreError::Unavailable("the store is down, as this test wants".into())),
            Err(_) => Ok(()),
        }
    }
}

#[async_trait]
impl Erase for Failing {
    async fn erase(&self, _: &Person) -> Result<u64, StoreError> {
        self.fail()?;
        self.erased.fetch_add(1, Ordering::Relaxed);
        Ok(0)
    }
}

#[derive(Debug)]
struct FailingUsers {
    inner: Arc<dyn UserStore>,
    failing: Failing,
}

#[async_trait]
impl UserStore for FailingUsers {
    async fn create(&self, user: User) -> Result<(), CreateUserError> {
        self.inner.create(user).await
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.inner.find(id).await
    }

    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StoreError> {
        self.inner.find_by_email(email).await
    }

    async fn set_role(&self, id: UserId, role: Role) -> Result<bool, StoreError> {
        self.inner.set_role(id, role).await
    }
}

#[async_trait]
impl Erase for FailingUsers {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        self.failing.fail()?;
        self.inner.erase(person).await
    }
}
