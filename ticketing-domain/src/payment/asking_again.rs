//! Decides when the gateway is asked once more about a payment for which it owes an answer.

use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::{Deadline, DeadlineChange, DeadlineKey, DeadlineKind};
use ticketing_ports::log::streams::StreamId;
use ticketing_ports::outside::gateway::Authorization;

use super::state::PaymentTerms;
use crate::reducer::Context;

/// How long the gateway has to answer a call before it is asked again, in seconds.
pub const GATEWAY_RETRY_SECONDS: i64 = 30;

/// How many seconds after a payment was given up the gateway is asked about it once more: the authorisation may have
/// reached the gateway late.
pub const LOOK_AGAIN_SECONDS: i64 = 120;

/// The least number of seconds between two questions to the provider about a payment on which it has not decided.
pub const SHORTEST_REST_SECONDS: i64 = 5;

/// The greatest number of seconds between two questions to the provider about a payment on which it has not decided,
/// however old the payment is.
pub const LONGEST_REST_SECONDS: i64 = 3_600;

/// Returns when to ask again about a payment that the provider has not decided: at the time that the provider named,
/// else after a pause as long as the payment is old, so that the pauses double. If the customer has to act, the
/// provider is asked at the latest when the customer's time is up.
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

/// Sets the deadline at which the gateway is asked again about a payment to `seconds` from now.
pub(super) fn ask_after(terms: &PaymentTerms, seconds: i64, ctx: &Context<'_>) -> DeadlineChange {
    ask_at(terms, ctx.now + TimeDelta::seconds(seconds))
}

/// Sets the deadline at which the gateway is asked again about a payment to `due_at`.
pub(super) fn ask_at(terms: &PaymentTerms, due_at: Timestamp) -> DeadlineChange {
    DeadlineChange::Set(Deadline {
        key: retry_key(terms),
        due_at,
        lane: terms.event_id.into(),
    })
}

/// Clears the deadline at which the gateway is asked again about a payment, because the gateway owes no answer.
pub(super) fn ask_no_more(terms: &PaymentTerms) -> DeadlineChange {
    DeadlineChange::Clear(retry_key(terms))
}

fn retry_key(terms: &PaymentTerms) -> DeadlineKey {
    DeadlineKey {
        stream: StreamId::from(terms.payment_id),
        kind: DeadlineKind::GatewayRetry,
    }
}
