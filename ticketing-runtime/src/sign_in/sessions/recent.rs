//! Remembers each session for a second after it was authenticated, so that a busy session reads the stores once a
//! second and not with each request.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::people::sessions::Session;
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::secrets::SecretDigest;

/// How long an answer of the stores is reused. If another process ends a session or changes a role, this process
/// notices after at most this time.
const REMEMBERED: TimeDelta = TimeDelta::seconds(1);

#[derive(Default)]
pub(super) struct RecentSessions(Mutex<Recent>);

#[derive(Default)]
struct Recent {
    by_digest: HashMap<SecretDigest, Seen>,
    /// How many times sessions were forgotten. If the number changes while the stores are read, their answer may be
    /// outdated, so it is not remembered.
    forgotten: u64,
    /// How many sessions were still remembered after old ones were last dropped.
    swept: usize,
}

struct Seen {
    session: Session,
    user: User,
    at: Timestamp,
}

/// Marks the moment before the stores are read, so that [`RecentSessions::remember`] can tell whether the answer is
/// outdated.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    forgotten: u64,
    at: Timestamp,
}

impl RecentSessions {
    /// Returns the session and its user if they were read from the stores less than [`REMEMBERED`] ago. Otherwise
    /// returns a [`Reading`]: the caller reads the stores and gives it what it has read, to be remembered.
    pub(super) fn find(&self, digest: SecretDigest, now: Timestamp) -> Result<(Session, User), Reading> {
        let recent = self.recent();
        match recent.by_digest.get(&digest) {
            Some(seen) if seen.is_fresh(now) && seen.session.is_live(now) => {
                Ok((seen.session.clone(), seen.user.clone()))
            }
            _ => Err(Reading {
                forgotten: recent.forgotten,
                at: now,
            }),
        }
    }

    /// Remembers a session and its user. Does nothing if any session was forgotten since `reading` was made, because
    /// it may have been this one.
    pub(super) fn remember(&self, reading: Reading, session: &Session, user: &User) {
        let mut recent = self.recent();
        if recent.forgotten != reading.forgotten {
            return;
        }
        recent.sweep(reading.at);
        recent.by_digest.insert(
            session.digest,
            Seen {
                session: session.clone(),
                user: user.clone(),
                at: reading.at,
            },
        );
    }

    pub(super) fn forget(&self, digest: SecretDigest) {
        let mut recent = self.recent();
        recent.forgotten += 1;
        recent.by_digest.remove(&digest);
    }

    pub(super) fn forget_all_of(&self, user: UserId) {
        let mut recent = self.recent();
        recent.forgotten += 1;
        recent.by_digest.retain(|_, seen| seen.user.id != user);
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

impl Recent {
    /// Drops the old entries, but only when the number of entries has doubled since the last time. Dropping thus
    /// costs a constant time per entry on average.
    fn sweep(&mut self, now: Timestamp) {
        if self.by_digest.len() >= 2 * self.swept + 1_000 {
            self.by_digest.retain(|_, seen| seen.is_fresh(now));
            self.swept = self.by_digest.len();
        }
    }
}

impl Seen {
    fn is_fresh(&self, now: Timestamp) -> bool {
        now - self.at < REMEMBERED
    }
}
