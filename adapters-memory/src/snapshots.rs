//! The snapshots of a log in memory. They are kept inside the log and behind its lock, so that a copy of the log
//! includes its snapshots.

use async_trait::async_trait;
use ticketing_ports::log::snapshots::{Snapshot, SnapshotStore};
use ticketing_ports::log::streams::{StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;

use crate::event_store::{InMemoryEventStore, Log};

#[async_trait]
impl SnapshotStore for InMemoryEventStore {
    async fn keep(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        let mut log = self.log();
        let key = (snapshot.stream, snapshot.format);
        let newer = log.snapshots.get(&key).filter(|kept| kept.version > snapshot.version);
        if !newer.is_some_and(|newer| log.confirms(newer)) {
            log.snapshots.insert(key, snapshot);
        }
        Ok(())
    }

    async fn latest(&self, of: &[(StreamId, u16)]) -> Result<Vec<Snapshot>, StoreError> {
        let log = self.log();
        let found = of.iter().filter_map(|key| log.snapshots.get(key));
        Ok(found.filter(|snapshot| log.confirms(snapshot)).cloned().collect())
    }

    async fn drop_all(&self) -> Result<(), StoreError> {
        self.log().snapshots.clear();
        Ok(())
    }
}

impl Log {
    /// Returns whether the fact at the version of the snapshot was written by the commit that the snapshot names. If
    /// a backup has replaced the log, another commit may have written that fact.
    fn confirms(&self, snapshot: &Snapshot) -> bool {
        let before = Version(snapshot.version.0.saturating_sub(1));
        let last = self.stream_after(snapshot.stream, before).next();
        last.is_some_and(|last| last.version == snapshot.version && last.commit_id == snapshot.commit)
    }
}
