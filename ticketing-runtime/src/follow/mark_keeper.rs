//! Reads and writes the mark of a follower, wherever it is kept.

use std::sync::Arc;

use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::followers::{FollowerId, FollowerStore};
use ticketing_ports::log::identity::{LogIdentity, Mark};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::LogId;

use super::follower::{FollowError, Follower, FollowerSpec, MarkKept, StartAt};

impl FollowerSpec {
    /// Returns the id under which the stores keep the mark and the turn of this follower, if it follows `log`.
    pub fn id(&self, log: LogId) -> FollowerId {
        FollowerId {
            log,
            name: self.name,
            edition: self.edition,
        }
    }
}

/// Keeps the mark of a follower in the place that [`FollowerSpec::mark_kept`] names.
pub(super) struct MarkKeeper {
    store: Arc<dyn FollowerStore>,
    spec: FollowerSpec,
    /// The mark that this keeper has read or written last.
    noted: Option<Mark>,
}

impl MarkKeeper {
    pub(super) fn new(store: Arc<dyn FollowerStore>, spec: &FollowerSpec) -> Self {
        Self {
            store,
            spec: spec.clone(),
            noted: None,
        }
    }

    /// Reads the follower's mark. `None` if the follower has no mark yet.
    pub(super) async fn mark(
        &mut self,
        follower: &mut dyn Follower,
        log: LogIdentity,
    ) -> Result<Option<Mark>, FollowError> {
        match self.spec.mark_kept {
            MarkKept::WithTheEffect => return follower.mark().await,
            MarkKept::ByTheEngine => self.noted = self.store.mark(self.spec.id(log.log)).await?,
            MarkKept::InMemory => {}
        }
        Ok(self.noted)
    }

    /// Moves the follower's mark. Does nothing if the follower keeps its mark itself.
    pub(super) async fn keep(&mut self, log: LogIdentity, mark: Mark) -> Result<(), FollowError> {
        match self.spec.mark_kept {
            MarkKept::WithTheEffect => {}
            MarkKept::ByTheEngine => {
                let id = self.spec.id(log.log);
                if !self.store.move_mark(id, self.noted, mark).await? {
                    return Err(FollowError::MarkMoved);
                }
                self.noted = Some(mark);
            }
            MarkKept::InMemory => self.noted = Some(mark),
        }
        Ok(())
    }

    /// Returns the mark from which a follower starts that has no mark yet.
    pub(super) async fn start(&self, store: &dyn EventStore, log: LogIdentity) -> Result<Mark, StoreError> {
        let start = Mark::start(log.log);
        let position = match self.spec.start_at {
            StartAt::Beginning => return Ok(start),
            StartAt::Head => store.head().await?,
        };
        Ok(match store.commit_at(position).await? {
            Some(commit) => Mark {
                position,
                commit,
                ..start
            },
            None => start,
        })
    }

    /// Sets the follower's mark back to the start after the log has lost facts.
    pub(super) async fn forget(&mut self, log: LogIdentity) -> Result<(), FollowError> {
        match self.spec.mark_kept {
            MarkKept::WithTheEffect => Ok(()),
            MarkKept::ByTheEngine => self.keep(log, Mark::start(log.log)).await,
            MarkKept::InMemory => {
                self.noted = None;
                Ok(())
            }
        }
    }
}
