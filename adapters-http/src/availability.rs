//! The routes that show which places are still free.

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::{FromRequestParts, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use ticketing_domain::views::{PriceNow, SeatRow, SectionView, TicketTypeNow};
use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_runtime::AvailabilityAnswer;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::errors::{ApiError, ErrorBody};
use crate::events::TicketTypeBody;
use crate::extract::{MaybeCaller, PathId, SectionPath, SeenWrites};
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
    /// The price now; null if no tier is in force, or the tickets of all are sold. In a section with ticket types, the price
    /// of its first type.
    price: Option<PriceBody>,
    /// How many tickets are left, beside the places of the section; null if only these count. In a section with ticket types,
    /// those of its first type.
    left: Option<u32>,
    /// The ticket types of the section, each with its price now. Empty if all tickets are alike.
    ticket_types: Vec<TicketTypeNowBody>,
    /// The seats of each row, by its name, from the front to the back. Each place is one letter, from left to right: `f` a free
    /// seat, `h` a held, `s` a sold and `b` a blocked one, `_` a gap. The letter of a seat stands at the index of its place in the
    /// `places` of the event's row; if the row has a number of `seats`, the letters are those of the seats 1, 2, 3 and so on.
    /// Absent in a section of general admission.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, String>>, example = json!({ "A": "ffhssbff", "B": "ffh_hff" }))]
    rows: Option<Rows>,
    /// The `sequence` of the event: grows with every recorded change in any of its sections.
    sequence: u64,
}

/// The rows of a section as a JSON object, whose keys stand in the order of the rows.
#[derive(Debug)]
struct Rows(Vec<SeatRow>);

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|row| (row.row.as_str(), &row.seats)))
    }
}

/// A ticket type, with its price now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TicketTypeNowBody {
    #[serde(flatten)]
    ticket_type: TicketTypeBody,
    /// Null while no price is in force, the type is not sold, or the tickets at all its prices are sold.
    price: Option<PriceBody>,
    /// How many tickets of the type are left; null if only the places of the section count.
    left: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PriceBody {
    /// What an order of one ticket costs, with fees and taxes.
    total_amount: MoneyBody,
    tier: String,
    /// The price of one place, without the fees and taxes on top of it.
    price: MoneyBody,
}

/// Count the places of every section
///
/// The counts may be a moment older than the latest sale. With a `Ticketing-Consistency` token they include the write that
/// the token stands for.
#[utoipa::path(get, path = "/api/events/{event_id}/availability", tag = "availability",
    params(SeenWrites, ("event_id" = Uuid, Path), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = AvailabilityResponse), (status = 304, description = "Nothing has changed since the answer with that `ETag`."),
        (status = "4XX", body = ErrorBody)))]
pub(crate) async fn get_availability(
    State(state): State<Shared>,
    SeenWrites(seen): SeenWrites,
    caller: MaybeCaller,
    PathId(id): PathId<EventId>,
    known: KnownTags,
) -> Result<Response, ApiError> {
    let answer = state.desk.availability(caller.actor(), id, seen.as_ref()).await?;
    let etag = Etag::of_availability(id, &answer);
    if known.has(&etag) {
        return Ok(not_modified(etag));
    }
    Ok(found(etag, availability_json(id, &answer)))
}

/// Show a section
///
/// Answers with the counts of the section, its price now, and, in a numbered section, the state of each seat. The answer
/// includes every write that this server has answered. With a `Ticketing-Consistency` token it also includes the write that the
/// token stands for, whichever server has answered it.
#[utoipa::path(get, path = "/api/events/{event_id}/sections/{section}", tag = "availability",
    params(SeenWrites, ("event_id" = Uuid, Path), ("section" = String, Path), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = SectionResponse), (status = 304, description = "Nothing has changed since the answer with that `ETag`."),
        (status = "4XX", body = ErrorBody)))]
pub(crate) async fn get_section(
    State(state): State<Shared>,
    SeenWrites(seen): SeenWrites,
    caller: MaybeCaller,
    path: SectionPath,
    known: KnownTags,
) -> Result<Response, ApiError> {
    let (viewer, event) = (caller.actor(), path.event);
    let view = state.desk.section(viewer, event, &path.section, seen.as_ref()).await?;
    let body = json_of(&SectionResponse::from(view));
    let etag = Etag::of_bytes(&body);
    if known.has(&etag) {
        return Ok(not_modified(etag));
    }
    Ok(found(etag, body))
}

