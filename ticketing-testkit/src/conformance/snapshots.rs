//! The conformance tests that every implementation of [`SnapshotStore`] must pass.

use std::fmt;
use std::sync::Arc;

use ticketing_ports::log::deadlines::DeadlineStore;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::idempotency::IdempotencyStore;
use ticketing_ports::log::snapshots::{Snapshot, SnapshotStore};
use ticketing_ports::log::streams::{Aggregate, StreamId, Version};

use super::fixtures::{commit_id, events, stream, write};
use super::race::race;
use super::{Backend, Broken, Verdict, ensure_eq, suite};

suite! { $
    /// A macro that makes a test of each rule for snapshots. Its argument is an expression that returns a new
    /// [`Snapshots`](crate::conformance::snapshots::Snapshots).
    snapshot_store_conformance in snapshots for Snapshots {
        a_snapshot_comes_back_as_it_was_kept,
        a_snapshot_of_4_mib_is_kept,
        a_newer_snapshot_takes_the_place_of_an_older_one,
        an_older_snapshot_does_not_take_the_place_of_a_newer_one,
        of_racing_snapshots_the_newest_is_left,
        streams_do_not_share_snapshots,
        formats_do_not_share_snapshots,
        several_snapshots_are_found_at_once,
        a_snapshot_beyond_the_end_of_its_stream_is_not_found,
        a_snapshot_of_another_past_is_not_found,
        a_snapshot_that_the_log_does_not_confirm_gives_way,
        dropped_snapshots_are_gone,
    }
}

const FORMAT: u16 = 3;

/// An empty store of snapshots and the empty log that they belong to.
pub struct Snapshots {
    pub log: Backend,
    pub store: Arc<dyn SnapshotStore>,
}

impl Snapshots {
    pub fn of<S>(store: S) -> Self
    where
        S: EventStore + DeadlineStore + IdempotencyStore + SnapshotStore + 'static,
    {
        let store = Arc::new(store);
        Self {
            log: Backend {
                store: store.clone(),
                deadlines: store.clone(),
                idempotency: store.clone(),
            },
            store,
        }
    }

    /// Writes the given number of facts to a stream, each in a commit of its own. The commit of version *v* has a
    /// number that is made from the stream and *v*.
    async fn write(&self, of: StreamId, facts: u64) -> Verdict {
        for version in 1..=facts {
            let draft = write(number(of, version)).append(of, version - 1, events(1));
            draft.to(&self.log).await?;
        }
        Ok(())
    }

    async fn latest(&self, of: StreamId) -> Result<Option<Snapshot>, Broken> {
        self.latest_in(of, FORMAT).await
    }

    async fn latest_in(&self, of: StreamId, format: u16) -> Result<Option<Snapshot>, Broken> {
        let mut found = self.store.latest(&[(of, format)]).await?;
        match (found.pop(), found.pop()) {
            (found, None) => Ok(found),
            more => Err(Broken::because(format!(
                "the newest snapshots of one stream are more than one: {more:?}"
            ))),
        }
    }
}

impl fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshots").finish_non_exhaustive()
    }
}

/// Returns the number of the commit that writes the fact of that version.
fn number(of: StreamId, version: u64) -> usize {
    let aggregate = of.aggregate.number() as usize;
    let last_byte = of.id.as_bytes()[15] as usize;
    aggregate * 1_000_000 + last_byte * 1_000 + version as usize
}

/// Returns a snapshot of the facts that [`Snapshots::write`] writes, up to that version.
fn snapshot(of: StreamId, version: u64) -> Snapshot {
    Snapshot {
        stream: of,
        version: Version(version),
        commit: commit_id(number(of, version)),
        format: FORMAT,
        state: format!("{of} after {version} facts").into_bytes(),
    }
}

async fn a_snapshot_comes_back_as_it_was_kept(snapshots: &Snapshots) -> Verdict {
    let none = snapshots.latest(stream(1)).await?;
    ensure_eq!(none, None, "the snapshot of an unknown stream");
    snapshots.write(stream(1), 7).await?;
    let none = snapshots.latest(stream(1)).await?;
    ensure_eq!(none, None, "the snapshot before one was stored");
    let kept = Snapshot {
        format: u16::MAX,
        state: (0..=u8::MAX).rev().collect(),
        ..snapshot(stream(1), 7)
    };
    snapshots.store.keep(kept.clone()).await?;
    let found = snapshots.latest_in(stream(1), u16::MAX).await?;
    ensure_eq!(found, Some(kept), "the stored snapshot");
    let empty = Snapshot {
        state: Vec::new(),
        ..snapshot(stream(1), 7)
    };
    snapshots.store.keep(empty.clone()).await?;
    let found = snapshots.latest(stream(1)).await?;
    ensure_eq!(found, Some(empty), "the stored snapshot without bytes");
    Ok(())
}

