//! Checks that the log still has the facts that a follower has handled.

use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::identity::{Incarnation, LogIdentity, Mark};
use ticketing_ports::vocabulary::errors::StoreError;

/// What becomes of rows after the log has lost facts that they were made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnLostPast {
    /// The follower rebuilds the rows from the log as it is now. Readers see the old rows until then.
    Rebuild,
    /// The rows stay as they are, and the follower handles nothing more until an operator has decided what to do.
    Refuse,
}

/// The result of checking a follower's mark against the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    /// The log has every fact up to the mark.
    Kept,
    /// The mark belongs to another log.
    OfAnotherLog,
    /// The log has lost facts that lie before the mark or at the mark.
    Lost,
}

/// Remembers the results of earlier checks of a follower's mark against the log.
#[derive(Debug, Default)]
pub(super) struct PastCheck {
    /// The log's incarnation at the last check that found every fact in the log, or at the first check if none has.
    /// `None` before the first check.
    incarnation: Option<Incarnation>,
    /// The mark at the last check that found every fact in the log. It is checked again with each newer mark: a log
    /// that was restored to an older state and has grown since may have the newer mark, although it has lost facts
    /// that the follower handled.
    proved: Option<Mark>,
    /// The follower's mark when this process last raised the log's incarnation because facts were lost. `None` while
    /// no loss is known.
    announced: Option<Mark>,
}

impl PastCheck {
    /// Checks whether the log has every fact up to the mark.
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
        // The mark of the last check that found every fact is checked too, if it belongs to this log and lies before
        // `mark`.
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

    /// Raises the incarnation of the log, at most once for each loss of facts. Returns whether this call has raised
    /// it.
    pub(super) async fn announce_loss(&mut self, log: &dyn EventStore, mark: Mark) -> Result<bool, StoreError> {
        if self.announced == Some(mark) {
            return Ok(false);
        }
        log.raise_incarnation(self.incarnation.unwrap_or(Incarnation::FIRST))
            .await?;
        self.announced = Some(mark);
        Ok(true)
    }

    /// Forgets what earlier checks have found, because the follower starts anew on the log as it is now.
    pub(super) fn forget(&mut self) {
        self.proved = None;
        self.incarnation = None;
    }
}

/// Whether the log has the mark's commit at the mark's position, and therefore everything before it.
pub(super) async fn log_has(log: &dyn EventStore, mark: Mark) -> Result<bool, StoreError> {
    Ok(mark.is_start() || log.commit_at(mark.position).await? == Some(mark.commit))
}
