//! What a lane's memory of the log rests on, to be proved with each commit, and what is done when it cannot be.
//!
//! A log that was put back to an older copy may have reached the same versions again by other facts. Then no stream looks
//! different, and only who remembers which commit wrote a fact can tell.

use ticketing_domain::book::Book;
use ticketing_ports::log::event_store::{CommitError, CommitReceipt, EventStore};
use ticketing_ports::log::identity::{Incarnation, Landmark};
use ticketing_ports::log::streams::{Position, RecordedEvent};
use ticketing_ports::vocabulary::ids::CommitId;
use tracing::error;

use super::Lane;
use super::group::Group;
use super::lanes::Lanes;
use crate::observer::Setback;

/// What has to be in the log if what the lane knows is to be true. Nothing when nobody else writes to the log.
#[derive(Debug)]
pub(super) struct Remembered {
    pub(super) landmarks: Vec<Landmark>,
    /// The newest life of the log in which something of it was learned.
    pub(super) incarnation: Incarnation,
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            landmarks: Vec::new(),
            incarnation: Incarnation::FIRST,
        }
    }
}

impl Remembered {
    /// Facts were read in the life of the log that is known now. They may be of another past than what was remembered
    /// before: both have to be proved.
    pub(super) fn read(
        &mut self,
        facts: &[RecordedEvent],
        of_snapshots: Vec<Landmark>,
        incarnation: Option<Incarnation>,
    ) {
        self.landmarks.extend(of_snapshots);
        if let Some(newest) = facts.iter().max_by_key(|fact| fact.position) {
            self.landmarks.push(Landmark {
                position: newest.position,
                commit: newest.commit_id,
            });
        }
        self.incarnation = self.incarnation.max(incarnation.unwrap_or(Incarnation::FIRST));
    }

    /// The first `proved` landmarks were all there at one moment: the newest of them, or what was written on top of them,
    /// stands for all.
    pub(super) fn proved(&mut self, proved: usize, written: Option<(CommitId, CommitReceipt)>) {
        let proved = self.landmarks.drain(..proved.min(self.landmarks.len()));
        let newest = proved.max_by_key(|landmark| landmark.position);
        let wrote = written.filter(|(_, receipt)| receipt.last > Position::START);
        let wrote = wrote.map(|(commit, receipt)| Landmark {
            position: receipt.last,
            commit,
        });
        if let Some(landmark) = wrote.or(newest) {
            self.landmarks.insert(0, landmark);
        }
        if let Some((_, receipt)) = written {
            self.incarnation = self.incarnation.max(receipt.incarnation);
        }
    }
}

impl Lane {
    /// Forgets everything, and decides again on what the log says now: also what waits for a gateway, since the payment
    /// that is waited for may be among what was lost.
    pub(super) fn past_is_lost(&mut self, group: Group) {
        error!(lane = %self.id, "the log has lost facts that a lane remembers: it is not the one that it was");
        let mut jobs = self.take_back_all(group);
        jobs.extend(std::mem::take(&mut self.waiting).into_values().flatten());
        self.book = Book::new(self.id);
        self.gathering = Group::starting_at(self.book.mark());
        self.remembered = Remembered::default();
        self.snapshots.forget();
        self.position = Position::START;
        self.decide_again(jobs, Setback::LostPast);
    }
}

/// Tells everybody that the log has lost what was remembered in that life of it. When that cannot be told now, nobody has
/// learned anything: the next commit finds it out again.
pub(super) async fn tell_loss(lanes: &Lanes, store: &dyn EventStore, lived_in: Incarnation) -> CommitError {
    lanes.tail.doubt();
    match store.raise_incarnation(lived_in).await {
        Ok(incarnation) => {
            lanes.log.heard(incarnation);
            CommitError::LostPast
        }
        Err(error) => CommitError::Unavailable(error.into()),
    }
}
