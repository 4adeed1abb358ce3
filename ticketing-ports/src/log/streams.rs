//! Streams of facts: how they are named, counted and what a stored fact looks like.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::log::lanes::LaneId;
use crate::vocabulary::Timestamp;
use crate::vocabulary::ids::{CommitId, EventId, FactId, PaymentId, ReservationId, SectionId, UserId};
use crate::vocabulary::trace_context::{self, TraceContext};

/// Calls another macro with every aggregate there is: its name as a type, its name as text, and the type of its ids.
///
/// The list is closed, only grows at its end, and stands here only; whatever needs one piece for each aggregate is generated from it.
#[macro_export]
macro_rules! for_each_aggregate {
    ($callback:path) => {
        $callback! {
            Catalog: "catalog", EventId;
            Inventory: "inventory", SectionId;
            Reservation: "reservation", ReservationId;
            Payment: "payment", PaymentId;
        }
    };
}

macro_rules! aggregates {
    ($($name:ident: $text:literal, $id:ident;)+) => {
        /// Which kind of state a stream belongs to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Aggregate {
            $($name,)+
        }

        impl Aggregate {
            pub const ALL: [Self; [$(Self::$name,)+].len()] = [$(Self::$name,)+];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            pub fn parse(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// The number that databases know it by, for good: its place in the list, which only grows at its end.
            pub const fn number(self) -> i16 {
                self as i16 + 1
            }

            pub fn from_number(number: i16) -> Option<Self> {
                Self::ALL.into_iter().find(|aggregate| aggregate.number() == number)
            }
        }

        $(impl From<$id> for StreamId {
            fn from(id: $id) -> Self {
                Self::new(Aggregate::$name, id.uuid())
            }
        })+
    };
}
for_each_aggregate!(aggregates);

/// The name of one stream, printed as `reservation-0190c5…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId {
    pub aggregate: Aggregate,
    pub id: Uuid,
}

impl StreamId {
    pub const fn new(aggregate: Aggregate, id: Uuid) -> Self {
        Self { aggregate, id }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (aggregate, id) = text.split_once('-')?;
        Some(Self::new(Aggregate::parse(aggregate)?, Uuid::parse_str(id).ok()?))
    }
}

impl std::fmt::Display for StreamId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.aggregate.as_str(), self.id)
    }
}

/// How many facts a stream has; also the number of its last one. 0 is a stream that does not exist yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

impl Version {
    pub const NONE: Self = Self(0);

    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    #[must_use]
    pub const fn plus(self, events: u64) -> Self {
        Self(self.0 + events)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Place of a fact in the whole log: gapless, from 1, in commit order. 0 is before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    pub const START: Self = Self(0);

    #[must_use]
    pub const fn plus(self, events: u64) -> Self {
        Self(self.0 + events)
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Follows one request through logs and facts: 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CorrelationId(Arc<str>);

impl CorrelationId {
    pub const MAX_LENGTH: usize = 128;

    pub fn parse(text: &str) -> Option<Self> {
        let visible = !text.is_empty() && text.len() <= Self::MAX_LENGTH && text.bytes().all(|b| b.is_ascii_graphic());
        visible.then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is known about how a fact came to be, beside the fact.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Metadata {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<CorrelationId>,
    /// Who asked; absent when nobody did. What a deadline or a gateway brings about is known by who set it going.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<UserId>,
    /// Where the request belongs in its caller's trace; absent when it said nothing.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "trace_context::deserialize_if_valid"
    )]
    pub trace: Option<TraceContext>,
}

/// A fact about to be stored. The payload is JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub event_type: Cow<'static, str>,
    /// Version of the payload's schema, from 1.
    pub event_version: u16,
    pub data: Vec<u8>,
    pub metadata: Metadata,
}

/// A fact as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    pub position: Position,
    pub stream: StreamId,
    pub version: Version,
    /// The lane that decided it, and with it every fact of the stream.
    pub lane: LaneId,
    pub commit_id: CommitId,
    pub event_type: Cow<'static, str>,
    pub event_version: u16,
    pub data: Vec<u8>,
    pub metadata: Metadata,
    pub recorded_at: Timestamp,
}

impl RecordedEvent {
    /// What [`Self::fact_id`] is derived in. Changing it would give every fact a second id.
    const FACT_IDS: Uuid = Uuid::from_u128(0xc239_a7ca_5b5c_4b4d_ae84_7040_66a2_0802);

