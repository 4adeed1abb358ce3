//! How facts become bytes and come back: a stable type, a version and JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::log::streams::{Metadata, NewEvent, RecordedEvent};

/// A stored fact that this build cannot read.
#[derive(Debug, Error)]
pub enum UnreadableEvent {
    #[error("event type {event_type} version {event_version} is unknown to this build")]
    UnknownSchema { event_type: String, event_version: u16 },
    #[error("event type {event_type} version {event_version} has a payload of another shape")]
    Malformed {
        event_type: String,
        event_version: u16,
        #[source]
        source: serde_json::Error,
    },
}

/// A version of a fact that is written from a generation on, and how it is written before.
#[derive(Debug, Clone, Copy)]
pub struct NewVersion {
    pub event_type: &'static str,
    pub version: u16,
    pub since: SchemaGeneration,
    pub before: u16,
    /// From a payload of `version` to one of `before`.
    pub lower: fn(&[u8]) -> Vec<u8>,
}

/// A type of fact that no build had before a generation.
#[derive(Debug, Clone, Copy)]
pub struct NewType {
    pub event_type: &'static str,
    pub since: SchemaGeneration,
}

/// An enum of facts, one stable type and schema version for each variant.
pub trait StoredEvent: Sized {
    /// Every type this enum writes, with the version it writes.
    const SCHEMAS: &'static [(&'static str, u16)];

    /// Those of them that not every build on a log may read yet.
    const NEW_VERSIONS: &'static [NewVersion];

    /// Those types that not every build on a log may read yet. They have no older form: who decides asks
    /// [`is_read_by_all`](StoredEvent::is_read_by_all) first.
    const NEW_TYPES: &'static [NewType];

    fn schema(&self) -> (&'static str, u16);

    /// The payload alone, without type and version.
    fn payload(&self) -> Vec<u8>;

    /// # Errors
    /// When the type or version is unknown, or the payload does not fit it.
    fn read(event_type: &str, event_version: u16, data: &[u8]) -> Result<Self, UnreadableEvent>;

    /// Whether every build on a log with this floor reads facts of this type. One that is new and that others do not read must
    /// not be decided on: it has no older form in which it could be written.
    fn is_read_by_all(&self, floor: SchemaGeneration) -> bool {
        let (event_type, _) = self.schema();
        let new = Self::NEW_TYPES.iter().find(|new| new.event_type == event_type);
        new.is_none_or(|new| floor >= new.since)
    }

    fn to_new_event(&self, metadata: Metadata) -> NewEvent {
        let (event_type, event_version) = self.schema();
        NewEvent {
            event_type: event_type.into(),
            event_version,
            data: self.payload(),
            metadata,
        }
    }

    /// # Errors
    /// See [`StoredEvent::read`].
    fn from_recorded(event: &RecordedEvent) -> Result<Self, UnreadableEvent> {
        Self::read(&event.event_type, event.event_version, &event.data)
    }
}

pub(crate) fn write_payload(payload: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(payload).expect("payloads are plain data with string keys")
}

/// What no arm of an enum reads.
pub(crate) fn read_unknown<E>(
    event_type: &str,
    event_version: u16,
    data: &[u8],
    read: fn(&str, u16, &[u8]) -> Result<E, UnreadableEvent>,
) -> Result<E, UnreadableEvent> {
    #[cfg(feature = "made-up-version")]
    if let Some((version, data)) = crate::made_up_version::lowered(event_type, event_version, data) {
        return read(event_type, version, &data);
    }
    #[cfg(not(feature = "made-up-version"))]
    let _ = (data, read);
    Err(UnreadableEvent::UnknownSchema {
        event_type: event_type.to_owned(),
        event_version,
    })
}

pub(crate) fn read_payload<T: DeserializeOwned>(
    event_type: &str,
    event_version: u16,
    data: &[u8],
) -> Result<T, UnreadableEvent> {
    serde_json::from_slice(data).map_err(|source| UnreadableEvent::Malformed {
        event_type: event_type.to_owned(),
        event_version,
        source,
    })
}

/// Declares an enum of facts and its stable schema in one place.
///
/// Each variant holds one payload struct. An older version of a payload is read by naming its upcaster, and is written for
/// as long as the floor of the log is below the generation that the new version begins with:
/// `SeatsHeld(SeatsHeld) = "SeatsHeld" v 2 since 3 else 1 => lower_to_v1, from { 1 => upcast_v1 };`. A type that is new with a
/// generation says so: `SeatsSwapped(SeatsSwapped) = "SeatsSwapped" v 1 new in 3;`.
macro_rules! stored_events {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident($payload:ty) = $event_type:literal v $version:literal
                $(new in $first:literal)? $(since $generation:literal else $before:literal => $lower:path)?
                $(, from { $($old:literal => $upcast:path),+ })?;)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
        pub enum $name {
            $($(#[$variant_meta])* $variant($payload),)+
        }

        impl $crate::stored::StoredEvent for $name {
            const SCHEMAS: &'static [(&'static str, u16)] = &[$(($event_type, $version)),+];

            const NEW_VERSIONS: &'static [$crate::stored::NewVersion] = &[$($(
                $crate::stored::NewVersion {
                    event_type: $event_type,
                    version: $version,
                    since: ticketing_ports::log::identity::SchemaGeneration($generation),
                    before: $before,
                    lower: |data| {
                        let new: $payload = $crate::stored::read_payload($event_type, $version, data)
                            .expect("what this build has just written it reads");
                        $crate::stored::write_payload(&$lower(new))
                    },
                },
            )?)+];

            const NEW_TYPES: &'static [$crate::stored::NewType] = &[$($(
                $crate::stored::NewType {
                    event_type: $event_type,
                    since: ticketing_ports::log::identity::SchemaGeneration($first),
                },
            )?)+];

            fn schema(&self) -> (&'static str, u16) {
                match self {
                    $(Self::$variant(_) => ($event_type, $version),)+
                }
            }

            fn payload(&self) -> Vec<u8> {
                match self {
                    $(Self::$variant(payload) => $crate::stored::write_payload(payload),)+
                }
            }

            fn read(event_type: &str, event_version: u16, data: &[u8]) -> Result<Self, $crate::stored::UnreadableEvent> {
                match (event_type, event_version) {
                    $(
                        ($event_type, $version) => {
                            $crate::stored::read_payload(event_type, event_version, data).map(Self::$variant)
                        }
                        $($(($event_type, $old) => {
                            $crate::stored::read_payload(event_type, event_version, data).map($upcast).map(Self::$variant)
                        })+)?
                    )+
                    _ => $crate::stored::read_unknown(event_type, event_version, data, Self::read),
                }
            }
        }

        $(impl From<$payload> for $name {
            fn from(payload: $payload) -> Self {
                Self::$variant(payload)
            }
        })+
    };
}

pub(crate) use stored_events;
