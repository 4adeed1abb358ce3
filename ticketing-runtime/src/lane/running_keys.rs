//! The idempotency keys of the requests that are running in this process, and the records that are stored under them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use ticketing_ports::Timestamp;
use ticketing_ports::log::idempotency::{IdempotencyKey, IdempotencyRecord};

use super::answer_record::AnswerRecord;

/// The key under which a pending payment is recorded until there is an answer. It cannot equal a caller's key,
/// because a caller's key has only visible ASCII characters.
pub(super) fn pending_key(key: &IdempotencyKey) -> IdempotencyKey {
    IdempotencyKey {
        user_id: key.user_id,
        key: format!("{}\u{1f}question", key.key),
    }
}

/// The idempotency keys of this process whose requests are still running.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunningKeys(Arc<Mutex<HashSet<IdempotencyKey>>>);

/// An idempotency key of a running request. It is released when this value is dropped.
#[derive(Debug)]
pub(crate) struct RunningKey {
    pub(crate) key: IdempotencyKey,
    pub(crate) request_hash: [u8; 32],
    running: RunningKeys,
}

impl RunningKey {
    pub(super) fn is_recorded_under(&self, key: &IdempotencyKey) -> bool {
        self.key == *key || pending_key(&self.key) == *key
    }

    /// The record to store: a final answer under the key itself, a pending payment under [`pending_key`].
    pub(super) fn stored_record(&self, record: &AnswerRecord, at: Timestamp) -> IdempotencyRecord {
        IdempotencyRecord {
            key: match record {
                AnswerRecord::Awaits(_) => pending_key(&self.key),
                AnswerRecord::View(_) | AnswerRecord::Refused(_) | AnswerRecord::Secret => self.key.clone(),
            },
            request_hash: self.request_hash,
            answer: record.to_bytes(),
            recorded_at: at,
        }
    }
}

impl RunningKeys {
    /// Reserves a key for a request. Returns `None` if a request with the same key is still running.
    pub(crate) fn take(&self, key: IdempotencyKey, request_hash: [u8; 32]) -> Option<RunningKey> {
        let fresh = self
            .0
            .lock()
            .expect("no code panics while it holds this lock")
            .insert(key.clone());
        fresh.then(|| RunningKey {
            key,
            request_hash,
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
