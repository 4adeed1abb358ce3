//! The routes that show which places are still free.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use ticketing_domain::views::SectionView;
use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::vocabulary::ids::EventId;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::errors::{ApiError, ErrorBody};
use crate::extract::{CaughtUp, MaybeCaller, PathId, SectionPath};
use crate::money::MoneyBody;
use crate::state::Shared;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AvailabilityResponse {
    event_id: Uuid,
    /// The counts of each section, by its name.
    sections: BTreeMap<String, CountsBody>,
    /// Grows with every recorded change.
    sequence: u64,
    /// How many holds have run out but are not released yet. Their places count as available. Of two answers with the
    /// same `sequence`, the one with the larger number is newer.
    lapsed: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CountsBody {
    total_capacity: u32,
    available: u32,
    reserved: u32,
    sold: u32,
    blocked: u32,
    last_updated: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SectionResponse {
    event_id: Uuid,
    section: String,
    #[serde(flatten)]
    counts: CountsBody,
    /// The tier that is in force now. Null if there is none.
    price: Option<PriceBody>,
    /// Absent in a section of general admission.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<RowResponse>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PriceBody {
    tier: String,
    price: MoneyBody,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RowResponse {
    row: String,
    seats: u32,
    /// The seats that are not free.
    taken: Vec<String>,
}

/// Count the places of every section
///
/// The counts may be a moment older than the latest sale. With a `Ticketing-Consistency` token they include the write that
/// the token stands for.
#[utoipa::path(get, path = "/api/events/{event_id}/availability", tag = "availability",
    params(CaughtUp, ("event_id" = Uuid, Path), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = AvailabilityResponse), (status = 304, description = "Nothing has changed since the answer with that `ETag`."),
        (status = "4XX", body = ErrorBody)))]
pub(crate) async fn get_availability(
    State(state): State<Shared>,
    _: CaughtUp,
    caller: MaybeCaller,
    PathId(id): PathId<EventId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let availability = state.desk.availability(caller.actor(), id).await?;
    let etag = format!("\"{id}-{}-{}\"", availability.sequence, availability.lapsed);
    let headers_out = [(ETAG, etag.clone()), (CACHE_CONTROL, "no-cache".to_owned())];
    if is_known(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, headers_out).into_response());
    }
    let sections = availability
        .sections
        .iter()
        .map(|section| (section.name.to_string(), section.into()));
    let body = AvailabilityResponse {
        event_id: id.uuid(),
        sections: sections.collect(),
        sequence: availability.sequence,
        lapsed: availability.lapsed,
    };
    Ok((headers_out, Json(body)).into_response())
}

/// Show a section
///
/// Answers with the counts of the section, its price now, and, in a numbered section, the seats that are not free. The answer
/// includes every write up to this moment.
#[utoipa::path(get, path = "/api/events/{event_id}/sections/{section}", tag = "availability",
    params(("event_id" = Uuid, Path), ("section" = String, Path)),
    responses((status = 200, body = SectionResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn get_section(
    State(state): State<Shared>,
    caller: MaybeCaller,
    path: SectionPath,
) -> Result<Json<SectionResponse>, ApiError> {
    let view = state.desk.section(caller.actor(), path.event, &path.section).await?;
    Ok(Json(view.into()))
}

/// Returns whether the caller already has the answer with the tag `etag`, because `If-None-Match` names the tag (RFC
/// 9110, 13.1.2; weak comparison).
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let tags = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    tags.flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || tag == etag)
}

impl From<&SectionAvailability> for CountsBody {
    fn from(section: &SectionAvailability) -> Self {
        Self {
            total_capacity: section.total_capacity,
            available: section.counts.available,
            reserved: section.counts.held,
            sold: section.counts.sold,
            blocked: section.counts.blocked,
            last_updated: section.last_updated,
        }
    }
}

impl From<SectionView> for SectionResponse {
    fn from(view: SectionView) -> Self {
        let row = |row: ticketing_domain::views::RowView| RowResponse {
            row: row.row.to_string(),
            seats: row.seats,
            taken: row.taken.iter().map(ToString::to_string).collect(),
        };
        Self {
            event_id: view.event_id.uuid(),
            section: view.availability.name.to_string(),
            counts: (&view.availability).into(),
            price: view.price.map(|now| PriceBody {
                tier: now.tier.to_string(),
                price: now.price.into(),
            }),
            rows: view.rows.map(|rows| rows.into_iter().map(row).collect()),
        }
    }
}