async fn a_snapshot_of_4_mib_is_kept(snapshots: &Snapshots) -> Verdict {
    snapshots.write(stream(1), 1).await?;
    let state: Vec<u8> = (0..4_u32 << 20)
        .map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let large = Snapshot {
        state,
        ..snapshot(stream(1), 1)
    };
    snapshots.store.keep(large.clone()).await?;
    let found = snapshots.latest(stream(1)).await?;
    if found != Some(large) {
        return Err(Broken::because("a large snapshot is not read back as it was stored"));
    }
    Ok(())
}

async fn a_newer_snapshot_takes_the_place_of_an_older_one(snapshots: &Snapshots) -> Verdict {
    snapshots.write(stream(1), 12).await?;
    for version in [1, 2, 9, 10, 12] {
        snapshots.store.keep(snapshot(stream(1), version)).await?;
        let found = snapshots.latest(stream(1)).await?;
        ensure_eq!(found, Some(snapshot(stream(1), version)), "the newest snapshot");
    }
    Ok(())
}

async fn an_older_snapshot_does_not_take_the_place_of_a_newer_one(snapshots: &Snapshots) -> Verdict {
    snapshots.write(stream(1), 12).await?;
    for version in [10, 9, 2, 1] {
        snapshots.store.keep(snapshot(stream(1), version)).await?;
        let found = snapshots.latest(stream(1)).await?;
        ensure_eq!(
            found,
            Some(snapshot(stream(1), 10)),
            "the newest snapshot after one of version {version} was stored"
        );
    }
    Ok(())
}

async fn of_racing_snapshots_the_newest_is_left(snapshots: &Snapshots) -> Verdict {
    const RACERS: usize = 8;
    for round in 0..5 {
        snapshots.write(stream(round), RACERS as u64).await?;
        let kept = race(RACERS, |racer| {
            let store = Arc::clone(&snapshots.store);
            // The racers write the versions in a shifted order, so that the newest snapshot is neither the first nor
            // the last to arrive.
            let version = 1 + (racer + RACERS / 2) % RACERS;
            async move { store.keep(snapshot(stream(round), version as u64)).await }
        });
        for kept in kept.await? {
            kept?;
        }
        let found = snapshots.latest(stream(round)).await?;
        ensure_eq!(
            found,
            Some(snapshot(stream(round), RACERS as u64)),
            "the newest snapshot"
        );
    }
    Ok(())
}

async fn streams_do_not_share_snapshots(snapshots: &Snapshots) -> Verdict {
    let of_another_aggregate = StreamId::new(Aggregate::Payment, stream(1).id);
    for (of, version) in [(stream(1), 5), (stream(2), 3), (of_another_aggregate, 4)] {
        snapshots.write(of, 5).await?;
        let none = snapshots.latest(of).await?;
        ensure_eq!(none, None, "the snapshot of {of}, although none was stored");
        snapshots.store.keep(snapshot(of, version)).await?;
    }
    for (of, version) in [(stream(1), 5), (stream(2), 3), (of_another_aggregate, 4)] {
        let found = snapshots.latest(of).await?;
        ensure_eq!(found, Some(snapshot(of, version)), "the snapshot of {of}");
    }
    Ok(())
}

async fn formats_do_not_share_snapshots(snapshots: &Snapshots) -> Verdict {
    snapshots.write(stream(1), 5).await?;
    let newer = Snapshot {
        format: FORMAT + 1,
        ..snapshot(stream(1), 5)
    };
    snapshots.store.keep(newer.clone()).await?;
    let none = snapshots.latest(stream(1)).await?;
    ensure_eq!(none, None, "the snapshot in a format in which none was stored");
    snapshots.store.keep(snapshot(stream(1), 2)).await?;
    let found = snapshots.latest(stream(1)).await?;
    ensure_eq!(found, Some(snapshot(stream(1), 2)), "the snapshot in the older format");
    let found = snapshots.latest_in(stream(1), FORMAT + 1).await?;
    ensure_eq!(found, Some(newer), "the snapshot in the newer format");
    Ok(())
}

