//! The types of what goes into the box office and what comes out of it: requests and answers.

use ticketing_domain::book::Caller;
use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::{CorrelationId, Metadata, Version};
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::trace_context::TraceContext;

use crate::token::ConsistencyToken;

/// A command, with the caller who sends it.
#[derive(Debug, Clone)]
pub struct Request<C> {
    /// Who sends the command.
    pub by: Caller,
    /// Names the request in the metadata of every fact that it leads to.
    pub correlation_id: CorrelationId,
    /// The caller's W3C trace context. It is stored beside every fact that the command leads to.
    pub trace: Option<TraceContext>,
    /// The caller's idempotency key. `None` if the command may be carried out twice when the caller repeats the
    /// request.
    pub idempotency: Option<IdempotencyRequest>,
    /// What the box office is asked to do.
    pub command: C,
}

impl<C> Request<C> {
    /// The same request with another command, which the function makes from the present one.
    pub fn with<D>(self, command: impl FnOnce(C) -> D) -> Request<D> {
        Request {
            by: self.by,
            correlation_id: self.correlation_id,
            trace: self.trace,
            idempotency: self.idempotency,
            command: command(self.command),
        }
    }

    /// The metadata of the facts that the command leads to.
    pub(crate) fn cause(&self) -> Metadata {
        Metadata {
            correlation_id: Some(self.correlation_id.clone()),
            actor: user_of(self.by),
            trace: self.trace.clone(),
        }
    }
}

/// An idempotency key, with a digest of the request that it is used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRequest {
    /// The key as the caller sent it.
    pub key: String,
    /// A digest of everything that the request says. A repeated request has the same digest.
    pub request_hash: [u8; 32],
}

/// A reply to a caller. The facts behind it are durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// The reply itself.
    pub value: T,
    /// The token for later reads. A read that carries it shows what this request has changed.
    pub consistency: ConsistencyToken,
}

/// One fact in the history of a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The number of the fact in the reservation's stream, from 1.
    pub sequence: Version,
    /// The type of the fact, like `ReservationHeld`.
    pub event_type: String,
    /// The schema version of the fact: which shape of its type it has.
    pub event_version: u16,
    /// When the fact was recorded.
    pub at: Timestamp,
    /// The fact as JSON.
    pub data: Vec<u8>,
}

/// The user behind a caller. `None` if the caller is a guest, the gateway or a deadline.
pub(crate) fn user_of(caller: Caller) -> Option<UserId> {
    match caller {
        Caller::Person(actor) => Some(actor.user_id),
        Caller::Guest(_) | Caller::World => None,
    }
}
