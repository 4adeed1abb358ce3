//! What several tests of the store write.

use chrono::DateTime;
use ticketing_ports::log::event_store::{Append, Commit};
use ticketing_ports::log::streams::{Metadata, NewEvent, Version};
use ticketing_ports::vocabulary::ids::{CommitId, EventId, ReservationId};
use uuid::Uuid;

/// Returns a commit of one fact in a stream of its own. Two numbers make two commits and two streams.
pub(crate) fn commit(number: u128) -> Commit {
    Commit {
        id: CommitId::new(Uuid::from_u128(number)),
        lane: EventId::new(Uuid::nil()).into(),
        at: DateTime::UNIX_EPOCH,
        appends: vec![Append {
            stream: ReservationId::new(Uuid::from_u128(number)).into(),
            expected: Version::NONE,
            events: vec![NewEvent {
                event_type: "held".into(),
                event_version: 1,
                data: b"{}".to_vec(),
                metadata: Metadata::default(),
            }],
        }],
        deadlines: Vec::new(),
        idempotency: Vec::new(),
        landmarks: Vec::new(),
    }
}
