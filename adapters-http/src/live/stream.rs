//! Live availability as server-sent events: the counts of an event, for everybody.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::Stream;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_runtime::{BoardReader, BoardState};
use tokio_util::sync::CancellationToken;

use super::messages::{self, SeatsOf};
use super::{place, reconnect_after};
use crate::errors::{ApiError, Code};
use crate::extract::{PathId, client_ip};
use crate::live_connections::Place;
use crate::state::Shared;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// nginx would otherwise collect several messages before it passes them on.
const NO_BUFFERING: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-accel-buffering"),
    HeaderValue::from_static("no"),
);
/// How often something is sent while nothing happens, so that proxies do not take the connection for dead.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// Answers with a stream that shows the counts of an event as they change.
pub(crate) async fn stream_availability(
    State(state): State<Shared>,
    PathId(event): PathId<EventId>,
    head: Parts,
) -> Result<Response, ApiError> {
    let ip = client_ip(&head, &state.config.trusted_proxies);
    let place = place(&state, state.live.places().take(None, ip))?;
    let mut reader = state.desk.watch(None, event).await?;
    let now = reader.latest();
    let known = last_seen(&head.headers).is_some_and(|id| id == event_id(&now.state));
    let reconnect_after = reconnect_after(&state);
    let stream = Updates {
        seen: now.number,
        reader,
        reconnect_after,
        stopping: state.config.stopping.clone(),
        _place: place,
    };
    // The first event always says after which time the client should come back if the connection is lost. If the
    // client has seen the latest counts, that is all it says.
    let first = Event::default().retry(reconnect_after);
    let first = if known {
        first.comment("nothing has changed")
    } else {
        first
            .id(event_id(&now.state))
            .data(messages::snapshot(&now.state, &SeatsOf::default()).as_str())
    };
    let keep_alive = KeepAlive::new().interval(SIGN_OF_LIFE);
    let answer = Sse::new(stream.after(first)).keep_alive(keep_alive);
    Ok(([NO_BUFFERING], answer).into_response())
}

/// What an open stream holds. While it exists it has its place.
struct Updates {
    reader: BoardReader,
    seen: u64,
    reconnect_after: Duration,
    stopping: CancellationToken,
    _place: Place,
}

enum Next {
    First(Box<Event>),
    Update,
    Nothing,
}

impl Updates {
    fn after(self, first: Event) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        futures::stream::unfold(
            (self, Next::First(Box::new(first))),
            async |(mut updates, next)| match next {
                Next::First(event) => Some((Ok(*event), (updates, Next::Update))),
                Next::Update => {
                    let (event, next) = updates.next().await;
                    Some((Ok(event), (updates, next)))
                }
                Next::Nothing => None,
            },
        )
    }

    async fn next(&mut self) -> (Event, Next) {
        let tick = tokio::select! {
            biased;
            () = self.stopping.cancelled() => return self.last("the server stops: connect again"),
            tick = self.reader.changed() => tick,
        };
        let Ok(tick) = tick else {
            return self.last("the server has lost sight of the event: connect again");
        };
        let message = messages::next_message(&tick, self.seen, &SeatsOf::default());
        self.seen = tick.number;
        (
            Event::default().id(event_id(&tick.state)).data(message.as_str()),
            Next::Update,
        )
    }

    /// Returns the last event of the stream, which says why the server ends it and when to connect again. It has no id,
    /// so the client's last event id stays what it was.
    fn last(&self, why: &str) -> (Event, Next) {
        let error = messages::error(Code::Unavailable, why, Some(self.reconnect_after));
        let event = Event::default().retry(self.reconnect_after).data(error.as_str());
        (event, Next::Nothing)
    }
}

/// Returns the id of an event of the stream. Two states with the same counts have the same id.
fn event_id(state: &BoardState) -> String {
    format!("{}-{}", state.sequence, state.lapsed)
}

fn last_seen(headers: &HeaderMap) -> Option<&str> {
    headers.get(LAST_EVENT_ID)?.to_str().ok()
}
