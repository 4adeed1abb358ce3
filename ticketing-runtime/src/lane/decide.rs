//! A job is decided: its answer, or what it waits for, goes into the group that is committed next.

use std::collections::BTreeSet;
use std::sync::Arc;

use ticketing_domain::book::Staged;
use ticketing_domain::reducer::Context;
use ticketing_ports::log::streams::Aggregate;
use ticketing_ports::vocabulary::ids::PaymentId;
use tokio::time::Instant;

use super::Lane;
use super::group::Verdict;
use super::job::{Done, Job};
use crate::observer::Observed;

impl Lane {
    /// Decides a job on what the book knows, or parks it until the book knows more.
    pub(super) fn decide(&mut self, mut job: Job) {
        let done = self.run_job(&mut job);
        if !matches!(done, Done::Load(_)) {
            job.progress.rounds = 0;
        }
        match done {
            Done::Load(wants) => self.park(job, wants),
            Done::Answered(staged) if staged.is_idle() && job.commits_no_key() => self.look_up_first(job),
            Done::Answered(staged) => self.answered(job, staged),
            Done::Awaits(payment, staged) => self.awaits(job, payment, staged),
        }
    }

    fn run_job(&mut self, job: &mut Job) -> Done {
        let ids = Arc::clone(&self.lanes.ports.ids);
        let ctx = Context {
            now: self.lanes.ports.clock.now(),
            ids: ids.as_ref(),
            floor: self.lanes.floor.now(),
        };
        let began = Instant::now();
        let done = job.work.run(&mut self.book, &ctx, job.caller);
        self.observe(Observed::Decided {
            command: job.work.name(),
            took: began.elapsed(),
        });
        done
    }

    fn answered(&mut self, job: Job, staged: Staged) {
        let moved = moved_payments(&job, &staged);
        self.stage(staged, &job);
        self.gathering.record(&job, self.lanes.ports.clock.now());
        self.gathering.push(job, Verdict::Answered);
        self.wake_who_waits_for(moved);
    }

    /// Keeps a job until the gateway has answered. What is known already is answered with the next commit.
    fn awaits(&mut self, mut job: Job, payment: PaymentId, staged: Staged) {
        let moved = moved_payments(&job, &staged);
        if job.progress.waits_durably && staged.is_idle() {
            self.waiting.entry(payment).or_default().push(job);
            return;
        }
        if !staged.is_idle() {
            // It may have been tried anew: what it waits for now is in no log yet.
            job.progress.waits_durably = false;
            if !job.progress.pending_recorded {
                self.gathering.record(&job, self.lanes.ports.clock.now());
            }
        }
        self.stage(staged, &job);
        match self.run_job(&mut job) {
            Done::Answered(staged) => self.answered(job, staged),
            // All that it looks at was looked at a moment ago.
            Done::Awaits(..) | Done::Load(_) => self.gathering.push(job, Verdict::Awaits(payment)),
        }
        self.wake_who_waits_for(moved);
    }

    fn stage(&mut self, staged: Staged, job: &Job) {
        if !staged.is_idle() {
            self.gathering.stage(staged, &job.cause);
        } else if self.shared {
            // Nothing is written, so no commit would notice that this rests on an old memory.
            self.gathering.rest_on(staged.read_set);
        }
    }

    /// Looks again on behalf of those who wait for payments that have just moved.
    fn wake_who_waits_for(&mut self, payments: BTreeSet<PaymentId>) {
        for payment in payments {
            for mut job in self.gathering.take_who_awaits(payment) {
                match self.run_job(&mut job) {
                    Done::Answered(staged) => self.answered(job, staged),
                    Done::Awaits(..) | Done::Load(_) => self.gathering.push(job, Verdict::Awaits(payment)),
                }
            }
            for job in self.waiting.remove(&payment).unwrap_or_default() {
                self.decide(job);
            }
        }
    }
}

/// The payments that a job has moved, or brings news of: what the gateway is reported to have said may be known here only
/// now, and in the log already.
fn moved_payments(job: &Job, staged: &Staged) -> BTreeSet<PaymentId> {
    let changed = staged.facts.iter().map(|fact| fact.stream);
    let payments = changed.filter(|stream| stream.aggregate == Aggregate::Payment);
    payments
        .map(|stream| PaymentId::new(stream.id))
        .chain(job.work.reports_on())
        .collect()
}
