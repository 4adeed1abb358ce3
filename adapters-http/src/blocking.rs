//! The routes with which an organiser takes places off sale and puts them back on sale.

use axum::extract::State;
use axum::response::IntoResponse;
use serde::Serialize;
use ticketing_domain::inventory::TakenSeats;
use ticketing_domain::refusal::{FieldError, Refusal};
use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_runtime::{BlockSeats, UnblockSeats};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::availability::CountsBody;
use crate::errors::{ApiError, ErrorBody};
use crate::extract::{Post, Quantity, SectionPath, read_object};
use crate::lines::parse_seats;
use crate::replies::Changed;
use crate::state::Shared;

/// The places: `seats` in a section with numbered seats, or `quantity` in general admission.
#[derive(Debug, ToSchema)]
pub(crate) struct PlacesRequest {
    /// The names of seats, such as `A-12`.
    #[schema(example = json!(["A-12"]))]
    seats: Option<Vec<String>>,
    #[schema(value_type = Option<u32>, minimum = 1)]
    quantity: Option<Quantity>,
}

read_object!(PlacesRequest { seats, quantity });

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlacesResponse {
    event_id: Uuid,
    section: String,
    #[serde(flatten)]
    counts: CountsBody,
}

/// Take free places of a section off sale
///
/// Only for the owner of the event and for administrators. A numbered section takes the names of seats, a section of general
/// admission the number of places.
#[utoipa::path(post, path = "/api/events/{event_id}/sections/{section}/block", tag = "events",
    request_body = PlacesRequest, security(("session" = [])),
    params(("event_id" = Uuid, Path), ("section" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = PlacesResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn block_seats(
    State(state): State<Shared>,
    path: SectionPath,
    post: Post<PlacesRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let (event_id, section, seats) = (path.event, path.section, post.body.parse()?);
    let block = BlockSeats {
        event_id,
        section,
        seats,
    };
    let changed = state.box_office.block_seats(post.ask(block)).await?;
    Ok(Changed(
        changed.consistency,
        PlacesResponse::new(event_id, &changed.value),
    ))
}

/// Put blocked places of a section back on sale
///
/// Only for the owner of the event and for administrators. Only blocked places can be put back.
#[utoipa::path(post, path = "/api/events/{event_id}/sections/{section}/unblock", tag = "events",
    request_body = PlacesRequest, security(("session" = [])),
    params(("event_id" = Uuid, Path), ("section" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = PlacesResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn unblock_seats(
    State(state): State<Shared>,
    path: SectionPath,
    post: Post<PlacesRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let (event_id, section, seats) = (path.event, path.section, post.body.parse()?);
    let unblock = UnblockSeats {
        event_id,
        section,
        seats,
    };
    let changed = state.box_office.unblock_seats(post.ask(unblock)).await?;
    Ok(Changed(
        changed.consistency,
        PlacesResponse::new(event_id, &changed.value),
    ))
}

impl PlacesRequest {
    fn parse(&self) -> Result<TakenSeats, Refusal> {
        let mut errors = Vec::new();
        let places = match (&self.seats, &self.quantity) {
            (Some(seats), None) => TakenSeats::Seats(parse_seats(seats, "seats", &mut errors)),
            (None, Some(quantity)) => TakenSeats::Places(quantity.0),
            (Some(_), Some(_)) | (None, None) => {
                let reason = "exactly one of `seats` and `quantity` is needed";
                errors.push(FieldError::new("seats", reason));
                TakenSeats::Places(0)
            }
        };
        if errors.is_empty() {
            Ok(places)
        } else {
            Err(Refusal::Invalid(errors))
        }
    }
}

impl PlacesResponse {
    fn new(event_id: EventId, section: &SectionAvailability) -> Self {
        Self {
            event_id: event_id.uuid(),
            section: section.name.to_string(),
            counts: section.into(),
        }
    }
}
