//! Names of the headers of a message.

/// Place of the fact in the whole log, in decimal.
pub const POSITION: &str = "ticketing-position";
/// `AGGREGATE-UUID`, the same as the key.
pub const STREAM: &str = "ticketing-stream";
/// Place of the fact in its stream, in decimal.
pub const VERSION: &str = "ticketing-version";
/// UUID of the commit that the fact was written in.
pub const COMMIT_ID: &str = "ticketing-commit-id";
pub const EVENT_TYPE: &str = "ticketing-event-type";
/// Version of the payload's schema, in decimal.
pub const EVENT_VERSION: &str = "ticketing-event-version";
/// RFC 3339, UTC, with microseconds.
pub const RECORDED_AT: &str = "ticketing-recorded-at";
/// Absent when nobody asked with one.
pub const CORRELATION_ID: &str = "ticketing-correlation-id";
/// UUID of the user who asked; absent when a deadline or a gateway did.
pub const ACTOR: &str = "ticketing-actor";
