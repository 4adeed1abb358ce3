//! The messages of live availability. Each is written once as JSON, and shared by all connections that send it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use chrono::{DateTime, Utc};
use serde::Serialize;
use ticketing_ports::vocabulary::seating::SeatId;
use ticketing_runtime::{BoardSection, BoardState, BoardTick, SeatChanges};
use uuid::Uuid;

use crate::availability::CountsBody;
use crate::errors::Code;

/// An update that is longer than this many bytes, and longer than a snapshot, is not worth sending.
const LONG_UPDATE: usize = 32 * 1024;

/// At most how many forms of one message are kept, one for each list of sections that clients have asked for. A client
/// with a list beyond these gets a message that is written for it alone.
const MOST_LISTS: usize = 64;

/// The sections whose seats a connection has asked for, in the order of the alphabet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct SeatsOf(Arc<[String]>);

/// Why a list of sections cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum UnreadableList {
    Empty,
    NamedTwice,
    /// No section has a name with which the rest of the list begins.
    NoSuchSection(String),
}

impl SeatsOf {
    /// Reads a list such as `VIP,Stalls`. A name may itself contain a comma: the longest name that fits is taken.
    pub(super) fn parse(list: &str, sections: &[Arc<BoardSection>]) -> Result<Self, UnreadableList> {
        if list.is_empty() {
            return Err(UnreadableList::Empty);
        }
        let mut named = Vec::new();
        let mut rest = Some(list);
        while let Some(text) = rest {
            let names = sections.iter().map(|section| section.availability.name.as_str());
            let fitting = names.filter(|name| {
                let after = text.strip_prefix(name);
                after.is_some_and(|after| after.is_empty() || after.starts_with(','))
            });
            let Some(name) = fitting.max_by_key(|name| name.len()) else {
                let name = text.split(',').next().unwrap_or(text);
                return Err(UnreadableList::NoSuchSection(name.to_owned()));
            };
            if named.iter().any(|known| known == name) {
                return Err(UnreadableList::NamedTwice);
            }
            named.push(name.to_owned());
            rest = text[name.len()..].strip_prefix(',');
        }
        named.sort_unstable();
        Ok(Self(named.into()))
    }

    fn contains(&self, section: &str) -> bool {
        self.0.binary_search_by(|name| name.as_str().cmp(section)).is_ok()
    }
}

#[derive(Serialize)]
struct Snapshot<'a> {
    r#type: &'static str,
    event_id: Uuid,
    sequence: u64,
    lapsed: u64,
    sections: BTreeMap<&'a str, CountsBody>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stale: &'a [String],
    timestamp: DateTime<Utc>,
}

#[derive(Serialize)]
struct Update<'a> {
    r#type: &'static str,
    event_id: Uuid,
    sequence: u64,
    since: u64,
    lapsed: u64,
    sections: BTreeMap<&'a str, CountsBody>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    seats: BTreeMap<&'a str, SeatsBody<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stale: Vec<&'a str>,
    timestamp: DateTime<Utc>,
}

#[derive(Serialize)]
struct SeatsBody<'a> {
    free: &'a [SeatId],
    held: &'a [SeatId],
    sold: &'a [SeatId],
    blocked: &'a [SeatId],
}

/// A message, once for each list of sections for which it was asked for, up to [`MOST_LISTS`].
struct Written<const UPDATE: bool> {
    without_seats: OnceLock<Utf8Bytes>,
    with_seats: Mutex<HashMap<SeatsOf, Utf8Bytes>>,
}

type Snapshots = Written<false>;
type Updates = Written<true>;

impl<const UPDATE: bool> Written<UPDATE> {
    fn new() -> Self {
        Self {
            without_seats: OnceLock::new(),
            with_seats: Mutex::default(),
        }
    }

    fn get_or_write(&self, seats: &SeatsOf, write: impl FnOnce() -> String) -> Utf8Bytes {
        if seats.0.is_empty() {
            return self.without_seats.get_or_init(|| write().into()).clone();
        }
        let mut written = self.with_seats.lock().expect("writing a message does not panic");
        if let Some(message) = written.get(seats) {
            return message.clone();
        }
        let message = Utf8Bytes::from(write());
        if written.len() < MOST_LISTS {
            written.insert(seats.clone(), message.clone());
        }
        message
    }
}

