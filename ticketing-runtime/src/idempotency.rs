//! Answers from the store for requests that were answered before.

use ticketing_domain::book::{Question, Reply};
use ticketing_ports::idempotency::IdempotencyRecord;

use crate::failure::Failure;
use crate::job::StoredAnswer;

/// What a request that was decided before waits for, if it is the same request.
pub(crate) fn resume(record: &IdempotencyRecord, fingerprint: [u8; 32]) -> Result<Question, Failure> {
    if record.fingerprint != fingerprint {
        return Err(Failure::IdempotencyKeyReused);
    }
    serde_json::from_slice(&record.answer).map_err(|error| Failure::Internal(error.into()))
}

/// The recorded answer, if the request is the one it was recorded for.
pub(crate) fn replay(record: &IdempotencyRecord, fingerprint: [u8; 32]) -> Result<Reply, Failure> {
    if record.fingerprint != fingerprint {
        return Err(Failure::IdempotencyKeyReused);
    }
    let stored: StoredAnswer =
        serde_json::from_slice(&record.answer).map_err(|error| Failure::Internal(error.into()))?;
    stored.into_answer()
}
