//! What a lane does in background tasks while it goes on deciding: reading streams, looking idempotency keys up, and
//! repeating recorded answers.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;

use ticketing_domain::book::{Absorbed, FromSnapshot, NotWhole, Page, Wants};
use ticketing_ports::log::event_store::{EventStore, Memory};
use ticketing_ports::log::identity::Landmark;
use ticketing_ports::log::streams::{RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;
use tokio::task::JoinError;
use tokio::time::Instant;
use tracing::error;

use super::Lane;
use super::job::{Job, JobOutcome};
use super::keys::Found;
use super::lanes::Lanes;
use super::snapshots::{locate, read_latest, with_snapshot_format};
use crate::failure::Failure;
use crate::observer::Observed;

/// At most how many facts one read of the log returns.
pub(super) const PAGE: usize = 2_000;

/// The result of a background task of a lane.
#[derive(Debug)]
pub(super) enum BackgroundResult {
    StreamsRead {
        /// The snapshots that were read for some of the streams. The facts of such a stream are those after its
        /// snapshot.
        snapshots: Vec<FromSnapshot>,
        /// For each snapshot, where in the log the last fact is that the snapshot includes.
        landmarks: Vec<Landmark>,
        asked: Vec<(StreamId, Version)>,
        facts: Result<Vec<RecordedEvent>, Failure>,
    },
    KeysLookedUp {
        jobs: Vec<Job>,
        found: Result<Found, Failure>,
    },
    /// The payments that jobs wait for and that another process has written to.
    PaymentsMoved(Result<Vec<StreamId>, Failure>),
    JobEnded {
        job: Job,
        end: JobOutcome,
    },
}

impl Lane {
    pub(super) fn take_background_result(&mut self, result: Result<BackgroundResult, JoinError>) {
        match result {
            Ok(BackgroundResult::StreamsRead {
                snapshots,
                landmarks,
                asked,
                facts,
            }) => self.take_page(snapshots, landmarks, asked, facts),
            Ok(BackgroundResult::KeysLookedUp { jobs, found }) => self.looked_up(jobs, found),
            Ok(BackgroundResult::PaymentsMoved(moved)) => self.decide_moved_payments(moved),
            Ok(BackgroundResult::JobEnded { job, end }) => job.end(end),
            // `answered` catches the panics of stores, so this panic is a bug in the lane itself.
            Err(panic) => {
                error!(lane = %self.id, error = &panic as &dyn std::error::Error, "a background task of a lane panicked");
            }
        }
    }

    /// Reads streams in a background task. Each stream begins with its latest snapshot, if it has one.
    pub(super) fn start_reading(&mut self, Wants(wants): Wants) {
        if wants.is_empty() {
            return;
        }
        let lanes = Arc::clone(&self.lanes);
        self.background.spawn(async move {
            let mut wants = wants;
            let asked: Vec<_> = wants.iter().map(|(stream, after)| (*stream, *after)).collect();
            let store = lanes.ports.events.as_ref();
            let snapshots = read_latest(lanes.ports.snapshots.as_ref(), &with_snapshot_format(&asked)).await;
            let (snapshots, landmarks) = locate(store, snapshots).await;
            wants.extend(snapshots.iter().map(|snapshot| (snapshot.stream, snapshot.version)));
            read_page(&lanes, snapshots, landmarks, wants.into_iter().collect()).await
        });
    }

    /// Gives the book the facts that were read. If the page is full, reads on from where the page ended.
    fn take_page(
        &mut self,
        snapshots: Vec<FromSnapshot>,
        landmarks: Vec<Landmark>,
        asked: Vec<(StreamId, Version)>,
        facts: Result<Vec<RecordedEvent>, Failure>,
    ) {
        let facts = match facts {
            Ok(facts) => facts,
            Err(failure) => {
                return self.fail_unloadable(asked.into_iter().map(|(stream, _)| stream), &failure);
            }
        };
        if self.shared {
            self.known_past.read(&facts, landmarks, self.lanes.log.incarnation());
        }
        self.begin_with(snapshots);
        let unfinished = if facts.len() < PAGE {
            None
        } else {
            facts.last().map(|fact| fact.stream)
        };
        let mut by_stream: BTreeMap<StreamId, Vec<RecordedEvent>> = BTreeMap::new();
        for fact in facts {
            by_stream.entry(fact.stream).or_default().push(fact);
        }
        let mut rest = Vec::new();
        let mut loaded = Vec::new();
        let mut taken = Vec::new();
        for (stream, after) in asked {
            if !rest.is_empty() {
                rest.push((stream, after));
                continue;
            }
            let facts = by_stream.remove(&stream).unwrap_or_default();
            let more = unfinished == Some(stream);
            let page = if more { Page::MoreToCome } else { Page::Last };
            match self.book.absorb(stream, after, &facts, page) {
                Ok(_) if more => rest.push((stream, facts.last().map_or(after, |last| last.version))),
                Ok(absorbed) => {
                    let last = facts.last().filter(|_| absorbed == Absorbed::Taken);
                    taken.extend(last.and_then(|last| self.snapshot_at(last)));
                    loaded.push(stream);
                }
                Err(not_whole) => self.fail_unloadable([stream], &unreadable(stream, not_whole)),
            }
        }
        self.store_once_proved(taken);
        if !rest.is_empty() {
            let lanes = Arc::clone(&self.lanes);
            self.background
                .spawn(async move { read_page(&lanes, Vec::new(), Vec::new(), rest).await });
        }
        self.decide_loaded(loaded);
    }
}

async fn read_page(
    lanes: &Lanes,
    snapshots: Vec<FromSnapshot>,
    landmarks: Vec<Landmark>,
    asked: Vec<(StreamId, Version)>,
) -> BackgroundResult {
    let began = Instant::now();
    let facts = answered(lanes.ports.events.read_streams(&asked, PAGE)).await;
    if let Ok(facts) = &facts {
        lanes.config.observer.observe(Observed::Loaded {
            snapshots: snapshots.len(),
            facts: facts.len(),
            took: began.elapsed(),
        });
    }
    BackgroundResult::StreamsRead {
        snapshots,
        landmarks,
        asked,
        facts,
    }
}

fn unreadable(stream: StreamId, not_whole: NotWhole) -> Failure {
    let error = &not_whole as &dyn std::error::Error;
    error!(%stream, error, "the facts of a stream cannot be applied; the jobs that need it fail");
    Failure::Internal(not_whole.into())
}

/// Asks the store which of these streams are no longer at the version that the lane knows.
pub(super) async fn stale_among(store: Arc<dyn EventStore>, seen: Vec<(StreamId, Version)>) -> BackgroundResult {
    let memory = answered(store.check_memory(&seen, &[])).await;
    BackgroundResult::PaymentsMoved(memory.map(|memory| match memory {
        Memory::Stale(streams) => streams,
        Memory::Current | Memory::OfALostPast => Vec::new(),
    }))
}

/// Awaits a store's answer. A panic of the store becomes a [`Failure`], so that the callers who wait are answered.
pub(super) async fn answered<T>(read: impl Future<Output = Result<T, StoreError>>) -> Result<T, Failure> {
    match AssertUnwindSafe(read).catch_unwind().await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::Internal("a call to a store panicked".into())),
    }
}
