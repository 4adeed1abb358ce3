//! Deadlines: times at which a lane must do something. A commit sets them, and each is delivered at least once.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::log::lanes::LaneId;
use crate::log::streams::{Metadata, StreamId};
use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;

/// What must be done at a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineKind {
    /// The hold of a reservation runs out.
    HoldExpiry,
    /// A call to the payment gateway is repeated, because the gateway has not answered it yet.
    GatewayRetry,
    /// The next reservations of a cancelled event are released or refunded, up to a fixed number at a time.
    CancellationChunk,
    /// The event begins.
    EventStart,
}

impl DeadlineKind {
    /// All kinds, in the order of their declaration.
    pub const ALL: [Self; 4] = [
        Self::HoldExpiry,
        Self::GatewayRetry,
        Self::CancellationChunk,
        Self::EventStart,
    ];

    /// Returns the name under which the kind is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HoldExpiry => "hold_expiry",
            Self::GatewayRetry => "gateway_retry",
            Self::CancellationChunk => "cancellation_chunk",
            Self::EventStart => "event_start",
        }
    }

    /// Returns the kind that is stored as `name`; `None` if no kind has that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Names a deadline. A stream has at most one deadline of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeadlineKey {
    /// The stream that the deadline belongs to.
    pub stream: StreamId,
    /// What must be done at the deadline.
    pub kind: DeadlineKind,
}

/// A time at which a lane must do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Deadline {
    /// The stream of the deadline, and what must be done.
    pub key: DeadlineKey,
    /// When the lane must act.
    pub due_at: Timestamp,
    /// The lane that must act.
    pub lane: LaneId,
}

/// A deadline with the request that set it. The facts that the deadline leads to carry the correlation id of that
/// request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CausedDeadline {
    /// The deadline.
    pub deadline: Deadline,
    /// The metadata of the request that set the deadline.
    pub cause: Metadata,
}

/// One change of the deadlines, as a decision asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineChange {
    /// Sets a deadline. It replaces a deadline with the same key, even one that a process has leased.
    Set(Deadline),
    /// Removes the deadline with that key. Nothing happens if no deadline has it.
    Clear(DeadlineKey),
}

impl DeadlineChange {
    /// Returns the key of the deadline that this change sets or removes.
    pub fn key(&self) -> DeadlineKey {
        match self {
            Self::Set(deadline) => deadline.key,
            Self::Clear(key) => *key,
        }
    }

    /// Returns the change as a commit writes it. `cause` is the metadata of the request that led to the change.
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

/// One change of the deadlines, as a commit writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineWrite {
    /// Sets a deadline. It replaces a deadline with the same key, even one that a process has leased.
    Set(CausedDeadline),
    /// Removes the deadline with that key. Nothing happens if no deadline has it.
    Clear(DeadlineKey),
}

impl DeadlineWrite {
    /// Returns the key of the deadline that this change sets or removes.
    pub fn key(&self) -> DeadlineKey {
        match self {
            Self::Set(caused) => caused.deadline.key,
            Self::Clear(key) => *key,
        }
    }
}

/// How many deadlines of one kind are set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeadlineCount {
    /// How many of them are not due yet.
    pub ahead: u64,
    /// How many of them are due, and no commit has removed them yet.
    pub due: u64,
}

/// Hands out the deadlines that are due. Deadlines are set and removed only by commits to the event store.
///
/// ```
/// use std::time::Duration;
///
/// use adapters_memory::InMemoryEventStore;
/// use chrono::DateTime;
/// use ticketing_ports::log::deadlines::DeadlineStore;
///
/// # futures::executor::block_on(async {
/// let store = InMemoryEventStore::new();
/// let due = store.lease_due(DateTime::UNIX_EPOCH, Duration::from_secs(30), 100).await.unwrap();
/// assert!(due.is_empty(), "no commit has set a deadline");
/// # });
/// ```
///
/// **Contract**
/// - `a_deadline_is_handed_out_when_it_is_due_and_not_before`.
/// - `the_earliest_deadline_comes_first`.
/// - `no_more_deadlines_are_leased_than_asked_for`.
/// - `a_leased_deadline_is_handed_to_nobody_else_until_its_lease_ends`.
/// - `racing_pollers_never_get_the_same_deadline`.
/// - `an_unsettled_deadline_comes_back_after_its_lease`, so that it is delivered at least once.
/// - `a_cleared_deadline_is_gone`.
/// - `a_cleared_deadline_does_not_come_back_after_its_lease`.
/// - `clearing_a_deadline_that_does_not_exist_is_no_error`.
/// - `clearing_one_kind_leaves_the_others`: a stream may have one deadline of each kind.
/// - `setting_a_deadline_again_replaces_it`.
/// - `setting_a_leased_deadline_again_ends_its_lease`.
/// - `the_last_change_in_one_commit_wins`.
/// - `a_deadline_is_read_back_unchanged`.
/// - `a_deadline_comes_with_what_set_it_last`: the correlation id, actor and trace of the request that set it last.
/// - `deadlines_are_counted_by_kind_and_by_whether_they_are_due`.
/// - `a_leased_deadline_still_counts`, and a removed one does not.
#[async_trait]
pub trait DeadlineStore: std::fmt::Debug + Send + Sync {
    /// Leases at most `limit` deadlines that are due at `now`, earliest first. Until `now` plus `lease` no other
    /// call gets these deadlines; after that the store hands them out again, unless a commit has removed them.
    async fn lease_due(&self, now: Timestamp, lease: Duration, limit: usize)
    -> Result<Vec<CausedDeadline>, StoreError>;

    /// Counts all deadlines that are set, for metrics. A kind without deadlines may be missing from the answer.
    async fn count_deadlines(&self, now: Timestamp) -> Result<BTreeMap<DeadlineKind, DeadlineCount>, StoreError>;
}
