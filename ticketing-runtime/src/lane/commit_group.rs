//! Starts the commit of the gathered group, or the check of a group that writes nothing.

use std::sync::Arc;

use ticketing_ports::log::event_store::{CommitError, EventStore, Memory};
use ticketing_ports::log::identity::Landmark;
use ticketing_ports::log::streams::{StreamId, Version};
use ticketing_ports::vocabulary::ids::CommitId;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::commit::commit_for;
use super::group::Group;
use super::known_past::announce_lost_past;
use super::state::{Committed, InFlight, Lane};
use crate::observer::SaleStep;
use crate::schema_floor::Written;
use crate::trail;

impl Lane {
    pub(super) fn start_commit(&mut self) {
        while self.in_flight.is_none() && !self.gathering.is_empty() {
            let next = Group::starting_at(self.book.savepoint());
            let mut group = std::mem::replace(&mut self.gathering, next);
            let commit = if group.writes_nothing() {
                let seen = group.take_read_set();
                if !self.shared || seen.is_empty() {
                    self.conclude(group);
                    continue;
                }
                group.snapshots = self.snapshots.take_unproved();
                self.check(seen)
            } else {
                group.snapshots = self.snapshots.take_unproved();
                self.write(&mut group)
            };
            let commit = AbortOnDropHandle::new(commit);
            let landmarks = self.known_past.landmarks.len();
            self.in_flight = Some(InFlight {
                group,
                landmarks,
                commit,
            });
        }
    }

    /// Commits what a group has decided. The store refuses the commit if the log lacks one of the lane's landmarks.
    fn write(&self, group: &mut Group) -> JoinHandle<Result<Committed, CommitError>> {
        let ports = &self.lanes.ports;
        let id = CommitId::new(ports.ids.uuid());
        group.snapshots.extend(self.snapshots_of(group, id));
        let mut commit = group.commit(id, self.id, ports.clock.now());
        commit.landmarks.clone_from(&self.known_past.landmarks);
        let mut facts = group.take_facts();
        let steps: Vec<SaleStep> = facts.iter().filter_map(SaleStep::of).collect();
        if self.lanes.floor.write_for_all(&mut commit) == Written::Lowered {
            // The facts are written in an older version that may say less than the facts in memory. So the facts in
            // memory are not handed to the followers, which then read the written ones from the log.
            facts.clear();
        }
        let (lanes, known_incarnation) = (Arc::clone(&self.lanes), self.known_past.incarnation);
        let jobs = group.entries.len();
        tokio::spawn(async move {
            let (store, observer) = (lanes.ports.events.as_ref(), lanes.config.observer.as_ref());
            let (began_at, began) = (lanes.ports.clock.now(), Instant::now());
            match commit_for(jobs, &steps, &commit, store, observer).await {
                Ok(receipt) => {
                    trail::committed(&commit, jobs, began_at, began.elapsed(), lanes.config.tracer.as_ref());
                    lanes.log.note_incarnation(receipt.incarnation);
                    lanes.tail.take(commit, facts, receipt);
                    Ok(Some((id, receipt)))
                }
                Err(CommitError::LostPast) => Err(announce_lost_past(&lanes, store, known_incarnation).await),
                Err(error) => Err(error),
            }
        })
    }

    /// Checks the read set of a group that writes nothing, as a commit would.
    fn check(&self, seen: Vec<(StreamId, Version)>) -> JoinHandle<Result<Committed, CommitError>> {
        let (lanes, known_incarnation) = (Arc::clone(&self.lanes), self.known_past.incarnation);
        let landmarks = self.known_past.landmarks.clone();
        tokio::spawn(async move {
            let store = lanes.ports.events.as_ref();
            match check(store, &seen, &landmarks).await {
                Ok(()) => Ok(None),
                Err(CommitError::LostPast) => Err(announce_lost_past(&lanes, store, known_incarnation).await),
                Err(error) => Err(error),
            }
        })
    }
}

/// Checks that the log still has the `landmarks`, and that no stream of `seen` has changed.
async fn check(
    store: &dyn EventStore,
    seen: &[(StreamId, Version)],
    landmarks: &[Landmark],
) -> Result<(), CommitError> {
    match store.check_memory(seen, landmarks).await {
        Ok(Memory::Current) => Ok(()),
        Ok(Memory::Stale(streams)) => Err(CommitError::Conflict { streams }),
        Ok(Memory::OfALostPast) => Err(CommitError::LostPast),
        Err(error) => Err(CommitError::Unavailable(error.into())),
    }
}
