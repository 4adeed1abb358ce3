//! Checking that the log still has the facts that a follower has handled.

use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::identity::{Incarnation, LogIdentity, Mark};
use ticketing_ports::vocabulary::errors::StoreError;

/// What becomes of rows after the log has lost facts that they were made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnLostPast {
    /// They are rebuilt from the log as it is now. The old rows are read until then.
    Rebuild,
    /// They stay as they are, and the follower handles nothing more until an operator has decided.
    Refuse,
}

/// What a check of a follower's mark finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    /// The log has everything that leads to the mark.
    Kept,
    /// The mark is of another log.
    OfAnotherLog,
    /// The log has lost facts before the mark.
    Lost,
}

/// What the last check of a follower's past has found.
#[derive(Debug, Default)]
pub(super) struct PastCheck {
    /// The incarnation of the log in which the past was complete. `None` before the first check.
    incarnation: Option<Incarnation>,
    /// The newest mark that was proved. It is checked again beside a lower mark, because a log that was restored to
    /// before it might have the lower one still.
    proved: Option<Mark>,
    /// The mark whose loss has been announced. `None` if no loss has been found.
    announced: Option<Mark>,
}

impl PastCheck {
    /// Checks whether the log has everything that leads to the mark.
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
        // A proved mark is left out unless it is of this log and before the mark that is checked.
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

    /// Raises the incarnation of the log, once for each loss. Returns whether this call has raised it.
    pub(super) async fn announce_loss(&mut self, log: &dyn EventStore, mark: Mark) -> Result<bool, StoreError> {
        if self.announced == Some(mark) {
            return Ok(false);
        }
        log.raise_incarnation(self.incarnation.unwrap_or(Incarnation::FIRST))
            .await?;
        self.announced = Some(mark);
        Ok(true)
    }

    /// Forgets all marks, because the follower starts anew on the log as it is now.
    pub(super) fn forget(&mut self) {
        self.proved = None;
        self.incarnation = None;
    }
}

/// Whether the log has the fact at the mark, and so everything before it.
pub(super) async fn log_has(log: &dyn EventStore, mark: Mark) -> Result<bool, StoreError> {
    Ok(mark.is_start() || log.commit_at(mark.position).await? == Some(mark.commit))
}
