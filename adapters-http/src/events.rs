//! Events on sale: what organisers write and everybody reads.

mod parse;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ticketing_domain::catalog::EventDraft;
use ticketing_domain::refusal::{FieldError, Refusal};
use ticketing_ports::event_details::{EventStatus, EventView, PricingTier, RefundRule};
use ticketing_ports::ids::EventId;
use ticketing_ports::money::{Currency, Money};
use ticketing_ports::seating::{Label, Seating};
use ticketing_runtime::{CancelEvent, List};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::errors::{ApiError, ErrorBody};
use crate::extract::{Empty, MaybeSignedIn, PathId, Post, Query, SeenAfter};
use crate::listing::page;
use crate::replies::{Created, Done};
use crate::state::Shared;

pub(crate) use parse::parse_label;
use parse::parse_optional;

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoneyBody {
    /// In minor units, such as cents.
    #[schema(example = 5000)]
    amount: i64,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
}

impl From<Money> for MoneyBody {
    fn from(money: Money) -> Self {
        Self {
            amount: money.amount,
            currency: money.currency.to_string(),
        }
    }
}

impl MoneyBody {
    pub(crate) fn parse(&self, field: &str, errors: &mut Vec<FieldError>) -> Option<Money> {
        match Currency::new(&self.currency) {
            Ok(currency) => Some(Money::new(self.amount, currency)),
            Err(invalid) => {
                errors.push(FieldError::new(format!("{field}.currency"), invalid.to_string()));
                None
            }
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VenueBody {
    name: String,
    city: String,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "BE")]
    country: String,
    /// IANA time zone.
    #[schema(example = "Europe/Brussels")]
    timezone: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SectionBody {
    name: String,
    seating: SeatingBody,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum SeatingBody {
    /// Rows from the best to the worst.
    Numbered {
        rows: Vec<RowBody>,
    },
    GeneralAdmission {
        capacity: u32,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RowBody {
    #[schema(example = "A")]
    row: String,
    seats: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PricingTierBody {
    section: String,
    tier: String,
    price: MoneyBody,
    /// Inclusive.
    #[serde(default)]
    available_from: Option<DateTime<Utc>>,
    /// Exclusive.
    #[serde(default)]
    available_until: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundRuleBody {
    hours_before: u32,
    #[schema(maximum = 100)]
    percent: u8,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateEventRequest {
    #[schema(example = "Night of the Proms")]
    name: String,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    genre: Option<String>,
    #[schema(example = "EUR")]
    currency: String,
    starts_at: DateTime<Utc>,
    venue: VenueBody,
    sections: Vec<SectionBody>,
    pricing_tiers: Vec<PricingTierBody>,
    /// 60 to 3600; 300 when absent.
    #[serde(default)]
    hold_seconds: Option<u32>,
    /// 1 to 100; 8 when absent.
    #[serde(default)]
    max_seats_per_order: Option<u32>,
    /// Full refund with a week's notice and half with three days' when absent.
    #[serde(default)]
    refund_policy: Option<Vec<RefundRuleBody>>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelEventRequest {
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventResponse {
    event_id: Uuid,
    /// `draft`, `published`, `sales_open`, `sales_closed`, `cancelled` or `completed`.
    status: &'static str,
    owner_id: Uuid,
    created_at: DateTime<Utc>,
    version: u64,
    name: String,
    category: Option<String>,
    genre: Option<String>,
    currency: String,
    starts_at: DateTime<Utc>,
    venue: VenueBody,
    sections: Vec<SectionBody>,
    pricing_tiers: Vec<PricingTierBody>,
    hold_seconds: u32,
    max_seats_per_order: u32,
    refund_policy: Vec<RefundRuleBody>,
}

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

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
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

/// Create an event as a draft
#[utoipa::path(post, path = "/api/events", tag = "events", request_body = CreateEventRequest,
    params(("Idempotency-Key" = Option<String>, Header)), security(("session" = [])),
    responses((status = 201, body = EventResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn create_event(
    State(state): State<Shared>,
    post: Post<CreateEventRequest>,
) -> Result<impl IntoResponse, ApiError> {
    state.desk.may_create_events(post.signed_in.actor())?;
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
#[utoipa::path(get, path = "/api/events/{event_id}", tag = "events", params(SeenAfter, ("event_id" = Uuid, Path)),
    responses((status = 200, body = EventResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn get_event(
    State(state): State<Shared>,
    _: SeenAfter,
    caller: MaybeSignedIn,
    PathId(id): PathId<EventId>,
) -> Result<Json<EventResponse>, ApiError> {
    let event = state.desk.event(caller.actor(), id).await?;
    Ok(Json(EventResponse::from(&event)))
}

/// Events, soonest first
#[utoipa::path(get, path = "/api/events", tag = "events", params(SeenAfter, EventsQuery),
    responses((status = 200, body = EventsResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn list_events(
    State(state): State<Shared>,
    _: SeenAfter,
    caller: MaybeSignedIn,
    Query(query): Query<EventsQuery>,
) -> Result<Json<EventsResponse>, ApiError> {
    let page = page(List::Events, query.page, query.per_page, query.after.as_deref())?;
    let listed = state.desk.events(caller.actor(), query.status, page).await?;
    Ok(Json(EventsResponse {
        events: listed.rows.iter().map(EventResponse::from).collect(),
        page: page.number(),
        per_page: page.size(),
        total: listed.total,
        next: listed.next.map(|cursor| List::Events.cursor_text(cursor)),
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
    publish, "/api/events/{event_id}/publish"
);
event_command!(
    /// Open sales
    open_sales, "/api/events/{event_id}/sales/open"
);
event_command!(
    /// Close sales
    close_sales, "/api/events/{event_id}/sales/close"
);

/// Cancel an event: holds are released and paid reservations refunded in full
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

impl From<&EventView> for EventResponse {
    fn from(view: &EventView) -> Self {
        let details = &view.details;
        let text = |label: &Label| label.as_str().to_owned();
        let section = |section: &ticketing_ports::event_details::Section| SectionBody {
            name: text(&section.name),
            seating: match &section.seating {
                Seating::GeneralAdmission { capacity } => SeatingBody::GeneralAdmission { capacity: *capacity },
                Seating::Numbered { rows } => SeatingBody::Numbered {
                    rows: rows
                        .iter()
                        .map(|row| RowBody {
                            row: text(&row.row),
                            seats: row.seats,
                        })
                        .collect(),
                },
            },
        };
        let tier = |tier: &PricingTier| PricingTierBody {
            section: text(&tier.section),
            tier: text(&tier.tier),
            price: tier.price.into(),
            available_from: tier.available_from,
            available_until: tier.available_until,
        };
        let rule = |rule: &RefundRule| RefundRuleBody {
            hours_before: rule.hours_before,
            percent: rule.percent,
        };
        Self {
            event_id: view.event_id.uuid(),
            status: view.status.as_str(),
            owner_id: view.owner_id.uuid(),
            created_at: view.created_at,
            version: view.version.0,
            name: text(&details.name),
            category: details.category.as_ref().map(text),
            genre: details.genre.as_ref().map(text),
            currency: details.currency.to_string(),
            starts_at: details.starts_at,
            venue: VenueBody {
                name: text(&details.venue.name),
                city: text(&details.venue.city),
                country: text(&details.venue.country),
                timezone: text(&details.venue.timezone),
            },
            sections: details.sections.iter().map(section).collect(),
            pricing_tiers: details.pricing_tiers.iter().map(tier).collect(),
            hold_seconds: details.hold_seconds,
            max_seats_per_order: details.max_seats_per_order,
            refund_policy: details.refund_policy.iter().map(rule).collect(),
        }
    }
}
