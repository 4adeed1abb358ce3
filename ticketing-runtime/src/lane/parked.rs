//! The jobs that wait until streams are loaded which the book does not have.

use std::collections::{BTreeMap, BTreeSet};

use ticketing_domain::book::Wants;
use ticketing_ports::log::streams::StreamId;

use super::job::Job;

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

    /// Puts a job aside until the streams that it wants are loaded.
    pub(super) fn add(&mut self, job: Job, wants: Wants) {
        self.pin(&job);
        let number = self.next;
        self.next += 1;
        let missing = wants.0.keys().copied().collect();
        for (stream, after) in wants.0 {
            let waiting = self.loading.entry(stream).or_default();
            if waiting.is_empty() {
                self.wanted.0.insert(stream, after);
            }
            waiting.push(number);
        }
        self.jobs.insert(number, ParkedJob { job, missing });
    }

    /// Takes the streams that jobs have asked for since the last call.
    pub(super) fn take_wanted(&mut self) -> Wants {
        std::mem::take(&mut self.wanted)
    }

    /// Notes that these streams are loaded. Returns the numbers of the jobs that wait for no other stream.
    pub(super) fn loaded(&mut self, streams: Vec<StreamId>) -> BTreeSet<u64> {
        let mut ready = BTreeSet::new();
        for stream in streams {
            for number in self.no_longer_loading(stream) {
                if let Some(waiting) = self.jobs.get_mut(&number) {
                    waiting.missing.remove(&stream);
                    if waiting.missing.is_empty() {
                        ready.insert(number);
                    }
                }
            }
        }
        ready
    }

    /// Notes that a stream is no longer being read. Returns the numbers of the jobs that wait for it.
    pub(super) fn no_longer_loading(&mut self, stream: StreamId) -> Vec<u64> {
        self.loading.remove(&stream).unwrap_or_default()
    }

    /// Takes out the job with a number. `None` if it was taken out before.
    pub(super) fn release(&mut self, number: u64) -> Option<Job> {
        let job = self.jobs.remove(&number)?.job;
        self.unpin(&job);
        Some(job)
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
}