/// The tag of one answer: two answers with one tag are equal byte for byte.
#[derive(Debug, Clone)]
struct Etag(HeaderValue);

impl Etag {
    /// Returns the tag of an answer. It is made once for all who are shown the same state of a live board.
    fn of_availability(id: EventId, answer: &AvailabilityAnswer) -> Self {
        let make = || Self::of_text(&format!("{id}-{}-{}", answer.sequence(), answer.lapsed()));
        match answer {
            AvailabilityAnswer::Live(state) => Self::clone(&state.kept.get_or_make(make)),
            AvailabilityAnswer::Rows(_) => make(),
        }
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        Self::of_text(&URL_SAFE_NO_PAD.encode(Sha256::digest(bytes)))
    }

    fn of_text(text: &str) -> Self {
        Self(HeaderValue::try_from(format!("\"{text}\"")).expect("ids, numbers and base64 are visible ASCII"))
    }
}

/// The text of an availability. It is written once for all who are shown the same state of a live board.
#[derive(Debug)]
struct AvailabilityJson(Bytes);

fn availability_json(id: EventId, answer: &AvailabilityAnswer) -> Bytes {
    let make = || AvailabilityJson(json_of(&AvailabilityResponse::new(id, answer)));
    match answer {
        AvailabilityAnswer::Live(state) => state.kept.get_or_make(make).0.clone(),
        AvailabilityAnswer::Rows(_) => make().0,
    }
}

fn json_of(body: &impl Serialize) -> Bytes {
    let text = serde_json::to_vec(body);
    text.expect("bodies with texts as keys can be written as JSON").into()
}

const REVALIDATE: (HeaderName, HeaderValue) = (CACHE_CONTROL, HeaderValue::from_static("no-cache"));

fn not_modified(Etag(etag): Etag) -> Response {
    (StatusCode::NOT_MODIFIED, [(ETAG, etag), REVALIDATE]).into_response()
}

fn found(Etag(etag): Etag, json: Bytes) -> Response {
    let kind = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
    ([(ETAG, etag), REVALIDATE, kind], json).into_response()
}

/// The tags of the answers that the caller already has: what the header `If-None-Match` names.
#[derive(Debug)]
pub(crate) struct KnownTags(Vec<HeaderValue>);

impl FromRequestParts<Shared> for KnownTags {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.get_all(IF_NONE_MATCH).iter().cloned().collect()))
    }
}

impl KnownTags {
    /// Returns whether the answer with this tag is one of them (RFC 9110, 13.1.2; weak comparison).
    fn has(&self, Etag(etag): &Etag) -> bool {
        let mut tags = self
            .0
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        tags.any(|tag| {
            let tag = tag.trim_ascii();
            tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == etag.as_bytes()
        })
    }
}

impl AvailabilityResponse {
    fn new(id: EventId, answer: &AvailabilityAnswer) -> Self {
        let sections = answer.sections();
        let sections = sections
            .iter()
            .map(|section| (section.name.to_string(), (*section).into()));
        Self {
            event_id: id.uuid(),
            sections: sections.collect(),
            sequence: answer.sequence(),
            lapsed: answer.lapsed(),
        }
    }
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

impl From<PriceNow> for PriceBody {
    fn from(now: PriceNow) -> Self {
        Self {
            total_amount: now.total.into(),
            tier: now.tier.to_string(),
            price: now.price.into(),
        }
    }
}

impl From<TicketTypeNow> for TicketTypeNowBody {
    fn from(now: TicketTypeNow) -> Self {
        Self {
            ticket_type: (&now.ticket_type).into(),
            price: now.price.map(PriceBody::from),
            left: now.left,
        }
    }
}

impl From<SectionView> for SectionResponse {
    fn from(view: SectionView) -> Self {
        Self {
            event_id: view.event_id.uuid(),
            section: view.availability.name.to_string(),
            counts: (&view.availability).into(),
            price: view.price.map(PriceBody::from),
            left: view.left,
            ticket_types: view.ticket_types.into_iter().map(TicketTypeNowBody::from).collect(),
            rows: view.rows.map(Rows),
            sequence: view.sequence,
        }
    }
}
