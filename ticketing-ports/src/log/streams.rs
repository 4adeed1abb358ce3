//! Streams: how they are named and counted, and what a stored fact consists of.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::log::lanes::LaneId;
use crate::vocabulary::Timestamp;
use crate::vocabulary::ids::{CommitId, EventId, FactId, PaymentId, ReservationId, SectionId, UserId};
use crate::vocabulary::trace_context::{self, TraceContext};

/// Calls another macro with the list of all aggregates: the name of each as a type, its name as text, its topic, and
/// the type of its ids.
///
/// This is the only list of aggregates; code that needs one piece for each aggregate is generated from it. New
/// aggregates are added at its end.
#[macro_export]
macro_rules! for_each_aggregate {
    ($callback:path) => {
        $callback! {
            Catalog: "catalog", "events", EventId;
            Inventory: "inventory", "inventory", SectionId;
            Reservation: "reservation", "reservations", ReservationId;
            Payment: "payment", "payments", PaymentId;
        }
    };
}

macro_rules! aggregates {
    ($($name:ident: $text:literal, $topic:literal, $id:ident;)+) => {
        /// The kind of thing that a stream is about, such as a reservation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Aggregate {
            $(
                #[doc = concat!("The aggregate that is stored as `", $text, "`.")]
                $name,
            )+
        }

        impl Aggregate {
            /// All aggregates, in the order of the list in `for_each_aggregate!`.
            pub const ALL: [Self; [$(Self::$name,)+].len()] = [$(Self::$name,)+];

            /// Returns the name under which the aggregate is stored.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// Returns the aggregate that is stored as `name`; `None` if no aggregate has that name.
            pub fn parse(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// Returns the name of the topic in which a bus carries the facts of the aggregate. It never changes,
            /// because other programs read the topics.
            pub const fn topic(self) -> &'static str {
                match self {
                    $(Self::$name => $topic,)+
                }
            }

            /// Returns the number under which databases store the aggregate. It never changes, because aggregates are
            /// added at the end of the list.
            pub const fn number(self) -> i16 {
                self as i16 + 1
            }

            /// Returns the aggregate that databases store as `number`; `None` if no aggregate has that number.
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

/// The name of one stream, written as `reservation-0190c5…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId {
    /// The kind of thing that the stream is about.
    pub aggregate: Aggregate,
    /// The id of the thing that the stream is about.
    pub id: Uuid,
}

impl StreamId {
    /// Makes the name of the stream about the thing with that kind and id.
    pub const fn new(aggregate: Aggregate, id: Uuid) -> Self {
        Self { aggregate, id }
    }

    /// Reads a stream id as `Display` writes it; `None` for any other text.
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

/// How many facts a stream has. This is also the number of its last fact, because the facts of a stream are numbered
/// from 1 on. A stream that does not exist yet has version 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

impl Version {
    /// The version of a stream that does not exist yet.
    pub const NONE: Self = Self(0);

    /// Returns the version after one more fact.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// Returns the version after `events` more facts.
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

/// The place of a fact in the log. Positions count from 1 without gaps, in the order of the commits. Position 0 is
/// before the first fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// The position before the first fact.
    pub const START: Self = Self(0);

    /// Returns the position of the fact that is `events` facts later.
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

/// The id by which a request is found in log lines and facts: 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CorrelationId(Arc<str>);

impl CorrelationId {
    /// How many characters a correlation id has at most.
    pub const MAX_LENGTH: usize = 128;

    /// Makes a correlation id of its text; `None` unless the text has 1 to 128 visible ASCII characters.
    pub fn parse(text: &str) -> Option<Self> {
        let visible = !text.is_empty() && text.len() <= Self::MAX_LENGTH && text.bytes().all(|b| b.is_ascii_graphic());
        visible.then(|| Self(text.into()))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What led to a fact: a request, its user and its trace.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// The id of the request that caused the fact; `None` if there was no request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<CorrelationId>,
    /// The user who sent the request; `None` if no user did. If a deadline or an answer of the gateway led to the
    /// fact, this is the user whose request set the deadline or led to the call of the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<UserId>,
    /// The place of the request in the trace of its caller; `None` if the request had no valid trace headers.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "trace_context::deserialize_if_valid"
    )]
    pub trace: Option<TraceContext>,
}

/// A fact that is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The name of the type of the fact, such as `SeatsHeld`.
    pub event_type: Cow<'static, str>,
    /// The version of the schema of the payload, from 1.
    pub event_version: u16,
    /// The payload, as JSON.
    pub data: Vec<u8>,
    /// The request that led to the fact, with its user and its trace.
    pub metadata: Metadata,
}

/// A fact as the event store returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The place of the fact in the log.
    pub position: Position,
    /// The stream of the fact.
    pub stream: StreamId,
    /// The number of the fact in its stream, from 1.
    pub version: Version,
    /// The lane that decided the fact. All facts of a stream have the same lane.
    pub lane: LaneId,
    /// The commit that wrote the fact.
    pub commit_id: CommitId,
    /// The name of the type of the fact, such as `SeatsHeld`.
    pub event_type: Cow<'static, str>,
    /// The version of the schema of the payload, from 1.
    pub event_version: u16,
    /// The payload, as JSON.
    pub data: Vec<u8>,
    /// The request that led to the fact, with its user and its trace.
    pub metadata: Metadata,
    /// The time of the commit that wrote the fact.
    pub recorded_at: Timestamp,
}

impl RecordedEvent {
    /// The UUID namespace in which [`Self::fact_id`] derives ids. It must never change, or every fact would get a
    /// second id.
    const FACT_IDS: Uuid = Uuid::from_u128(0xc239_a7ca_5b5c_4b4d_ae84_7040_66a2_0802);

    /// Returns the id of the fact. The id is the same each time the fact is published, so that a consumer can
    /// recognise a fact that it gets twice. If a log loses a fact and another fact is written in its place, the two
    /// have different ids, because their commits differ.
    ///
    /// The id is a UUID of version 5 ([RFC 9562](https://www.rfc-editor.org/rfc/rfc9562#section-5.5)) of
    /// `COMMIT/STREAM/VERSION`, as in `0190c5…/reservation-0190c5…/3`, in the namespace
    /// `c239a7ca-5b5c-4b4d-ae84-704066a20802`.
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
    fn the_topics_that_other_programs_read_stay_what_they_are() {
        let topics = Aggregate::ALL.map(Aggregate::topic);
        assert_eq!(topics, ["events", "inventory", "reservations", "payments"]);
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
        // Consumers store fact ids. A change that gives this fact another id would break these consumers.
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
