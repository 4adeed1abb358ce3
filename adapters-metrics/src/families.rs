//! The table of all metrics: each stands here once, with its type, its unit, its labels and its meaning.
//!
//! No label is an id, a name that somebody typed or an address: each has a bounded set of values.

/// The type of a metric, in the sense of Prometheus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A number that only grows, until the process ends.
    Counter,
    /// A number that goes up and down.
    Gauge,
    /// The distribution of many values, with the upper bounds of its buckets.
    Histogram(&'static [f64]),
}

impl Kind {
    /// Returns the name of the type in the text format of Prometheus.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// A metric, with all values of its labels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Family {
    /// The name of the metric.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What it counts, or the unit that it is measured in.
    pub unit: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it means, in one sentence.
    pub meaning: &'static str,
}

/// Upper bounds for durations of requests, queries and commits, in seconds.
const SECONDS: Kind = Kind::Histogram(&[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
]);
/// Upper bounds for durations of what happens in memory, in seconds.
const MICROSECONDS: Kind = Kind::Histogram(&[
    0.000_001,
    0.000_002_5,
    0.000_005,
    0.000_01,
    0.000_025,
    0.000_05,
    0.000_1,
    0.000_25,
    0.001,
    0.01,
    0.1,
]);
/// Upper bounds for how long a connection stays open, in seconds.
const MINUTES: Kind = Kind::Histogram(&[1.0, 10.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0]);
/// Upper bounds for the number of jobs that share a commit.
const JOBS: Kind = Kind::Histogram(&[1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0]);

macro_rules! families {
    ($($ident:ident: $name:literal $kind:expr, in $unit:literal $(by [$($label:literal),+])?, $meaning:literal;)+) => {
        $(
            #[doc = $meaning]
            pub const $ident: Family = Family {
                name: $name,
                kind: $kind,
                unit: $unit,
                labels: &[$($($label),+)?],
                meaning: $meaning,
            };
        )+

        /// All metrics, in the order of the documentation.
        pub const ALL: &[Family] = &[$($ident),+];
    };
}

use Kind::{Counter, Gauge};

