//! Jobs that need more of the log to be loaded. They wait beside the lane, which goes on with everybody else.

use std::collections::{BTreeMap, BTreeSet};

use ticketing_domain::book::Wants;
use ticketing_ports::log::streams::StreamId;

use super::Lane;
use super::job::Job;
use crate::failure::Failure;
use crate::observer::Observed;

/// How many times something is loaded for one job. What a stream names can be loaded next, so a handful is enough.
const MOST_ROUNDS: u32 = 8;

#[derive(Debug, Default)]
pub(super) struct Parked {
    next: u64,
    jobs: BTreeMap<u64, Waiting>,
    /// Who waits for each stream that is being read.
    loading: BTreeMap<StreamId, Vec<u64>>,
    /// To be read with the next statement.
    wanted: Wants,
    /// How many parked jobs want that each of these streams is not forgotten.
    pinned: BTreeMap<StreamId, u32>,
}

#[derive(Debug)]
struct Waiting {
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

    fn release(&mut self, ticket: u64) -> Option<Job> {
        let job = self.jobs.remove(&ticket)?.job;
        self.unpin(&job);
        Some(job)
    }
}

impl Lane {
    /// Puts a job aside until what it wants is loaded.
    pub(super) fn park(&mut self, mut job: Job, wants: Wants) {
        if job.progress.rounds >= MOST_ROUNDS {
            let (name, lane) = (job.work.name(), self.id);
            let failure = Failure::Internal(format!("{name} in {lane} always wants more to be loaded").into());
            return self.give_up(job, failure);
        }
        self.observe(Observed::Parked { streams: wants.0.len() });
        job.progress.rounds += 1;
        job.progress.loaded.extend(wants.0.keys());
        self.parked.pin(&job);
        let ticket = self.parked.next;
        self.parked.next += 1;
        let missing = wants.0.keys().copied().collect();
        for (stream, after) in wants.0 {
            let waiting = self.parked.loading.entry(stream).or_default();
            if waiting.is_empty() {
                self.parked.wanted.0.insert(stream, after);
            }
            waiting.push(ticket);
        }
        self.parked.jobs.insert(ticket, Waiting { job, missing });
    }

    /// Reads what was wanted since the last time, in one statement.
    pub(super) fn start_loading(&mut self) {
        let wants = std::mem::take(&mut self.parked.wanted);
        self.start_reading(wants);
    }

    /// Decides the jobs for which everything is loaded now.
    pub(super) fn have_loaded(&mut self, streams: Vec<StreamId>) {
        let mut ready = BTreeSet::new();
        for stream in streams {
            for ticket in self.parked.loading.remove(&stream).unwrap_or_default() {
                if let Some(waiting) = self.parked.jobs.get_mut(&ticket) {
                    waiting.missing.remove(&stream);
                    if waiting.missing.is_empty() {
                        ready.insert(ticket);
                    }
                }
            }
        }
        for ticket in ready {
            if let Some(job) = self.parked.release(ticket) {
                self.decide(job);
            }
        }
    }

    /// Tells the jobs that wait for streams which cannot be read.
    pub(super) fn cannot_load(&mut self, streams: impl IntoIterator<Item = StreamId>, failure: &Failure) {
        let mut hopeless = BTreeSet::new();
        for stream in streams {
            self.book.give_up_loading(stream);
            hopeless.extend(self.parked.loading.remove(&stream).unwrap_or_default());
        }
        for ticket in hopeless {
            if let Some(job) = self.parked.release(ticket) {
                self.give_up(job, failure.again());
            }
        }
    }

    /// Ends a job that could not be decided. What it reports of a payment is lost here, and is asked for again only when
    /// the payment's deadline is due: nobody is kept waiting for that.
    fn give_up(&mut self, job: Job, failure: Failure) {
        self.tell_who_waits_for(job.work.reports_on());
        match job.work.awaits() {
            // The next look at what is waited for may succeed.
            Some(payment) if self.shared && job.progress.waits_durably => {
                self.waiting.entry(payment).or_default().push(job);
            }
            _ => job.fail(failure),
        }
    }
}
