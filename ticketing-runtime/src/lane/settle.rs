//! What became of a commit: answers go out, or what was assumed is taken back and decided again.

use std::time::Duration;

use ticketing_ports::log::event_store::CommitError;
use ticketing_ports::log::streams::{Position, StreamId};
use ticketing_ports::vocabulary::ids::PaymentId;
use tracing::warn;

use super::group::{Entry, Group, Verdict};
use super::job::{End, Job};
use super::{Committed, InFlight, Lane, gateway_calls};
use crate::failure::{Failure, UnavailableCause};
use crate::observer::{Observed, Setback};

/// How many times a job is decided again because other writers were faster; then its caller is told to come back.
const MAX_RETRIES: u32 = 100;

impl Lane {
    pub(super) fn settle(&mut self, flight: InFlight, outcome: Result<Committed, CommitError>) {
        let InFlight {
            mut group, landmarks, ..
        } = flight;
        match outcome {
            Ok(written) => {
                if let Some((_, receipt)) = written.filter(|(_, receipt)| receipt.last > Position::START) {
                    self.position = receipt.last;
                }
                if self.shared {
                    self.remembered.proved(landmarks, written);
                }
                self.book.confirm(self.gathering.from);
                self.keep(std::mem::take(&mut group.snapshots));
                self.conclude(group);
            }
            Err(CommitError::Conflict { streams }) => {
                let jobs = self.take_back_all(group);
                streams.into_iter().for_each(|stream| self.book.suspect(stream));
                self.decide_again(jobs, Setback::LostRace);
            }
            Err(CommitError::KeyTaken { key }) => {
                let jobs = self.take_back_all(group);
                self.key_is_taken(jobs, &key);
            }
            Err(CommitError::LostPast) => self.past_is_lost(group),
            Err(error @ (CommitError::Unavailable(_) | CommitError::Unknown(_))) => {
                warn!(lane = %self.id, error = &error as &dyn std::error::Error, "a commit failed");
                self.commit_failed(group);
            }
        }
    }

    /// Tells everybody whose facts are durable now, makes the calls that were waiting for that, and gives back memory.
    pub(super) fn conclude(&mut self, group: Group) {
        let streams: Vec<StreamId> = group.streams().collect();
        // Before anybody is told: whoever drains the engine then finds them under way.
        for (call, cause) in group.calls {
            gateway_calls::start(call, cause, self.id, &self.lanes);
        }
        for Entry { mut job, verdict } in group.entries {
            match verdict {
                Verdict::Answered => job.end(End::Answered(self.position)),
                Verdict::Awaits(_) => {
                    job.progress.waits_durably = true;
                    self.decide(job);
                }
            }
        }
        for stream in streams {
            if !self.gathering.touches(stream) && !self.parked.pins(stream) {
                self.book.forget_if_settled(stream);
            }
        }
    }

    /// Nobody knows whether it was written, or nothing was. Its callers are told, also those who waited for the gateway:
    /// nothing may ever wake them, if it was written after all.
    fn commit_failed(&mut self, failed: Group) {
        self.book.roll_back(failed.from);
        failed.streams().for_each(|stream| self.book.doubt(stream));
        let gathered = self.take_gathered();
        for entry in failed.entries {
            self.tell_who_waits_for(entry.job.work.reports_on());
            entry.job.fail(not_taken());
        }
        let jobs = self.undecided(gathered);
        self.decide_again(jobs, Setback::FailedCommit);
    }

    /// Undoes what was assumed in a failed group and in the one gathered on top of it; returns the jobs of both in their
    /// order.
    pub(super) fn take_back_all(&mut self, failed: Group) -> Vec<Job> {
        self.book.roll_back(failed.from);
        let mut jobs = self.undecided(failed);
        let gathered = self.take_gathered();
        jobs.extend(self.undecided(gathered));
        jobs
    }

    /// The group being gathered, whose facts have been rolled back.
    fn take_gathered(&mut self) -> Group {
        std::mem::replace(&mut self.gathering, Group::starting_at(self.book.mark()))
    }

    /// The jobs of a group that was taken back. Those who waited for the gateway wait again.
    fn undecided(&mut self, group: Group) -> Vec<Job> {
        let mut jobs = Vec::new();
        for Entry { mut job, .. } in group.entries {
            job.work.take_back(job.progress.waits_durably);
            jobs.push(job);
        }
        jobs
    }

    pub(super) fn decide_again(&mut self, jobs: Vec<Job>, because: Setback) {
        let thrown_away = jobs.len();
        self.observe(Observed::ThrownAway {
            jobs: thrown_away,
            because,
        });
        for mut job in jobs {
            // Who waits for the gateway has nothing to lose by waiting on.
            job.progress.retries += u32::from(!job.progress.waits_durably);
            job.progress.rounds = 0;
            if job.progress.retries > MAX_RETRIES {
                let retry_after = Duration::from_secs(1);
                job.fail(Failure::Busy { retry_after });
            } else {
                self.decide(job);
            }
        }
    }

    pub(super) fn tell_who_waits_for(&mut self, payment: Option<PaymentId>) {
        let waiting = payment.and_then(|payment| self.waiting.remove(&payment));
        for job in waiting.unwrap_or_default() {
            job.fail(not_taken());
        }
    }
}

fn not_taken() -> Failure {
    Failure::Unavailable(UnavailableCause::Store(
        "the event store did not take the commit".into(),
    ))
}
