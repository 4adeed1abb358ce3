//! What the engine logs of its own work, and the spans of commits and of followers: each fact once at `info`, when it is
//! durable; each command and each batch of a follower at `debug`.
//!
//! Lines have the ids of the request that caused them, because the engine's tasks serve many requests at once. No line
//! has the payload of a fact.

use std::time::Duration;

use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::log::event_store::Commit;
use ticketing_ports::log::streams::{Aggregate, CorrelationId, Metadata, NewEvent, Position, RecordedEvent, StreamId};
use ticketing_ports::vocabulary::trace_context::TraceContext;
use tracing::{Level, debug, enabled, info};

use crate::spans::{Span, Tracer};

/// At most how many traces get a span for one batch of a follower.
const MOST_TRACES: usize = 100;

/// How old a fact may be for its trace to get the spans of followers. Older facts are read again, as after a restart,
/// and whoever looks at their traces has seen them already.
const NEWS: TimeDelta = TimeDelta::minutes(10);

/// Logs how a command ended, whether a person, a deadline or the gateway sent it.
pub(crate) fn command_ended(command: &'static str, outcome: &str, took: Duration, cause: &Metadata) {
    debug!(
        command,
        outcome,
        duration_ms = milliseconds(took),
        correlation_id = cause.correlation_id.as_ref().map(CorrelationId::as_str),
        trace_id = cause.trace.as_ref().map(TraceContext::trace_id),
        user_id = cause.actor.map(tracing::field::display),
        "a command was decided"
    );
}

/// Logs the facts of a durable commit, and records a span for each trace that the commit serves.
pub(crate) fn committed(commit: &Commit, jobs: usize, began: Timestamp, took: Duration, tracer: &dyn Tracer) {
    let facts = || {
        let streams = commit.appends.iter();
        streams.flat_map(|append| append.events.iter().map(|event| (append.stream, event)))
    };
    if enabled!(target: "facts", Level::INFO) {
        for (stream, event) in facts().filter(|(stream, event)| is_business(*stream, event)) {
            fact_recorded(commit, stream, event);
        }
    }
    if !tracer.is_on() {
        return;
    }
    let count = facts().count();
    for trace in distinct_sampled(facts().map(|(_, event)| &event.metadata)) {
        tracer.record(&Span {
            parent: trace,
            name: "commit",
            began,
            took,
            details: &[("ticketing.jobs", jobs.into()), ("ticketing.facts", count.into())],
        });
    }
}

/// Whether a fact is a line of the log. The facts of a section that only repeat what a reservation or an event says of
/// itself are left out, so that each business fact is told once.
fn is_business(stream: StreamId, event: &NewEvent) -> bool {
    stream.aggregate != Aggregate::Inventory || matches!(&*event.event_type, "SeatsBlocked" | "SeatsUnblocked")
}

fn fact_recorded(commit: &Commit, stream: StreamId, event: &NewEvent) {
    let Metadata {
        correlation_id,
        actor,
        trace,
    } = &event.metadata;
    info!(
        target: "facts",
        fact = &*event.event_type,
        %stream,
        event_id = commit.lane.event_id().map(tracing::field::display),
        correlation_id = correlation_id.as_ref().map(CorrelationId::as_str),
        trace_id = trace.as_ref().map(TraceContext::trace_id),
        user_id = actor.map(tracing::field::display),
        "a fact was recorded"
    );
}

/// Returns the traces of the new facts among these, for [`Batch::taken`].
pub(crate) fn traces_of_news<'a>(facts: impl Iterator<Item = &'a RecordedEvent>, now: Timestamp) -> Vec<TraceContext> {
    let news = facts.filter(|fact| now - fact.recorded_at < NEWS);
    distinct_sampled(news.map(|fact| &fact.metadata))
        .into_iter()
        .cloned()
        .collect()
}

/// A batch of facts that a follower has taken.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) follower: &'static str,
    pub(crate) facts: usize,
    /// The position of the last fact.
    pub(crate) upto: Position,
    pub(crate) began: Timestamp,
    pub(crate) took: Duration,
}

impl Batch {
    /// Logs the batch, and records a span for each of the traces.
    pub(crate) fn taken(&self, traces: &[TraceContext], tracer: &dyn Tracer) {
        let &Self {
            follower,
            facts,
            upto,
            began,
            took,
        } = self;
        debug!(
            follower,
            facts,
            position = %upto,
            duration_ms = milliseconds(took),
            "a follower took a batch"
        );
        for parent in traces {
            tracer.record(&Span {
                parent,
                name: "follow",
                began,
                took,
                details: &[
                    ("ticketing.follower", follower.into()),
                    ("ticketing.facts", facts.into()),
                ],
            });
        }
    }
}

/// Returns the distinct trace contexts that are recorded, in their order.
fn distinct_sampled<'a>(causes: impl Iterator<Item = &'a Metadata>) -> Vec<&'a TraceContext> {
    let mut traces: Vec<&TraceContext> = Vec::new();
    for trace in causes
        .filter_map(|cause| cause.trace.as_ref())
        .filter(|trace| trace.is_sampled())
    {
        if traces.len() < MOST_TRACES && !traces.contains(&trace) {
            traces.push(trace);
        }
    }
    traces
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
