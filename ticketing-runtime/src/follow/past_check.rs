//! Whether the log still has the past that a follower remembers.

use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::identity::{Incarnation, LogIdentity, Mark};
use ticketing_ports::vocabulary::errors::StoreError;

/// What is done about something that was made of facts that the log no longer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnLostPast {
    /// It is made anew from the log as it is, while the old is still read.
    Rebuild,
    /// It is left as it is, and nothing more is taken until somebody has looked.
    Refuse,
}

/// The same log, another one, or the same without a part of its past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    Kept,
    OfAnotherLog,
    Lost,
}

/// What was seen of the past when it was looked at last.
#[derive(Debug, Default)]
pub(super) struct PastCheck {
    /// The incarnation in which the past was complete.
    incarnation: Option<Incarnation>,
    /// Where the follower stood then. A log that was put back to before that, and has since grown beyond where the
    /// follower stands, would show it nothing strange there.
    proved: Option<Mark>,
    /// The mark whose loss was told already.
    announced: Option<Mark>,
}

impl PastCheck {
    /// Looks whether the log has what leads to the mark.
    pub(super) async fn check(
        &mut self,
        log: &dyn EventStore,
        identity: LogIdentity,
        mark: Mark,
    ) -> Result<Past, StoreError> {
        self.incarnation.get_or_insert(identity.incarnation);
        if mark.log != identity.log {
            return Ok(Past::OfAnotherLog);
        }
        // One that was set back says nothing about what came later.
        let proved = self
            .proved
            .filter(|proved| proved.log == mark.log && proved.position < mark.position);
        for mark in [Some(mark), proved].into_iter().flatten() {
            if !log_has(log, mark).await? {
                return Ok(Past::Lost);
            }
        }
        self.incarnation = Some(identity.incarnation);
        self.proved = Some(mark);
        self.announced = None;
        Ok(Past::Kept)
    }

    /// Raises the incarnation of the log above any that was seen, once for each loss. Returns whether it was told now.
    pub(super) async fn announce_loss(&mut self, log: &dyn EventStore, mark: Mark) -> Result<bool, StoreError> {
        if self.announced == Some(mark) {
            return Ok(false);
        }
        log.raise_incarnation(self.incarnation.unwrap_or(Incarnation::FIRST))
            .await?;
        self.announced = Some(mark);
        Ok(true)
    }

    /// Begins anew, in a log as it is now.
    pub(super) fn forget(&mut self) {
        self.proved = None;
        self.incarnation = None;
    }
}

/// Whether the log has the fact that is remembered, and so everything that leads there.
pub(super) async fn log_has(log: &dyn EventStore, mark: Mark) -> Result<bool, StoreError> {
    Ok(mark.is_start() || log.commit_at(mark.position).await? == Some(mark.commit))
}
