//! What the requests of a signed-in user may believe, and for how long.

use std::sync::Arc;

use adapters_memory::{
    InMemoryOneTimeTokenStore, InMemorySessionStore, InMemoryUserStore, ManualClock, RecordingMailer, SeededEntropy,
    SeededIds,
};
use async_trait::async_trait;
use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::email::EmailAddress;
use ticketing_ports::errors::StoreError;
use ticketing_ports::ids::UserId;
use ticketing_ports::roles::Role;
use ticketing_ports::secrets::{Secret, SecretDigest};
use ticketing_ports::sessions::{Session, SessionStore};
use ticketing_runtime::{SignIn, SignInConfig, SignInPorts};
use tokio::sync::Semaphore;

#[tokio::test]
async fn a_look_up_that_was_under_way_when_its_session_ended_is_not_believed_afterwards() {
    let scene = Scene::set().await;
    scene.sessions.answers.forget_permits(usize::MAX);
    let look_up = tokio::spawn({
        let (sign_in, secret) = (scene.sign_in.clone(), scene.secret.clone());
        async move { sign_in.authenticate(&secret).await }
    });
    scene.sessions.found.acquire().await.unwrap().forget();

    assert!(scene.sign_in.logout(scene.secret.digest()).await.unwrap());
    scene.sessions.answers.add_permits(2);
    look_up.await.unwrap().unwrap();
    assert!(scene.sign_in.authenticate(&scene.secret).await.unwrap().is_none());
}

#[tokio::test]
async fn a_session_is_looked_up_at_most_once_a_second() {
    let scene = Scene::set().await;
    for _ in 0..5 {
        assert!(scene.sign_in.authenticate(&scene.secret).await.unwrap().is_some());
    }
    assert_eq!(scene.sessions.found.available_permits(), 1);
    scene.clock.advance(TimeDelta::seconds(1));
    assert!(scene.sign_in.authenticate(&scene.secret).await.unwrap().is_some());
    assert_eq!(scene.sessions.found.available_permits(), 2);
}

#[tokio::test]
async fn a_session_is_marked_as_used_at_most_once_a_minute() {
    let scene = Scene::set().await;
    let begun = scene.clock_now();
    for (wait, last_active) in [(59, 0), (1, 60), (59, 60), (1, 120)] {
        scene.clock.advance(TimeDelta::seconds(wait));
        let (session, _) = scene.sign_in.authenticate(&scene.secret).await.unwrap().unwrap();
        assert_eq!(session.last_active, begun + TimeDelta::seconds(last_active));
    }
}

struct Scene {
    clock: Arc<ManualClock>,
    sessions: Arc<GatedSessions>,
    sign_in: SignIn,
    secret: Secret,
}

impl Scene {
    async fn set() -> Self {
        let clock = Arc::new(ManualClock::default());
        let sessions = Arc::new(GatedSessions {
            inner: InMemorySessionStore::new(),
            found: Semaphore::new(0),
            answers: Semaphore::new(100),
        });
        let ports = SignInPorts {
            users: Arc::new(InMemoryUserStore::new()),
            sessions: Arc::clone(&sessions) as _,
            tokens: Arc::new(InMemoryOneTimeTokenStore::new()),
            mailer: Arc::new(RecordingMailer::new()),
            clock: Arc::clone(&clock) as _,
            entropy: Arc::new(SeededEntropy::new(1)),
            ids: Arc::new(SeededIds::new(1)),
        };
        let config = SignInConfig {
            public_url: "https://tickets.example".to_owned(),
        };
        let sign_in = SignIn::new(ports, config);
        let ada = EmailAddress::parse("ada@example.com").expect("a plain address");
        let user = sign_in.ensure_user(&ada, Role::Customer).await;
        let begun = sign_in.open_session(user.expect("memory is always there")).await;
        Self {
            clock,
            sessions,
            sign_in,
            secret: begun.expect("memory is always there").secret,
        }
    }

    fn clock_now(&self) -> Timestamp {
        use ticketing_ports::clock::Clock as _;
        self.clock.now()
    }
}

/// Finds a session at once, and says what it found when it is allowed to.
struct GatedSessions {
    inner: InMemorySessionStore,
    /// One permit for each session looked up.
    found: Semaphore,
    /// One permit for each answer that may be given.
    answers: Semaphore,
}

#[async_trait]
impl SessionStore for GatedSessions {
    async fn create(&self, session: Session) -> Result<(), StoreError> {
        self.inner.create(session).await
    }

    async fn find(&self, digest: SecretDigest, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let found = self.inner.find(digest, now).await;
        self.found.add_permits(1);
        self.answers.acquire().await.expect("nobody closes the gate").forget();
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