families! {
    HTTP_REQUESTS: "http_requests_total" Counter, in "requests" by ["method", "path", "status"],
        "Requests that were answered; `path` is the template of the route, `unknown` if there is no such route, and `status` is `cancelled` if the client went away before the answer.";
    HTTP_REQUEST_DURATION: "http_request_duration_seconds" SECONDS, in "seconds" by ["method", "path"],
        "The time from the head of a request to the head of its answer.";

    RESERVATIONS_CREATED: "reservations_created_total" Counter, in "reservations",
        "Reservations for which seats were held.";
    RESERVATIONS_COMPLETED: "reservations_completed_total" Counter, in "reservations",
        "Reservations whose seats were sold.";
    RESERVATIONS_EXPIRED: "reservations_expired_total" Counter, in "reservations",
        "Reservations whose hold ran out unpaid.";
    RESERVATIONS_CANCELLED: "reservations_cancelled_total" Counter, in "reservations",
        "Reservations that a customer gave up, before or after paying, or whose event was cancelled.";
    RESERVATIONS_COMPENSATED: "reservations_compensated_total" Counter, in "reservations",
        "Reservations that were undone because they could not be paid, or were paid too late.";
    PAYMENTS_SUCCEEDED: "payments_succeeded_total" Counter, in "payments",
        "Payments whose money was taken.";
    PAYMENTS_FAILED: "payments_failed_total" Counter, in "payments",
        "Payments that were declined, or given up because the call to the gateway was interrupted.";
    REVENUE: "revenue_total_cents" Counter, in "minor units of the currency" by ["currency"],
        "The price of all tickets that were sold, before refunds.";
    REVENUE_RETURNED: "revenue_returned_total_cents" Counter, in "minor units of the currency" by ["currency"],
        "The part of the revenue that was given back to customers.";

    COMMIT_DURATION: "engine_commit_duration_seconds" SECONDS, in "seconds",
        "How long it took until a commit was known to be durable.";
    GROUP_SIZE: "engine_group_size" JOBS, in "requests",
        "How many requests shared a commit.";
    FACTS_COMMITTED: "engine_facts_committed_total" Counter, in "facts",
        "Facts that commits of this process have written.";
    DECISION_DURATION: "engine_decision_duration_seconds" MICROSECONDS, in "seconds" by ["command"],
        "How long one run of a command took in the memory of its lane; a command may run several times.";
    CONFLICTS: "engine_conflicts_total" Counter, in "groups" by ["because"],
        "Groups of decisions that were rolled back: `lost_race` to another writer, `failed_commit`, or `lost_past` after the log was restored from an older copy.";
    RETRIES: "engine_retries_total" Counter, in "decisions" by ["because"],
        "Decisions that were rolled back and made again, by the reasons of `engine_conflicts_total`.";
    JOBS_PARKED: "engine_jobs_parked_total" Counter, in "requests",
        "Times that a request waited until facts were read from the log.";
    FACTS_READ: "engine_facts_read_total" Counter, in "facts",
        "Facts that lanes have read from the log.";
    SNAPSHOTS_KEPT: "engine_snapshots_kept_total" Counter, in "snapshots",
        "Snapshots of long streams that were stored.";
    REFUSALS: "refusals_total" Counter, in "answers" by ["code"],
        "Answers of the HTTP API that are errors, by their code.";
    LANES_LIVE: "engine_lanes_live" Gauge, in "lanes",
        "Events on sale that are in the memory of this process.";
    MAILBOX_DEPTH: "engine_mailbox_depth" Gauge, in "requests",
        "Requests that wait in the mailboxes of all lanes together.";
    MAILBOX_DEPTH_MAX: "engine_mailbox_depth_max" Gauge, in "requests",
        "Requests that wait in the fullest mailbox.";
    GATEWAY_CALLS: "gateway_calls_in_flight" Gauge, in "calls",
        "Calls of this process to the payment gateway that have no answer yet.";
    GATEWAY_CALL_DURATION: "gateway_call_duration_seconds" SECONDS, in "seconds" by ["call"],
        "How long the payment gateway took to answer, or a call took to fail.";
    GATEWAY_QUEUE: "gateway_queue" Gauge, in "payments",
        "Payments in the whole log that wait for an answer of the gateway.";
    HOLDS_LIVE: "holds_live" Gauge, in "reservations",
        "Reservations in the whole log whose seats are held and not paid for.";
    DEADLINES_OVERDUE: "deadlines_overdue" Gauge, in "deadlines" by ["kind"],
        "Deadlines in the whole log that are due and that no process has worked off yet.";
    FOLLOWER_FACTS: "follower_facts_total" Counter, in "facts" by ["follower"],
        "Facts that a follower of this process has handled: `relay` publishes on the bus, `read-models` writes the read models, `live_boards` keeps the seats that somebody looks at.";
    FOLLOWER_DURATION: "follower_batch_duration_seconds" SECONDS, in "seconds" by ["follower"],
        "How long a follower took to handle the facts that it was given at once.";
    FOLLOWER_LAG_FACTS: "follower_lag_facts" Gauge, in "facts" by ["follower"],
        "Facts of the log that a follower has not handled yet.";
    FOLLOWER_LAG_SECONDS: "follower_lag_seconds" Gauge, in "seconds" by ["follower"],
        "How long ago the oldest fact was recorded that a follower has not handled yet.";
    FOLLOWER_WORKS: "follower_works" Gauge, in "0 or 1" by ["follower"],
        "Whether a follower works in this process, or stands by while it works in another; 0 if it fails or has stopped.";
    DEAD_LETTERS: "dead_letters" Gauge, in "facts" by ["follower"],
        "Facts that a follower could not handle and that wait for an operator; at most 1,000 are counted.";

    DB_CONNECTIONS_ACTIVE: "db_connections_active" Gauge, in "connections" by ["pool"],
        "Connections of a pool that are in use.";
    DB_CONNECTIONS_IDLE: "db_connections_idle" Gauge, in "connections" by ["pool"],
        "Open connections of a pool that are not in use.";
    DB_CONNECTIONS_MAX: "db_connections_max" Gauge, in "connections" by ["pool"],
        "How many connections a pool opens at most.";
    DB_QUERY_DURATION: "db_query_duration_seconds" SECONDS, in "seconds" by ["pool", "query"],
        "How long a store took to answer a call, with the wait for a connection; `query` is the call.";

    REDIS_COMMANDS: "redis_commands_total" Counter, in "commands" by ["command"],
        "Commands that this process has sent to Redis, answered or not; `EVALSHA` is a script.";
    REDIS_COMMAND_DURATION: "redis_command_duration_seconds" SECONDS, in "seconds" by ["command"],
        "How long Redis took to answer, or a command took to fail.";
    REDIS_CONNECTIONS: "redis_connections_active" Gauge, in "connections",
        "Connections of this process to Redis: 1, or 0 while it is lost.";
    REDIS_HITS: "redis_keyspace_hits_total" Counter, in "look-ups",
        "Look-ups of keys that Redis has found, for all its clients.";
    REDIS_MISSES: "redis_keyspace_misses_total" Counter, in "look-ups",
        "Look-ups of keys that Redis has not found, for all its clients.";
    REDIS_MEMORY_USED: "redis_memory_used_bytes" Gauge, in "bytes",
        "The memory that Redis uses.";
    REDIS_MEMORY_MAX: "redis_memory_max_bytes" Gauge, in "bytes",
        "The memory that Redis may use; the memory of its machine if Redis has no limit.";

    CONSUMER_LAG: "consumer_lag" Gauge, in "messages" by ["topic", "partition"],
        "Messages of a partition that this process has not consumed yet; 0 for a partition of another process.";
    CONSUMER_OFFSET: "consumer_offset" Gauge, in "messages" by ["topic", "partition"],
        "The offset after the last message of a partition that this process has consumed.";
    CONSUMER_MESSAGES: "consumer_messages_processed_total" Counter, in "messages" by ["topic"],
        "Messages that this process has consumed.";
    CONSUMER_ERRORS: "consumer_errors_total" Counter, in "errors" by ["topic"],
        "Messages that the box office did not write, and, with the topic `all`, failures to read from the bus.";

    SOCKETS_ACTIVE: "websocket_connections_active" Gauge, in "connections",
        "WebSockets that are open.";
    SOCKETS: "websocket_connections_total" Counter, in "connections",
        "WebSockets that were opened.";
    SOCKET_MESSAGES_SENT: "websocket_messages_sent_total" Counter, in "messages",
        "Messages that were sent over WebSockets, ping frames included; a socket reports them each 30 s and at its end.";
    SOCKET_MESSAGES_RECEIVED: "websocket_messages_received_total" Counter, in "messages",
        "Messages that came over WebSockets, pong frames included; a socket reports them each 30 s and at its end.";
    SOCKET_DURATION: "websocket_connection_duration_seconds" MINUTES, in "seconds",
        "How long a WebSocket was open.";

    PROBE_UP: "metrics_probe_up" Gauge, in "0 or 1" by ["probe"],
        "Whether the values of a probe could be read for this scrape; if not, its last values are shown.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_metric_has_a_name_of_its_own_in_the_spelling_of_prometheus() {
        let names: BTreeSet<_> = ALL.iter().map(|family| family.name).collect();
        assert_eq!(names.len(), ALL.len());
        for name in names {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(name.chars().all(plain), "{name}");
        }
    }

    #[test]
    fn no_label_is_an_id() {
        for family in ALL {
            for label in family.labels {
                assert!(
                    !label.contains("id") && !label.contains("user"),
                    "{}: {label}",
                    family.name
                );
            }
        }
    }

    #[test]
    fn buckets_are_in_order() {
        for family in ALL {
            if let Kind::Histogram(bounds) = family.kind {
                assert!(bounds.is_sorted_by(|a, b| a < b), "{}", family.name);
            }
        }
    }
}
