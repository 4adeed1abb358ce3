//! The routes with which a customer gives a reservation up.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde::Serialize;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::vocabulary::buyer::Buyer;
use ticketing_ports::vocabulary::ids::ReservationId;
use ticketing_runtime::CancelReservation;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::errors::{ApiError, ErrorBody};
use crate::extract::{Asker, PathId, Post, read_object};
use crate::money::MoneyBody;
use crate::replies::Changed;
use crate::reservations::{ReservationResponse, response};
use crate::state::Shared;

#[derive(Debug, Clone, ToSchema)]
pub(crate) struct CancelReservationRequest {
    /// The amount that the customer was shown. If another amount goes back now, the request is refused. Once the event has
    /// begun and nothing goes back, this has to be 0.
    refund_amount: Option<MoneyBody>,
}

read_object!(CancelReservationRequest { refund_amount });

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CancellationResponse {
    reservation_id: Uuid,
    /// What goes back if the reservation is cancelled now.
    refund_amount: MoneyBody,
    /// When that amount changes for the first time; null if it stays as it is.
    next_change: Option<RefundChangeBody>,
    server_time: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefundChangeBody {
    /// The last moment of the amount before.
    after: DateTime<Utc>,
    /// What goes back from then on.
    refund_amount: MoneyBody,
}

/// Show what a cancellation pays back
///
/// The amount that goes back if the reservation is cancelled now, and when that amount changes. Refused if the reservation can
/// no longer be cancelled.
#[utoipa::path(get, path = "/api/reservations/{reservation_id}/cancellation", tag = "reservations",
    params(("reservation_id" = Uuid, Path)), security(("session" = []), ("order_secret" = [])),
    responses((status = 200, body = CancellationResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn show_cancellation(
    State(state): State<Shared>,
    Asker(by): Asker,
    PathId(id): PathId<ReservationId>,
) -> Result<Json<CancellationResponse>, ApiError> {
    let cancellation = state.desk.cancellation(by, id).await?;
    Ok(Json(CancellationResponse {
        reservation_id: cancellation.reservation_id.uuid(),
        refund_amount: cancellation.refund.into(),
        next_change: cancellation.next_change.map(|change| RefundChangeBody {
            after: change.after,
            refund_amount: change.refund.into(),
        }),
        server_time: state.clock.now(),
    }))
}

/// Cancel a reservation
///
/// Releases a hold, or refunds a paid reservation by the refund policy of the event. The seats are free again at once. A
/// `refund_amount` makes sure that nobody gets less than they were shown.
#[utoipa::path(post, path = "/api/reservations/{reservation_id}/cancel", tag = "reservations", request_body = CancelReservationRequest,
    params(("reservation_id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    security(("session" = []), ("order_secret" = [])),
    responses((status = 200, body = ReservationResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn cancel_reservation(
    State(state): State<Shared>,
    PathId(id): PathId<ReservationId>,
    post: Post<CancelReservationRequest, Buyer>,
) -> Result<impl IntoResponse, ApiError> {
    let mut errors = Vec::new();
    let agreed = post.body.refund_amount.as_ref();
    let agreed_refund = agreed.and_then(|amount| amount.parse("refund_amount", &mut errors));
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors).into());
    }
    let cancel = CancelReservation {
        reservation_id: id,
        agreed_refund,
    };
    let cancelled = state.box_office.cancel_reservation(post.ask(cancel)).await?;
    Ok(Changed(
        cancelled.consistency,
        response(post.by, &cancelled.value, state.clock.now()),
    ))
}
