//! The part of the log that a lane's memory was built from. Each commit proves that the log still has it.
//!
//! A log that was restored from an older copy may since have grown to the same stream versions with other facts. So
//! versions cannot show the loss. The id of the commit that wrote a remembered fact can.

use ticketing_ports::log::event_store::{CommitError, CommitReceipt, EventStore};
use ticketing_ports::log::identity::{Incarnation, Landmark};
use ticketing_ports::log::streams::{Position, RecordedEvent};
use ticketing_ports::vocabulary::ids::CommitId;

use super::lanes::Lanes;

/// The landmarks that the log must have for the lane's memory to be true. Empty if no other process writes to the log.
#[derive(Debug)]
pub(super) struct KnownPast {
    pub(super) landmarks: Vec<Landmark>,
    /// The newest incarnation of the log in which the lane has read or written.
    pub(super) incarnation: Incarnation,
}

impl Default for KnownPast {
    fn default() -> Self {
        Self {
            landmarks: Vec::new(),
            incarnation: Incarnation::FIRST,
        }
    }
}

impl KnownPast {
    /// Adds a landmark for the newest of the facts that were just read. The earlier landmarks are kept, because the
    /// log may have been restored since they were added. The next commit proves all of them.
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

    /// Replaces the first `proved` landmarks by a single one, because the log has just been seen to have all of them.
    /// If `written` names a commit, the single landmark is the last fact of that commit, otherwise the newest of the
    /// replaced landmarks.
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

/// Raises the incarnation of the log, so that every process learns of the loss. If raising fails, the commit fails as
/// if the store were unavailable, and the next commit finds the loss again.
pub(super) async fn announce_lost_past(
    lanes: &Lanes,
    store: &dyn EventStore,
    known_incarnation: Incarnation,
) -> CommitError {
    lanes.tail.request_past_check();
    match store.raise_incarnation(known_incarnation).await {
        Ok(incarnation) => {
            lanes.log.note_incarnation(incarnation);
            CommitError::LostPast
        }
        Err(error) => CommitError::Unavailable(error.into()),
    }
}
