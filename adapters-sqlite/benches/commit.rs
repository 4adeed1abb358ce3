//! Measures how many holds the store makes durable in a second, for several numbers of holds in a commit and of
//! callers at the same time.
//!
//! A hold is two events (one opens a reservation, one is appended to its section) and a deadline. Run with
//! `cargo bench -p adapters-sqlite`.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use adapters_sqlite::SqliteStore;
use chrono::DateTime;
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::{CausedDeadline, Deadline, DeadlineKey, DeadlineKind, DeadlineWrite};
use ticketing_ports::log::event_store::{Append, Commit, EventStore};
use ticketing_ports::log::streams::{Metadata, NewEvent, StreamId, Version};
use ticketing_ports::vocabulary::ids::{CommitId, EventId, ReservationId, SectionId};
use uuid::Uuid;

const RUN: Duration = Duration::from_secs(3);

#[expect(clippy::print_stdout, reason = "the figures are the purpose of the program")]
fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a Tokio runtime can be started");
    let mut single = None;
    for (callers, holds) in [(1, 1), (1, 100), (1, 500), (1, 1000), (2, 500), (64, 1)] {
        let rate = runtime.block_on(measure(callers, holds));
        let ratio = rate / *single.get_or_insert(rate);
        println!("{callers:>3} callers, {holds:>4} holds a commit: {rate:>8.0} holds/s, {ratio:>5.1} x");
    }
}

async fn measure(callers: u64, holds: u64) -> f64 {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let store = SqliteStore::open(directory.path().join("bench.db"))
        .await
        .expect("a new file can be opened");
    let ids = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| tokio::spawn(hold_seats(store.clone(), Arc::clone(&ids), caller, holds, started)))
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await.expect("no caller panics");
    }
    let rate = done as f64 / started.elapsed().as_secs_f64();
    store.close().await;
    rate
}

/// Commits holds of one section for as long as the measurement runs, and returns how many holds were written.
async fn hold_seats(store: SqliteStore, ids: Arc<AtomicU64>, caller: u64, holds: u64, started: Instant) -> u64 {
    let section = SectionId::new(Uuid::from_u64_pair(caller, u64::MAX)).into();
    let mut done = 0;
    while started.elapsed() < RUN {
        let now = DateTime::UNIX_EPOCH + started.elapsed();
        store
            .commit(commit(&ids, section, done, holds, now))
            .await
            .expect("no other caller writes to this section");
        done += holds;
    }
    done
}

fn commit(ids: &AtomicU64, section: StreamId, done: u64, holds: u64, at: Timestamp) -> Commit {
    let event_id = EventId::new(Uuid::from_u64_pair(1, 1));
    // Makes an id that is sorted like a version 7 UUID: first a rising number (in place of the time), and then bits
    // that look random.
    let new_id = || {
        let number = ids.fetch_add(1, Ordering::Relaxed);
        Uuid::from_u64_pair(number >> 6, number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    };
    let mut appends = Vec::new();
    let mut deadlines = Vec::new();
    for _ in 0..holds {
        let stream = ReservationId::new(new_id()).into();
        appends.push(Append {
            stream,
            expected: Version::NONE,
            events: vec![event("reservation_opened")],
        });
        deadlines.push(DeadlineWrite::Set(CausedDeadline {
            deadline: Deadline {
                key: DeadlineKey {
                    stream,
                    kind: DeadlineKind::HoldExpiry,
                },
                due_at: at + Duration::from_secs(300),
                lane: event_id.into(),
            },
            cause: Metadata::default(),
        }));
    }
    appends.push(Append {
        stream: section,
        expected: Version(done),
        events: (0..holds).map(|_| event("seats_held")).collect(),
    });
    Commit {
        id: CommitId::new(new_id()),
        lane: event_id.into(),
        at,
        appends,
        deadlines,
        idempotency: Vec::new(),
        landmarks: Vec::new(),
    }
}

fn event(name: &'static str) -> NewEvent {
    NewEvent {
        event_type: Cow::Borrowed(name),
        event_version: 1,
        data: br#"{"reservation_id":"01912f3c-7b1e-7d3a-9a53-0242ac120002","seats":[{"row":"A","number":1},{"row":"A","number":2}],"expires_at":"2027-03-14T12:05:00Z"}"#.to_vec(),
        metadata: Metadata::default(),
    }
}
