//! The route with which a customer gets more time to pay.

use axum::extract::State;
use axum::response::IntoResponse;
use ticketing_ports::vocabulary::buyer::Buyer;
use ticketing_ports::vocabulary::ids::ReservationId;

use crate::errors::{ApiError, ErrorBody};
use crate::extract::{Empty, PathId, Post};
use crate::replies::Changed;
use crate::reservations::{ReservationResponse, response};
use crate::state::Shared;

/// Extend a hold
///
/// The seats stay held for `hold_seconds` of the event longer, as often as its `max_extensions` and its
/// `max_hold_seconds` allow. Only while no payment is under way, before the hold has run out, and before the event begins.
#[utoipa::path(post, path = "/api/reservations/{reservation_id}/extend", tag = "reservations",
    params(("reservation_id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    security(("session" = []), ("order_secret" = [])),
    responses((status = 200, body = ReservationResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn extend_hold(
    State(state): State<Shared>,
    PathId(id): PathId<ReservationId>,
    post: Post<Empty, Buyer>,
) -> Result<impl IntoResponse, ApiError> {
    let extended = state.box_office.extend_hold(post.ask(id)).await?;
    Ok(Changed(
        extended.consistency,
        response(post.by, &extended.value, state.clock.now()),
    ))
}
