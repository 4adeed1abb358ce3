//! Signing in, told with the stores of one process and a clock that the test turns.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use adapters_memory::{
    InMemoryChallengeStore, InMemoryIdentityStore, InMemoryOneTimeTokenStore, InMemoryPasskeyStore,
    InMemoryRateLimiter, InMemorySessionStore, InMemoryUserStore, ManualClock, RecordingMailer, SeededEntropy,
    SeededIds,
};
use async_trait::async_trait;
use chrono::TimeDelta;
use futures::future::join_all;
use ticketing_domain::sign_in::{
    LIVE_MAGIC_LINKS, MAGIC_LINK_LIFETIME, Refusal, SESSION_IDLE, SESSION_LIFETIME, SignedIn, Visitor,
};
use ticketing_ports::Timestamp;
use ticketing_ports::clock::Clock as _;
use ticketing_ports::email::EmailAddress;
use ticketing_ports::errors::StoreError;
use ticketing_ports::ids::UserId;
use ticketing_ports::mailer::{Mail, MailError, Mailer};
use ticketing_ports::one_time_tokens::{OneTimeToken, OneTimeTokenStore, TokenPurpose};
use ticketing_ports::roles::Role;
use ticketing_ports::secrets::{Secret, SecretDigest};
use ticketing_ports::sessions::{Session, SessionStore};
use ticketing_ports::users::{CreateUserError, User, UserStore};
use ticketing_runtime::{Ensured, SignIn, SignInConfig, SignInFailure, SignInPorts};
use tokio::sync::{Barrier, Semaphore};

const INSTANT: TimeDelta = TimeDelta::milliseconds(1);
const A_SECOND: TimeDelta = TimeDelta::seconds(1);

#[tokio::test]
async fn a_mailed_link_signs_in_a_new_customer() {
    let door = Door::new();
    let token = door.mailed_token().await;
    let from = Visitor {
        ip: Some([192, 0, 2, 7].into()),
        user_agent: Some("x".repeat(10_000)),
    };
    let signed_in = door.sign_in.verify(&token, from).await.unwrap();
    assert_eq!(signed_in.user.email, ada());
    assert_eq!(signed_in.user.role, Role::Customer);
    assert_eq!(signed_in.session.ip, Some([192, 0, 2, 7].into()));
    assert_eq!(signed_in.session.user_agent.map(|agent| agent.len()), Some(256));
    let (session, user) = door.authenticate(&signed_in.secret).await.unwrap();
    assert_eq!((session.user_id, user.id), (signed_in.user.id, signed_in.user.id));
}

