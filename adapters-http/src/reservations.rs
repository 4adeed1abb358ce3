//! The routes with which seats are held, paid for and given up.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use ticketing_domain::refusal::{FieldError, Refusal};
use ticketing_ports::Timestamp;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, ReservationId};
use ticketing_ports::vocabulary::payment::PaymentStatus;
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_ports::vocabulary::seating::{Allocation, SeatId};
use ticketing_runtime::{HistoryEntry, HoldFor, HoldSeats, PagedList, PayReservation};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::errors::{ApiError, ErrorBody};
use crate::extract::{Caller, CaughtUp, PathId, Post, Quantity, Query, read_object};
use crate::listing::PageQuery;
use crate::money::MoneyBody;
use crate::payments::{NextActionBody, PaymentMethodBody, location_of};
use crate::replies::{Accepted, Changed, Created};
use crate::request_names::name_event;
use crate::state::Shared;

#[derive(Debug, Clone, ToSchema)]
pub(crate) struct CreateReservationRequest {
    event_id: Uuid,
    #[schema(example = "General")]
    section: String,
    #[schema(value_type = u32, minimum = 1)]
    quantity: Quantity,
    /// The seats to hold, all or none. If absent, the server takes the best free seats.
    #[schema(example = json!(["A-12", "A-13"]))]
    specific_seats: Option<Vec<String>>,
    /// Who gets the seats; the caller if absent. Only an administrator can name somebody else.
    customer_id: Option<Uuid>,
}

read_object!(CreateReservationRequest {
    event_id,
    section,
    quantity,
    specific_seats,
    customer_id
});

#[derive(Debug, Clone, ToSchema)]
pub(crate) struct PayRequest {
    /// The id of an authorised payment, or a new id of your choice: a repeated request with the same id charges once.
    payment_id: Option<Uuid>,
    payment_method: Option<PaymentMethodBody>,
}

read_object!(PayRequest {
    payment_id,
    payment_method
});

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReservationResponse {
    reservation_id: Uuid,
    event_id: Uuid,
    customer_id: Uuid,
    section: String,
    /// Empty in a section of general admission.
    seats: Vec<SeatBody>,
    quantity: u32,
    total_amount: MoneyBody,
    /// The status: `held`, `payment_pending`, `completed`, `expired`, `cancelled`, `compensated` or `refunded`.
    status: &'static str,
    /// How the seats were found: `general_admission`, `requested`, `adjacent`, `same_row` or `split`.
    #[schema(value_type = String)]
    allocation: Allocation,
    expires_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
    payment_id: Option<Uuid>,
    tickets: Vec<TicketBody>,
    server_time: DateTime<Utc>,
}

