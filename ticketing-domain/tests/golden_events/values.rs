//! Values of the examples that several facts have.

use chrono::DateTime;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::seating::{Label, SeatId};
use uuid::Uuid;

pub(crate) fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("the number of seconds is within range")
}

pub(crate) fn label(text: &str) -> Label {
    Label::new(text).expect("a short plain text is a valid label")
}

pub(crate) fn seat(text: &str) -> SeatId {
    SeatId::parse(text).expect("the text names a seat")
}
