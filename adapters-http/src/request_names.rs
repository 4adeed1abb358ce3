//! Adds to what the log says of the request that is being answered, in the span that the access log has made for it.

use ticketing_ports::vocabulary::ids::{EventId, UserId};
use tracing::Span;
use tracing::field::display;

pub(crate) fn name_user(user: UserId) {
    Span::current().record("user_id", display(user));
}

pub(crate) fn name_event(event: EventId) {
    Span::current().record("event_id", display(event));
}
