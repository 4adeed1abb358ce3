//! A sign-in service for tests, with stores, mailer and clock in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use adapters_memory::{
    InMemory, InMemoryIdentityStore, InMemoryOneTimeTokenStore, InMemoryPasskeyStore, InMemorySessionStore,
    InMemoryUserStore, ManualClock, RecordingMailer, SeededEntropy, SeededIds,
};
use chrono::TimeDelta;
use ticketing_domain::sign_in::{Client, SignedIn};
use ticketing_ports::outside::clock::Clock as _;
use ticketing_ports::outside::mailer::{Mail, Mailer};
use ticketing_ports::people::one_time_tokens::{OneTimeTokenStore, TokenPurpose};
use ticketing_ports::people::sessions::{Session, SessionStore};
use ticketing_ports::people::stores::{AccountStores, SignInStores};
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::roles::Role;
use ticketing_ports::vocabulary::secrets::Secret;
use ticketing_runtime::{SignIn, SignInConfig, SignInPorts};

use crate::yielding::Yielding;

pub(crate) fn ada() -> EmailAddress {
    EmailAddress::parse("ada@example.com").expect("a valid email address")
}

pub(crate) fn made_up() -> Secret {
    Secret::generate(&SeededEntropy::new(99))
}

pub(crate) fn token_in(text: &str) -> Secret {
    let (_, after) = text.split_once("#token=").expect("the text has a link with a token");
    after
        .lines()
        .next()
        .and_then(Secret::parse)
        .expect("the link ends in a token")
}

/// The sign-in service under test, with the stores, mailer and clock in memory that stand behind it.
pub(crate) struct Door {
    pub(crate) sign_in: SignIn,
    pub(crate) users: Arc<InMemoryUserStore>,
    pub(crate) tokens: Arc<InMemoryOneTimeTokenStore>,
    pub(crate) passkeys: Arc<InMemoryPasskeyStore>,
    pub(crate) identities: Arc<InMemoryIdentityStore>,
    pub(crate) mailer: Arc<RecordingMailer>,
    pub(crate) clock: Arc<ManualClock>,
}

impl Door {
    pub(crate) fn new() -> Self {
        let mailer = Arc::new(RecordingMailer::new());
        let mut door = Self::with(Arc::new(InMemorySessionStore::new()), mailer.clone());
        door.mailer = mailer;
        door
    }

    pub(crate) fn with_mailer(mailer: Arc<dyn Mailer>) -> Self {
        Self::with(Arc::new(InMemorySessionStore::new()), mailer)
    }

    pub(crate) fn with(sessions: Arc<dyn SessionStore>, mailer: Arc<dyn Mailer>) -> Self {
        Self::changed(sessions, mailer, |_| {})
    }

    /// Makes a sign-in service for a test. Before the service starts, `change` may replace some of its ports.
    pub(crate) fn changed(
        sessions: Arc<dyn SessionStore>,
        mailer: Arc<dyn Mailer>,
        change: impl FnOnce(&mut SignInPorts),
    ) -> Self {
        let users = Arc::new(InMemoryUserStore::new());
        let tokens = Arc::new(InMemoryOneTimeTokenStore::new());
        let (passkeys, identities) = (
            Arc::new(InMemoryPasskeyStore::new()),
            Arc::new(InMemoryIdentityStore::new()),
        );
        let clock = Arc::new(ManualClock::default());
        let mut ports = SignInPorts {
            accounts: AccountStores {
                users: Arc::new(Yielding(users.clone())),
                passkeys: passkeys.clone(),
                identities: identities.clone(),
                ..InMemory::accounts()
            },
            stores: SignInStores {
                sessions,
                tokens: Arc::new(Yielding(tokens.clone())),
                ..InMemory::sign_in()
            },
            relying_party: None,
            providers: BTreeMap::new(),
            mailer,
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(1)),
            ids: Arc::new(SeededIds::new(2)),
            elsewhere: Vec::new(),
        };
        change(&mut ports);
        let config = SignInConfig {
            public_url: "https://tickets.example.com/".to_owned(),
        };
        Self {
            sign_in: SignIn::new(ports, config),
            users,
            tokens,
            passkeys,
            identities,
            mailer: Arc::new(RecordingMailer::new()),
            clock,
        }
    }

    pub(crate) async fn outbox(&self) -> Vec<Mail> {
        self.sign_in.ceremonies.mails_delivered().await;
        self.mailer.outbox()
    }

    pub(crate) async fn mailed_token(&self) -> Secret {
        self.sign_in
            .ceremonies
            .send_link(ada())
            .await
            .expect("stores in memory do not fail");
        let mail = self.outbox().await.pop().expect("a mail was sent");
        assert_eq!(mail.to, ada());
        token_in(&mail.text)
    }

    pub(crate) async fn live_links(&self) -> u64 {
        let address = ada();
        let live = self
            .tokens
            .live_for(TokenPurpose::MagicLink, address.as_str(), self.clock.now());
        live.await.expect("stores in memory do not fail")
    }

    pub(crate) async fn user(&self, email: &str, role: Role) -> User {
        let email = EmailAddress::parse(email).expect("a valid email address");
        self.sign_in
            .accounts
            .ensure(&email, role)
            .await
            .expect("stores in memory do not fail")
            .into_user()
    }

    pub(crate) async fn signed_in(&self) -> SignedIn {
        let token = token_in(
            &self
                .sign_in
                .ceremonies
                .issue_link(&ada())
                .await
                .expect("stores in memory do not fail"),
        );
        self.sign_in
            .ceremonies
            .redeem_link(&token, Client::default())
            .await
            .expect("stores in memory do not fail")
    }

    pub(crate) async fn authenticate(&self, secret: &Secret) -> Option<(Session, User)> {
        self.sign_in
            .sessions
            .authenticate(secret)
            .await
            .expect("stores in memory do not fail")
    }

    /// Uses the session every twelve hours for this long, and once more at the end.
    pub(crate) async fn use_for(&self, signed_in: &SignedIn, long: TimeDelta) {
        let end = self.clock.now() + long;
        while self.clock.now() < end {
            self.clock.advance(TimeDelta::hours(12).min(end - self.clock.now()));
            assert!(self.authenticate(&signed_in.secret).await.is_some());
        }
    }
}
