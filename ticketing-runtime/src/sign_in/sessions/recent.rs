//! The sessions that were authenticated within the last second. A busy session asks its stores once a second and not with
//! each request.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::people::sessions::Session;
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::secrets::SecretDigest;

/// How long an answer of the stores is reused. A role change or an end of a session in another process is noticed here after
/// at most this time.
const REMEMBERED: TimeDelta = TimeDelta::seconds(1);

#[derive(Default)]
pub(super) struct RecentSessions(Mutex<Recent>);

#[derive(Default)]
struct Recent {
    by_digest: HashMap<SecretDigest, Seen>,
    /// How many times something was forgotten. What was read from the stores before the last time must not be remembered.
    forgotten: u64,
    /// How many sessions were left by the last sweep.
    swept: usize,
}

struct Seen {
    session: Session,
    user: User,
    at: Timestamp,
}

/// Marks the moment before the stores are read, for [`RecentSessions::remember`].
#[derive(Clone, Copy)]
pub(super) struct Reading {
    forgotten: u64,
    at: Timestamp,
}

impl RecentSessions {
    /// Returns the session and its user if they were read within [`REMEMBERED`]. Otherwise returns the mark to remember them
    /// with once the stores have been read.
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

    /// Remembers a session and its user, unless something was forgotten since `reading` was made: that may have been this
    /// session.
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
    /// Drops the old entries whenever their number has doubled, which is constant work for each entry.
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
