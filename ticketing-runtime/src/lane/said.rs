//! What stands under an idempotency key: not an answer, but from what it can be built again.
//!
//! So a later build with a field more answers a request of yesterday, and the answer is as it was: a hold that was paid
//! since is still the hold of then. The facts never change; the record needs few bytes.

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

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Said {
    View(ViewOf),
    Refused(Refusal),
    /// The answer held a secret, which is kept nowhere.
    Secret,
    /// There is no answer yet: it is waited for.
    Awaits(Box<RawValue>),
}

impl Said {
    pub(crate) fn awaits(awaits: &impl Serialize) -> Self {
        let awaits = serde_json::value::to_raw_value(awaits);
        Self::Awaits(awaits.expect("what is awaited is plain data with string keys"))
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("what was said is plain data with string keys")
    }
}

/// What was read under a key.
#[derive(Debug)]
pub(crate) enum Recorded {
    Said(Said),
    Former(Former),
}

/// An answer that a former build kept whole. Such records are answered for as long as they are remembered.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Former {
    /// The view by the name of its kind.
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

impl Former {
    /// # Errors
    /// When the answer was a refusal, or is none to this request.
    pub(crate) fn into_reply<R: Reply>(self) -> Result<R, Failure> {
        match self {
            Self::Reply(views) => {
                let reply = views.into_values().next();
                let reply = reply.and_then(|view| R::from_former_record(view.get()));
                reply.ok_or_else(|| Failure::Internal("the recorded answer is none to this request".into()))
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

impl Recorded {
    /// Reads a record of a request that was decided before, if it is the same request.
    ///
    /// # Errors
    /// When it is another request, or this build cannot read the record.
    pub(crate) fn read(record: &IdempotencyRecord, fingerprint: [u8; 32]) -> Result<Self, Failure> {
        if record.fingerprint != fingerprint {
            return Err(Failure::IdempotencyKeyReused);
        }
        if let Ok(said) = serde_json::from_slice(&record.answer) {
            return Ok(Self::Said(said));
        }
        if let Ok(former) = serde_json::from_slice(&record.answer) {
            return Ok(Self::Former(former));
        }
        // A former build recorded what is waited for without saying what it is.
        let awaits = serde_json::from_slice(&record.answer).map_err(|error| Failure::Internal(error.into()))?;
        Ok(Self::Said(Said::Awaits(awaits)))
    }
}
