//! Handling the outcome of a commit: callers are answered, or the decisions are rolled back and the jobs decided again.

use std::time::Duration;

use ticketing_domain::book::Book;
use ticketing_ports::log::event_store::CommitError;
use ticketing_ports::log::streams::{Position, StreamId};
use ticketing_ports::vocabulary::ids::PaymentId;
use tracing::{error, warn};

use super::gateway_calls;
use super::group::{Entry, Group, Verdict};
use super::job::{Job, JobOutcome};
use super::known_past::KnownPast;
use super::state::{Committed, InFlight, Lane};
use crate::failure::{Failure, UnavailableCause};
use crate::observer::{Observed, Setback};

/// At most how many times a job is decided again after losing to another writer. After that, its caller gets
/// [`Failure::Busy`].
const MAX_RETRIES: u32 = 100;

impl Lane {
    pub(super) fn take_outcome(&mut self, flight: InFlight, outcome: Result<Committed, CommitError>) {
        let InFlight {
            mut group, landmarks, ..
        } = flight;
        match outcome {
            Ok(written) => {
                if let Some((_, receipt)) = written.filter(|(_, receipt)| receipt.last > Position::START) {
                    self.position = receipt.last;
                }
                if self.shared {
                    self.known_past.proved(landmarks, written);
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
                let error = &error as &dyn std::error::Error;
                warn!(lane = %self.id, error, "a commit failed or its outcome stayed unknown; its callers get an error");
                self.commit_failed(group);
            }
        }
    }

    /// Answers the jobs of a durable group, starts its calls to the gateway, and lets the book forget dormant
    /// streams.
    pub(super) fn conclude(&mut self, group: Group) {
        let streams: Vec<StreamId> = group.streams().collect();
        // The calls start before the answers go out, so that a drain which begins after an answer waits for the calls
        // too.
        for (call, cause) in group.calls {
            gateway_calls::start(call, cause, self.id, &self.lanes);
        }
        for Entry { mut job, verdict } in group.entries {
            match verdict {
                Verdict::Answered => job.end(JobOutcome::Answered(self.position)),
                Verdict::Awaits(_) => {
                    job.progress.waits_durably = true;
                    self.decide(job);
                }
            }
        }
        for stream in streams {
            if !self.gathering.touches(stream) && !self.parked.pins(stream) {
                self.book.forget_if_dormant(stream);
            }
        }
    }

    /// Fails the jobs of a group that was not written, or whose outcome is unknown. Jobs that wait for the gateway
    /// fail too: if the group was written after all, nothing in this lane would wake them.
    fn commit_failed(&mut self, failed: Group) {
        self.book.roll_back(failed.from);
        failed.streams().for_each(|stream| self.book.doubt(stream));
        let gathered = self.take_gathered();
        for entry in failed.entries {
            self.fail_jobs_waiting_for(entry.job.work.reports_on());
            entry.job.fail(commit_not_taken());
        }
        let jobs = self.jobs_to_decide_again(gathered);
        self.decide_again(jobs, Setback::FailedCommit);
    }

    /// Forgets everything the lane knows and decides its jobs again on the log as it is now. Jobs that wait for the
    /// gateway are decided again too, because their payments may be lost.
    fn past_is_lost(&mut self, group: Group) {
        error!(lane = %self.id, "the log has lost facts that a lane remembers; the lane starts over");
        let mut jobs = self.take_back_all(group);
        jobs.extend(std::mem::take(&mut self.waiting).into_values().flatten());
        self.book = Book::new(self.id);
        self.gathering = Group::starting_at(self.book.savepoint());
        self.known_past = KnownPast::default();
        self.snapshots.forget();
        self.position = Position::START;
        self.decide_again(jobs, Setback::LostPast);
    }

    /// Rolls back a failed group and the group gathered after it. Returns the jobs of both in their order.
    fn take_back_all(&mut self, failed: Group) -> Vec<Job> {
        self.book.roll_back(failed.from);
        let mut jobs = self.jobs_to_decide_again(failed);
        let gathered = self.take_gathered();
        jobs.extend(self.jobs_to_decide_again(gathered));
        jobs
    }

    /// Takes the group that is being gathered, after its facts have been rolled back, and begins an empty one.
    fn take_gathered(&mut self) -> Group {
        std::mem::replace(&mut self.gathering, Group::starting_at(self.book.savepoint()))
    }

    /// Takes the jobs out of a group that was rolled back. Jobs that waited for the gateway before will wait again.
    fn jobs_to_decide_again(&mut self, group: Group) -> Vec<Job> {
        let mut jobs = Vec::new();
        for Entry { mut job, .. } in group.entries {
            job.work.take_back(job.progress.waits_durably);
            jobs.push(job);
        }
        jobs
    }

    /// Decides jobs again whose decisions were rolled back. A job that has been retried too often fails with
    /// [`Failure::Busy`].
    pub(super) fn decide_again(&mut self, jobs: Vec<Job>, because: Setback) {
        let thrown_away = jobs.len();
        self.observe(Observed::ThrownAway {
            jobs: thrown_away,
            because,
        });
        for mut job in jobs {
            // The retries of a job that waits for the gateway are not limited, because its payment is in the log and
            // goes on anyway.
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

    /// Fails the jobs that wait for this payment, because the report about the payment was not recorded.
    pub(super) fn fail_jobs_waiting_for(&mut self, payment: Option<PaymentId>) {
        let waiting = payment.and_then(|payment| self.waiting.remove(&payment));
        for job in waiting.unwrap_or_default() {
            job.fail(commit_not_taken());
        }
    }
}

fn commit_not_taken() -> Failure {
    Failure::Unavailable(UnavailableCause::CommitFailed)
}
