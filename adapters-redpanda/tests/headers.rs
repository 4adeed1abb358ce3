//! Tests which headers a message has for consumers that do not use this crate.

mod support;

use std::time::Duration;

use adapters_redpanda::{RedpandaBus, headers};
use chrono::{DateTime, TimeDelta};
use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use ticketing_ports::log::event_bus::{EventPublisher as _, EventSubscriber as _};
use ticketing_ports::log::identity::{Incarnation, LogIdentity};
use ticketing_ports::log::streams::{CorrelationId, Metadata, Position, RecordedEvent, Version};
use ticketing_ports::vocabulary::ids::{CommitId, EventId, LogId, ReservationId, UserId};
use ticketing_ports::vocabulary::trace_context::TraceContext;
use uuid::Uuid;

use support::own_options;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

const LOG: LogIdentity = LogIdentity {
    log: LogId::new(Uuid::from_u128(5)),
    incarnation: Incarnation(3),
};

fn fact(version: u64, metadata: Metadata) -> RecordedEvent {
    RecordedEvent {
        position: Position(10 + version),
        stream: ReservationId::new(Uuid::from_u128(42)).into(),
        version: Version(version),
        lane: EventId::new(Uuid::from_u128(6)).into(),
        commit_id: CommitId::new(Uuid::from_u128(7)),
        event_type: "ReservationHeld".into(),
        event_version: 2,
        data: b"{}".to_vec(),
        metadata,
        recorded_at: DateTime::UNIX_EPOCH + TimeDelta::microseconds(1),
    }
}

fn traced(states: &[&str]) -> Metadata {
    Metadata {
        correlation_id: CorrelationId::parse("req-42"),
        actor: Some(UserId::new(Uuid::from_u128(1))),
        trace: TraceContext::parse(PARENT, states.iter().copied()),
    }
}

/// A topic of a bus, with a consumer that does not use this crate.
struct Topic {
    bus: RedpandaBus,
    name: String,
    brokers: String,
    reader: StreamConsumer,
}

impl Topic {
    async fn fresh() -> Self {
        let broker = test_services::broker()
            .await
            .expect("the broker of the tests can be started or found");
        let options = own_options();
        let name = format!("{}.reservations", options.prefix);
        let bus = support::connected(&broker, options).await;
        let reader: StreamConsumer = ClientConfig::new()
            .set("bootstrap.servers", broker.bootstrap())
            .set("group.id", format!("{name}.anybody"))
            .set("auto.offset.reset", "earliest")
            .create()
            .expect("the settings of the Kafka client are valid");
        reader.subscribe(&[&name]).expect("the topic can be subscribed to");
        Self {
            bus,
            name,
            brokers: broker.bootstrap().to_owned(),
            reader,
        }
    }

    async fn next_headers(&self) -> Vec<(String, String)> {
        let next = tokio::time::timeout(Duration::from_secs(60), self.reader.recv());
        let message = next
            .await
            .expect("a message arrives within a minute")
            .expect("the broker answers");
        let headers = message.headers().expect("every message of the bus has headers");
        let text = |value: Option<&[u8]>| {
            String::from_utf8(value.unwrap_or_default().to_vec()).expect("headers are valid UTF-8")
        };
        headers
            .iter()
            .map(|header| (header.key.to_owned(), text(header.value)))
            .collect()
    }

    /// Sends a message with these headers without using this crate, as another program or another release of this
    /// crate would.
    async fn send(&self, headers: &[(String, String)]) {
        let producer: FutureProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .create()
            .expect("the settings of the Kafka client are valid");
        let headers = headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header {
                key,
                value: Some(value),
            })
        });
        let record = FutureRecord::to(&self.name)
            .key("anything")
            .payload("{}")
            .headers(headers);
        producer
            .send(record, Duration::from_secs(60))
            .await
            .expect("the broker accepts the message");
    }
}

fn lines(headers: &[(String, String)]) -> String {
    let lines = headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
    lines.collect()
}