    /// The same for the same fact wherever and however often it is told, so that who hears it twice can tell. A fact that
    /// a log lost and the one that is written in its place have different ids: they are of different commits.
    ///
    /// A UUID of version 5 ([RFC 9562](https://www.rfc-editor.org/rfc/rfc9562#section-5.5)) of `COMMIT/STREAM/VERSION`, as
    /// in `0190c5…/reservation-0190c5…/3`, in the namespace `c239a7ca-5b5c-4b4d-ae84-704066a20802`.
    pub fn fact_id(&self) -> FactId {
        let place = format!("{}/{}/{}", self.commit_id, self.stream, self.version);
        FactId::new(Uuid::new_v5(&Self::FACT_IDS, place.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn fact(stream: impl Into<StreamId>, version: u64) -> RecordedEvent {
        RecordedEvent {
            position: Position(7),
            stream: stream.into(),
            version: Version(version),
            lane: EventId::new(Uuid::from_u128(1)).into(),
            commit_id: CommitId::new(Uuid::from_u128(9)),
            event_type: "ReservationHeld".into(),
            event_version: 1,
            data: b"{}".to_vec(),
            metadata: Metadata::default(),
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_numbers_in_databases_stay_what_they_are() {
        let numbers = Aggregate::ALL.map(|aggregate| (aggregate.number(), aggregate.as_str()));
        assert_eq!(
            numbers,
            [(1, "catalog"), (2, "inventory"), (3, "reservation"), (4, "payment")]
        );
        for (number, name) in numbers {
            assert_eq!(Aggregate::from_number(number), Aggregate::parse(name));
        }
        assert_eq!(Aggregate::from_number(0), None);
    }

    #[test]
    fn a_stream_id_survives_the_trip_through_its_text() {
        let stream = StreamId::from(ReservationId::new(Uuid::from_u128(42)));
        assert_eq!(StreamId::parse(&stream.to_string()), Some(stream));
        assert_eq!(StreamId::parse("reservation"), None);
        assert_eq!(StreamId::parse("seat-00000000-0000-0000-0000-000000000000"), None);
    }

    #[test]
    fn a_correlation_id_is_1_to_128_visible_ascii_characters() {
        let longest = "x".repeat(128);
        assert!(CorrelationId::parse(&longest).is_some());
        for text in ["", "a b", "é", "tab\t", &format!("{longest}x")] {
            assert_eq!(CorrelationId::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_fact_id_is_made_from_the_facts_commit_and_its_place_in_its_stream_and_from_nothing_else() {
        let id = Uuid::from_u128(42);
        let told = fact(ReservationId::new(id), 3);
        // Consumers keep these ids: whatever changes them is a breaking change.
        assert_eq!(told.fact_id().to_string(), "445fec34-8fa6-53d8-953f-205af4f9e787");
        let mut told_again = told.clone();
        told_again.position = Position(8);
        told_again.data = b"[]".to_vec();
        told_again.metadata.actor = Some(UserId::new(id));
        told_again.lane = EventId::new(Uuid::from_u128(2)).into();
        assert_eq!(told_again.fact_id(), told.fact_id());
        for other in [
            fact(ReservationId::new(id), 4),
            fact(PaymentId::new(id), 3),
            fact(ReservationId::new(Uuid::from_u128(43)), 3),
            RecordedEvent {
                commit_id: CommitId::new(Uuid::from_u128(10)),
                ..told.clone()
            },
        ] {
            assert_ne!(other.fact_id(), told.fact_id(), "{other:?}");
        }
    }

    #[test]
    fn metadata_without_a_trace_is_written_and_read_as_before_there_were_any() {
        let before = r#"{"correlation_id":"req-42"}"#;
        let metadata: Metadata = serde_json::from_str(before).unwrap();
        assert_eq!(metadata.trace, None);
        assert_eq!(serde_json::to_string(&metadata).unwrap(), before);
    }

    #[test]
    fn metadata_keeps_a_trace_with_and_without_a_state() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        for (states, stored) in [
            (&[][..], format!(r#"{{"trace":{{"traceparent":"{parent}"}}}}"#)),
            (
                &["foo=1", "bar=2"][..],
                format!(r#"{{"trace":{{"traceparent":"{parent}","tracestate":"foo=1,bar=2"}}}}"#),
            ),
        ] {
            let metadata = Metadata {
                trace: TraceContext::parse(parent, states.iter().copied()),
                ..Metadata::default()
            };
            assert_eq!(serde_json::to_string(&metadata).unwrap(), stored);
            assert_eq!(serde_json::from_str::<Metadata>(&stored).unwrap(), metadata);
        }
    }

    #[test]
    fn a_stored_trace_that_makes_no_sense_does_not_hide_the_rest() {
        let stored = r#"{"correlation_id":"req-42","trace":{"traceparent":"nonsense"}}"#;
        let metadata: Metadata = serde_json::from_str(stored).unwrap();
        assert_eq!(metadata.correlation_id, CorrelationId::parse("req-42"));
        assert_eq!(metadata.trace, None);
    }

    #[test]
    fn a_trace_that_is_not_there_takes_one_pointer() {
        assert_eq!(size_of::<Option<TraceContext>>(), size_of::<usize>());
    }
}
