//! Turns JSON, or a query string, into the types of requests. All faults of a request are reported together, each
//! with its place in the request, and types are named as in JSON.

use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use ticketing_domain::event_list::When;
use ticketing_domain::refusal::FieldError;
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::ids::parse_uuid;
use ticketing_ports::vocabulary::payment::MethodKind;
use ticketing_ports::vocabulary::seating::Label;
use uuid::Uuid;

use super::sent::{Object, Sent};
use crate::errors::TOLD_AT_ONCE;

/// An error repeats at most this many characters of an unknown field's name.
const NAME_SHOWN: usize = 40;

/// A type that can be read from a request.
pub(crate) trait Read: Sized {
    /// Reads the value that stands at the place `at`. If it cannot be read, returns `None` and adds the reason to
    /// `faults`.
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self>;

    /// Returns the value that an absent field stands for. `None` if the field is required.
    fn when_absent() -> Option<Self> {
        None
    }
}

/// A place in a request, written like `sections[1].seating`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    /// The whole body or query string, with the name that errors call it by.
    Whole(&'static str),
    Field(&'a Self, &'a str),
    Item(&'a Self, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(name) => f.write_str(name),
            Self::Field(Self::Whole(_), name) => f.write_str(name),
            Self::Field(object, name) => write!(f, "{object}.{name}"),
            Self::Item(array, index) => write!(f, "{array}[{index}]"),
        }
    }
}

/// The faults of a request, in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(super) told: Vec<FieldError>,
}

impl Faults {
    pub(crate) fn say(&mut self, at: &Place<'_>, reason: impl Into<String>) {
        if !self.are_enough() {
            self.told.push(FieldError::new(at.to_string(), reason.into()));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    fn are_enough(&self) -> bool {
        self.told.len() >= TOLD_AT_ONCE
    }

    fn wrong_type(&mut self, at: &Place<'_>, wanted: &str, found: &Sent) {
        let reason = match found {
            Sent::Parameter(_) => format!("must be {wanted}"),
            // Does not add "not a number": a fraction, or a number that is too large, is still a number.
            Sent::Whole(_) | Sent::Fraction(_) if wanted.contains("number") => format!("must be {wanted}"),
            other => format!("must be {wanted}, not {}", other.kind()),
        };
        self.say(at, reason);
    }
}

/// The fields of a JSON object that were not read yet. Reading a field removes it, so the fields that are left at the
/// end are unknown.
pub(crate) struct Fields<'a> {
    at: &'a Place<'a>,
    object: Object,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(sent: Sent, at: &'a Place<'a>, faults: &mut Faults) -> Option<Self> {
        match sent {
            Sent::Object(object) => Some(Self { at, object }),
            other => {
                faults.wrong_type(at, "an object", &other);
                None
            }
        }
    }

    pub(crate) fn take<T: Read>(&mut self, name: &'static str, faults: &mut Faults) -> Option<T> {
        let at = Place::Field(self.at, name);
        if self.object.repeated.remove(name) {
            faults.say(&at, "is given twice");
            self.object.fields.remove(name);
            return None;
        }
        match self.object.fields.remove(name) {
            Some(sent) => T::read(sent, &at, faults),
            None => T::when_absent().or_else(|| {
                faults.say(&at, "is missing");
                None
            }),
        }
    }

    /// Reports an error for each field that is left, because nobody has read it and so it is unknown.
    pub(crate) fn end(&self, known: &[&str], faults: &mut Faults) {
        for name in self.object.fields.keys() {
            let name: String = name.chars().take(NAME_SHOWN).collect();
            let reason = if known.is_empty() {
                "is unknown: no field is allowed here".to_owned()
            } else {
                format!("is unknown: the fields that are allowed here are {}", known.join(", "))
            };
            faults.say(&Place::Field(self.at, &name), reason);
        }
    }
}

/// Implements [`Read`] for a struct. The caller lists the fields of the struct, each with its name in JSON if that
/// differs. With `..` at the end of the list unknown fields are ignored.
macro_rules! read_object {
    ($name:ident { $($field:ident $(as $written:literal)?),* $(,)? }) => {
        $crate::extract::read_object!(@ $name { $($field $(as $written)?),* } |fields, faults| {
            fields.end(&[$($crate::extract::read_object!(@name $field $($written)?)),*], faults);
        });
    };
    ($name:ident { $($field:ident),* , .. }) => {
        $crate::extract::read_object!(@ $name { $($field),* } |fields, faults| {});
    };
    (@ $name:ident { $($field:ident $(as $written:literal)?),* } |$fields:ident, $faults:ident| $end:block) => {
        impl $crate::extract::Read for $name {
            fn read(
                sent: $crate::extract::Sent,
                at: &$crate::extract::Place<'_>,
                $faults: &mut $crate::extract::Faults,
            ) -> Option<Self> {
                let $fields = &mut $crate::extract::Fields::of(sent, at, $faults)?;
                $(let $field = $fields.take($crate::extract::read_object!(@name $field $($written)?), $faults);)*
                $end
                Some(Self { $($field: $field?),* })
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $written:literal) => { $written };
}
pub(crate) use read_object;

impl<T: Read> Read for Option<T> {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        match sent {
            Sent::Null => Some(None),
            other => T::read(other, at, faults).map(Some),
        }
    }

    fn when_absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        let items = match sent {
            Sent::Array(items) => items,
            other => {
                faults.wrong_type(at, "an array", &other);
                return None;
            }
        };
        let mut read = Some(Self::with_capacity(items.len()));
        for (index, item) in items.into_iter().enumerate() {
            let item = T::read(item, &Place::Item(at, index), faults);
            match (&mut read, item) {
                (Some(read), Some(item)) => read.push(item),
                (_, None) if faults.are_enough() => return None,
                (_, _) => read = None,
            }
        }
        read
    }
}

impl Read for String {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        match sent {
            Sent::Text(text) | Sent::Parameter(text) => Some(text),
            other => {
                faults.wrong_type(at, "a string", &other);
                None
            }
        }
    }
}

