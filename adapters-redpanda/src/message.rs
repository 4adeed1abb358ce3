//! Turns facts into messages, and messages into facts.

use std::borrow::Cow;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Header, Headers as _, OwnedHeaders};
use thiserror::Error;
use ticketing_ports::log::event_bus::Delivered;
use ticketing_ports::log::identity::{Incarnation, LogIdentity};
use ticketing_ports::log::lanes::LaneId;
use ticketing_ports::log::streams::{CorrelationId, Metadata, Position, RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::ids::{CommitId, LogId, UserId};
use ticketing_ports::vocabulary::trace_context::TraceContext;
use uuid::Uuid;

use crate::headers::{
    ACTOR, COMMIT_ID, CORRELATION_ID, EVENT_TYPE, EVENT_VERSION, FACT_ID, INCARNATION, LANE, LOG, POSITION,
    RECORDED_AT, STREAM, TRACEPARENT, TRACESTATE, VERSION,
};

/// How many headers a message has at most, to reserve the memory for them.
const MOST_HEADERS: usize = 15;

/// Why a message cannot have been written by this crate: the name of the header that is missing or invalid.
#[derive(Debug, Error)]
#[error("the header {0} of the message is missing or cannot be read")]
pub(crate) struct ForeignMessage(&'static str);

pub(crate) fn headers_of(from: LogIdentity, event: &RecordedEvent) -> OwnedHeaders {
    let header = |headers: OwnedHeaders, key: &str, value: &str| {
        headers.insert(Header {
            key,
            value: Some(value),
        })
    };
    let recorded_at = event.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let mut headers = [
        (FACT_ID, event.fact_id().to_string()),
        (POSITION, event.position.to_string()),
        (STREAM, event.stream.to_string()),
        (VERSION, event.version.to_string()),
        (LANE, event.lane.to_string()),
        (LOG, from.log.to_string()),
        (INCARNATION, from.incarnation.to_string()),
        (COMMIT_ID, event.commit_id.to_string()),
        (EVENT_TYPE, event.event_type.to_string()),
        (EVENT_VERSION, event.event_version.to_string()),
        (RECORDED_AT, recorded_at),
    ]
    .iter()
    .fold(
        OwnedHeaders::new_with_capacity(MOST_HEADERS),
        |headers, (key, value)| header(headers, key, value),
    );
    if let Some(id) = &event.metadata.correlation_id {
        headers = header(headers, CORRELATION_ID, id.as_str());
    }
    if let Some(actor) = &event.metadata.actor {
        headers = header(headers, ACTOR, &actor.to_string());
    }
    if let Some(trace) = &event.metadata.trace {
        headers = header(headers, TRACEPARENT, trace.traceparent());
        if let Some(state) = trace.tracestate() {
            headers = header(headers, TRACESTATE, state);
        }
    }
    headers
}

pub(crate) fn fact_of(message: &BorrowedMessage<'_>) -> Result<Delivered, ForeignMessage> {
    let text = |name: &'static str| {
        let headers = message.headers()?;
        let header = headers.iter().find(|header| header.key == name)?;
        std::str::from_utf8(header.value?).ok()
    };
    let needed = |name: &'static str| text(name).ok_or(ForeignMessage(name));
    let recorded_at = DateTime::parse_from_rfc3339(needed(RECORDED_AT)?).map_err(|_| ForeignMessage(RECORDED_AT))?;
    let metadata = Metadata {
        correlation_id: match text(CORRELATION_ID) {
            Some(id) => Some(CorrelationId::parse(id).ok_or(ForeignMessage(CORRELATION_ID))?),
            None => None,
        },
        actor: match text(ACTOR) {
            Some(id) => Some(UserId::new(parsed::<Uuid>(id, ACTOR)?)),
            None => None,
        },
        trace: text(TRACEPARENT).and_then(|parent| TraceContext::parse(parent, text(TRACESTATE))),
    };
    let from = LogIdentity {
        log: LogId::new(parsed(needed(LOG)?, LOG)?),
        incarnation: Incarnation(parsed(needed(INCARNATION)?, INCARNATION)?),
    };
    let event = RecordedEvent {
        position: Position(parsed(needed(POSITION)?, POSITION)?),
        stream: StreamId::parse(needed(STREAM)?).ok_or(ForeignMessage(STREAM))?,
        version: Version(parsed(needed(VERSION)?, VERSION)?),
        lane: LaneId::parse(needed(LANE)?).ok_or(ForeignMessage(LANE))?,
        commit_id: CommitId::new(parsed(needed(COMMIT_ID)?, COMMIT_ID)?),
        event_type: Cow::Owned(needed(EVENT_TYPE)?.to_owned()),
        event_version: parsed(needed(EVENT_VERSION)?, EVENT_VERSION)?,
        data: message.payload().unwrap_or_default().to_vec(),
        metadata,
        recorded_at: recorded_at.with_timezone(&Utc),
    };
    Ok(Delivered { from, event })
}

fn parsed<T: FromStr>(text: &str, header: &'static str) -> Result<T, ForeignMessage> {
    text.parse().map_err(|_| ForeignMessage(header))
}
