//! Why a request failed.

use std::time::Duration;

use thiserror::Error;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::vocabulary::errors::StoreError;

/// Why a request failed. The request has changed nothing, unless the variant says otherwise.
#[derive(Debug, Error)]
pub enum Failure {
    /// The domain refused the command.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too many requests wait for this event. The caller may ask again after `retry_after`.
    #[error("too many requests are waiting for this event")]
    Busy {
        /// How long the caller should wait before asking again.
        retry_after: Duration,
    },
    /// A store or the payment gateway is down. The request may have been recorded all the same, so the caller should
    /// repeat it with the same idempotency key.
    #[error("a service that the box office needs is unavailable")]
    Unavailable(#[source] UnavailableCause),
    /// An earlier request with the same idempotency key asked for something else.
    #[error("the idempotency key was used for another request")]
    IdempotencyKeyReused,
    /// A request with the same idempotency key is still running.
    #[error("a request with the same idempotency key is still running")]
    RequestInProgress,
    /// An earlier request with the same idempotency key was answered with a secret, which is not stored.
    #[error("the answer to this idempotency key held a secret, which is not stored and cannot be repeated")]
    AnswerNotKept,
    /// A bug, or stored data that this build cannot read. The source is for the operator, not for the caller.
    #[error("internal error: a bug, or stored data that this build cannot read")]
    Internal(#[source] ticketing_ports::vocabulary::errors::BoxError),
}

/// Which service was unavailable.
#[derive(Debug, Error)]
pub enum UnavailableCause {
    /// A store failed or did not answer.
    #[error("a store failed or did not answer")]
    Store(#[source] ticketing_ports::vocabulary::errors::BoxError),
    /// The event store failed to write what was decided, or did not confirm that it was written.
    #[error("the event store failed or did not confirm the commit")]
    CommitFailed,
    /// The payment gateway did not answer.
    #[error("the payment gateway did not answer")]
    Gateway,
    /// The engine is shutting down and accepts no more requests.
    #[error("the box office is shutting down")]
    ShuttingDown,
    /// The live board of an event could not be loaded in time, or this process keeps no live boards.
    #[error("the live board of the event could not be loaded in time")]
    BoardNotLoaded,
    /// The read models have not reached the write that the caller wants to see.
    #[error("the read models did not catch up in time with the last write that the caller knows of")]
    ReadModelsLag,
}

impl UnavailableCause {
    /// Returns whether this is in the log already, or is no failure that belongs there. Many callers meet one failed
    /// commit, which the engine logs once.
    pub fn is_logged(&self) -> bool {
        matches!(self, Self::CommitFailed | Self::ShuttingDown)
    }
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
    /// Returns the code of this failure for logs and traces: the one that the HTTP API answers with.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Busy { .. } => "BUSY",
            Self::Unavailable(_) => "UNAVAILABLE",
            Self::IdempotencyKeyReused => "IDEMPOTENCY_KEY_REUSED",
            Self::RequestInProgress => "REQUEST_IN_PROGRESS",
            Self::AnswerNotKept => "ANSWER_NOT_KEPT",
            Self::Internal(_) => "INTERNAL",
        }
    }

    /// A copy of this failure for another caller who meets it too. The errors behind it cannot be cloned, so they are
    /// copied as text.
    pub(crate) fn duplicate(&self) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(refusal.clone()),
            Self::Busy { retry_after } => Self::Busy {
                retry_after: *retry_after,
            },
            Self::Unavailable(cause) => Self::Unavailable(match cause {
                UnavailableCause::Store(error) => UnavailableCause::Store(error.to_string().into()),
                UnavailableCause::CommitFailed => UnavailableCause::CommitFailed,
                UnavailableCause::Gateway => UnavailableCause::Gateway,
                UnavailableCause::ShuttingDown => UnavailableCause::ShuttingDown,
                UnavailableCause::BoardNotLoaded => UnavailableCause::BoardNotLoaded,
                UnavailableCause::ReadModelsLag => UnavailableCause::ReadModelsLag,
            }),
            Self::IdempotencyKeyReused => Self::IdempotencyKeyReused,
            Self::RequestInProgress => Self::RequestInProgress,
            Self::AnswerNotKept => Self::AnswerNotKept,
            Self::Internal(error) => Self::Internal(error.to_string().into()),
        }
    }
}
