//! Watches whether those in whose name connections are open are still who they were. A logout in this process is
//! noticed at once; what another process has changed is noticed within [`LOOK_EVERY`].

use std::collections::HashMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::request::Parts;
use futures::{FutureExt as _, StreamExt as _};
use ticketing_ports::vocabulary::roles::Actor;
use ticketing_ports::vocabulary::secrets::SecretDigest;
use ticketing_runtime::{SessionChange, Sessions};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::authenticate::Authenticate;

/// How often it is looked whether a session is still good. However many connections a session has, it is one look.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How long it may take to say whether a proof still holds.
const SAID_WITHIN: Duration = Duration::from_secs(10);
/// How many sessions are looked at at the same time.
const AT_ONCE: usize = 16;

/// Why a connection may no longer stay open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// The session has ended, or the host no longer knows the caller.
    SignedOut,
    /// The caller has another role, so other things may be shown.
    RoleChanged,
}

/// What has proven who the caller is.
pub(crate) enum Proof {
    /// A session of this server.
    Session(SecretDigest),
    /// The head of the request, as a host reads it.
    Request(Box<Parts>),
}

/// Somebody who has proven who they are, and in whose name connections are open. The connections of one session share
/// a standing.
pub(crate) struct Standing {
    actor: Actor,
    proof: Proof,
    over: watch::Sender<Option<Over>>,
}

impl Standing {
    /// Waits until connections in this name may no longer be open.
    pub(crate) async fn over(&self) -> Over {
        let mut over = self.over.subscribe();
        let ended = over.wait_for(Option::is_some).await.map(|over| *over);
        ended.ok().flatten().unwrap_or(Over::SignedOut)
    }

    fn end(&self, why: Over) {
        self.over.send_if_modified(|over| {
            let first = over.is_none();
            over.get_or_insert(why);
            first
        });
    }
}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standing")
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

/// Who can say whether a proof still holds.
#[derive(Debug, Clone)]
pub(crate) struct Witness {
    pub(crate) sessions: Option<Sessions>,
    pub(crate) callers: Arc<dyn Authenticate>,
}

impl Witness {
    /// Looks whether the proof of a standing still holds, and ends the standing if it does not. If that cannot be told
    /// now, as while a store is down or if a host panics or does not answer, the standing stays as it is until the next
    /// look.
    async fn settle(&self, standing: &Standing) {
        let asked = AssertUnwindSafe(self.who_shows(&standing.proof)).catch_unwind();
        let now = match timeout(SAID_WITHIN, asked).await {
            Ok(Ok(now)) => now,
            Ok(Err(_)) => {
                error!("it cannot be told in whose name a live connection is open: what was asked has panicked");
                None
            }
            Err(_) => None,
        };
        match now {
            Some(Some(actor)) if actor == standing.actor => {}
            Some(Some(_)) => standing.end(Over::RoleChanged),
            Some(None) => standing.end(Over::SignedOut),
            None => {}
        }
    }

    /// Returns who shows a proof now. The outer `None` says that this cannot be told.
    async fn who_shows(&self, proof: &Proof) -> Option<Option<Actor>> {
        match proof {
            Proof::Session(digest) => self.user_of(*digest).await,
            Proof::Request(head) => match self.callers.authenticate(head).await {
                Ok(actor) => Some(actor),
                Err(error) if error.code.status() == StatusCode::UNAUTHORIZED => Some(None),
                Err(_) => None,
            },
        }
    }

    /// Returns whose a session is now. The outer `None` says that this cannot be told.
    async fn user_of(&self, digest: SecretDigest) -> Option<Option<Actor>> {
        let found = self.sessions.as_ref()?.look(digest).await.ok()?;
        Some(found.map(|(_, user)| Actor {
            user_id: user.id,
            role: user.role,
        }))
    }
}

/// All standings of a server.
#[derive(Debug)]
pub(crate) struct Standings {
    known: Mutex<Known>,
    /// Whether the tasks run that look at the standings. They begin with the first standing.
    looking: AtomicBool,
    /// Is cancelled once nobody can join any more.
    gone: CancellationToken,
}

#[derive(Debug, Default)]
struct Known {
    of_sessions: HashMap<SecretDigest, Weak<Standing>>,
    of_requests: Vec<Weak<Standing>>,
}