/// Returns what a connection has to send next: an update if it has sent the tick before, and otherwise a snapshot. A
/// snapshot is also sent instead of a long update, so that no message is much longer than a snapshot.
pub(super) fn next_message(tick: &BoardTick, seen: u64, seats: &SeatsOf) -> Utf8Bytes {
    if tick.number != seen + 1 {
        return snapshot(&tick.state, seats);
    }
    let updates = tick.kept.get_or_make(Updates::new);
    updates.get_or_write(seats, || {
        let update = update_text(tick, seats);
        if update.len() <= LONG_UPDATE {
            return update;
        }
        let snapshot = snapshot(&tick.state, seats);
        if update.len() > snapshot.len() {
            snapshot.as_str().to_owned()
        } else {
            update
        }
    })
}

/// Returns all counts as they are. All sections whose seats are asked for are stale: a snapshot has no seats.
pub(super) fn snapshot(state: &BoardState, seats: &SeatsOf) -> Utf8Bytes {
    let snapshots = state.kept.get_or_make(Snapshots::new);
    snapshots.get_or_write(seats, || {
        json(&Snapshot {
            r#type: "availability_snapshot",
            event_id: state.event_id.uuid(),
            sequence: state.sequence,
            lapsed: state.lapsed,
            sections: state.sections.iter().map(|section| counts(section)).collect(),
            stale: &seats.0,
            timestamp: state.at,
        })
    })
}

fn update_text(tick: &BoardTick, seats: &SeatsOf) -> String {
    let state = &tick.state;
    let mut changed_seats = BTreeMap::new();
    let mut stale = Vec::new();
    for change in &tick.changed {
        let name = change.section.availability.name.as_str();
        if !seats.contains(name) {
            continue;
        }
        match &change.seats {
            SeatChanges::Stale => stale.push(name),
            SeatChanges::These {
                free,
                held,
                sold,
                blocked,
            } => {
                if [free, held, sold, blocked].iter().any(|seats| !seats.is_empty()) {
                    let seats = SeatsBody {
                        free,
                        held,
                        sold,
                        blocked,
                    };
                    changed_seats.insert(name, seats);
                }
            }
        }
    }
    json(&Update {
        r#type: "availability_update",
        event_id: state.event_id.uuid(),
        sequence: state.sequence,
        since: tick.since,
        lapsed: state.lapsed,
        sections: tick.changed.iter().map(|change| counts(&change.section)).collect(),
        seats: changed_seats,
        stale,
        timestamp: state.at,
    })
}

fn counts(section: &BoardSection) -> (&str, CountsBody) {
    let availability = &section.availability;
    (availability.name.as_str(), availability.into())
}

/// What is sent beside every ping frame, because the scripts of a web page cannot see ping frames.
pub(super) const PING: Utf8Bytes = Utf8Bytes::from_static(r#"{"type":"ping"}"#);

#[derive(Serialize)]
struct ErrorMessage<'a> {
    r#type: &'static str,
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reconnect_after_ms: Option<u128>,
}

/// Returns what is sent before the server closes a connection: why, and, if the client should come back by itself,
/// after which time.
pub(super) fn error(code: Code, message: &str, reconnect_after: Option<Duration>) -> Utf8Bytes {
    let message = ErrorMessage {
        r#type: "error",
        code: code.as_str(),
        message,
        reconnect_after_ms: reconnect_after.map(|time| time.as_millis()),
    };
    json(&message).into()
}

fn json(message: &impl Serialize) -> String {
    serde_json::to_string(message).expect("a message has only texts as its keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_kept_for_a_bounded_number_of_lists_and_written_for_every_other() {
        let written = Snapshots::new();
        let list = |number: usize| SeatsOf([format!("section {number}")].into());
        for number in 0..2 * MOST_LISTS {
            let message = written.get_or_write(&list(number), || number.to_string());
            assert_eq!(message.as_str(), number.to_string());
        }
        assert_eq!(written.with_seats.lock().unwrap().len(), MOST_LISTS);
        let kept = written.get_or_write(&list(0), || panic!("a message that is kept is written again"));
        assert_eq!(kept.as_str(), "0");
    }
}
