//! The bus between the log and those who follow it: at least once, in order within a stream.

use async_trait::async_trait;
use thiserror::Error;

use crate::errors::BoxError;
use crate::streams::RecordedEvent;

/// The bus did not take or give an event; the same call may succeed later.
#[derive(Debug, Error)]
#[error("the event bus is unavailable")]
pub struct BusUnavailable(#[source] pub BoxError);

/// Puts facts on the bus.
///
/// **Contract**
/// - `events_of_one_stream_arrive_in_order`.
/// - `answered_means_kept`: after `publish` returns, every group gets every event at least once.
#[async_trait]
pub trait EventPublisher: Send + Sync {
    async fn publish(&self, events: &[RecordedEvent]) -> Result<(), BusUnavailable>;
}

/// Joins a group of consumers; each event goes to one member of each group.
///
/// **Contract**
/// - `every_group_gets_every_event`.
/// - `an_event_that_was_not_acknowledged_is_delivered_again`, to any member of the group.
/// - `a_group_misses_nothing_while_members_come_and_go`.
#[async_trait]
pub trait EventSubscriber: Send + Sync {
    async fn subscribe(&self, group: &str) -> Result<Box<dyn Subscription>, BusUnavailable>;
}

/// One member's place in a group.
#[async_trait]
pub trait Subscription: Send {
    /// Waits for at least one event and returns up to `limit`.
    async fn next(&mut self, limit: usize) -> Result<Vec<RecordedEvent>, BusUnavailable>;

    /// Says that everything returned so far has been handled for good.
    async fn acknowledge(&mut self) -> Result<(), BusUnavailable>;
}
