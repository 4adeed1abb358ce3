//! Loads the streams that jobs need and the book does not have. Meanwhile the lane goes on with other jobs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ticketing_domain::book::{Absorbed, FromSnapshot, NotWhole, Page, Wants};
use ticketing_ports::log::identity::Landmark;
use ticketing_ports::log::streams::{RecordedEvent, StreamId, Version};
use tokio::time::Instant;
use tracing::error;

use super::background::{BackgroundResult, PAGE, answered};
use super::job::Job;
use super::lanes::Lanes;
use super::snapshots::{locate, read_latest, with_snapshot_format};
use super::state::Lane;
use crate::failure::Failure;
use crate::observer::Observed;

/// At most how many times streams are loaded for one job before the job fails. A few times are enough, because the
/// facts of one stream name the next stream that a command needs.
const MOST_ROUNDS: u32 = 8;

impl Lane {
    /// Puts a job aside until the streams that it wants are loaded.
    pub(super) fn park(&mut self, mut job: Job, wants: Wants) {
        if job.progress.rounds >= MOST_ROUNDS {
            let (name, lane) = (job.work.name(), self.id);
            let failure = Failure::Internal(
                format!("{name} in {lane} still lacks streams after {MOST_ROUNDS} loads, the most that are allowed")
                    .into(),
            );
            return self.give_up(job, failure);
        }
        self.observe(Observed::Parked { streams: wants.0.len() });
        job.progress.rounds += 1;
        job.progress.loaded.extend(wants.0.keys());
        self.parked.add(job, wants);
    }

    /// Starts one read of all streams that jobs have asked for since the last call.
    pub(super) fn start_loading(&mut self) {
        let wants = self.parked.take_wanted();
        self.start_reading(wants);
    }

    /// Notes that these streams are loaded, and decides the jobs that wait for no other stream.
    fn decide_loaded(&mut self, streams: Vec<StreamId>) {
        for number in self.parked.loaded(streams) {
            if let Some(job) = self.parked.release(number) {
                self.decide(job);
            }
        }
    }

    /// Gives up the jobs that wait for these streams, because the streams cannot be read.
    fn fail_unloadable(&mut self, streams: impl IntoIterator<Item = StreamId>, failure: &Failure) {
        let mut failed = BTreeSet::new();
        for stream in streams {
            self.book.give_up_loading(stream);
            failed.extend(self.parked.no_longer_loading(stream));
        }
        for number in failed {
            if let Some(job) = self.parked.release(number) {
                self.give_up(job, failure.duplicate());
            }
        }
    }

    /// Ends a job that could not be decided. If the job reports on a payment, the jobs that wait for that payment
    /// fail too: the report is lost here, and comes again only when the payment's deadline is due.
    fn give_up(&mut self, job: Job, failure: Failure) {
        self.fail_jobs_waiting_for(job.work.reports_on());
        match job.work.awaits() {
            // The job goes on waiting, because the next check of its payment may succeed.
            Some(payment) if self.shared && job.progress.waits_durably => {
                self.waiting.entry(payment).or_default().push(job);
            }
            _ => job.fail(failure),
        }
    }

    /// Reads streams in a background task. Each stream begins with its latest snapshot, if it has one.
    fn start_reading(&mut self, Wants(wants): Wants) {
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
    pub(super) fn take_page(
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
