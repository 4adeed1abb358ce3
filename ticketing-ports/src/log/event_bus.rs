//! The bus between the log and those who follow it: at least once, in order within a stream.

use async_trait::async_trait;
use thiserror::Error;

use crate::log::identity::LogIdentity;
use crate::log::streams::RecordedEvent;
use crate::vocabulary::errors::BoxError;

/// The bus did not take or give an event; the same call may succeed later.
#[derive(Debug, Error)]
#[error("the event bus is unavailable")]
pub struct BusUnavailable(#[source] pub BoxError);

/// A fact as it arrives, and which life of which log it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    pub from: LogIdentity,
    pub event: RecordedEvent,
}

/// Puts facts on the bus.
///
/// **Contract**
/// - `events_of_one_stream_arrive_in_order`.
/// - `answered_means_kept`: after `publish` returns, every group gets every event at least once.
/// - `a_group_sees_every_position`, from 1 on and without a gap, when all that the log has is published.
/// - `an_event_arrives_as_it_was_published`, with the log that it is of.
#[async_trait]
pub trait EventPublisher: Send + Sync {
    async fn publish(&self, from: LogIdentity, events: &[RecordedEvent]) -> Result<(), BusUnavailable>;
}

/// Joins a group of consumers; each event goes to one member of each group.
///
/// **Contract**
/// - `every_group_gets_every_event`.
/// - `each_event_goes_to_one_member_of_a_group`, while nobody joins or leaves.
/// - `no_member_is_overtaken_within_a_stream`: while one owes an acknowledgement, nobody else gets what follows.
/// - `a_group_misses_nothing_while_members_come_and_go`.
/// - `no_event_is_lost_when_a_second_member_joins`, although the first one owes an acknowledgement.
/// - `no_event_is_lost_when_one_of_two_members_leaves`: a member acknowledges what it was given and nothing else.
/// - `a_member_that_leaves_hands_over_to_one_that_waits`.
#[async_trait]
pub trait EventSubscriber: Send + Sync {
    async fn subscribe(&self, group: &str) -> Result<Box<dyn Subscription>, BusUnavailable>;
}

/// One member's place in a group. To drop it is to leave.
///
/// **Contract**
/// - `an_event_that_was_not_acknowledged_is_delivered_again`, to any member of the group, when its member has left.
/// - `a_redelivered_event_keeps_its_place_in_its_stream`.
/// - `an_acknowledged_event_is_not_delivered_again`.
/// - `no_event_is_slept_through`: who waits is woken by whatever is published.
/// - `a_delivery_has_at_least_one_event`.
/// - `no_more_than_the_limit_is_delivered_at_once`.
#[async_trait]
pub trait Subscription: Send {
    /// Waits for at least one event and returns up to `limit`.
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivered>, BusUnavailable>;

    /// Says that everything returned so far has been handled for good.
    async fn acknowledge(&mut self) -> Result<(), BusUnavailable>;
}
