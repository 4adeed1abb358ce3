//! Idempotency keys: most are new, so a job is decided at once, and the commit refuses a key that is taken.
//!
//! One repeated key undoes the work of everybody in its group. After that keys are looked up first for a while, those of
//! a whole group at once, while the commit before is under way. A job that may have to wait for the gateway is always
//! looked up first: what it began earlier may have an answer by now, and must not begin anew. So is one whose answer is
//! not recorded, as with seats that are taken, since no commit would look at its key.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use ticketing_ports::Timestamp;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::idempotency::{IdempotencyKey, IdempotencyRecord, IdempotencyStore};
use ticketing_ports::log::streams::{Position, RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;

use super::Lane;
use super::chores::{Chore, PAGE, answered};
use super::job::{End, Job};
use super::said::{Former, Recorded, Said};
use crate::failure::Failure;
use crate::observer::{Observed, Setback};

/// How many keys are looked up first after one was found to be taken. So many look-ups cost about as much as a group
/// that is decided for nothing, so neither new nor repeated keys can cost more than twice what the better way would.
const LOOKED_UP_AFTER_A_TAKEN_KEY: usize = 256;

/// Jobs whose keys are to be looked up before they are decided.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    queue: Vec<Job>,
    under_way: bool,
    /// How many more keys are looked up first.
    wary: usize,
}

impl Lookups {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && !self.under_way
    }
}

impl Lane {
    /// Decides a job, or looks its key up first.
    pub(super) fn take(&mut self, job: Job) {
        let unknown = job.key.is_some() && !job.progress.looked_up;
        if unknown && (self.lookups.wary > 0 || job.work.may_wait()) {
            self.lookups.queue.push(job);
        } else {
            self.decide(job);
        }
    }

    /// Puts a job back whose answer would be told without its key being looked at.
    pub(super) fn look_up_first(&mut self, mut job: Job) {
        job.work.take_back(job.progress.waits_durably);
        self.lookups.queue.push(job);
    }

    /// Asks the store for the keys of everybody who waits for that, one group at a time.
    pub(super) fn start_lookup(&mut self) {
        if self.lookups.under_way || self.lookups.queue.is_empty() {
            return;
        }
        self.lookups.under_way = true;
        let most = self.lookups.queue.len().min(self.lanes.config.batch);
        let jobs: Vec<_> = self.lookups.queue.drain(..most).collect();
        self.lookups.wary = self.lookups.wary.saturating_sub(jobs.len());
        let mut keys = Vec::with_capacity(jobs.len());
        for job in &jobs {
            let Some(running) = &job.key else { continue };
            if job.work.may_wait() {
                keys.push(pending_key(&running.key));
            }
            keys.push(running.key.clone());
        }
        let store = Arc::clone(&self.lanes.ports.idempotency);
        self.chores.spawn(async move {
            let found = answered(find(store.as_ref(), &keys)).await;
            Chore::LookedUp { jobs, found }
        });
    }

