//! Checks everything that is checked before a WebSocket is opened: whose it is, whether the event exists, and whether
//! there is a place for it.

use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::json;
use ticketing_ports::people::sessions::Session;
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::roles::Actor;
use ticketing_ports::vocabulary::secrets::Secret;

use super::connection::Connection;
use super::messages::{self, SeatsOf, UnreadableList};
use super::{place, reconnect_after};
use crate::authenticate::session_shown;
use crate::errors::{ApiError, Code};
use crate::extract::{PathId, Query, client_ip, read_object};
use crate::live_connections::{Proof, Standing, Witness};
use crate::request_names::name_user;
use crate::state::{HttpState, Shared};

/// How many bytes of what a client sends are read at once. axum's default of 128 KiB would be most of the memory that a
/// connection takes.
const READ_BUFFER: usize = 4096;
/// The longest message that a client may send. The server reads none of them.
const LONGEST_MESSAGE: usize = 4096;
/// At most how many bytes wait for a client that does not read, unless a single message is longer.
const MOST_WAITING: usize = 64 * 1024;

/// The schemes of `Authorization` that a browser sends again by itself once its user has signed in by them.
const BY_THE_BROWSER: [&str; 4] = ["Basic", "Digest", "Negotiate", "NTLM"];

/// The parameters with which a WebSocket is asked for.
#[derive(Debug)]
pub(crate) struct LiveQuery {
    session_id: Option<String>,
    ticket: Option<String>,
    seats: Option<String>,
}

read_object!(LiveQuery {
    session_id,
    ticket,
    seats
});

/// Opens a WebSocket that shows the availability of an event as it changes.
pub(crate) async fn watch_availability(
    State(state): State<Shared>,
    PathId(event): PathId<EventId>,
    Query(query): Query<LiveQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    let mut parts = request.into_parts().0;
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &state)
        .await
        .map_err(|_| not_an_upgrade())?;
    let ip = client_ip(&parts, &state.config.trusted_proxies);
    let (viewer, standing) = admit(&state, &query, parts).await?;
    let taken = state.live.places().take(viewer.map(|viewer| viewer.user_id), ip);
    let place = place(&state, taken)?;
    let mut reader = state.desk.watch(viewer, event).await?;
    let now = reader.latest();
    let seats = query.seats.map(|list| SeatsOf::parse(&list, &now.state.sections));
    let seats = seats.transpose().map_err(unreadable_list)?.unwrap_or_default();
    let longest = messages::snapshot(&now.state, &seats).len();
    let connection = Connection {
        reader,
        seats,
        standing,
        stopping: state.config.stopping.clone(),
        reconnect_after: reconnect_after(&state),
        observer: Arc::clone(&state.config.observer),
        tracer: Arc::clone(&state.config.tracer),
        clock: Arc::clone(&state.clock),
        _place: place,
    };
    Ok(upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(MOST_WAITING.max(4 * longest))
        .max_message_size(LONGEST_MESSAGE)
        .max_frame_size(LONGEST_MESSAGE)
        .on_upgrade(move |socket| connection.run(socket)))
}

/// Finds out who asks for the WebSocket. `None` is a visitor, if visitors are let in.
async fn admit(
    state: &HttpState,
    query: &LiveQuery,
    head: Parts,
) -> Result<(Option<Actor>, Option<Arc<Standing>>), ApiError> {
    let sessions = state.sign_in.as_ref().map(|sign_in| &sign_in.sessions);
    let since = sessions.map(ticketing_runtime::Sessions::changes);
    let proven = match (&query.session_id, &query.ticket) {
        (None, None) => by_request(state, head).await?,
        (Some(id), None) => Some(of_session(by_session_id(state, id).await?)),
        (None, Some(ticket)) => Some(of_session(by_ticket(state, ticket).await?)),
        (Some(_), Some(_)) => {
            let reason = "cannot be given together with session_id";
            return Err(ApiError::invalid_request("ticket", reason));
        }
    };
    let Some((actor, proof)) = proven else {
        return if state.live.lets_visitors_in() {
            Ok((None, None))
        } else {
            Err(ApiError::unauthenticated())
        };
    };
    name_user(actor.user_id);
    let witness = Witness {
        sessions: sessions.cloned(),
        callers: Arc::clone(&state.callers),
    };
    let standing = state.live.standings().join(&witness, (actor, proof), since).await;
    Ok((Some(actor), Some(standing)))
}

