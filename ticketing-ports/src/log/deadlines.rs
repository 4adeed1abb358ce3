//! Points in time that must not be forgotten: written in a commit, delivered at least once.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::log::lanes::LaneId;
use crate::log::streams::{Metadata, StreamId};
use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;

/// What a deadline is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineKind {
    /// The seats of a reservation have been held long enough.
    HoldExpiry,
    /// A call to the payment gateway has not been answered; ask again.
    GatewayRetry,
    /// A cancelled event has more reservations to settle.
    CancellationChunk,
    /// The event on sale begins.
    EventStart,
}

impl DeadlineKind {
    pub const ALL: [Self; 4] = [
        Self::HoldExpiry,
        Self::GatewayRetry,
        Self::CancellationChunk,
        Self::EventStart,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::HoldExpiry => "hold_expiry",
            Self::GatewayRetry => "gateway_retry",
            Self::CancellationChunk => "cancellation_chunk",
            Self::EventStart => "event_start",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A stream has at most one deadline of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeadlineKey {
    pub stream: StreamId,
    pub kind: DeadlineKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Deadline {
    pub key: DeadlineKey,
    pub due_at: Timestamp,
    /// The lane that handles it.
    pub lane: LaneId,
}

/// A deadline with what is known of the request that set it, so that what it leads to is known to come of that request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CausedDeadline {
    pub deadline: Deadline,
    pub cause: Metadata,
}

/// What a decision changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineChange {
    /// Replaces the deadline of that key, also one that is being delivered.
    Set(Deadline),
    Clear(DeadlineKey),
}

impl DeadlineChange {
    pub fn key(&self) -> DeadlineKey {
        match self {
            Self::Set(deadline) => deadline.key,
            Self::Clear(key) => *key,
        }
    }

    pub fn caused_by(self, cause: &Metadata) -> DeadlineWrite {
        match self {
            Self::Set(deadline) => DeadlineWrite::Set(CausedDeadline {
                deadline,
                cause: cause.clone(),
            }),
            Self::Clear(key) => DeadlineWrite::Clear(key),
        }
    }
}

/// Part of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineWrite {
    /// Replaces the deadline of that key and its cause, also one that is being delivered.
    Set(CausedDeadline),
    Clear(DeadlineKey),
}

impl DeadlineWrite {
    pub fn key(&self) -> DeadlineKey {
        match self {
            Self::Set(caused) => caused.deadline.key,
            Self::Clear(key) => *key,
        }
    }
}

/// Hands out deadlines that are due. They are set and cleared by commits only.
///
/// **Contract**
/// - `a_deadline_is_handed_out_when_it_is_due_and_not_before`.
/// - `the_earliest_deadline_comes_first`.
/// - `no_more_deadlines_are_leased_than_asked_for`.
/// - `a_leased_deadline_is_handed_to_nobody_else_until_its_lease_ends`.
/// - `racing_pollers_never_get_the_same_deadline`.
/// - `an_unsettled_deadline_comes_back_after_its_lease`: at least once.
/// - `a_cleared_deadline_is_gone`.
/// - `a_cleared_deadline_does_not_come_back_after_its_lease`.
/// - `clearing_a_deadline_that_does_not_exist_is_no_error`.
/// - `clearing_one_kind_leaves_the_others`: a stream has one deadline of each kind.
/// - `setting_a_deadline_again_replaces_it`.
/// - `setting_a_leased_deadline_again_ends_its_lease`.
/// - `the_last_change_in_one_commit_wins`.
/// - `a_deadline_is_read_back_unchanged`.
/// - `a_deadline_comes_with_what_set_it_last`: correlation id, actor and trace.
#[async_trait]
pub trait DeadlineStore: Send + Sync {
    /// Leases up to `limit` deadlines that are due at `now`, for the length of `lease`.
    async fn lease_due(&self, now: Timestamp, lease: Duration, limit: usize)
    -> Result<Vec<CausedDeadline>, StoreError>;
}
