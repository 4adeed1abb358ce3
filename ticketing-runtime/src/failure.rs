use std::time::Duration;

use thiserror::Error;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::vocabulary::errors::StoreError;

/// Why a request got no answer it wanted. In every case nothing of it was written, except where the text says else.
#[derive(Debug, Error)]
pub enum Failure {
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too many requests are waiting for this event.
    #[error("too many requests are waiting")]
    Busy { retry_after: Duration },
    /// A store or the payment gateway is down. The request may be repeated with its idempotency key.
    #[error("a service the box office needs is unavailable")]
    Unavailable(#[source] UnavailableCause),
    #[error("the idempotency key was used for another request")]
    IdempotencyKeyReused,
    #[error("a request with the same idempotency key is still running")]
    RequestInProgress,
    /// The request was answered before, with a secret that is kept nowhere.
    #[error("the answer to this idempotency key held a secret and cannot be repeated")]
    AnswerNotKept,
    /// A bug, or a log that this build cannot read.
    #[error("internal error")]
    Internal(#[source] ticketing_ports::vocabulary::errors::BoxError),
}

#[derive(Debug, Error)]
pub enum UnavailableCause {
    #[error("the store did not answer")]
    Store(#[source] ticketing_ports::vocabulary::errors::BoxError),
    #[error("the payment gateway did not answer")]
    Gateway,
    #[error("the box office is shutting down")]
    ShuttingDown,
    #[error("the read models lag behind")]
    ReadModelsLag,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Damaged(_) => {
                Self::Unavailable(UnavailableCause::Store(error.into()))
            }
            StoreError::Inconsistent { .. } => Self::Internal(error.into()),
        }
    }
}

impl Failure {
    /// The same once more, for somebody else whom it concerns.
    pub(crate) fn duplicate(&self) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(refusal.clone()),
            Self::Busy { retry_after } => Self::Busy {
                retry_after: *retry_after,
            },
            Self::Unavailable(cause) => Self::Unavailable(match cause {
                UnavailableCause::Store(error) => UnavailableCause::Store(error.to_string().into()),
                UnavailableCause::Gateway => UnavailableCause::Gateway,
                UnavailableCause::ShuttingDown => UnavailableCause::ShuttingDown,
                UnavailableCause::ReadModelsLag => UnavailableCause::ReadModelsLag,
            }),
            Self::IdempotencyKeyReused => Self::IdempotencyKeyReused,
            Self::RequestInProgress => Self::RequestInProgress,
            Self::AnswerNotKept => Self::AnswerNotKept,
            Self::Internal(error) => Self::Internal(error.to_string().into()),
        }
    }
}
