//! Events on sale: what organisers write and everybody reads.

mod bodies;
mod parse;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use serde::Serialize;
use ticketing_domain::catalog::EventDraft;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_runtime::{CancelEvent, PagedList};
use utoipa::{IntoParams, ToSchema};

use crate::errors::{ApiError, ErrorBody};
use crate::extract::{Empty, MaybeCaller, PathId, Post, Query, SeenAfter, read_object};
use crate::listing::page;
use crate::replies::{Created, Done};
use crate::state::Shared;

use bodies::{CancelEventRequest, CreateEventRequest, EventResponse};
pub(crate) use parse::parse_label;
use parse::parse_optional;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventsResponse {
    events: Vec<EventResponse>,
    /// Absent when `after` was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u32>,
    per_page: u32,
    total: u64,
    /// To be asked for as `after`; null when nothing follows.
    next: Option<String>,
}

#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Only events of this status.
    #[param(value_type = Option<String>)]
    status: Option<EventStatus>,
    /// From 1. Not together with `after`.
    #[param(minimum = 1, default = 1)]
    page: Option<u32>,
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u32>,
    /// The `next` of an answer of this list: what follows its last row, also when rows have come meanwhile.
    after: Option<String>,
}

read_object!(EventsQuery {
    status,
    page,
    per_page,
    after
});

/// Create an event as a draft
///
/// The caller becomes its owner. All that is wrong with it is told at once. A draft can be seen only by its owner and
/// by admins.
#[utoipa::path(post, path = "/api/events", tag = "events", request_body = CreateEventRequest,
    params(("Idempotency-Key" = Option<String>, Header)), security(("session" = [])),
    responses((status = 201, body = EventResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn create_event(
    State(state): State<Shared>,
    post: Post<CreateEventRequest>,
) -> Result<impl IntoResponse, ApiError> {
    state.desk.may_create_events(post.actor())?;
    let draft = EventDraft::try_from(&post.body)?;
    let created = state.box_office.create_event(post.ask(draft)).await?;
    let location = format!("/api/events/{}", created.value.event_id);
    Ok(Created(
        created.consistency,
        location,
        EventResponse::from(&created.value),
    ))
}

/// One event
///
/// A draft is there only for who may manage it.
#[utoipa::path(get, path = "/api/events/{event_id}", tag = "events", params(SeenAfter, ("event_id" = Uuid, Path)),
    responses((status = 200, body = EventResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn get_event(
    State(state): State<Shared>,
    _: SeenAfter,
    caller: MaybeCaller,
    PathId(id): PathId<EventId>,
) -> Result<Json<EventResponse>, ApiError> {
    let event = state.desk.event(caller.actor(), id).await?;
    Ok(Json(EventResponse::from(&event)))
}

/// Events, soonest first
///
/// Drafts only for who may manage them. Walk the list by `page`, or by `after` so that nothing is shown twice while
/// rows arrive.
#[utoipa::path(get, path = "/api/events", tag = "events", params(SeenAfter, EventsQuery),
    responses((status = 200, body = EventsResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn list_events(
    State(state): State<Shared>,
    _: SeenAfter,
    caller: MaybeCaller,
    Query(query): Query<EventsQuery>,
) -> Result<Json<EventsResponse>, ApiError> {
    let page = page(PagedList::Events, query.page, query.per_page, query.after.as_deref())?;
    let listed = state.desk.events(caller.actor(), query.status, page).await?;
    Ok(Json(EventsResponse {
        events: listed.rows.iter().map(EventResponse::from).collect(),
        page: page.number(),
        per_page: page.size(),
        total: listed.total,
        next: listed.next.map(|cursor| PagedList::Events.cursor_text(cursor)),
    }))
}

macro_rules! event_command {
    ($(#[doc = $doc:literal])+ $handler:ident, $path:literal) => {
        $(#[doc = $doc])+
        #[utoipa::path(post, path = $path, tag = "events",
            params(("event_id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
            security(("session" = [])),
            responses((status = 200, body = EventResponse), (status = "4XX", body = ErrorBody)))]
        pub(crate) async fn $handler(
            State(state): State<Shared>,
            PathId(id): PathId<EventId>,
            post: Post<Empty>,
        ) -> Result<impl IntoResponse, ApiError> {
            let changed = state.box_office.$handler(post.ask(id)).await?;
            Ok(Done(changed.consistency, EventResponse::from(&changed.value)))
        }
    };
}

event_command!(
    /// Publish a draft
    ///
    /// From now on everybody sees it. Its start has to be in the future.
    publish, "/api/events/{event_id}/publish"
);
event_command!(
    /// Open sales
    ///
    /// From now on seats can be held.
    open_sales, "/api/events/{event_id}/sales/open"
);
event_command!(
    /// Close sales
    ///
    /// No seats are held any more; holds that exist can still be paid.
    close_sales, "/api/events/{event_id}/sales/close"
);

/// Cancel an event: holds are released and paid reservations refunded in full
///
/// Nothing can be reserved from then on. The refunds follow one after another.
#[utoipa::path(post, path = "/api/events/{event_id}/cancel", tag = "events", request_body = CancelEventRequest,
    params(("event_id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)), security(("session" = [])),
    responses((status = 200, body = EventResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn cancel_event(
    State(state): State<Shared>,
    PathId(event_id): PathId<EventId>,
    post: Post<CancelEventRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let mut errors = Vec::new();
    let reason = parse_optional(post.body.reason.as_deref(), "reason", &mut errors);
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors).into());
    }
    let changed = state
        .box_office
        .cancel_event(post.ask(CancelEvent { event_id, reason }))
        .await?;
    Ok(Done(changed.consistency, EventResponse::from(&changed.value)))
}
