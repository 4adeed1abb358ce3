//! What an event store reads back is what was written.

use std::borrow::Cow;

use chrono::{TimeDelta, TimeZone, Utc};
use ticketing_ports::log::streams::{
    Aggregate, CorrelationId, Metadata, NewEvent, Position, RecordedEvent, StreamId, Version,
};
use ticketing_ports::vocabulary::trace_context::TraceContext;
use uuid::Uuid;

use super::expected::{SECOND, ensure_gapless, receipt_of};
use crate::conformance::fixtures::{
    answer, at, commit_id, deadline, event, events, found_answer, full_metadata, key, lane, leased, payloads, stream,
    trace, user, whole_log, whole_stream, write,
};
use crate::conformance::{Backend, Verdict, ensure, ensure_eq};

pub(super) async fn what_is_written_is_read_back_unchanged(backend: &Backend) -> Verdict {
    let first = NewEvent {
        event_type: Cow::Borrowed("seats_held"),
        event_version: 3,
        data: br#"{"seats":["A-1","A-2"]}"#.to_vec(),
        metadata: full_metadata(),
    };
    let second = event("{}");
    write(1)
        .at(at(99))
        .of(lane(7))
        .append(stream(1), 0, vec![first.clone(), second.clone()])
        .to(backend)
        .await?;
    let recorded: Vec<RecordedEvent> = [first, second]
        .into_iter()
        .zip(1..)
        .map(|(new, number)| RecordedEvent {
            position: Position(number),
            stream: stream(1),
            version: Version(number),
            lane: lane(7),
            commit_id: commit_id(1),
            event_type: new.event_type,
            event_version: new.event_version,
            data: new.data,
            metadata: new.metadata,
            recorded_at: at(99),
        })
        .collect();
    ensure_eq!(whole_stream(backend, stream(1)).await?, recorded, "the stream");
    ensure_eq!(whole_log(backend).await?, recorded, "the log");
    Ok(())
}

pub(super) async fn every_event_names_the_lane_of_its_commit(backend: &Backend) -> Verdict {
    for number in 1..=3 {
        write(number)
            .of(lane(number))
            .append(stream(number), 0, events(2))
            .append(stream(10 + number), 0, events(1))
            .to(backend)
            .await?;
    }
    let lanes: Vec<_> = [1, 1, 1, 2, 2, 2, 3, 3, 3].map(lane).to_vec();
    let told: Vec<_> = whole_log(backend).await?.iter().map(|event| event.lane).collect();
    ensure_eq!(told, lanes, "lanes of the log");
    let told: Vec<_> = whole_stream(backend, stream(12))
        .await?
        .iter()
        .map(|event| event.lane)
        .collect();
    ensure_eq!(told, [lane(2)], "lanes of a stream");
    Ok(())
}

pub(super) async fn any_bytes_can_be_a_payload(backend: &Backend) -> Verdict {
    let every_byte: Vec<u8> = (0..=255).collect();
    let written: [&[u8]; 6] = [
        b"",
        b"\0",
        b"  padded\r\n\t",
        "Zażółć gęślą jaźń 🎟 \u{202e}".as_bytes(),
        br#"{"b":1, "a":1.0, "a":1e400}"#,
        &every_byte,
    ];
    let new = written.iter().copied().map(event).collect();
    write(1).append(stream(1), 0, new).to(backend).await?;
    ensure_eq!(payloads(&whole_stream(backend, stream(1)).await?), written, "payloads");
    ensure_eq!(payloads(&whole_log(backend).await?), written, "payloads");
    Ok(())
}

pub(super) async fn a_payload_of_1_mib_is_kept(backend: &Backend) -> Verdict {
    let large: Vec<u8> = (0..1 << 20).map(|byte: u32| (byte % 251) as u8).collect();
    write(1)
        .append(
            stream(1),
            0,
            vec![event("before"), event(large.clone()), event("after")],
        )
        .to(backend)
        .await?;
    let stored = whole_stream(backend, stream(1)).await?;
    ensure_eq!(payloads(&stored), [b"before".as_slice(), &large, b"after"], "payloads");
    Ok(())
}

pub(super) async fn a_commit_of_5000_events_is_kept(backend: &Backend) -> Verdict {
    let mut draft = write(1).append(stream(0), 0, events(2000));
    for number in 1..=1000 {
        draft = draft
            .append(stream(number), 0, events(3))
            .set(deadline(number, at(number as i64)))
            .answer(answer(key(number, "bulk"), "done", at(0)));
    }
    let receipt = draft.to(backend).await?;
    ensure_eq!(receipt, receipt_of(1, 5000), "receipt");
    let log = whole_log(backend).await?;
    ensure_gapless(&log, 5000)?;
    let written: Vec<NewEvent> = events(2000)
        .into_iter()
        .chain((0..1000).flat_map(|_| events(3)))
        .collect();
    ensure!(
        log.iter()
            .map(|event| &event.data)
            .eq(written.iter().map(|event| &event.data)),
        "the payloads of a large commit are mixed up"
    );
    let due = leased(backend, at(1000), SECOND, 5000).await?;
    ensure_eq!(due.len(), 1000, "deadlines");
    for number in [1, 500, 1000] {
        let found = found_answer(backend, &key(number, "bulk")).await?;
        ensure!(found.is_some(), "answer {number} of a large commit is missing");
    }
    Ok(())
}

