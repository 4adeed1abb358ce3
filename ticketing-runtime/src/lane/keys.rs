//! Idempotency keys: looked up once for a whole group of jobs, while the commit before is under way.
//!
//! Deciding at once and letting the commit find a key that is taken would be quicker for who comes first, but then one
//! repeated key would undo the work of everybody in its group.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use ticketing_ports::Timestamp;
use ticketing_ports::errors::StoreError;
use ticketing_ports::event_store::EventStore;
use ticketing_ports::idempotency::{IdempotencyKey, IdempotencyRecord, IdempotencyStore};
use ticketing_ports::streams::{Position, RecordedEvent, StreamId, Version};

use super::Lane;
use super::chores::{Chore, PAGE, answered};
use super::job::{End, Job};
use super::said::{Former, Recorded, Said};
use crate::failure::Failure;

/// Jobs whose keys have not been looked up yet.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    queue: Vec<Job>,
    under_way: bool,
}

impl Lookups {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && !self.under_way
    }
}

impl Lane {
    /// Decides a job, or looks its key up first.
    pub(super) fn take(&mut self, job: Job) {
        if job.key.is_some() && !job.progress.looked_up {
            self.lookups.queue.push(job);
        } else {
            self.decide(job);
        }
    }

    /// Asks the store for the keys of everybody who waits for that, one group at a time.
    pub(super) fn start_lookup(&mut self) {
        if self.lookups.under_way || self.lookups.queue.is_empty() {
            return;
        }
        self.lookups.under_way = true;
        let most = self.lookups.queue.len().min(self.lanes.config.batch);
        let jobs: Vec<_> = self.lookups.queue.drain(..most).collect();
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
