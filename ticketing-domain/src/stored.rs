//! The stored form of facts: a type, a schema version and a JSON payload.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::log::streams::{Metadata, NewEvent, RecordedEvent};

/// A stored fact that this build cannot read.
#[derive(Debug, Error)]
pub enum UnreadableEvent {
    /// This build does not know the type, or does not know this version of it.
    #[error("this build does not know version {event_version} of the event type {event_type}")]
    UnknownSchema {
        /// The type that was stored.
        event_type: String,
        /// The schema version that was stored.
        event_version: u16,
    },
    /// The payload does not have the shape of the type and version under which it is stored.
    #[error("the payload of an event does not have the shape of version {event_version} of its type {event_type}")]
    Malformed {
        /// The type that was stored.
        event_type: String,
        /// The schema version that was stored.
        event_version: u16,
        /// What does not fit in the payload.
        #[source]
        source: serde_json::Error,
    },
}

/// A new schema version of a type of fact. It is written once the log's schema floor has reached a generation; until
/// then a version before it is written. If older builds differ in what they read, there is one entry for each of the
/// versions before, and the entry with the least `since` above the floor counts.
#[derive(Debug, Clone, Copy)]
pub struct NewVersion {
    /// The name of the type.
    pub event_type: &'static str,
    /// The number of the new version.
    pub version: u16,
    /// The generation from which on the new version is written.
    pub since: SchemaGeneration,
    /// The version that is written until the log's schema floor has reached `since`.
    pub before: u16,
    /// Turns a payload of `version` into one of `before`; `None` if `before` cannot tell what the payload tells.
    pub lower: fn(&[u8]) -> Option<Vec<u8>>,
}

/// Returns how a fact of this type and version is written on a log with this schema floor; `None` if it is written as
/// it is.
pub(crate) fn lowering<'v>(
    versions: impl IntoIterator<Item = &'v NewVersion>,
    event_type: &str,
    version: u16,
    floor: SchemaGeneration,
) -> Option<&'v NewVersion> {
    let of_the_type = versions
        .into_iter()
        .filter(|new| new.event_type == event_type && new.version == version);
    of_the_type.filter(|new| floor < new.since).min_by_key(|new| new.since)
}

/// A type of fact that only builds from a certain generation on can read.
#[derive(Debug, Clone, Copy)]
pub struct NewType {
    /// The name of the type.
    pub event_type: &'static str,
    /// The generation from which on facts of the type are written.
    pub since: SchemaGeneration,
}

/// An enum of facts. Each variant has a type name and a schema version under which it is stored.
///
/// ```
/// use ticketing_domain::catalog::{CatalogEvent, SalesOpened};
/// use ticketing_domain::stored::StoredEvent;
///
/// let fact = CatalogEvent::from(SalesOpened {});
/// let (event_type, version) = fact.schema();
/// assert_eq!((event_type, version), ("SalesOpened", 1));
/// assert_eq!(CatalogEvent::read(event_type, version, &fact.payload())?, fact);
/// # Ok::<(), ticketing_domain::stored::UnreadableEvent>(())
/// ```
pub trait StoredEvent: Sized {
    /// The type and the schema version of each variant, as this build writes them.
    const SCHEMAS: &'static [(&'static str, u16)];

    /// The versions in `SCHEMAS` that are new, so that older builds on the same log may be unable to read them.
    const NEW_VERSIONS: &'static [NewVersion];

    /// The types in `SCHEMAS` that are new, so that older builds on the same log may be unable to read them. No older
    /// version could be written instead, so a reducer asks [`is_read_by_all`](StoredEvent::is_read_by_all) before it
    /// decides on such a fact.
    const NEW_TYPES: &'static [NewType];

    /// Returns the fact's type and schema version.
    fn schema(&self) -> (&'static str, u16);

    /// Returns the payload as JSON, without type and version.
    fn payload(&self) -> Vec<u8>;

    /// Reads a fact from its type, version and payload.
    ///
    /// # Errors
    /// When the type or version is unknown, or the payload does not fit it.
    fn read(event_type: &str, event_version: u16, data: &[u8]) -> Result<Self, UnreadableEvent>;

    /// Returns whether the fact can be written so that every build on a log with this schema floor reads it. If not, a
    /// reducer must not decide on the fact: its type is new, or no older version can tell what it tells.
    fn is_read_by_all(&self, floor: SchemaGeneration) -> bool {
        let (event_type, version) = self.schema();
        let new_type = Self::NEW_TYPES.iter().find(|new| new.event_type == event_type);
        let older = lowering(Self::NEW_VERSIONS, event_type, version, floor);
        new_type.is_none_or(|new| floor >= new.since)
            && older.is_none_or(|older| (older.lower)(&self.payload()).is_some())
    }

    /// Returns the fact in the form in which the event store takes it.
    fn to_new_event(&self, metadata: Metadata) -> NewEvent {
        let (event_type, event_version) = self.schema();
        NewEvent {
            event_type: event_type.into(),
            event_version,
            data: self.payload(),
            metadata,
        }
    }

    /// Reads a fact that came from the event store.
    ///
    /// # Errors
    /// When [`read`](StoredEvent::read) fails.
    fn from_recorded(event: &RecordedEvent) -> Result<Self, UnreadableEvent> {
        Self::read(&event.event_type, event.event_version, &event.data)
    }
}

pub(crate) fn write_payload(payload: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(payload).expect("a payload is plain data with string keys")
}

/// Handles a stored fact whose type or version no variant has. That is an error, unless the fact has the made-up
/// version that some tests declare.
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

/// Declares an enum of facts together with the types and schema versions under which they are stored.
///
/// Each variant holds one payload struct. `from { 1 => upcast }` names the function that turns an older payload into
/// the new one while it is read. `since 3 else 1 => lower` says that version 1, made by `lower`, is written until the
/// log's schema floor has reached generation 3. `lower` returns `None` for a fact that version 1 cannot tell:
/// `SeatsHeld(SeatsHeld) = "SeatsHeld" v 2 since 3 else 1 => lower, from { 1 => upcast };`.
/// If there are several older versions, each gets a `since` of its own, separated by commas.
///
/// `new in 3` says that the whole type is new in generation 3:
/// `SeatsSwapped(SeatsSwapped) = "SeatsSwapped" v 1 new in 3;`.
macro_rules! stored_events {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident($payload:ty) = $event_type:literal v $version:literal
                $(new in $first:literal)? $(since $generation:literal else $before:literal => $lower:path),*
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
                            .expect("this build reads the version that it has just written");
                        $lower(new).map(|older| $crate::stored::write_payload(&older))
                    },
                },
            )*)+];

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