pub(super) async fn types_and_schema_versions_are_kept(backend: &Backend) -> Verdict {
    let long = "x".repeat(200);
    let written: Vec<(&str, u16)> = vec![("seats_held", 1), ("héld-ß", 255), ("A b", 256), (&long, u16::MAX)];
    let new = written
        .iter()
        .map(|&(name, version)| NewEvent {
            event_type: Cow::Owned(name.to_owned()),
            event_version: version,
            ..event("{}")
        })
        .collect();
    write(1).append(stream(1), 0, new).to(backend).await?;
    let stored = whole_stream(backend, stream(1)).await?;
    let stored: Vec<(&str, u16)> = stored
        .iter()
        .map(|event| (&*event.event_type, event.event_version))
        .collect();
    ensure_eq!(stored, written, "types and schema versions");
    Ok(())
}

pub(super) async fn metadata_is_kept_present_or_absent(backend: &Backend) -> Verdict {
    let longest = "~".repeat(CorrelationId::MAX_LENGTH);
    let longest_state = format!("quo\"te=\\{}", "~".repeat(TraceContext::MAX_STATE_LENGTH - 8));
    let correlations = [
        None,
        CorrelationId::parse(r#"quo"te\and{brace}"#),
        CorrelationId::parse(&longest),
    ];
    let written: Vec<Metadata> = correlations
        .into_iter()
        .flat_map(|correlation_id| {
            [None, Some(user(1))].map(|actor| Metadata {
                correlation_id: correlation_id.clone(),
                actor,
                trace: None,
            })
        })
        .chain([None, trace(&[]), trace(&[&longest_state])].map(|trace| Metadata {
            trace,
            ..Metadata::default()
        }))
        .collect();
    let new = written
        .iter()
        .map(|metadata| NewEvent {
            metadata: metadata.clone(),
            ..event("{}")
        })
        .collect();
    write(1).append(stream(1), 0, new).to(backend).await?;
    let stored: Vec<Metadata> = whole_log(backend)
        .await?
        .into_iter()
        .map(|event| event.metadata)
        .collect();
    ensure_eq!(stored, written, "metadata");
    Ok(())
}

pub(super) async fn times_are_kept_to_the_microsecond(backend: &Backend) -> Verdict {
    let written: Vec<_> = [0, 1, 999_999]
        .map(|micros| at(0) + TimeDelta::microseconds(micros))
        .to_vec();
    for (number, time) in written.iter().enumerate() {
        write(number)
            .at(*time)
            .append(stream(number), 0, events(1))
            .to(backend)
            .await?;
    }
    let stored: Vec<_> = whole_log(backend)
        .await?
        .iter()
        .map(|event| event.recorded_at)
        .collect();
    ensure_eq!(stored, written, "times");
    Ok(())
}

pub(super) async fn times_of_other_centuries_are_kept(backend: &Backend) -> Verdict {
    let written: Vec<_> = [(1, 1, 1), (1969, 12, 31), (1970, 1, 1), (9999, 12, 31)]
        .into_iter()
        .filter_map(|(year, month, day)| Utc.with_ymd_and_hms(year, month, day, 23, 59, 59).single())
        .map(|time| time + TimeDelta::microseconds(999_999))
        .collect();
    for (number, time) in written.iter().enumerate() {
        write(number)
            .at(*time)
            .append(stream(number), 0, events(1))
            .to(backend)
            .await?;
    }
    let stored: Vec<_> = whole_log(backend)
        .await?
        .iter()
        .map(|event| event.recorded_at)
        .collect();
    ensure_eq!(stored, written, "times");
    Ok(())
}

pub(super) async fn streams_of_different_aggregates_with_one_id_are_apart(backend: &Backend) -> Verdict {
    let streams = Aggregate::ALL.map(|aggregate| StreamId::new(aggregate, Uuid::from_u128(7)));
    for (number, stream) in streams.into_iter().enumerate() {
        write(number).append(stream, 0, events(number + 1)).to(backend).await?;
    }
    for (number, stream) in streams.into_iter().enumerate() {
        let stored = whole_stream(backend, stream).await?;
        ensure_eq!(stored.len(), number + 1, "events of {stream}");
        ensure!(
            stored.iter().all(|event| event.stream == stream),
            "an event of {stream} names another stream"
        );
    }
    Ok(())
}
