//! Names of the headers of a message. All values are text.
//!
//! | header | value | there |
//! |---|---|---|
//! | `ticketing-fact-id` | UUID of the fact, the same each time it is published | always |
//! | `ticketing-position` | place of the fact in the whole log, in decimal | always |
//! | `ticketing-stream` | `AGGREGATE-UUID`, the same as the key | always |
//! | `ticketing-version` | place of the fact in its stream, in decimal | always |
//! | `ticketing-lane` | `KIND-UUID` of the lane that decided the fact, as in `event-0190c5…` | always |
//! | `ticketing-log` | UUID of the log that the position is of | always |
//! | `ticketing-incarnation` | which life of that log, in decimal from 1 | always |
//! | `ticketing-commit-id` | UUID of the commit that the fact was written in | always |
//! | `ticketing-event-type` | name of the payload's type | always |
//! | `ticketing-event-version` | version of the payload's schema, in decimal | always |
//! | `ticketing-recorded-at` | RFC 3339, UTC, with microseconds | always |
//! | `ticketing-correlation-id` | what follows the request through logs and facts | when a request led to the fact, be it over a deadline |
//! | `ticketing-actor` | UUID of the user who asked | when a request led to the fact, be it over a deadline |
//! | `traceparent` | W3C Trace Context, version 00, as the request had it | when the request had a valid one |
//! | `tracestate` | W3C Trace Context, in one line | when the request had a valid one, too |
//!
//! A fact may be published more than once. Who keeps the `ticketing-fact-id` of what it has handled, together with what
//! came of it, handles each fact once. The id is made from commit, stream and version. It is not one of an event on sale:
//! that is in the payload, and in `ticketing-lane`.
//!
//! A log that is put back to an older copy loses facts that were published. Its next facts carry a higher
//! `ticketing-incarnation`, from which consumers learn that what they know of it may no longer be so.

/// UUID of the fact, the same each time it is published. Never read back: commit, stream and version say the same.
pub const FACT_ID: &str = "ticketing-fact-id";
/// Place of the fact in the whole log, in decimal.
pub const POSITION: &str = "ticketing-position";
/// `AGGREGATE-UUID`, the same as the key.
pub const STREAM: &str = "ticketing-stream";
/// Place of the fact in its stream, in decimal.
pub const VERSION: &str = "ticketing-version";
/// `KIND-UUID` of the lane that decided the fact.
pub const LANE: &str = "ticketing-lane";
/// UUID of the log that the position is of.
pub const LOG: &str = "ticketing-log";
/// Which life of that log, in decimal.
pub const INCARNATION: &str = "ticketing-incarnation";
/// UUID of the commit that the fact was written in.
pub const COMMIT_ID: &str = "ticketing-commit-id";
pub const EVENT_TYPE: &str = "ticketing-event-type";
/// Version of the payload's schema, in decimal.
pub const EVENT_VERSION: &str = "ticketing-event-version";
/// RFC 3339, UTC, with microseconds.
pub const RECORDED_AT: &str = "ticketing-recorded-at";
/// Absent when nobody asked with one.
pub const CORRELATION_ID: &str = "ticketing-correlation-id";
/// UUID of the user who asked; absent when nobody did.
pub const ACTOR: &str = "ticketing-actor";
/// Of [W3C Trace Context](https://www.w3.org/TR/trace-context/), under the name that it has there, so that who follows
/// traces finds it. Absent when the request came with none; one that makes no sense counts as absent.
pub const TRACEPARENT: &str = "traceparent";
/// Goes with [`TRACEPARENT`], in one line.
pub const TRACESTATE: &str = "tracestate";