async fn several_snapshots_are_found_at_once(snapshots: &Snapshots) -> Verdict {
    for number in 1..=4 {
        snapshots.write(stream(number), 2).await?;
        snapshots.store.keep(snapshot(stream(number), 2)).await?;
    }
    let asked = [4, 9, 2, 3].map(|number| (stream(number), FORMAT));
    let mut found = snapshots.store.latest(&asked).await?;
    found.sort_by_key(|snapshot| snapshot.stream);
    let expected = [2, 3, 4].map(|number| snapshot(stream(number), 2));
    ensure_eq!(found, expected, "the snapshots of the streams that were asked for");
    let found = snapshots.store.latest(&[]).await?;
    ensure_eq!(found, [], "the snapshots of no streams");
    Ok(())
}

async fn a_snapshot_beyond_the_end_of_its_stream_is_not_found(snapshots: &Snapshots) -> Verdict {
    snapshots.write(stream(1), 5).await?;
    for version in [6, 100] {
        snapshots.store.keep(snapshot(stream(1), version)).await?;
        let found = snapshots.latest(stream(1)).await?;
        ensure_eq!(
            found,
            None,
            "the snapshot of version {version}, although the stream has 5 facts"
        );
    }
    snapshots.store.keep(snapshot(stream(2), 1)).await?;
    let found = snapshots.latest(stream(2)).await?;
    ensure_eq!(found, None, "the snapshot of a stream that the log does not have");
    Ok(())
}

async fn a_snapshot_of_another_past_is_not_found(snapshots: &Snapshots) -> Verdict {
    snapshots.write(stream(1), 5).await?;
    let of_another_past = Snapshot {
        commit: commit_id(99),
        ..snapshot(stream(1), 4)
    };
    snapshots.store.keep(of_another_past).await?;
    let found = snapshots.latest(stream(1)).await?;
    ensure_eq!(
        found,
        None,
        "the snapshot that names a commit that the log does not have"
    );
    // The log has that commit, but it wrote another fact than the one at this version.
    let of_another_fact = Snapshot {
        commit: commit_id(number(stream(1), 5)),
        ..snapshot(stream(1), 4)
    };
    snapshots.store.keep(of_another_fact).await?;
    let found = snapshots.latest(stream(1)).await?;
    ensure_eq!(found, None, "the snapshot that names a commit which wrote another fact");
    Ok(())
}

async fn a_snapshot_that_the_log_does_not_confirm_gives_way(snapshots: &Snapshots) -> Verdict {
    snapshots.write(stream(1), 5).await?;
    snapshots.store.keep(snapshot(stream(1), 100)).await?;
    snapshots.store.keep(snapshot(stream(1), 3)).await?;
    let found = snapshots.latest(stream(1)).await?;
    ensure_eq!(
        found,
        Some(snapshot(stream(1), 3)),
        "the snapshot after one beyond the end of the stream was stored"
    );
    let of_another_past = Snapshot {
        commit: commit_id(99),
        ..snapshot(stream(1), 5)
    };
    snapshots.store.keep(of_another_past).await?;
    snapshots.store.keep(snapshot(stream(1), 4)).await?;
    let found = snapshots.latest(stream(1)).await?;
    ensure_eq!(
        found,
        Some(snapshot(stream(1), 4)),
        "the snapshot after one of another past was stored"
    );
    Ok(())
}

async fn dropped_snapshots_are_gone(snapshots: &Snapshots) -> Verdict {
    for number in [1, 2] {
        snapshots.write(stream(number), 3).await?;
        snapshots.store.keep(snapshot(stream(number), 3)).await?;
    }
    snapshots.store.drop_all().await?;
    for number in [1, 2] {
        let found = snapshots.latest(stream(number)).await?;
        ensure_eq!(found, None, "the snapshot after all were dropped");
    }
    snapshots.store.keep(snapshot(stream(1), 2)).await?;
    let found = snapshots.latest(stream(1)).await?;
    ensure_eq!(
        found,
        Some(snapshot(stream(1), 2)),
        "the snapshot that was stored after all were dropped"
    );
    Ok(())
}
