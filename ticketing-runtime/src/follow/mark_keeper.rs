//! Where a follower stands, whoever keeps that.

use std::sync::Arc;

use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::followers::{FollowerId, FollowerStore};
use ticketing_ports::log::identity::{LogIdentity, Mark};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::LogId;

use super::follower::{FollowError, Follower, FollowerSpec, MarkKept, StartAt};

impl FollowerSpec {
    /// The follower of one log.
    pub fn id(&self, log: LogId) -> FollowerId {
        FollowerId {
            log,
            name: self.name,
            generation: self.generation,
        }
    }
}

/// The account of a follower's position that the engine keeps, as far as the follower does not.
pub(super) struct MarkKeeper {
    store: Arc<dyn FollowerStore>,
    spec: FollowerSpec,
    /// What was noted last, here or in the store.
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

    /// Where the follower stands; nothing when it has not begun.
    pub(super) async fn mark(
        &mut self,
        follower: &mut dyn Follower,
        log: LogIdentity,
    ) -> Result<Option<Mark>, FollowError> {
        match self.spec.mark_kept {
            MarkKept::WithTheEffect => return follower.mark().await,
            MarkKept::ByTheEngine => self.noted = self.store.mark(self.spec.id(log.log)).await?,
            MarkKept::InMemory => {
                if self.noted.is_none() {
                    self.noted = follower.mark().await?;
                }
            }
        }
        Ok(self.noted)
    }

    /// Notes that the follower stands there now.
    pub(super) async fn keep(&mut self, log: LogIdentity, mark: Mark) -> Result<(), FollowError> {
        match self.spec.mark_kept {
            MarkKept::WithTheEffect => {}
            MarkKept::ByTheEngine => {
                let id = self.spec.id(log.log);
                if !self.store.move_mark(id, self.noted, mark).await? {
                    return Err(FollowError::Elsewhere);
                }
                self.noted = Some(mark);
            }
            MarkKept::InMemory => self.noted = Some(mark),
        }
        Ok(())
    }

    /// Where a follower begins that stands nowhere.
    pub(super) async fn start(&self, store: &dyn EventStore, log: LogIdentity) -> Result<Mark, StoreError> {
        let start = Mark::start(log.log);
        if self.spec.start_at != StartAt::Head {
            return Ok(start);
        }
        let position = store.head().await?;
        Ok(match store.commit_at(position).await? {
            Some(commit) => Mark {
                position,
                commit,
                ..start
            },
            None => start,
        })
    }

    /// Sets the follower back to where followers of its kind begin: its facts are gone from the log.
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
