//! Idempotency keys: checked by the commit, or looked up before the job is decided.
//!
//! Most keys are new, so a job is usually decided without a look-up, and the commit is refused if a key is taken. One
//! repeated key then undoes the decisions of its whole group. After that, the lane looks keys up before it decides, a
//! group at a time, until [`LOOKED_UP_AFTER_A_TAKEN_KEY`] keys have been looked up.
//!
//! Two kinds of jobs are always looked up first. A job that may wait for the gateway must not start a second payment. A
//! job whose answer is not recorded (for instance, seats that are taken) has a key that no commit would check.

use std::sync::Arc;

use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::idempotency::{IdempotencyKey, IdempotencyStore};
use ticketing_ports::log::streams::{Position, RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;

use super::answer_record::{AnswerRecord, LegacyAnswer, StoredAnswer};
use super::background::{BackgroundResult, PAGE, answered};
use super::job::{Job, JobOutcome};
use super::lookups::Found;
use super::running_keys::pending_key;
use super::state::Lane;
use crate::failure::Failure;
use crate::observer::{Observed, Setback};

/// After one key was found to be taken, how many keys are looked up before their jobs are decided. That many look-ups
/// cost about as much as one group that is decided in vain.
const LOOKED_UP_AFTER_A_TAKEN_KEY: usize = 256;

impl Lane {
    /// Decides a job that has just arrived, or queues it for a look-up of its key.
    pub(super) fn accept(&mut self, job: Job) {
        let unknown = job.key.is_some() && !job.progress.looked_up;
        if unknown && (self.lookups.look_up_next > 0 || job.work.may_wait()) {
            self.lookups.queue.push(job);
        } else {
            self.decide(job);
        }
    }

    /// Queues a decided job for a look-up, because no commit would check its key. Drops the answer that was decided.
    pub(super) fn look_up_before_deciding(&mut self, mut job: Job) {
        job.work.take_back(job.progress.waits_durably);
        self.lookups.queue.push(job);
    }

    /// Starts a look-up of the queued keys, at most one group's worth, unless a look-up is under way.
    pub(super) fn start_lookup(&mut self) {
        if self.lookups.under_way || self.lookups.queue.is_empty() {
            return;
        }
        self.lookups.under_way = true;
        let most = self.lookups.queue.len().min(self.lanes.config.batch);
        let jobs: Vec<_> = self.lookups.queue.drain(..most).collect();
        self.lookups.look_up_next = self.lookups.look_up_next.saturating_sub(jobs.len());
        let mut keys = Vec::with_capacity(jobs.len());
        for job in &jobs {
            let Some(running) = &job.key else { continue };
            if job.work.may_wait() {
                keys.push(pending_key(&running.key));
            }
            keys.push(running.key.clone());
        }
        let store = Arc::clone(&self.lanes.ports.idempotency);
        self.background.spawn(async move {
            let found = answered(find(store.as_ref(), &keys)).await;
            BackgroundResult::KeysLookedUp { jobs, found }
        });
    }

    /// Handles a commit that was refused because a key is taken. Jobs whose keys were not looked up are queued for a
    /// look-up, since their keys may be taken too. The other jobs are decided again.
    pub(super) fn key_is_taken(&mut self, mut jobs: Vec<Job>, taken: &IdempotencyKey) {
        self.lookups.look_up_next = LOOKED_UP_AFTER_A_TAKEN_KEY.max(jobs.len());
        for job in &mut jobs {
            job.progress.looked_up &= !job.key.as_ref().is_some_and(|running| running.is_recorded_under(taken));
        }
        let unknown = |job: &mut Job| job.key.is_some() && !job.progress.looked_up;
        let unknown: Vec<_> = jobs.extract_if(.., unknown).collect();
        self.observe(Observed::ThrownAway {
            jobs: unknown.len(),
            because: Setback::LostRace,
        });
        self.lookups.queue.extend(unknown);
        self.decide_again(jobs, Setback::LostRace);
    }

    pub(super) fn looked_up(&mut self, jobs: Vec<Job>, found: Result<Found, Failure>) {
        self.lookups.under_way = false;
        match found {
            Ok(found) => jobs.into_iter().for_each(|job| self.go_on(job, &found)),
            Err(failure) => {
                for job in jobs {
                    job.fail(failure.duplicate());
                }
            }
        }
    }

    /// Continues with a job whose key was looked up: repeats the recorded answer, resumes the pending payment, or
    /// decides the job.
    fn go_on(&mut self, mut job: Job, found: &Found) {
        job.progress.looked_up = true;
        let Some(running) = &job.key else {
            return self.decide(job);
        };
        let read = |key: &IdempotencyKey| {
            let stored = found.get(key)?;
            Some(StoredAnswer::read(stored, running.request_hash))
        };
        let recorded = read(&running.key).or_else(|| read(&pending_key(&running.key)));
        match recorded.transpose() {
            Ok(None) => self.decide(job),
            Ok(Some(StoredAnswer::Record(record @ AnswerRecord::Awaits(_)))) => match job.work.resume(&record) {
                Ok(()) => {
                    job.progress.waits_durably = true;
                    job.progress.pending_recorded = true;
                    self.decide(job);
                }
                Err(failure) => job.fail(failure),
            },
            Ok(Some(StoredAnswer::Record(record))) => self.repeat(job, record),
            Ok(Some(StoredAnswer::Legacy(legacy))) => self.repeat_legacy(job, legacy),
            Err(failure) => job.fail(failure),
        }
    }

    /// Builds the recorded answer again, in a background task.
    fn repeat(&mut self, job: Job, record: AnswerRecord) {
        let store = Arc::clone(&self.lanes.ports.events);
        self.background.spawn(async move {
            let end = match answered(read_again(store.as_ref(), &record)).await {
                Ok((facts, position)) => JobOutcome::Repeated {
                    record,
                    facts,
                    position,
                },
                Err(failure) => JobOutcome::Failed(failure),
            };
            BackgroundResult::JobEnded {
                job: Box::new(job),
                end,
            }
        });
    }

    fn repeat_legacy(&mut self, job: Job, legacy: LegacyAnswer) {
        let store = Arc::clone(&self.lanes.ports.events);
        self.background.spawn(async move {
            let end = match answered(store.head()).await {
                Ok(position) => JobOutcome::RepeatedLegacy { legacy, position },
                Err(failure) => JobOutcome::Failed(failure),
            };
            BackgroundResult::JobEnded {
                job: Box::new(job),
                end,
            }
        });
    }
}

async fn find(store: &dyn IdempotencyStore, keys: &[IdempotencyKey]) -> Result<Found, StoreError> {
    let records = store.find_answers(keys).await?;
    Ok(records.into_iter().map(|record| (record.key.clone(), record)).collect())
}

/// Reads the facts that a recorded answer was built from, and the head of the log.
async fn read_again(
    store: &dyn EventStore,
    record: &AnswerRecord,
) -> Result<(Vec<RecordedEvent>, Position), StoreError> {
    let mut facts = Vec::new();
    if let AnswerRecord::View(view) = record {
        read_up_to(store, view.stream, view.version, &mut facts).await?;
        if facts.last().is_none_or(|last| last.version != view.version) {
            // The log was restored and lacks both the facts and the record. If the caller asks again, the look-up
            // finds no record, and the request is decided anew.
            return Err(StoreError::unavailable(
                "the log no longer has the facts of a recorded answer",
            ));
        }
    }
    Ok((facts, store.head().await?))
}

async fn read_up_to(
    store: &dyn EventStore,
    stream: StreamId,
    version: Version,
    facts: &mut Vec<RecordedEvent>,
) -> Result<(), StoreError> {
    let mut after = Version::NONE;
    while after < version {
        let page = store.read_stream(stream, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.version;
        facts.extend(page.into_iter().filter(|fact| fact.version <= version));
    }
    Ok(())
}
