//! A store of snapshots that makes one mistake on purpose, so that a conformance rule must fail on it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use adapters_memory::InMemoryEventStore;
use async_trait::async_trait;
use ticketing_ports::log::event_store::EventStore as _;
use ticketing_ports::log::snapshots::{Snapshot, SnapshotStore};
use ticketing_ports::log::streams::{Aggregate, StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::CommitId;
use ticketing_testkit::conformance::Backend;
use ticketing_testkit::conformance::snapshots::Snapshots;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lie {
    #[default]
    None,
    ForgetsTheCommit,
    KeepsText,
    InventsSnapshots,
    CutsAt1Mib,
    KeepsTheFirst,
    KeepsTheLast,
    ComparesVersionsAsText,
    LooksBeforeItKeeps,
    HasOneStream,
    MixesUpAggregates,
    HasOneFormat,
    FindsOne,
    FindsEverything,
    BelievesInTheFuture,
    BelievesInAnyPast,
    LooksForTheCommitAnywhere,
    DefendsTheFuture,
    DefendsAnyPast,
    DropsNothing,
    DropsForGood,
}

/// The rules of the conformance suite, each beside a lie (a mistake made on purpose) that must make the rule fail.
pub(crate) const BROKEN_BY: &[(&str, Lie)] = &[
    ("a_snapshot_comes_back_as_it_was_kept", Lie::ForgetsTheCommit),
    ("a_snapshot_comes_back_as_it_was_kept", Lie::KeepsText),
    ("a_snapshot_comes_back_as_it_was_kept", Lie::InventsSnapshots),
    ("a_snapshot_of_4_mib_is_kept", Lie::CutsAt1Mib),
    ("a_newer_snapshot_takes_the_place_of_an_older_one", Lie::KeepsTheFirst),
    (
        "a_newer_snapshot_takes_the_place_of_an_older_one",
        Lie::ComparesVersionsAsText,
    ),
    (
        "an_older_snapshot_does_not_take_the_place_of_a_newer_one",
        Lie::KeepsTheLast,
    ),
    ("of_racing_snapshots_the_newest_is_left", Lie::LooksBeforeItKeeps),
    ("streams_do_not_share_snapshots", Lie::HasOneStream),
    ("streams_do_not_share_snapshots", Lie::MixesUpAggregates),
    ("formats_do_not_share_snapshots", Lie::HasOneFormat),
    ("several_snapshots_are_found_at_once", Lie::FindsOne),
    ("several_snapshots_are_found_at_once", Lie::FindsEverything),
    (
        "a_snapshot_beyond_the_end_of_its_stream_is_not_found",
        Lie::BelievesInTheFuture,
    ),
    ("a_snapshot_of_another_past_is_not_found", Lie::BelievesInAnyPast),
    (
        "a_snapshot_of_another_past_is_not_found",
        Lie::LooksForTheCommitAnywhere,
    ),
    (
        "a_snapshot_that_the_log_does_not_confirm_gives_way",
        Lie::DefendsTheFuture,
    ),
    (
        "a_snapshot_that_the_log_does_not_confirm_gives_way",
        Lie::DefendsAnyPast,
    ),
    ("dropped_snapshots_are_gone", Lie::DropsNothing),
    ("dropped_snapshots_are_gone", Lie::DropsForGood),
];

/// A store that keeps snapshots in a map beside a correct log, and makes the mistake `lie` on purpose.
#[derive(Debug)]
pub(crate) struct LyingSnapshots {
    log: Arc<InMemoryEventStore>,
    lie: Lie,
    kept: Mutex<BTreeMap<(StreamId, u16), Snapshot>>,
    dropped: Mutex<bool>,
}

/// What the log has at the version of a snapshot: a fact of the commit that the snapshot names, a fact of another
/// commit, or no fact yet.
#[derive(Debug, PartialEq, Eq)]
enum Past {
    Confirmed,
    Another,
    Beyond,
}

impl LyingSnapshots {
    pub(crate) fn with_log(lie: Lie) -> Snapshots {
        let log = Arc::new(InMemoryEventStore::new());
        Snapshots {
            log: Backend {
                store: log.clone(),
                deadlines: log.clone(),
                idempotency: log.clone(),
            },
            store: Arc::new(Self {
                log,
                lie,
                kept: Mutex::default(),
                dropped: Mutex::default(),
            }),
        }
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<(StreamId, u16), Snapshot>> {
        self.kept.lock().expect("no code panics while it holds this lock")
    }

    fn key(&self, mut stream: StreamId, format: u16) -> (StreamId, u16) {
        match self.lie {
            Lie::HasOneStream => stream.id = Uuid::nil(),
            Lie::MixesUpAggregates => stream.aggregate = Aggregate::Catalog,
            Lie::HasOneFormat => return (stream, 0),
            _ => {}
        }
        (stream, format)
    }

    async fn past(&self, snapshot: &Snapshot) -> Result<Past, StoreError> {
        let facts = self.log.read_stream(snapshot.stream, Version::NONE, usize::MAX).await?;
        let there = facts.iter().find(|fact| fact.version == snapshot.version);
        Ok(match there {
            Some(fact) if fact.commit_id == snapshot.commit => Past::Confirmed,
            Some(_) => Past::Another,
            None => Past::Beyond,
        })
    }

    async fn gives_way(&self, kept: &Snapshot, to: &Snapshot) -> Result<bool, StoreError> {
        let is_older = match self.lie {
            Lie::KeepsTheFirst => false,
            Lie::KeepsTheLast => true,
            Lie::ComparesVersionsAsText => kept.version.to_string() <= to.version.to_string(),
            _ => kept.version <= to.version,
        };
        Ok(is_older
            || match self.past(kept).await? {
                Past::Confirmed => false,
                Past::Another => self.lie != Lie::DefendsAnyPast,
                Past::Beyond => self.lie != Lie::DefendsTheFuture,
            })
    }

    async fn is_found(&self, snapshot: &Snapshot) -> Result<bool, StoreError> {
        Ok(match self.past(snapshot).await? {
            Past::Confirmed => true,
            Past::Another if self.lie == Lie::LooksForTheCommitAnywhere => {
                self.log.find_commit(snapshot.commit).await?.is_some()
            }
            Past::Another => self.lie == Lie::BelievesInAnyPast,
            Past::Beyond => self.lie == Lie::BelievesInTheFuture,
        })
    }
}

#[async_trait]
impl SnapshotStore for LyingSnapshots {
    async fn keep(&self, mut snapshot: Snapshot) -> Result<(), StoreError> {
        match self.lie {
            Lie::DropsForGood if *self.dropped.lock().expect("no code panics while it holds this lock") => {
                return Ok(());
            }
            Lie::KeepsText => snapshot.state = String::from_utf8_lossy(&snapshot.state).into_owned().into_bytes(),
            Lie::CutsAt1Mib => snapshot.state.truncate(1 << 20),
            _ => {}
        }
        let key = self.key(snapshot.stream, snapshot.format);
        let kept = self.kept().get(&key).cloned();
        if self.lie == Lie::LooksBeforeItKeeps {
            tokio::task::yield_now().await;
        }
        let makes_way = match &kept {
            Some(kept) => self.gives_way(kept, &snapshot).await?,
            None => true,
        };
        if makes_way {
            self.kept().insert(key, snapshot);
        }
        Ok(())
    }

    async fn latest(&self, of: &[(StreamId, u16)]) -> Result<Vec<Snapshot>, StoreError> {
        let kept = self.kept().clone();
        let mut found: Vec<Snapshot> = Vec::new();
        for (stream, format) in of {
            if let Some(snapshot) = kept.get(&self.key(*stream, *format))
                && self.is_found(snapshot).await?
            {
                found.push(snapshot.clone());
            } else if self.lie == Lie::InventsSnapshots {
                found.push(Snapshot {
                    stream: *stream,
                    version: Version::NONE,
                    commit: CommitId::new(Uuid::nil()),
                    format: *format,
                    state: Vec::new(),
                });
            }
        }
        match self.lie {
            Lie::FindsOne => found.truncate(1),
            Lie::FindsEverything => found = kept.into_values().collect(),
            Lie::ForgetsTheCommit => {
                for snapshot in &mut found {
                    snapshot.commit = CommitId::new(Uuid::nil());
                }
            }
            _ => {}
        }
        Ok(found)
    }

    async fn drop_all(&self) -> Result<(), StoreError> {
        *self.dropped.lock().expect("no code panics while it holds this lock") = true;
        if self.lie != Lie::DropsNothing {
            self.kept().clear();
        }
        Ok(())
    }
}