/// Reads a value that is written as a string, such as a date.
pub(crate) fn read_text<T>(
    sent: Sent,
    at: &Place<'_>,
    faults: &mut Faults,
    wanted: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let read = match &sent {
        Sent::Text(text) | Sent::Parameter(text) => parse(text),
        _ => None,
    };
    if read.is_none() {
        match sent {
            Sent::Text(_) | Sent::Parameter(_) => faults.say(at, format!("must be {wanted}")),
            other => faults.wrong_type(at, wanted, &other),
        }
    }
    read
}

impl Read for Uuid {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        read_text(sent, at, faults, A_UUID, parse_uuid)
    }
}

/// Describes how an id has to be written, in bodies and in paths.
pub(super) const A_UUID: &str = "a UUID with its hyphens, such as 0196c2a4-7b1e-7cc3-98c4-dc0c0c07398f";

impl Read for DateTime<Utc> {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        let wanted = "a time with its offset, such as 2027-05-01T18:00:00Z";
        read_text(sent, at, faults, wanted, |text| {
            let time = DateTime::parse_from_rfc3339(text).ok()?;
            // Refuses a leap second, because many clients could not read the time when the server sends it back.
            (time.timestamp_subsec_nanos() < 1_000_000_000).then(|| time.to_utc())
        })
    }
}

impl Read for Label {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        let text = String::read(sent, at, faults)?;
        Self::new(&text)
            .map_err(|invalid| faults.say(at, invalid.to_string()))
            .ok()
    }
}

/// The statuses that a list shows, separated by commas.
#[derive(Debug, Clone)]
pub(crate) struct Statuses(pub(crate) Vec<EventStatus>);

impl Read for Statuses {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        let wanted = "one or more of draft, published, sales_open, sales_closed, cancelled, completed, separated by \
                      commas";
        read_text(sent, at, faults, wanted, |text| {
            let statuses: Option<_> = text.split(',').map(EventStatus::parse).collect();
            statuses.map(Self)
        })
    }
}

impl Read for When {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        read_text(sent, at, faults, "one of upcoming, past, all", Self::parse)
    }
}

impl Read for MethodKind {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        read_text(sent, at, faults, "one of card, paypal, apple_pay", |text| match text {
            "card" => Some(Self::Card),
            "paypal" => Some(Self::Paypal),
            "apple_pay" => Some(Self::ApplePay),
            _ => None,
        })
    }
}

impl Read for bool {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        if let Sent::Bool(flag) = sent {
            return Some(flag);
        }
        faults.wrong_type(at, "true or false", &sent);
        None
    }
}

/// A count is at most 2,147,483,647, the largest `int32`, because the OpenAPI document declares that type.
impl Read for u32 {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        let number = match &sent {
            Sent::Whole(number) => i32::try_from(*number).ok(),
            Sent::Parameter(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
            _ => None,
        };
        let read = number.and_then(|number| Self::try_from(number).ok());
        if read.is_none() {
            faults.wrong_type(at, "a whole number from 0 to 2147483647", &sent);
        }
        read
    }
}

/// A whole number of any size in the request. A number that does not fit into `u32` becomes 0 or the largest `u32`,
/// which a later check refuses with a better reason than "does not fit".
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quantity(pub(crate) u32);

impl Read for Quantity {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        if let Sent::Whole(number) = sent {
            let clamped = number.clamp(0, u32::MAX.into());
            return Some(Self(
                u32::try_from(clamped).expect("the number is clamped to the range of u32"),
            ));
        }
        faults.wrong_type(at, "a whole number", &sent);
        None
    }
}

/// An amount of money in minor units, such as cents.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MinorUnits(pub(crate) i64);

impl Read for MinorUnits {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        let read = match &sent {
            Sent::Whole(number) => i64::try_from(*number).ok(),
            _ => None,
        };
        if read.is_none() {
            let wanted = "a whole number of minor units, such as 2500 for 25.00";
            faults.wrong_type(at, wanted, &sent);
        }
        read.map(Self)
    }
}

/// An object whose fields are not looked at here, such as the answer of an authenticator.
impl Read for Map<String, Value> {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        if sent.repeats_a_name() {
            faults.say(at, "has two fields of the same name");
            return None;
        }
        match sent {
            Sent::Object(object) => Some(object.into()),
            other => {
                faults.wrong_type(at, "an object", &other);
                None
            }
        }
    }
}
