//! The bus that brings the facts of the log to other processes. Each fact arrives at least once; the facts of one
//! stream arrive in their order.

use async_trait::async_trait;
use thiserror::Error;

use crate::log::identity::LogIdentity;
use crate::log::streams::RecordedEvent;
use crate::vocabulary::errors::BoxError;

/// The bus did not accept or deliver facts. The same call may succeed later.
#[derive(Debug, Error)]
#[error("the event bus is unavailable")]
pub struct BusUnavailable(#[source] pub BoxError);

/// A fact as the bus delivers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The id and the incarnation of the log that the fact is from.
    pub from: LogIdentity,
    /// The fact.
    pub event: RecordedEvent,
}

/// Publishes facts.
///
/// ```
/// use adapters_memory::InProcessBus;
/// use ticketing_ports::log::event_bus::{EventPublisher, EventSubscriber};
/// # use chrono::DateTime;
/// # use ticketing_ports::log::identity::{Incarnation, LogIdentity};
/// # use ticketing_ports::log::streams::{Metadata, Position, RecordedEvent, Version};
/// # use ticketing_ports::vocabulary::ids::{CommitId, EventId, LogId};
/// # use uuid::Uuid;
///
/// # let event = EventId::new(Uuid::from_u128(1));
/// # let log = LogIdentity { log: LogId::new(Uuid::from_u128(2)), incarnation: Incarnation::FIRST };
/// # let fact = RecordedEvent {
/// #     position: Position(1),
/// #     stream: event.into(),
/// #     version: Version(1),
/// #     lane: event.into(),
/// #     commit_id: CommitId::new(Uuid::from_u128(3)),
/// #     event_type: "EventPublished".into(),
/// #     event_version: 1,
/// #     data: b"{}".to_vec(),
/// #     metadata: Metadata::default(),
/// #     recorded_at: DateTime::UNIX_EPOCH,
/// # };
/// # futures::executor::block_on(async {
/// let bus = InProcessBus::new();
/// let mut subscription = bus.subscribe("mails").await.unwrap();
/// bus.publish(log, &[fact.clone()]).await.unwrap();
/// let delivered = subscription.next(10).await.unwrap();
/// assert_eq!(delivered[0].event, fact);
/// subscription.acknowledge().await.unwrap();
/// # });
/// ```
///
/// **Contract**
/// - `events_of_one_stream_arrive_in_order`.
/// - `answered_means_kept`: after `publish` returns, every group gets every event at least once.
/// - `a_group_sees_every_position`, from 1 on and without a gap, when the whole log is published.
/// - `an_event_arrives_as_it_was_published`, with the identity of its log.
#[async_trait]
pub trait EventPublisher: std::fmt::Debug + Send + Sync {
    /// Publishes facts of one log in the given order. Once this call has succeeded, the bus has stored the facts, and
    /// every group of consumers gets each of them.
    ///
    /// # Errors
    /// Fails if the bus cannot be reached. Some of the facts may have been published even so.
    async fn publish(&self, from: LogIdentity, events: &[RecordedEvent]) -> Result<(), BusUnavailable>;
}

/// Subscribes to facts. Consumers form groups: each fact goes to one member of each group.
///
/// [`EventPublisher`] has an example.
///
/// **Contract**
/// - `every_group_gets_every_event`.
/// - `each_event_goes_to_one_member_of_a_group`, while nobody joins or leaves.
/// - `no_member_is_overtaken_within_a_stream`: while a member has not acknowledged a fact, no other member gets later
///   facts of the stream.
/// - `a_group_misses_nothing_while_members_come_and_go`.
/// - `no_event_is_lost_when_a_second_member_joins`, although the first one has not acknowledged everything yet.
/// - `no_event_is_lost_when_one_of_two_members_leaves`: a member acknowledges what it was given and nothing else.
/// - `a_member_that_leaves_hands_over_to_one_that_waits`.
#[async_trait]
pub trait EventSubscriber: std::fmt::Debug + Send + Sync {
    /// Makes the caller a member of the group, and returns the membership.
    async fn subscribe(&self, group: &str) -> Result<Box<dyn Subscription>, BusUnavailable>;
}

/// The membership of one consumer in a group. When this value is dropped, the consumer leaves the group.
///
/// [`EventPublisher`] has an example.
///
/// **Contract**
/// - `an_event_that_was_not_acknowledged_is_delivered_again`, to any member of the group, once the member that
///   received it has left.
/// - `a_redelivered_event_keeps_its_place_in_its_stream`.
/// - `an_acknowledged_event_is_not_delivered_again`.
/// - `no_event_is_slept_through`: a member that waits in `next` is woken when a fact is published.
/// - `a_delivery_has_at_least_one_event`.
/// - `no_more_than_the_limit_is_delivered_at_once`.
#[async_trait]
pub trait Subscription: std::fmt::Debug + Send {
    /// Waits until there is a fact for this member, and returns at most `limit` facts.
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivered>, BusUnavailable>;

    /// Tells the bus that the member has handled all facts that `next` has returned. The bus does not deliver them
    /// to the group again.
    async fn acknowledge(&mut self) -> Result<(), BusUnavailable>;
}