    /// Somebody else has recorded a key: its job is answered what they recorded. Others whose keys were not looked up may
    /// be repeated too; the rest is decided again.
    pub(super) fn key_is_taken(&mut self, mut jobs: Vec<Job>, taken: &IdempotencyKey) {
        self.lookups.wary = LOOKED_UP_AFTER_A_TAKEN_KEY.max(jobs.len());
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
                    job.fail(failure.again());
                }
            }
        }
    }

    /// Goes on with a job whose key was looked up: answers it as before, lets it wait for what it waited for, or decides.
    fn go_on(&mut self, mut job: Job, found: &Found) {
        job.progress.looked_up = true;
        let Some(running) = &job.key else {
            return self.decide(job);
        };
        let read = |key: &IdempotencyKey| {
            let record = found.get(key)?;
            Some(Recorded::read(record, running.fingerprint))
        };
        let recorded = read(&running.key).or_else(|| read(&pending_key(&running.key)));
        match recorded.transpose() {
            Ok(None) => self.decide(job),
            Ok(Some(Recorded::Said(said @ Said::Awaits(_)))) => match job.work.resume(&said) {
                Ok(()) => {
                    job.progress.waits_durably = true;
                    job.progress.pending_recorded = true;
                    self.decide(job);
                }
                Err(failure) => job.fail(failure),
            },
            Ok(Some(Recorded::Said(said))) => self.replay(job, said),
            Ok(Some(Recorded::Former(former))) => self.replay_former(job, former),
            Err(failure) => job.fail(failure),
        }
    }

    /// Answers a job from the facts that it was answered from the first time.
    fn replay(&mut self, job: Job, said: Said) {
        let store = Arc::clone(&self.lanes.ports.events);
        self.chores.spawn(async move {
            let end = match answered(read_again(store.as_ref(), &said)).await {
                Ok((facts, position)) => End::Replayed { said, facts, position },
                Err(failure) => End::Failed(failure),
            };
            Chore::Ended { job, end }
        });
    }

    fn replay_former(&mut self, job: Job, former: Former) {
        let store = Arc::clone(&self.lanes.ports.events);
        self.chores.spawn(async move {
            let end = match answered(store.head()).await {
                Ok(position) => End::ReplayedFormer { former, position },
                Err(failure) => End::Failed(failure),
            };
            Chore::Ended { job, end }
        });
    }
}

pub(super) type Found = HashMap<IdempotencyKey, IdempotencyRecord>;

async fn find(store: &dyn IdempotencyStore, keys: &[IdempotencyKey]) -> Result<Found, StoreError> {
    let records = store.find_answers(keys).await?;
    Ok(records.into_iter().map(|record| (record.key.clone(), record)).collect())
}

/// The facts that an answer was built from, and how far the log is.
async fn read_again(store: &dyn EventStore, said: &Said) -> Result<(Vec<RecordedEvent>, Position), StoreError> {
    let mut facts = Vec::new();
    if let Said::View(view) = said {
        read_up_to(store, view.stream, view.version, &mut facts).await?;
        if facts.last().is_none_or(|last| last.version != view.version) {
            // Who asks again finds that the key is not there any more either.
            return Err(StoreError::unavailable(
                "the log has lost the facts of a recorded answer",
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

/// Under which key stands what is waited for, until there is an answer. Callers' own keys are visible ASCII.
pub(super) fn pending_key(key: &IdempotencyKey) -> IdempotencyKey {
    IdempotencyKey {
        user_id: key.user_id,
        key: format!("{}\u{1f}question", key.key),
    }
}

/// Idempotency keys whose requests have not been answered yet, in this process.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunningKeys(Arc<Mutex<HashSet<IdempotencyKey>>>);

/// A key that is taken until its request is answered or dropped.
#[derive(Debug)]
pub(crate) struct RunningKey {
    pub(crate) key: IdempotencyKey,
    pub(crate) fingerprint: [u8; 32],
    running: RunningKeys,
}

impl RunningKey {
    pub(super) fn is_recorded_under(&self, key: &IdempotencyKey) -> bool {
        self.key == *key || pending_key(&self.key) == *key
    }

    /// The record that answers a repeated request, or lets it wait for the same thing instead of doing it twice.
    pub(super) fn record(&self, said: &Said, at: Timestamp) -> IdempotencyRecord {
        IdempotencyRecord {
            key: match said {
                Said::Awaits(_) => pending_key(&self.key),
                Said::View(_) | Said::Refused(_) | Said::Secret => self.key.clone(),
            },
            fingerprint: self.fingerprint,
            answer: said.to_bytes(),
            recorded_at: at,
        }
    }
}

impl RunningKeys {
    /// `None` while another request with the key is running.
    pub(crate) fn take(&self, key: IdempotencyKey, fingerprint: [u8; 32]) -> Option<RunningKey> {
        let fresh = self
            .0
            .lock()
            .expect("no code panics while it holds this lock")
            .insert(key.clone());
        fresh.then(|| RunningKey {
            key,
            fingerprint,
            running: self.clone(),
        })
    }
}

impl Drop for RunningKey {
    fn drop(&mut self) {
        if let Ok(mut running) = self.running.0.lock() {
            running.remove(&self.key);
        }
    }
}