impl Standings {
    pub(super) fn new(gone: CancellationToken) -> Self {
        Self {
            known: Mutex::default(),
            looking: AtomicBool::new(false),
            gone,
        }
    }

    /// Watches over a caller who has just proven who they are. `since` has followed the changes of sessions from before
    /// the proof was checked, so that a logout in between is not missed.
    pub(crate) async fn join(
        self: &Arc<Self>,
        witness: &Witness,
        (actor, proof): (Actor, Proof),
        since: Option<Receiver<SessionChange>>,
    ) -> Arc<Standing> {
        self.begin_to_look(witness);
        let standing = self.share(actor, proof);
        let something_changed = |mut since: Receiver<_>| !matches!(since.try_recv(), Err(TryRecvError::Empty));
        if since.is_some_and(something_changed) {
            witness.settle(&standing).await;
        }
        standing
    }

    /// Returns the standing of a session if there is one, or makes one.
    fn share(&self, actor: Actor, proof: Proof) -> Arc<Standing> {
        let session = match &proof {
            Proof::Session(digest) => Some(*digest),
            Proof::Request(_) => None,
        };
        let new = Arc::new(Standing {
            actor,
            proof,
            over: watch::Sender::new(None),
        });
        let mut known = self.known();
        let Some(session) = session else {
            known.of_requests.push(Arc::downgrade(&new));
            return new;
        };
        if let Some(old) = known.of_sessions.get(&session).and_then(Weak::upgrade) {
            if old.actor == actor && old.over.borrow().is_none() {
                return old;
            }
            old.end(Over::RoleChanged);
        }
        known.of_sessions.insert(session, Arc::downgrade(&new));
        new
    }

    fn begin_to_look(self: &Arc<Self>, witness: &Witness) {
        if self.looking.swap(true, Ordering::Relaxed) {
            return;
        }
        let gone = self.gone.clone();
        let now_and_then = look_now_and_then(Arc::downgrade(self), witness.clone());
        let follow = witness.sessions.as_ref().map(Sessions::changes);
        let at_once = follow.map(|changes| look_at_changes(Arc::downgrade(self), witness.clone(), changes));
        tokio::spawn(async move {
            let at_once = async {
                match at_once {
                    Some(at_once) => at_once.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = gone.cancelled() => {}
                () = async { tokio::join!(now_and_then, at_once); } => {}
            }
        });
    }

    /// Returns all standings with open connections, and forgets the others.
    fn all(&self) -> Vec<Arc<Standing>> {
        let mut known = self.known();
        known.of_sessions.retain(|_, standing| standing.strong_count() > 0);
        known.of_requests.retain(|standing| standing.strong_count() > 0);
        let weak = known.of_sessions.values().chain(&known.of_requests);
        weak.filter_map(Weak::upgrade).collect()
    }

    fn changed_by(&self, change: SessionChange) -> Vec<Arc<Standing>> {
        match change {
            SessionChange::Of(digest) => {
                let known = self.known();
                let standing = known.of_sessions.get(&digest).and_then(Weak::upgrade);
                standing.into_iter().collect()
            }
            SessionChange::OfAllOf(user) => {
                let mut all = self.all();
                all.retain(|standing| standing.actor.user_id == user);
                all
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no code panics while it holds this lock")
    }
}

async fn look_now_and_then(standings: Weak<Standings>, witness: Witness) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(all) = standings.upgrade().map(|standings| standings.all()) else {
            return;
        };
        look_at(all, &witness).await;
    }
}

async fn look_at_changes(standings: Weak<Standings>, witness: Witness, mut changes: Receiver<SessionChange>) {
    loop {
        let change = changes.recv().await;
        let Some(standings) = standings.upgrade() else { return };
        let due = match change {
            Ok(change) => standings.changed_by(change),
            Err(RecvError::Lagged(_)) => standings.all(),
            Err(RecvError::Closed) => return,
        };
        drop(standings);
        look_at(due, &witness).await;
    }
}

async fn look_at(standings: Vec<Arc<Standing>>, witness: &Witness) {
    futures::stream::iter(standings)
        .for_each_concurrent(AT_ONCE, async |standing| witness.settle(&standing).await)
        .await;
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, Request};
    use ticketing_ports::vocabulary::ids::UserId;
    use ticketing_ports::vocabulary::roles::Role;
    use tokio::time::Instant;
    use uuid::Uuid;