async fn by_session_id(state: &HttpState, id: &str) -> Result<(Session, User), ApiError> {
    let sign_in = state.sign_in.as_ref().ok_or_else(ApiError::session_over)?;
    let secret = Secret::parse(id).ok_or_else(ApiError::session_over)?;
    let found = sign_in.sessions.authenticate(&secret).await?;
    found.ok_or_else(ApiError::session_over)
}

/// Uses a ticket up, whether a WebSocket is opened for it in the end or not.
async fn by_ticket(state: &HttpState, ticket: &str) -> Result<(Session, User), ApiError> {
    let sign_in = state.sign_in.as_ref().ok_or_else(ticket_invalid)?;
    let secret = Secret::parse(ticket).ok_or_else(ticket_invalid)?;
    let found = sign_in.sessions.redeem_ws_ticket(&secret).await?;
    found.ok_or_else(ticket_invalid)
}

/// Finds the caller by the headers of the request. A request from a page of another origin counts as a visitor's: its
/// cookies do not prove that the user wanted this. A header `Authorization` that a browser does not add by itself does.
async fn by_request(state: &HttpState, head: Parts) -> Result<Option<(Actor, Proof)>, ApiError> {
    if is_of_another_origin(&head) && !is_authorized_by_the_page(&head) {
        return Ok(None);
    }
    let Some(actor) = state.callers.authenticate(&head).await? else {
        return Ok(None);
    };
    // A session of this server is looked at again without being prolonged, which only its digest allows.
    if let Some(sign_in) = &state.sign_in
        && let Ok(Some((session, user, _))) = session_shown(&sign_in.sessions, &head).await
        && user.id == actor.user_id
    {
        return Ok(Some((actor, Proof::Session(session.digest))));
    }
    Ok(Some((actor, Proof::Request(Box::new(head)))))
}

fn of_session((session, user): (Session, User)) -> (Actor, Proof) {
    let actor = Actor {
        user_id: user.id,
        role: user.role,
    };
    (actor, Proof::Session(session.digest))
}

/// Returns whether somebody has put a header `Authorization` into the request. A browser answers the schemes of
/// [`BY_THE_BROWSER`] by itself, whichever page asks.
fn is_authorized_by_the_page(head: &Parts) -> bool {
    let Some(value) = head.headers.get(AUTHORIZATION) else {
        return false;
    };
    let scheme = value.to_str().ok().and_then(|text| text.split_whitespace().next());
    scheme.is_some_and(|scheme| !BY_THE_BROWSER.iter().any(|known| known.eq_ignore_ascii_case(scheme)))
}

/// Returns whether a browser says that the page that asks is not of this site. A program sends no `Origin`.
fn is_of_another_origin(head: &Parts) -> bool {
    let Some(origin) = head.headers.get(ORIGIN) else {
        return false;
    };
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    match (authority, host) {
        (Some((_, authority)), Some(host)) => !authority.eq_ignore_ascii_case(host),
        _ => true,
    }
}

fn not_an_upgrade() -> ApiError {
    ApiError::invalid_request("Upgrade", "must be websocket: this route is a WebSocket (RFC 6455)")
}

fn ticket_invalid() -> ApiError {
    ApiError::new(
        Code::Unauthenticated,
        "get a new ticket: this one was used already, is unknown or has expired",
    )
}

fn unreadable_list(why: UnreadableList) -> ApiError {
    match why {
        UnreadableList::Empty => ApiError::invalid_request("seats", "must name a section"),
        UnreadableList::NamedTwice => ApiError::invalid_request("seats", "names a section twice"),
        UnreadableList::NoSuchSection(section) => ApiError::new(Code::SectionNotFound, "the event has no such section")
            .with_details(json!({ "section": section })),
    }
}
