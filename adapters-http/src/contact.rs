//! The route with which a guest says who buys.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::ReservationId;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::errors::{ApiError, ErrorBody};
use crate::extract::{AGuest, Body, PathId, read_object};
use crate::state::Shared;

#[derive(Debug, Clone, ToSchema)]
pub(crate) struct ContactRequest {
    /// The e-mail address of the buyer.
    #[schema(example = "ada@example.com")]
    email: String,
}

read_object!(ContactRequest { email });

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContactResponse {
    reservation_id: Uuid,
    /// The e-mail address of the buyer.
    email: String,
}

/// Give the buyer's address
///
/// Only a guest gives an address, and has to do so before paying. As long as no payment is under way, another address may be
/// given. Once the order is paid, it belongs to the person with this address, who finds it in their account after signing in
/// with the address.
#[utoipa::path(put, path = "/api/reservations/{reservation_id}/contact", tag = "reservations", request_body = ContactRequest,
    params(("reservation_id" = Uuid, Path)), security(("order_secret" = [])),
    responses((status = 200, body = ContactResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn give_contact(
    State(state): State<Shared>,
    PathId(id): PathId<ReservationId>,
    AGuest(guest): AGuest,
    Body(request): Body<ContactRequest>,
) -> Result<Json<ContactResponse>, ApiError> {
    let email = parse_address(&request.email)?;
    state.desk.give_address(guest, id, &email).await?;
    Ok(Json(ContactResponse {
        reservation_id: id.uuid(),
        email: email.as_str().to_owned(),
    }))
}

/// Reads an address that a guest has typed.
pub(crate) fn parse_address(text: &str) -> Result<EmailAddress, Refusal> {
    EmailAddress::parse(text).map_err(|invalid| Refusal::invalid("email", invalid.to_string()))
}
