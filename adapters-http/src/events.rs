//! The routes of events: organisers create and change events, everybody can read those that are published.

mod bodies;
mod fields;
mod parse;
mod price_rule_bodies;
mod ticket_bodies;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde::Serialize;
use ticketing_domain::catalog::EventDraft;
use ticketing_domain::event_list::{EventsAsked, When};
use ticketing_domain::refusal::Refusal;
use ticketing_ports::read_models::event_search::EventSearch;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::seating::Label;
use ticketing_ports::vocabulary::text::words;
use ticketing_runtime::{CancelEvent, PagedList};
use utoipa::{IntoParams, ToSchema};

use crate::errors::{ApiError, ErrorBody};
use crate::extract::{CaughtUp, Empty, MaybeCaller, PathId, Post, Query, Statuses, read_object};
use crate::listing::page;
use crate::replies::{Changed, Created};
use crate::state::Shared;

use bodies::{CancelEventRequest, CreateEventRequest, EventResponse};
use fields::parse_optional;
pub(crate) use fields::{parse_each, parse_label};
pub(crate) use parse::parse_member;
pub(crate) use price_rule_bodies::parse_percent;
pub(crate) use ticket_bodies::{PoolMemberBody, TicketTypeBody};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventsResponse {
    events: Vec<EventResponse>,
    /// Absent if the request had `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u32>,
    per_page: u32,
    total: u64,
    /// Send this as `after` to get the rows that follow; null if there are none.
    next: Option<String>,
}

#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Only events with one of these statuses, separated by commas: `draft`, `published`, `sales_open`, `sales_closed`,
    /// `cancelled` and `completed`. Without `status` the list leaves out what is cancelled, unless `when` asks for it.
    #[param(value_type = Option<String>, pattern = "^(draft|published|sales_open|sales_closed|cancelled|completed)(,(draft|published|sales_open|sales_closed|cancelled|completed))*$",
        example = "published,sales_open")]
    status: Option<Statuses>,
    /// `upcoming`: events that begin in the future; `past`: those that have begun; `all`: both. Without `when` the list
    /// shows `all` if the request has `status`, and `upcoming` otherwise. Without `status`, `upcoming` leaves out what is
    /// cancelled.
    #[param(value_type = Option<String>, pattern = "^(upcoming|past|all)$")]
    when: Option<When>,
    /// Only events that begin at this time or later. It shows what has begun only together with `when` or `status`.
    from: Option<DateTime<Utc>>,
    /// Only events that begin before this time, which must be later than `from`.
    to: Option<DateTime<Utc>>,
    /// Only events with all of these words in their name, category, genre, venue or city. The beginning of a word is enough;
    /// letter case and accents make no difference.
    #[param(min_length = 1, max_length = 100, example = "café noir")]
    q: Option<String>,
    /// Only events in this city.
    #[param(min_length = 1, max_length = 100, example = "Antwerp")]
    city: Option<String>,
    /// Only events of this category.
    #[param(min_length = 1, max_length = 100, example = "concert")]
    category: Option<String>,
    /// The number of the page, from 1. Cannot be combined with `after`.
    #[param(minimum = 1, default = 1)]
    page: Option<u32>,
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u32>,
    /// The `next` of an earlier answer of this list: the answer begins behind the last row of that one, also if rows
    /// were added since.
    after: Option<String>,
}

read_object!(EventsQuery {
    status,
    when,
    from,
    to,
    q,
    city,
    category,
    page,
    per_page,
    after
});

impl EventsQuery {
    fn asked(&self) -> Result<EventsAsked, Refusal> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && to <= from
        {
            return Err(Refusal::invalid("to", "must be later than from"));
        }
        let search = EventSearch::new(
            searched("q", self.q.as_deref())?,
            searched("city", self.city.as_deref())?,
            searched("category", self.category.as_deref())?,
        );
        Ok(EventsAsked {
            statuses: self.status.as_ref().map(|Statuses(statuses)| statuses.clone()),
            when: self.when,
            from: self.from,
            to: self.to,
            search,
        })
    }
}

/// Checks a text that is searched for.
fn searched<'q>(field: &str, text: Option<&'q str>) -> Result<Option<&'q str>, Refusal> {
    const MOST_WORDS: usize = 10;
    let wrong = match text.map(|text| (text.chars().count(), words(text).len())) {
        Some((characters, _)) if characters > Label::MAX_CHARACTERS => {
            format!("must have at most {} characters", Label::MAX_CHARACTERS)
        }
        Some((_, 0)) => "must have a letter or a digit".to_owned(),
        Some((_, words)) if words > MOST_WORDS => format!("must have at most {MOST_WORDS} words"),
        _ => return Ok(text),
    };
    Err(Refusal::invalid(field, wrong))
}

/// Create an event as a draft
///
/// Only for event owners and administrators. The caller becomes the owner of the event. If the event is not valid, the answer
/// lists everything that is wrong with it. Only its owner and administrators can see a draft.
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

/// Show an event
///
/// Shows a draft only to its owner and to administrators.
#[utoipa::path(get, path = "/api/events/{event_id}", tag = "events", params(CaughtUp, ("event_id" = Uuid, Path)),
    responses((status = 200, body = EventResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn get_event(
    State(state): State<Shared>,
    _: CaughtUp,
    caller: MaybeCaller,
    PathId(id): PathId<EventId>,
) -> Result<Json<EventResponse>, ApiError> {
    let event = state.desk.event(caller.actor(), id).await?;
    Ok(Json(EventResponse::from(&event)))
}

/// List events, soonest first
///
/// Shows the events that can still be visited, unless `status` or `when` asks for others. Shows drafts only to their owners
/// and to administrators. `page` jumps to a part of the list; `after` continues behind the last event of an earlier answer
/// and shows no event twice.
#[utoipa::path(get, path = "/api/events", tag = "events", params(CaughtUp, EventsQuery),
    responses((status = 200, body = EventsResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn list_events(
    State(state): State<Shared>,
    _: CaughtUp,
    caller: MaybeCaller,
    Query(query): Query<EventsQuery>,
) -> Result<Json<EventsResponse>, ApiError> {
    let page = page(PagedList::Events, query.page, query.per_page, query.after.as_deref())?;
    let listed = state.desk.events(caller.actor(), &query.asked()?, page).await?;
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
            Ok(Changed(changed.consistency, EventResponse::from(&changed.value)))
        }
    };
}

event_command!(
    /// Publish a draft
    ///
    /// Only for the owner of the event and for administrators. From then on everybody can see the event. It must start
    /// in the future.
    publish, "/api/events/{event_id}/publish"
);
event_command!(
    /// Open sales
    ///
    /// Only for the owner of the event and for administrators. From then on customers can hold seats.
    open_sales, "/api/events/{event_id}/sales/open"
);
event_command!(
    /// Close sales
    ///
    /// Only for the owner of the event and for administrators. Nobody can hold seats from then on. Seats that are held
    /// can still be paid for.
    close_sales, "/api/events/{event_id}/sales/close"
);

/// Cancel an event
///
/// Only for the owner of the event and for administrators. All holds are released, and all paid reservations are refunded in
/// full, one after another. Nobody can reserve seats from then on.
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
    Ok(Changed(changed.consistency, EventResponse::from(&changed.value)))
}