/// A reservation whose payment is not decided yet. Ask for the payment later to learn its outcome.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PayingResponse {
    #[serde(flatten)]
    reservation: ReservationResponse,
    payment: PendingPaymentBody,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PendingPaymentBody {
    payment_id: Uuid,
    /// The status of the payment, always `pending`.
    status: &'static str,
    /// What the customer must do before the provider decides; null if nothing.
    next_action: Option<NextActionBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SeatBody {
    seat_id: String,
    row: String,
    number: u32,
    price: MoneyBody,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TicketBody {
    ticket_id: Uuid,
    seat_id: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReservationsResponse {
    reservations: Vec<ReservationResponse>,
    /// Absent if the request had `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u32>,
    per_page: u32,
    total: u64,
    /// Send this as `after` to get the rows that follow; null if there are none.
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistoryResponse {
    events: Vec<HistoryBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistoryBody {
    sequence: u64,
    #[serde(rename = "type")]
    event_type: String,
    version: u16,
    at: DateTime<Utc>,
    #[schema(value_type = Object)]
    data: Box<RawValue>,
}

/// Hold seats
///
/// The seats belong to the caller until `expires_at`. Named seats are held all or none. Without names the server takes the
/// best seats that lie together.
#[utoipa::path(post, path = "/api/reservations", tag = "reservations", request_body = CreateReservationRequest,
    params(("Idempotency-Key" = Option<String>, Header)), security(("session" = [])),
    responses((status = 201, body = ReservationResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn create_reservation(
    State(state): State<Shared>,
    post: Post<CreateReservationRequest>,
) -> Result<impl IntoResponse, ApiError> {
    name_event(EventId::new(post.body.event_id));
    let customer = post.body.customer_id.map(CustomerId::new);
    let hold = HoldSeats {
        customer: state.desk.hold_for(post.actor(), customer).await?,
        ..HoldSeats::try_from(&post.body)?
    };
    let held = state.box_office.hold(post.ask(hold)).await?;
    let location = format!("/api/reservations/{}", held.value.reservation_id);
    Ok(Created(
        held.consistency,
        location,
        response(&held.value, state.clock.now()),
    ))
}

/// Show a reservation
///
/// The answer includes every write up to this moment. Somebody else's reservation is not found.
#[utoipa::path(get, path = "/api/reservations/{reservation_id}", tag = "reservations",
    params(("reservation_id" = Uuid, Path)), security(("session" = [])),
    responses((status = 200, body = ReservationResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn get_reservation(
    State(state): State<Shared>,
    caller: Caller,
    PathId(id): PathId<ReservationId>,
) -> Result<Json<ReservationResponse>, ApiError> {
    let view = state.desk.reservation(caller.actor(), id).await?;
    Ok(Json(response(&view, state.clock.now())))
}

/// List my reservations, newest first
///
/// `page` jumps to a part of the list; `after` continues behind the last reservation of an earlier answer and shows no
/// reservation twice.
#[utoipa::path(get, path = "/api/reservations", tag = "reservations", params(CaughtUp, PageQuery), security(("session" = [])),
    responses((status = 200, body = ReservationsResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn list_reservations(
    State(state): State<Shared>,
    caller: Caller,
    _: CaughtUp,
    Query(query): Query<PageQuery>,
) -> Result<Json<ReservationsResponse>, ApiError> {
    let page = query.page(PagedList::Reservations)?;
    let listed = state.desk.own_reservations(caller.actor(), page).await?;
    let now = state.clock.now();
    Ok(Json(ReservationsResponse {
        reservations: listed.rows.iter().map(|view| response(view, now)).collect(),
        page: page.number(),
        per_page: page.size(),
        total: listed.total,
        next: listed.next.map(|cursor| PagedList::Reservations.cursor_text(cursor)),
    }))
}

/// Pay for a reservation
///
/// With the `payment_id` of an authorised payment, that payment is captured. With a `payment_method`, a payment is authorised
/// and captured in one step. After a declined payment the seats stay held; the third declined payment ends the reservation.
#[utoipa::path(post, path = "/api/reservations/{reservation_id}/payment", tag = "reservations",
    request_body = PayRequest, security(("session" = [])),
    params(("reservation_id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = ReservationResponse),
        (status = 202, description = "The payment is not decided yet: the customer must act, or the provider needs more time.", body = PayingResponse),
        (status = "4XX", body = ErrorBody)))]
pub(crate) async fn pay_reservation(
    State(state): State<Shared>,
    PathId(reservation_id): PathId<ReservationId>,
    post: Post<PayRequest>,
) -> Result<Response, ApiError> {
    let by = post.actor();
    let method = post
        .body
        .payment_method
        .as_ref()
        .map(PaymentMethodBody::parse)
        .transpose()?;
    let payment_id = post.body.payment_id.map(PaymentId::new);
    let paid = state
        .box_office
        .pay(post.ask(PayReservation {
            reservation_id,
            payment_id,
            method,
        }))
        .await?;
    let reservation = response(&paid.value, state.clock.now());
    let pending = paid
        .value
        .payment_id
        .filter(|_| paid.value.status == ReservationStatus::PaymentPending);
    let Some(payment_id) = pending else {
        return Ok(Changed(paid.consistency, reservation).into_response());
    };
    let next_action = state.desk.next_action(by, payment_id).await?;
    let paying = PayingResponse {
        reservation,
        payment: PendingPaymentBody {
            payment_id: payment_id.uuid(),
            status: PaymentStatus::Pending.as_str(),
            next_action: next_action.map(NextActionBody::from),
        },
    };
    Ok(Accepted(paid.consistency, location_of(payment_id), paying).into_response())
}

/// List what happened to a reservation
///
/// Answers with every recorded fact of the reservation, the oldest first.
#[utoipa::path(get, path = "/api/reservations/{reservation_id}/history", tag = "reservations",
    params(("reservation_id" = Uuid, Path)), security(("session" = [])),
    responses((status = 200, body = HistoryResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn reservation_history(
    State(state): State<Shared>,
    caller: Caller,
    PathId(id): PathId<ReservationId>,
) -> Result<Json<HistoryResponse>, ApiError> {
    let entries = state.desk.reservation_history(caller.actor(), id).await?;
    let events = entries
        .into_iter()
        .map(HistoryBody::try_from)
        .collect::<Result<_, _>>()?;
    Ok(Json(HistoryResponse { events }))
}

impl TryFrom<&CreateReservationRequest> for HoldSeats {
    type Error = Refusal;

    /// Turns the request into the command that holds seats for the caller. If an administrator names another
    /// customer, the handler fills that customer in, because it has to look the customer up first.
    fn try_from(request: &CreateReservationRequest) -> Result<Self, Refusal> {
        let mut errors = Vec::new();
        let seats = request.specific_seats.as_ref();
        let specific_seats = seats.map(|seats| parse_seats(seats, "specific_seats", &mut errors));
        if !errors.is_empty() {
            return Err(Refusal::Invalid(errors));
        }
        Ok(Self {
            event_id: EventId::new(request.event_id),
            section: request.section.clone(),
            quantity: request.quantity.0,
            specific_seats,
            customer: HoldFor::Caller,
        })
    }
}

/// Returns the texts that are labels of seats, and adds an error for each of the other texts.
pub(crate) fn parse_seats(seats: &[String], field: &str, errors: &mut Vec<FieldError>) -> Vec<SeatId> {
    let mut parse = |(index, text): (usize, &String)| {
        SeatId::parse(text)
            .map_err(|invalid| errors.push(FieldError::new(format!("{field}[{index}]"), invalid.to_string())))
            .ok()
    };
    seats.iter().enumerate().filter_map(&mut parse).collect()
}

impl TryFrom<HistoryEntry> for HistoryBody {
    type Error = ApiError;

    fn try_from(entry: HistoryEntry) -> Result<Self, ApiError> {
        let data = String::from_utf8(entry.data)
            .ok()
            .and_then(|text| RawValue::from_string(text).ok());
        Ok(Self {
            sequence: entry.sequence.0,
            event_type: entry.event_type,
            version: entry.event_version,
            at: entry.at,
            data: data.ok_or_else(ApiError::internal)?,
        })
    }
}

pub(crate) fn response(view: &ReservationView, now: Timestamp) -> ReservationResponse {
    let seat = |seat: &SeatId| SeatBody {
        seat_id: seat.to_string(),
        row: seat.row.to_string(),
        number: seat.number,
        price: view.unit_price.into(),
    };
    ReservationResponse {
        reservation_id: view.reservation_id.uuid(),
        event_id: view.event_id.uuid(),
        customer_id: view.customer_id.uuid(),
        section: view.section.to_string(),
        seats: view.seats.iter().map(seat).collect(),
        quantity: view.quantity,
        total_amount: view.total_amount.into(),
        status: view.status.as_str(),
        allocation: view.allocation,
        expires_at: view.expires_at,
        created_at: view.created_at,
        completed_at: view.completed_at,
        payment_id: view.payment_id.map(PaymentId::uuid),
        tickets: view
            .tickets
            .iter()
            .map(|ticket| TicketBody {
                ticket_id: ticket.ticket_id.uuid(),
                seat_id: ticket.seat_id.as_ref().map(ToString::to_string),
            })
            .collect(),
        server_time: now,
    }
}