    use super::*;
    use crate::errors::{ApiError, Code};

    const OLGA: Actor = Actor {
        user_id: UserId::new(Uuid::from_u128(1)),
        role: Role::EventOwner,
    };

    /// A host that answers what a test wants it to answer, and counts how often it is asked.
    #[derive(Debug)]
    struct Host {
        answer: Mutex<Result<Option<Actor>, Code>>,
        fault: Mutex<Option<Fault>>,
        asked: Mutex<u32>,
    }

    #[derive(Debug, Clone, Copy)]
    enum Fault {
        Panics,
        Hangs,
    }

    #[async_trait::async_trait]
    impl Authenticate for Host {
        async fn authenticate(&self, _: &Parts) -> Result<Option<Actor>, ApiError> {
            *self.asked.lock().unwrap() += 1;
            let fault = *self.fault.lock().unwrap();
            match fault {
                Some(Fault::Panics) => panic!("the host is broken"),
                Some(Fault::Hangs) => std::future::pending().await,
                None => {}
            }
            let answer = *self.answer.lock().unwrap();
            answer.map_err(|code| ApiError::new(code, "the host says so"))
        }

        fn challenge(&self) -> HeaderValue {
            HeaderValue::from_static("Cookie")
        }
    }

    /// Returns the host, and a connection in the name of `OLGA`.
    async fn connected() -> (Arc<Host>, Arc<Standings>, Arc<Standing>) {
        let host = Arc::new(Host {
            answer: Mutex::new(Ok(Some(OLGA))),
            fault: Mutex::new(None),
            asked: Mutex::new(0),
        });
        let standings = Arc::new(Standings::new(CancellationToken::new()));
        let witness = Witness {
            sessions: None,
            callers: Arc::clone(&host) as _,
        };
        let head = Box::new(Request::new(()).into_parts().0);
        let standing = standings.join(&witness, (OLGA, Proof::Request(head)), None).await;
        (host, standings, standing)
    }

    #[tokio::test(start_paused = true)]
    async fn whom_the_host_no_longer_knows_or_knows_in_another_role_is_over_within_half_a_minute() {
        let customer = Actor {
            role: Role::Customer,
            ..OLGA
        };
        for (answer, over) in [
            (Ok(None), Over::SignedOut),
            (Err(Code::Unauthenticated), Over::SignedOut),
            (Ok(Some(customer)), Over::RoleChanged),
        ] {
            let (host, _standings, standing) = connected().await;
            let quiet = timeout(10 * LOOK_EVERY, standing.over()).await;
            assert!(quiet.is_err(), "a standing has ended without a reason");
            *host.answer.lock().unwrap() = answer;
            let began = Instant::now();
            assert_eq!(standing.over().await, over);
            assert!(began.elapsed() <= LOOK_EVERY, "{:?}", began.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_panics_or_hangs_is_asked_again() {
        for fault in [Fault::Panics, Fault::Hangs] {
            let (host, _standings, standing) = connected().await;
            *host.fault.lock().unwrap() = Some(fault);
            let quiet = timeout(3 * LOOK_EVERY, standing.over()).await;
            assert!(quiet.is_err(), "a standing has ended because of {fault:?}");
            assert!(*host.asked.lock().unwrap() >= 2, "{fault:?}");
            *host.fault.lock().unwrap() = None;
            *host.answer.lock().unwrap() = Ok(None);
            let ended = timeout(2 * LOOK_EVERY, standing.over()).await;
            assert_eq!(ended, Ok(Over::SignedOut), "nobody looks any more after {fault:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn while_nobody_can_tell_a_standing_stays_and_nobody_asks_for_a_connection_that_is_closed() {
        let (host, standings, standing) = connected().await;
        *host.answer.lock().unwrap() = Err(Code::Unavailable);
        let a_bit_more = Duration::from_secs(1);
        assert!(timeout(10 * LOOK_EVERY + a_bit_more, standing.over()).await.is_err());
        assert_eq!(*host.asked.lock().unwrap(), 10);
        drop(standing);
        tokio::time::sleep(10 * LOOK_EVERY).await;
        assert_eq!(*host.asked.lock().unwrap(), 10);
        assert!(standings.known().of_requests.is_empty());
    }
}
