//! Jobs that need streams which the book does not have. While the streams are read, the lane goes on with other jobs.

use std::collections::{BTreeMap, BTreeSet};

use ticketing_domain::book::Wants;
use ticketing_ports::log::streams::StreamId;

use super::Lane;
use super::job::Job;
use crate::failure::Failure;
use crate::observer::Observed;

/// At most how many times streams are loaded for one job before the job fails. A few times are enough, because the
/// facts of one stream name the next stream that a command needs.
const MOST_ROUNDS: u32 = 8;

/// The parked jobs of a lane, numbered in the order in which they were parked.
#[derive(Debug, Default)]
pub(super) struct Parked {
    next: u64,
    jobs: BTreeMap<u64, ParkedJob>,
    /// For each stream that is being read, the numbers of the jobs that wait for it.
    loading: BTreeMap<StreamId, Vec<u64>>,
    /// The streams that the next read of the log will ask for.
    wanted: Wants,
    /// For each stream, how many parked jobs need the book to keep it.
    pinned: BTreeMap<StreamId, u32>,
}

#[derive(Debug)]
struct ParkedJob {
    job: Job,
    missing: BTreeSet<StreamId>,
}

impl Parked {
    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    pub(super) fn pins(&self, stream: StreamId) -> bool {
        self.pinned.contains_key(&stream)
    }

    fn pin(&mut self, job: &Job) {
        for stream in &job.progress.loaded {
            *self.pinned.entry(*stream).or_default() += 1;
        }
    }

    fn unpin(&mut self, job: &Job) {
        for stream in &job.progress.loaded {
            if let Some(count) = self.pinned.get_mut(stream) {
                *count -= 1;
                if *count == 0 {
                    self.pinned.remove(stream);
                }
            }
        }
    }

    fn release(&mut self, number: u64) -> Option<Job> {
        let job = self.jobs.remove(&number)?.job;
        self.unpin(&job);
        Some(job)
    }
}

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
        self.parked.pin(&job);
        let number = self.parked.next;
        self.parked.next += 1;
        let missing = wants.0.keys().copied().collect();
        for (stream, after) in wants.0 {
            let waiting = self.parked.loading.entry(stream).or_default();
            if waiting.is_empty() {
                self.parked.wanted.0.insert(stream, after);
            }
            waiting.push(number);
        }
        self.parked.jobs.insert(number, ParkedJob { job, missing });
    }

    /// Starts one read of all streams that jobs have asked for since the last call.
    pub(super) fn start_loading(&mut self) {
        let wants = std::mem::take(&mut self.parked.wanted);
        self.start_reading(wants);
    }

    /// Notes that these streams are loaded, and decides the jobs that wait for no other stream.
    pub(super) fn decide_loaded(&mut self, streams: Vec<StreamId>) {
        let mut ready = BTreeSet::new();
        for stream in streams {
            for number in self.parked.loading.remove(&stream).unwrap_or_default() {
                if let Some(waiting) = self.parked.jobs.get_mut(&number) {
                    waiting.missing.remove(&stream);
                    if waiting.missing.is_empty() {
                        ready.insert(number);
                    }
                }
            }
        }
        for number in ready {
            if let Some(job) = self.parked.release(number) {
                self.decide(job);
            }
        }
    }

    /// Gives up the jobs that wait for these streams, because the streams cannot be read.
    pub(super) fn fail_unloadable(&mut self, streams: impl IntoIterator<Item = StreamId>, failure: &Failure) {
        let mut failed = BTreeSet::new();
        for stream in streams {
            self.book.give_up_loading(stream);
            failed.extend(self.parked.loading.remove(&stream).unwrap_or_default());
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
}