#[tokio::test]
async fn the_link_leads_to_our_page_and_keeps_its_token_in_the_fragment() {
    let door = Door::new();
    let link = door.sign_in.issue_link(&ada()).await.unwrap();
    let token = link
        .strip_prefix("https://tickets.example.com/auth/verify#token=")
        .unwrap();
    assert!(Secret::parse(token).is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_concurrent_verifications_of_one_token_give_one_session() {
    const VISITORS: usize = 1_000;
    let door = Door::new();
    let token = door.mailed_token().await;
    let start = Arc::new(Barrier::new(VISITORS));
    let visits = (0..VISITORS).map(|_| {
        let (start, sign_in, token) = (Arc::clone(&start), door.sign_in.clone(), token.clone());
        tokio::spawn(async move {
            start.wait().await;
            sign_in.verify(&token, Visitor::default()).await
        })
    });
    let mut signed_in = Vec::new();
    for outcome in join_all(visits).await {
        match outcome.unwrap() {
            Ok(entered) => signed_in.push(entered),
            // Beyond its quota a network is not even told why.
            Err(SignInFailure::Refused(Refusal::InvalidToken) | SignInFailure::TooManyFailures(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(signed_in.len(), 1);
    let sessions = door.sign_in.sessions_of(signed_in[0].user.id).await.unwrap();
    assert_eq!(sessions.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn links_of_one_new_address_that_are_used_at_once_sign_in_one_user() {
    let door = Door::new();
    let mut tokens = Vec::new();
    for _ in 0..32 {
        tokens.push(token_in(&door.sign_in.issue_link(&ada()).await.unwrap()));
    }
    let start = Arc::new(Barrier::new(tokens.len()));
    let visits = tokens.into_iter().map(|token| {
        let (start, sign_in) = (Arc::clone(&start), door.sign_in.clone());
        tokio::spawn(async move {
            start.wait().await;
            sign_in.verify(&token, Visitor::default()).await
        })
    });
    let mut users: Vec<UserId> = Vec::new();
    for outcome in join_all(visits).await {
        users.push(outcome.unwrap().unwrap().user.id);
    }
    users.sort();
    users.dedup();
    assert_eq!(users.len(), 1);
}

#[tokio::test]
async fn a_link_is_refused_from_the_end_of_its_fifteen_minutes_on() {
    let door = Door::new();
    let [early, late] = [door.mailed_token().await, door.mailed_token().await];
    door.clock.advance(MAGIC_LINK_LIFETIME - INSTANT);
    door.sign_in.verify(&early, Visitor::default()).await.unwrap();
    door.clock.advance(INSTANT);
    let outcome = door.sign_in.verify(&late, Visitor::default()).await;
    assert!(
        matches!(outcome, Err(SignInFailure::Refused(Refusal::InvalidToken))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn there_is_no_user_before_an_address_is_proven() {
    let door = Door::new();
    let token = door.mailed_token().await;
    assert_eq!(door.users.find_by_email(&ada()).await.unwrap(), None);
    door.sign_in.verify(&token, Visitor::default()).await.unwrap();
    assert!(door.users.find_by_email(&ada()).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_more_than_three_links_of_an_address_are_live_however_fast_they_are_asked_for() {
    let door = Door::new();
    let requests = (0..100).map(|_| {
        let sign_in = door.sign_in.clone();
        tokio::spawn(async move { sign_in.send_magic_link(ada()).await })
    });
    for outcome in join_all(requests).await {
        outcome.unwrap().unwrap();
    }
    assert_eq!(door.outbox().await.len() as u64, LIVE_MAGIC_LINKS);

    let grace = EmailAddress::parse("grace@example.com").unwrap();
    door.sign_in.send_magic_link(grace).await.unwrap();
    assert_eq!(door.outbox().await.len(), 4, "another address has its own");

    door.clock.advance(MAGIC_LINK_LIFETIME);
    door.sign_in.send_magic_link(ada()).await.unwrap();
    assert_eq!(door.outbox().await.len(), 5, "expired links do not count");
}

#[tokio::test]
async fn a_link_that_was_used_does_not_count_as_a_live_one() {
    let door = Door::new();
    let token = door.mailed_token().await;
    door.mailed_token().await;
    door.mailed_token().await;
    door.sign_in.verify(&token, Visitor::default()).await.unwrap();
    door.sign_in.send_magic_link(ada()).await.unwrap();
    assert_eq!(door.outbox().await.len(), 4);
}

#[tokio::test]
async fn an_operators_link_ignores_the_limit() {
    let door = Door::new();
    for _ in 0..LIVE_MAGIC_LINKS {
        door.mailed_token().await;
    }
    let token = token_in(&door.sign_in.issue_link(&ada()).await.unwrap());
    door.sign_in.verify(&token, Visitor::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_link_that_could_not_be_mailed_is_withdrawn() {
    let door = Door::with_mailer(Arc::new(MailServerBackAfter(AtomicUsize::new(usize::MAX))));
    door.sign_in.send_magic_link(ada()).await.unwrap();
    door.sign_in.mails_delivered().await;
    assert_eq!(door.live_links().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_mail_server_that_comes_back_gets_the_mail_then() {
    let server = Arc::new(MailServerBackAfter(AtomicUsize::new(3)));
    let door = Door::with_mailer(server.clone());
    door.sign_in.send_magic_link(ada()).await.unwrap();
    door.sign_in.mails_delivered().await;
    assert_eq!(server.0.load(Relaxed), 0, "tries that failed were repeated");
    assert_eq!(door.live_links().await, 1, "the link that arrived is good");
}

#[tokio::test]
async fn a_sixth_mail_within_a_quarter_of_an_hour_is_silently_not_sent() {
    let door = Door::new();
    for _ in 0..7 {
        let before = door.outbox().await.len();
        door.sign_in.send_magic_link(ada()).await.unwrap();
        if let Some(mail) = door.outbox().await.get(before) {
            door.sign_in
                .verify(&token_in(&mail.text), Visitor::default())
                .await
                .unwrap();
        }
    }
    assert_eq!(door.outbox().await.len(), 5);
}

#[tokio::test]
async fn a_network_whose_proofs_keep_failing_is_told_so_and_another_is_not() {
    let door = Door::new();
    let at = |last: u8| Visitor {
        ip: Some([192, 0, 2, last].into()),
        user_agent: None,
    };
    for _ in 0..20 {
        let outcome = door.sign_in.verify(&made_up(), at(1)).await;
        assert!(matches!(outcome, Err(SignInFailure::Refused(_))), "{outcome:?}");
    }
    let outcome = door.sign_in.verify(&made_up(), at(1)).await;
    assert!(matches!(outcome, Err(SignInFailure::TooManyFailures(_))), "{outcome:?}");
    let outcome = door.sign_in.verify(&made_up(), at(2)).await;
    assert!(matches!(outcome, Err(SignInFailure::Refused(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_mail_server_that_hangs_holds_nobody_up() {
    let mailer = Arc::new(SlowMailServer(Semaphore::new(0)));
    let door = Door::with_mailer(mailer.clone());
    door.sign_in.send_magic_link(ada()).await.unwrap();
    assert_eq!(door.live_links().await, 1);
    mailer.0.add_permits(1);
    door.sign_in.mails_delivered().await;
}

#[tokio::test]
async fn a_logout_works_at_once() {
    let door = Door::new();
    let ada = door.signed_in().await;
    assert!(door.authenticate(&ada.secret).await.is_some());
    assert!(door.sign_in.logout(ada.session.digest).await.unwrap());
    assert!(door.authenticate(&ada.secret).await.is_none());
    assert!(!door.sign_in.logout(ada.session.digest).await.unwrap());
}

#[tokio::test]
async fn an_answer_that_was_read_before_a_logout_is_not_remembered_after_it() {
    let sessions = Arc::new(SlowSessions::default());
    let door = Door::with(sessions.clone(), Arc::new(RecordingMailer::new()));
    let ada = door.signed_in().await;
    let reader = tokio::spawn({
        let (sign_in, secret) = (door.sign_in.clone(), ada.secret.clone());
        async move { sign_in.authenticate(&secret).await }
    });
    sessions.was_read.acquire().await.unwrap().forget();
    door.sign_in.logout(ada.session.digest).await.unwrap();
    sessions.may_answer.add_permits(1);
    assert!(
        reader.await.unwrap().unwrap().is_some(),
        "the reader came before the logout"
    );
    sessions.may_answer.add_permits(1);
    assert!(door.authenticate(&ada.secret).await.is_none());
}

#[tokio::test]
async fn a_session_that_ends_while_its_use_is_written_down_is_over() {
    let sessions = Arc::new(SlowSessions::default());
    let door = Door::with(sessions.clone(), Arc::new(RecordingMailer::new()));
    let ada = door.signed_in().await;
    door.clock.advance(TimeDelta::minutes(1));
    let reader = tokio::spawn({
        let (sign_in, secret) = (door.sign_in.clone(), ada.secret.clone());
        async move { sign_in.authenticate(&secret).await }
    });
    sessions.was_read.acquire().await.unwrap().forget();
    door.sign_in.logout(ada.session.digest).await.unwrap();
    sessions.may_answer.add_permits(1);
    assert!(reader.await.unwrap().unwrap().is_none());
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_session_of_one_user() {
    let door = Door::new();
    let (first, second) = (door.signed_in().await, door.signed_in().await);
    let grace = door.user("grace@example.com", Role::Customer).await;
    let grace = door.sign_in.open_session(&grace).await.unwrap();
    for one in [&first, &second, &grace] {
        assert!(door.authenticate(&one.secret).await.is_some());
    }
    assert_eq!(door.sign_in.logout_all(first.user.id).await.unwrap(), 2);
    assert!(door.authenticate(&first.secret).await.is_none());
    assert!(door.authenticate(&second.secret).await.is_none());
    assert!(door.authenticate(&grace.secret).await.is_some());
}

#[tokio::test]
async fn an_erased_user_is_signed_out_at_once_and_leaves_no_session() {
    let door = Door::new();
    let ada = door.signed_in().await;
    assert!(door.authenticate(&ada.secret).await.is_some());
    assert!(door.sign_in.erase(ada.user.id).await.unwrap());
    assert!(door.authenticate(&ada.secret).await.is_none());
    assert_eq!(door.sign_in.sessions_of(ada.user.id).await.unwrap(), []);
}

#[tokio::test]
async fn a_user_that_another_process_erased_is_signed_out_within_a_second() {
    let door = Door::new();
    let ada = door.signed_in().await;
    assert!(door.authenticate(&ada.secret).await.is_some());
    door.users.erase(ada.user.id).await.unwrap();
    door.clock.advance(A_SECOND);
    assert!(door.authenticate(&ada.secret).await.is_none());
}

#[tokio::test]
async fn a_demotion_by_another_process_is_seen_within_a_second() {
    let door = Door::new();
    let owner = door.user("owner@example.com", Role::EventOwner).await;
    let owner = door.sign_in.open_session(&owner).await.unwrap();
    assert_eq!(door.authenticate(&owner.secret).await.unwrap().1.role, Role::EventOwner);
    door.users.set_role(owner.user.id, Role::Customer).await.unwrap();
    door.clock.advance(A_SECOND);
    assert_eq!(door.authenticate(&owner.secret).await.unwrap().1.role, Role::Customer);
}

#[tokio::test]
async fn a_new_role_ends_the_sessions_that_began_under_the_old_one() {
    let door = Door::new();
    let ada = door.signed_in().await;
    assert!(door.authenticate(&ada.secret).await.is_some());
    assert!(door.sign_in.set_role(ada.user.id, Role::Admin).await.unwrap());
    assert!(door.authenticate(&ada.secret).await.is_none());
    assert_eq!(door.signed_in().await.user.role, Role::Admin);
}

#[tokio::test]
async fn a_ticket_opens_one_socket_within_half_a_minute() {
    let door = Door::new();
    let ada = door.signed_in().await;
    let ticket = || door.sign_in.issue_ws_ticket(&ada.session);
    let redeem = async |ticket: &Secret| door.sign_in.redeem_ws_ticket(ticket).await.unwrap();

    let first = ticket().await.unwrap();
    assert_eq!(redeem(&first).await.unwrap().1.id, ada.user.id);
    assert!(redeem(&first).await.is_none(), "a ticket opened twice");

    let late = ticket().await.unwrap();
    door.clock.advance(TimeDelta::seconds(30));
    assert!(redeem(&late).await.is_none(), "a ticket opened after its time");

    let orphan = ticket().await.unwrap();
    door.sign_in.logout(ada.secret.digest()).await.unwrap();
    assert!(
        redeem(&orphan).await.is_none(),
        "a ticket opened for a session that is over"
    );
}

#[tokio::test]
async fn an_idle_session_ends_after_a_day() {
    let door = Door::new();
    let ada = door.signed_in().await;
    door.clock.advance(SESSION_IDLE - INSTANT);
    assert_eq!(door.sign_in.sessions_of(ada.user.id).await.unwrap().len(), 1);
    door.clock.advance(INSTANT);
    assert!(door.authenticate(&ada.secret).await.is_none());
}

#[tokio::test]
async fn a_session_that_is_remembered_ends_on_time_all_the_same() {
    let door = Door::new();
    let ada = door.signed_in().await;
    door.use_for(&ada, SESSION_LIFETIME - INSTANT).await;
    assert!(door.authenticate(&ada.secret).await.is_some());
    door.clock.advance(INSTANT);
    assert!(door.authenticate(&ada.secret).await.is_none());
}

#[tokio::test]
async fn use_moves_the_idle_end_and_is_written_down_once_a_minute() {
    let door = Door::new();
    let ada = door.signed_in().await;
    let begun = ada.session.created_at;
    door.clock.advance(TimeDelta::seconds(59));
    let (session, _) = door.authenticate(&ada.secret).await.unwrap();
    assert_eq!(session.last_active, begun);
    door.clock.advance(A_SECOND);
    let (session, _) = door.authenticate(&ada.secret).await.unwrap();
    assert_eq!(session.last_active, begun + TimeDelta::minutes(1));
    assert_eq!(session.idle_until, session.last_active + SESSION_IDLE);
    let stored = door.sign_in.sessions_of(ada.user.id).await.unwrap();
    assert_eq!(stored, [session]);
}

#[tokio::test]
async fn no_use_carries_a_session_past_a_week() {
    let door = Door::new();
    let ada = door.signed_in().await;
    door.use_for(&ada, SESSION_LIFETIME - INSTANT).await;
    let (session, _) = door.authenticate(&ada.secret).await.unwrap();
    assert_eq!(session.expires_at(), ada.session.created_at + SESSION_LIFETIME);
    door.clock.advance(INSTANT);
    assert!(door.authenticate(&ada.secret).await.is_none());
}

#[tokio::test]
async fn ensuring_a_user_changes_nobodys_role() {
    let door = Door::new();
    let created = door.sign_in.ensure_user(&ada(), Role::Admin).await.unwrap();
    assert!(matches!(&created, Ensured::Created(user) if user.role == Role::Admin));
    let again = door.sign_in.ensure_user(&ada(), Role::Customer).await.unwrap();
    assert_eq!(again, Ensured::Existing(created.into_user()));
}

#[tokio::test]
async fn debug_output_shows_neither_secrets_nor_addresses() {
    let door = Door::new();
    let ada = door.signed_in().await;
    let ensured = door.sign_in.ensure_user(&ada.user.email, Role::Customer).await.unwrap();
    let printed = format!("{:?} {ada:?} {ensured:?}", door.sign_in);
    assert!(!printed.contains("example.com\""), "{printed}");
    assert!(!printed.contains("ada@"), "{printed}");
    assert!(!printed.contains(&ada.secret.expose()), "{printed}");
}

fn ada() -> EmailAddress {
    EmailAddress::parse("ada@example.com").expect("an address")
}

fn made_up() -> Secret {
    Secret::generate(&SeededEntropy::new(99))
}

fn token_in(text: &str) -> Secret {
    let (_, after) = text.split_once("#token=").expect("a link");
    after.lines().next().and_then(Secret::parse).expect("a token")
}

/// A door with everything behind it in memory.
struct Door {
    sign_in: SignIn,
    users: Arc<InMemoryUserStore>,
    tokens: Arc<InMemoryOneTimeTokenStore>,
    mailer: Arc<RecordingMailer>,
    clock: Arc<ManualClock>,
}

impl Door {
    fn new() -> Self {
        let mailer = Arc::new(RecordingMailer::new());
        let mut door = Self::with(Arc::new(InMemorySessionStore::new()), mailer.clone());
        door.mailer = mailer;
        door
    }

    fn with_mailer(mailer: Arc<dyn Mailer>) -> Self {
        Self::with(Arc::new(InMemorySessionStore::new()), mailer)
    }

    fn with(sessions: Arc<dyn SessionStore>, mailer: Arc<dyn Mailer>) -> Self {
        let users = Arc::new(InMemoryUserStore::new());
        let tokens = Arc::new(InMemoryOneTimeTokenStore::new());
        let clock = Arc::new(ManualClock::default());
        let ports = SignInPorts {
            users: Arc::new(Yielding(users.clone())),
            sessions,
            tokens: Arc::new(Yielding(tokens.clone())),
            challenges: Arc::new(InMemoryChallengeStore::new()),
            passkeys: Arc::new(InMemoryPasskeyStore::new()),
            identities: Arc::new(InMemoryIdentityStore::new()),
            limiter: Arc::new(InMemoryRateLimiter::new()),
            relying_party: None,
            providers: BTreeMap::new(),
            mailer,
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(1)),
            ids: Arc::new(SeededIds::new(2)),
        };
        let config = SignInConfig {
            public_url: "https://tickets.example.com/".to_owned(),
        };
        Self {
            sign_in: SignIn::new(ports, config),
            users,
            tokens,
            mailer: Arc::new(RecordingMailer::new()),
            clock,
        }
    }

    async fn outbox(&self) -> Vec<Mail> {
        self.sign_in.mails_delivered().await;
        self.mailer.outbox()
    }

    async fn mailed_token(&self) -> Secret {
        self.sign_in.send_magic_link(ada()).await.expect("the stores work");
        let mail = self.outbox().await.pop().expect("a mail");
        assert_eq!(mail.to, ada());
        token_in(&mail.text)
    }

    async fn live_links(&self) -> u64 {
        let address = ada();
        let live = self
            .tokens
            .live_for(TokenPurpose::MagicLink, address.as_str(), self.clock.now());
        live.await.expect("the stores work")
    }

    async fn user(&self, email: &str, role: Role) -> User {
        let email = EmailAddress::parse(email).expect("an address");
        self.sign_in
            .ensure_user(&email, role)
            .await
            .expect("the stores work")
            .into_user()
    }

    async fn signed_in(&self) -> SignedIn {
        let token = token_in(&self.sign_in.issue_link(&ada()).await.expect("the stores work"));
        self.sign_in
            .verify(&token, Visitor::default())
            .await
            .expect("the stores work")
    }

    async fn authenticate(&self, secret: &Secret) -> Option<(Session, User)> {
        self.sign_in.authenticate(secret).await.expect("the stores work")
    }

    /// Uses the session every twelve hours for so long, and a last time at the end.
    async fn use_for(&self, signed_in: &SignedIn, long: TimeDelta) {
        let end = self.clock.now() + long;
        while self.clock.now() < end {
            self.clock.advance(TimeDelta::hours(12).min(end - self.clock.now()));
            assert!(self.authenticate(&signed_in.secret).await.is_some());
        }
    }
}

/// Lets others go first between a question and what is done with its answer.
struct Yielding<S>(Arc<S>);

#[async_trait]
impl UserStore for Yielding<InMemoryUserStore> {
    async fn create(&self, user: User) -> Result<(), CreateUserError> {
        self.0.create(user).await
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let found = self.0.find(id).await;
        tokio::task::yield_now().await;
        found
    }

    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StoreError> {
        let found = self.0.find_by_email(email).await;
        tokio::task::yield_now().await;
        found
    }

    async fn set_role(&self, id: UserId, role: Role) -> Result<bool, StoreError> {
        self.0.set_role(id, role).await
    }

    async fn erase(&self, id: UserId) -> Result<bool, StoreError> {
        self.0.erase(id).await
    }
}

#[async_trait]
impl OneTimeTokenStore for Yielding<InMemoryOneTimeTokenStore> {
    async fn put(&self, token: OneTimeToken) -> Result<(), StoreError> {
        self.0.put(token).await
    }

    async fn take(
        &self,
        purpose: TokenPurpose,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        self.0.take(purpose, digest, now).await
    }

    async fn live_for(&self, purpose: TokenPurpose, subject: &str, now: Timestamp) -> Result<u64, StoreError> {
        let live = self.0.live_for(purpose, subject, now).await;
        tokio::task::yield_now().await;
        live
    }
}

/// Is unavailable so many times more.
struct MailServerBackAfter(AtomicUsize);

#[async_trait]
impl Mailer for MailServerBackAfter {
    async fn send(&self, _: Mail) -> Result<(), MailError> {
        let left = self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        match left {
            Ok(_) => Err(MailError::Unavailable("nobody listens".into())),
            Err(_) => Ok(()),
        }
    }
}

struct SlowMailServer(Semaphore);

#[async_trait]
impl Mailer for SlowMailServer {
    async fn send(&self, _: Mail) -> Result<(), MailError> {
        self.0.acquire().await.expect("nobody closes it").forget();
        Ok(())
    }
}

/// Reads at once and answers when it is told to.
struct SlowSessions {
    inner: InMemorySessionStore,
    was_read: Semaphore,
    may_answer: Semaphore,
}

impl Default for SlowSessions {
    fn default() -> Self {
        Self {
            inner: InMemorySessionStore::new(),
            was_read: Semaphore::new(0),
            may_answer: Semaphore::new(0),
        }
    }
}

#[async_trait]
impl SessionStore for SlowSessions {
    async fn create(&self, session: Session) -> Result<(), StoreError> {
        self.inner.create(session).await
    }

    async fn find(&self, digest: SecretDigest, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let found = self.inner.find(digest, now).await;
        self.was_read.add_permits(1);
        self.may_answer.acquire().await.expect("nobody closes it").forget();
        found
    }

    async fn touch(&self, digest: SecretDigest, now: Timestamp, idle_until: Timestamp) -> Result<bool, StoreError> {
        self.inner.touch(digest, now, idle_until).await
    }

    async fn end(&self, digest: SecretDigest) -> Result<bool, StoreError> {
        self.inner.end(digest).await
    }

    async fn end_all_of(&self, user: UserId) -> Result<u64, StoreError> {
        self.inner.end_all_of(user).await
    }

    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        self.inner.sessions_of(user, now).await
    }
}
