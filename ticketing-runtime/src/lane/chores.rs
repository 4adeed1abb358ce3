//! What a lane lets others do while it goes on deciding: reading streams, looking keys up, answering again.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;

use ticketing_domain::book::{Absorbed, FromSnapshot, NotWhole, Page, Wants};
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::identity::Landmark;
use ticketing_ports::log::streams::{RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;
use tokio::task::JoinError;
use tokio::time::Instant;
use tracing::error;

use super::Lane;
use super::job::{End, Job};
use super::keys::Found;
use super::lanes::Lanes;
use super::snapshots::{located, read_latest, worth_asking};
use crate::failure::Failure;
use crate::observer::Observed;

/// How many facts are read at once.
pub(super) const PAGE: usize = 2_000;

/// What came of something that was done beside the lane.
#[derive(Debug)]
pub(super) enum Chore {
    Read {
        /// What some of the streams begin with; the facts go on after it.
        snapshots: Vec<FromSnapshot>,
        /// Where the log has the last facts that went into these.
        landmarks: Vec<Landmark>,
        asked: Vec<(StreamId, Version)>,
        facts: Result<Vec<RecordedEvent>, Failure>,
    },
    LookedUp {
        jobs: Vec<Job>,
        found: Result<Found, Failure>,
    },
    /// Which payments that are waited for somebody else has moved.
    MovedOn(Result<Vec<StreamId>, Failure>),
    Ended {
        job: Job,
        end: End,
    },
}

impl Lane {
    pub(super) fn finish_chore(&mut self, chore: Result<Chore, JoinError>) {
        match chore {
            Ok(Chore::Read {
                snapshots,
                landmarks,
                asked,
                facts,
            }) => self.take_page(snapshots, landmarks, asked, facts),
            Ok(Chore::LookedUp { jobs, found }) => self.looked_up(jobs, found),
            Ok(Chore::MovedOn(moved)) => self.look_after_payments(moved),
            Ok(Chore::Ended { job, end }) => job.end(end),
            // No store is asked unguarded, so this is a bug of the lane itself.
            Err(panic) => {
                error!(lane = %self.id, error = &panic as &dyn std::error::Error, "a task of a lane panicked");
            }
        }
    }

    /// Reads streams in a task of its own, from the latest snapshot of each.
    pub(super) fn start_reading(&mut self, Wants(wants): Wants) {
        if wants.is_empty() {
            return;
        }
        let lanes = Arc::clone(&self.lanes);
        self.chores.spawn(async move {
            let mut wants = wants;
            let asked: Vec<_> = wants.iter().map(|(stream, after)| (*stream, *after)).collect();
            let store = lanes.ports.events.as_ref();
            let snapshots = read_latest(lanes.ports.snapshots.as_ref(), &worth_asking(&asked)).await;
            let (snapshots, landmarks) = located(store, snapshots).await;
            wants.extend(snapshots.iter().map(|snapshot| (snapshot.stream, snapshot.version)));
            read_page(&lanes, snapshots, landmarks, wants.into_iter().collect()).await
        });
    }

    /// Takes in what was read. A full page ends somewhere; what comes after it is asked for next.
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
                return self.cannot_load(asked.into_iter().map(|(stream, _)| stream), &failure);
            }
        };
        if self.shared {
            self.remembered.read(&facts, landmarks, self.lanes.log.incarnation());
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
                Err(not_whole) => self.cannot_load([stream], &unreadable(stream, not_whole)),
            }
        }
        self.keep_once_proved(taken);
        if !rest.is_empty() {
            let lanes = Arc::clone(&self.lanes);
            self.chores
                .spawn(async move { read_page(&lanes, Vec::new(), Vec::new(), rest).await });
        }
        self.have_loaded(loaded);
    }
}

async fn read_page(
    lanes: &Lanes,
    snapshots: Vec<FromSnapshot>,
    landmarks: Vec<Landmark>,
    asked: Vec<(StreamId, Version)>,
) -> Chore {
    let began = Instant::now();
    let facts = answered(lanes.ports.events.read_streams(&asked, PAGE)).await;
    if let Ok(facts) = &facts {
        lanes.config.observer.observe(Observed::Loaded {
            snapshots: snapshots.len(),
            facts: facts.len(),
            took: began.elapsed(),
        });
    }
    Chore::Read {
        snapshots,
        landmarks,
        asked,
        facts,
    }
}

fn unreadable(stream: StreamId, not_whole: NotWhole) -> Failure {
    error!(%stream, error = &not_whole as &dyn std::error::Error, "a stream cannot be read");
    Failure::Internal(not_whole.into())
}

/// Looks which streams are elsewhere than they were seen.
pub(super) async fn moved_on(store: Arc<dyn EventStore>, seen: Vec<(StreamId, Version)>) -> Chore {
    Chore::MovedOn(answered(store.moved_on(&seen)).await)
}

/// What a store says. A store that panics is a bug, and whoever waits for it has to hear of that.
pub(super) async fn answered<T>(read: impl Future<Output = Result<T, StoreError>>) -> Result<T, Failure> {
    match AssertUnwindSafe(read).catch_unwind().await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::Internal("a store panicked".into())),
    }
}
