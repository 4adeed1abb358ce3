//! The names of the headers of a message. All values are text.
//!
//! | header | value | present |
//! |---|---|---|
//! | `ticketing-fact-id` | UUID of the fact, the same each time it is published | always |
//! | `ticketing-position` | place of the fact in the whole log, in decimal | always |
//! | `ticketing-stream` | `AGGREGATE-UUID`, the same as the key | always |
//! | `ticketing-version` | place of the fact in its stream, in decimal | always |
//! | `ticketing-lane` | `KIND-UUID` of the lane that decided the fact, as in `event-0190c5…` | always |
//! | `ticketing-log` | UUID of the log that the position is of | always |
//! | `ticketing-incarnation` | incarnation of that log, in decimal from 1 | always |
//! | `ticketing-commit-id` | UUID of the commit that the fact was written in | always |
//! | `ticketing-event-type` | name of the payload's type | always |
//! | `ticketing-event-version` | version of the payload's schema, in decimal | always |
//! | `ticketing-recorded-at` | RFC 3339, UTC, with microseconds | always |
//! | `ticketing-correlation-id` | correlation id of the request that led to the fact | if there was such a request |
//! | `ticketing-actor` | UUID of the user who made that request | if there was such a request |
//! | `traceparent` | W3C Trace Context, version 00: the server's span of the request, or what the request had if the server records no trace | if there is one |
//! | `tracestate` | W3C Trace Context, in one line | if the request had a valid one as well |
//!
//! A request also led to a fact if it set the deadline whose arrival led to the fact.
//!
//! A fact may be published more than once. A consumer that stores the `ticketing-fact-id` together with the effect of
//! each fact can handle each fact once. This id is made from commit, stream and version. It is not the id of the
//! event that tickets are sold for, which is in the payload and in `ticketing-lane`.
//!
//! If a log is replaced by an older copy of itself, it loses facts that were published. The next facts of the log
//! have a higher `ticketing-incarnation`, which tells consumers that facts they have seen may be gone from the log.

/// The UUID of the fact, the same each time the fact is published. This crate does not read the header, since the
/// UUID follows from commit, stream and version.
pub const FACT_ID: &str = "ticketing-fact-id";
/// The position of the fact in the log, in decimal.
pub const POSITION: &str = "ticketing-position";
/// The stream of the fact, as `AGGREGATE-UUID`; the same as the message's key.
pub const STREAM: &str = "ticketing-stream";
/// The version of the fact in its stream, in decimal.
pub const VERSION: &str = "ticketing-version";
/// The lane that decided on the fact, as `KIND-UUID`.
pub const LANE: &str = "ticketing-lane";
/// The UUID of the log that the position is of.
pub const LOG: &str = "ticketing-log";
/// The incarnation of the log that the position is of, in decimal.
pub const INCARNATION: &str = "ticketing-incarnation";
/// The UUID of the commit that wrote the fact.
pub const COMMIT_ID: &str = "ticketing-commit-id";
pub const EVENT_TYPE: &str = "ticketing-event-type";
/// The schema version of the payload, in decimal.
pub const EVENT_VERSION: &str = "ticketing-event-version";
/// When the fact was recorded: RFC 3339, UTC, with microseconds.
pub const RECORDED_AT: &str = "ticketing-recorded-at";
/// The correlation id of the request that led to the fact; absent if no request led to it.
pub const CORRELATION_ID: &str = "ticketing-correlation-id";
/// The UUID of the user whose request led to the fact; absent if no request of a user led to it.
pub const ACTOR: &str = "ticketing-actor";
/// The `traceparent` of [W3C Trace Context](https://www.w3.org/TR/trace-context/), under its usual name, so that
/// tracing tools find it. The header is absent if the request had no valid `traceparent`.
pub const TRACEPARENT: &str = "traceparent";
/// The `tracestate` that belongs to [`TRACEPARENT`], in one line.
pub const TRACESTATE: &str = "tracestate";