fn value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let header = headers.iter().find(|header| header.0 == name);
    header.map(|header| header.1.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_says_in_its_headers_what_is_known_about_its_fact() {
    let topic = Topic::fresh().await;
    let everything = fact(1, traced(&["rojo=1", "congo=2"]));
    let no_more_than_needed = fact(2, Metadata::default());
    topic
        .bus
        .publish(LOG, &[everything, no_more_than_needed])
        .await
        .unwrap();
    assert_eq!(
        lines(&topic.next_headers().await),
        "ticketing-fact-id: ef408fbc-8e08-5b42-ab7b-1333a0568fbe
ticketing-position: 11
ticketing-stream: reservation-00000000-0000-0000-0000-00000000002a
ticketing-version: 1
ticketing-lane: event-00000000-0000-0000-0000-000000000006
ticketing-log: 00000000-0000-0000-0000-000000000005
ticketing-incarnation: 3
ticketing-commit-id: 00000000-0000-0000-0000-000000000007
ticketing-event-type: ReservationHeld
ticketing-event-version: 2
ticketing-recorded-at: 1970-01-01T00:00:00.000001Z
ticketing-correlation-id: req-42
ticketing-actor: 00000000-0000-0000-0000-000000000001
traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
tracestate: rojo=1,congo=2
"
    );
    assert_eq!(
        lines(&topic.next_headers().await),
        "ticketing-fact-id: 69ab9afb-936d-5ab5-87f5-b3dcf7068964
ticketing-position: 12
ticketing-stream: reservation-00000000-0000-0000-0000-00000000002a
ticketing-version: 2
ticketing-lane: event-00000000-0000-0000-0000-000000000006
ticketing-log: 00000000-0000-0000-0000-000000000005
ticketing-incarnation: 3
ticketing-commit-id: 00000000-0000-0000-0000-000000000007
ticketing-event-type: ReservationHeld
ticketing-event-version: 2
ticketing-recorded-at: 1970-01-01T00:00:00.000001Z
"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_is_published_again_has_the_same_id() {
    let topic = Topic::fresh().await;
    let facts = [fact(1, traced(&[])), fact(2, traced(&[]))];
    // Publishes the same facts twice. A relay does so if it dies after publishing and before it has stored its
    // position.
    topic.bus.publish(LOG, &facts).await.unwrap();
    topic.bus.publish(LOG, &facts).await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..4 {
        let headers = topic.next_headers().await;
        ids.push(value(&headers, headers::FACT_ID).unwrap().to_owned());
    }
    let [first, second] = facts.map(|fact| fact.fact_id().to_string());
    assert_eq!(ids, [first.clone(), second.clone(), first, second]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_trace_makes_no_sense_is_ours_without_it() {
    let topic = Topic::fresh().await;
    let own = fact(1, traced(&["rojo=1"]));
    topic.bus.publish(LOG, std::slice::from_ref(&own)).await.unwrap();
    let headers = topic.next_headers().await;
    let with = |name: &str, value: &str| {
        let mut headers = headers.clone();
        let known = headers.iter_mut().find(|header| header.0 == name);
        value.clone_into(&mut known.expect("the message has this header").1);
        headers
    };
    topic.send(&with(headers::TRACEPARENT, "nonsense")).await;
    topic.send(&with(headers::TRACESTATE, "ümlaut=1")).await;
    let mut without_trace = headers.clone();
    without_trace.retain(|(name, _)| ![headers::TRACEPARENT, headers::TRACESTATE].contains(&name.as_str()));
    topic.send(&without_trace).await;
    // A message of an older release does not say of which log its fact is, so the bus skips the message. Followers
    // that need the fact read it from the log.
    let mut of_an_older_release = without_trace;
    of_an_older_release.retain(|(name, _)| {
        let newer = [headers::LANE, headers::LOG, headers::INCARNATION];
        !newer.contains(&name.as_str())
    });
    topic.send(&of_an_older_release).await;

    let mut member = topic.bus.subscribe("readers").await.unwrap();
    let mut arrived = Vec::new();
    while arrived.len() < 4 {
        arrived.extend(member.next(1).await.unwrap());
    }
    // Counts the arrived facts that have this trace context. All messages of this test carry the same fact and differ
    // only in their trace headers.
    let count = |trace: Option<TraceContext>| {
        let metadata = Metadata {
            trace,
            ..own.metadata.clone()
        };
        arrived.iter().filter(|fact| fact.event.metadata == metadata).count()
    };
    assert_eq!(count(own.metadata.trace.clone()), 1, "{arrived:#?}");
    assert_eq!(count(TraceContext::parse(PARENT, [])), 1, "{arrived:#?}");
    assert_eq!(count(None), 2, "{arrived:#?}");
}
