//! Tells others in this process that sessions have ended, so that they need not ask the stores all the time.

use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::secrets::SecretDigest;
use tokio::sync::broadcast;

/// How many changes a follower may be behind. A follower that is further behind is told that it has missed some.
const KEPT: usize = 256;

/// What this process has changed about sessions. Whoever relies on one of these sessions has to look at it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionChange {
    /// The session has ended.
    Of(SecretDigest),
    /// Sessions of the user have ended, or the user has another role or is erased.
    OfAllOf(UserId),
}

pub(super) struct Changes(broadcast::Sender<SessionChange>);

impl Default for Changes {
    fn default() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }
}

impl Changes {
    pub(super) fn follow(&self) -> broadcast::Receiver<SessionChange> {
        self.0.subscribe()
    }

    pub(super) fn tell(&self, change: SessionChange) {
        // The only error is that nobody follows.
        drop(self.0.send(change));
    }
}
