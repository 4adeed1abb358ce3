//! What a lane records under an idempotency key: not the answer itself, but what the answer can be built from again.
//!
//! A record names the view and the version of the stream that the view was built from. Facts never change, so a later
//! build answers yesterday's request with today's fields and yesterday's content: a hold that has been paid since is
//! still answered as a hold. A record takes few bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use ticketing_domain::command::{Reply, ViewOf};
use ticketing_domain::refusal::Refusal;
use ticketing_ports::Timestamp;
use ticketing_ports::log::idempotency::IdempotencyRecord;
use ticketing_ports::vocabulary::ids::ReservationId;
use ticketing_ports::vocabulary::payment::DeclineReason;

use crate::failure::Failure;

/// What is recorded under an idempotency key once its request has been decided.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AnswerRecord {
    /// The request was answered with this view.
    View(ViewOf),
    /// The request was refused.
    Refused(Refusal),
    /// The answer held a secret. The secret is stored nowhere, so the answer cannot be repeated.
    Secret,
    /// The request has no answer yet. This JSON describes the payment that the request waits for.
    Awaits(Box<RawValue>),
}

impl AnswerRecord {
    pub(crate) fn awaits(awaits: &impl Serialize) -> Self {
        let awaits = serde_json::value::to_raw_value(awaits);
        Self::Awaits(awaits.expect("serializing plain data with string keys cannot fail"))
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("serializing plain data with string keys cannot fail")
    }
}

/// A record as it was read from the store: in today's format or in that of an earlier build.
#[derive(Debug)]
pub(crate) enum StoredAnswer {
    Record(AnswerRecord),
    Legacy(LegacyAnswer),
}

/// An answer that an earlier build stored whole. Such records are read until the retention of idempotency records has
/// passed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LegacyAnswer {
    /// The view as JSON, under the name of its kind, such as `reservation`.
    Reply(BTreeMap<String, Box<RawValue>>),
    PaymentFailed {
        reason: DeclineReason,
        attempts_left: u32,
    },
    ReservationExpired {
        reservation_id: ReservationId,
        expired_at: Timestamp,
    },
}

impl LegacyAnswer {
    /// Reads the stored view as the reply `R`.
    ///
    /// # Errors
    /// Fails if the stored answer was a refusal, or the view is not one that `R` can be read from.
    pub(crate) fn into_reply<R: Reply>(self) -> Result<R, Failure> {
        match self {
            Self::Reply(views) => {
                let reply = views.into_values().next();
                let reply = reply.and_then(|view| R::from_former_record(view.get()));
                reply.ok_or_else(|| Failure::Internal("the recorded answer does not fit this request".into()))
            }
            Self::PaymentFailed { reason, attempts_left } => {
                Err(Refusal::PaymentFailed { reason, attempts_left }.into())
            }
            Self::ReservationExpired {
                reservation_id,
                expired_at,
            } => {
                let expired = Refusal::ReservationExpired {
                    reservation_id,
                    expired_at,
                };
                Err(expired.into())
            }
        }
    }
}

impl StoredAnswer {
    /// Reads the record of an earlier request that used the same idempotency key.
    ///
    /// # Errors
    /// Fails with [`Failure::IdempotencyKeyReused`] if the requests differ, because the earlier request then
    /// asked for something else, and with [`Failure::Internal`] if this build cannot read the record.
    pub(crate) fn read(record: &IdempotencyRecord, request_hash: [u8; 32]) -> Result<Self, Failure> {
        if record.request_hash != request_hash {
            return Err(Failure::IdempotencyKeyReused);
        }
        if let Ok(said) = serde_json::from_slice(&record.answer) {
            return Ok(Self::Record(said));
        }
        if let Ok(legacy) = serde_json::from_slice(&record.answer) {
            return Ok(Self::Legacy(legacy));
        }
        // An earlier build stored only the description of the pending payment, not an `AnswerRecord` that contains
        // it.
        let awaits = serde_json::from_slice(&record.answer).map_err(|error| Failure::Internal(error.into()))?;
        Ok(Self::Record(AnswerRecord::Awaits(awaits)))
    }
}
