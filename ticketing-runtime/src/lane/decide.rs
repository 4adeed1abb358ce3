//! Deciding one job: its answer, or the payment that it waits for, becomes part of the group that is committed next.

use std::collections::BTreeSet;
use std::sync::Arc;

use ticketing_domain::book::Staged;
use ticketing_domain::reducer::Context;
use ticketing_ports::log::streams::Aggregate;
use ticketing_ports::vocabulary::ids::PaymentId;
use tokio::time::Instant;

use super::group::Verdict;
use super::job::{Job, RunOutcome};
use super::state::Lane;
use crate::observer::Observed;

impl Lane {
    /// Decides a job on what the book contains. Parks the job if the book lacks something that it needs.
    pub(super) fn decide(&mut self, mut job: Job) {
        let done = self.run_job(&mut job);
        if !matches!(done, RunOutcome::Load(_)) {
            job.progress.rounds = 0;
        }
        match done {
            RunOutcome::Load(wants) => self.park(job, wants),
            RunOutcome::Answered(staged) if staged.is_idle() && job.commits_no_key() => {
                self.look_up_before_deciding(job);
            }
            RunOutcome::Answered(staged) => self.answered(job, staged),
            RunOutcome::Awaits(payment, staged) => self.awaits(job, payment, staged),
        }
    }

    fn run_job(&mut self, job: &mut Job) -> RunOutcome {
        let ids = Arc::clone(&self.lanes.ports.ids);
        let ctx = Context {
            now: self.lanes.ports.clock.now(),
            ids: ids.as_ref(),
            floor: self.lanes.floor.now(),
            max_live_holds: self.lanes.config.max_live_holds,
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
        self.wake_jobs_waiting_for(moved);
    }

    /// Keeps a job that waits for a payment until the gateway has answered. If the book has the gateway's answer
    /// already, the job's caller is answered after the next commit.
    fn awaits(&mut self, mut job: Job, payment: PaymentId, staged: Staged) {
        let moved = moved_payments(&job, &staged);
        if job.progress.waits_durably && staged.is_idle() {
            self.waiting.entry(payment).or_default().push(job);
            return;
        }
        if !staged.is_idle() {
            // The job may have started a new payment, which no commit has written yet.
            job.progress.waits_durably = false;
            if !job.progress.pending_recorded {
                self.gathering.record(&job, self.lanes.ports.clock.now());
            }
        }
        self.stage(staged, &job);
        match self.run_job(&mut job) {
            RunOutcome::Answered(staged) => self.answered(job, staged),
            // `Load` cannot occur here, because the run before this one has found in the book everything that this
            // run reads.
            RunOutcome::Awaits(..) | RunOutcome::Load(_) => self.gathering.push(job, Verdict::Awaits(payment)),
        }
        self.wake_jobs_waiting_for(moved);
    }

    fn stage(&mut self, staged: Staged, job: &Job) {
        if !staged.is_idle() {
            self.gathering.stage(staged, &job.cause);
        } else if self.shared {
            // The answer writes no facts, so perhaps no append of the commit checks the versions of the streams that
            // the answer was read from. Adding these streams to the read set makes the commit check them too.
            self.gathering.add_to_read_set(staged.read_set);
        }
    }

    /// Runs again the jobs that wait for these payments, which have just changed.
    fn wake_jobs_waiting_for(&mut self, payments: BTreeSet<PaymentId>) {
        for payment in payments {
            for mut job in self.gathering.take_jobs_awaiting(payment) {
                match self.run_job(&mut job) {
                    RunOutcome::Answered(staged) => self.answered(job, staged),
                    RunOutcome::Awaits(..) | RunOutcome::Load(_) => self.gathering.push(job, Verdict::Awaits(payment)),
                }
            }
            for job in self.waiting.remove(&payment).unwrap_or_default() {
                self.decide(job);
            }
        }
    }
}

/// The payments whose waiting jobs are to run again: those that a job has changed, and the one that it reports on.
/// The latter counts even if the report only repeats what the log already has and so changes nothing, because jobs of
/// this lane may still wait for that payment.
fn moved_payments(job: &Job, staged: &Staged) -> BTreeSet<PaymentId> {
    let changed = staged.facts.iter().map(|fact| fact.stream);
    let payments = changed.filter(|stream| stream.aggregate == Aggregate::Payment);
    payments
        .map(|stream| PaymentId::new(stream.id))
        .chain(job.work.reports_on())
        .collect()
}
