//! When a gateway that owes an answer is asked again.

use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::{Deadline, DeadlineChange, DeadlineKey, DeadlineKind};
use ticketing_ports::log::streams::StreamId;
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::vocabulary::ids::{EventId, PaymentId};

use super::state::PaymentTerms;
use crate::reducer::Context;

/// How long the gateway has for an answer before it is asked again.
pub const GATEWAY_RETRY_SECONDS: i64 = 30;

/// After so long an attempt that was given up is looked up once more: an authorisation may have reached the gateway late.
pub const LOOK_AGAIN_SECONDS: i64 = 120;

/// At least so long the provider is left alone with a payment that it has not decided.
pub const SHORTEST_REST_SECONDS: i64 = 5;

/// At most so long, however old the payment is.
pub const LONGEST_REST_SECONDS: i64 = 3_600;

/// When a provider that has not decided is asked again: when it wants to be, else after as long as the payment is old, so that
/// the pauses double; and once the customer's time is up.
pub(super) fn when_to_ask(terms: &PaymentTerms, answer: &Authorization, now: Timestamp) -> Timestamp {
    let seconds = |seconds| TimeDelta::seconds(seconds);
    let (shortest, longest) = (seconds(SHORTEST_REST_SECONDS), seconds(LONGEST_REST_SECONDS));
    let doubling = now + (now - terms.requested_at).clamp(shortest, longest);
    match answer {
        Authorization::Pending {
            ask_again_at: Some(wanted),
        } => (*wanted).clamp(now + seconds(1), now + longest),
        Authorization::MustAct(action) if action.wanted.until > now => doubling.min(action.wanted.until),
        _ => doubling,
    }
}

pub(super) fn retry_later(event_id: EventId, payment_id: PaymentId, ctx: &Context<'_>) -> DeadlineChange {
    let due_at = ctx.now + TimeDelta::seconds(GATEWAY_RETRY_SECONDS);
    DeadlineChange::Set(Deadline {
        key: retry_key(payment_id),
        due_at,
        lane: event_id.into(),
    })
}

pub(super) fn ask_again(terms: &PaymentTerms, seconds: i64, ctx: &Context<'_>) -> DeadlineChange {
    ask_at(terms, ctx.now + TimeDelta::seconds(seconds))
}

pub(super) fn ask_at(terms: &PaymentTerms, due_at: Timestamp) -> DeadlineChange {
    DeadlineChange::Set(Deadline {
        key: retry_key(terms.payment_id),
        due_at,
        lane: terms.event_id.into(),
    })
}

pub(super) fn retry_key(payment_id: PaymentId) -> DeadlineKey {
    DeadlineKey {
        stream: StreamId::from(payment_id),
        kind: DeadlineKind::GatewayRetry,
    }
}
