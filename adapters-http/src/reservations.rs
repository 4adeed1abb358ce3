//! The routes with which seats are held, paid for and given up.

mod wanted;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use ticketing_ports::Timestamp;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::buyer::Buyer;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, ReservationId};
use ticketing_ports::vocabulary::payment::PaymentStatus;
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_ports::vocabulary::seating::{Allocation, Label};
use ticketing_ports::vocabulary::secrets::Secret;
use ticketing_runtime::{HistoryEntry, HoldSeats, PagedList, PayReservation};
use tracing::warn;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::errors::{ApiError, ErrorBody};
use crate::extract::{Asker, Caller, CaughtUp, PathId, Post, Query, read_object};
use crate::header_names::ORDER_SECRET_NAME;
use crate::lines::{LineBody, SeatBody, TicketBody, seats_of, shared_by_all};
use crate::listing::PageQuery;
use crate::money::MoneyBody;
use crate::payments::{NextActionBody, PaymentMethodBody, location_of};
use crate::replies::{Accepted, Changed, Created};
use crate::request_names::name_event;
use crate::state::Shared;

use wanted::CreateReservationRequest;

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
    /// Whose the reservation is. A guest sees the id of the reservation in its place.
    customer_id: Uuid,
    /// What is reserved.
    lines: Vec<LineBody>,
    /// The section of all lines; absent if they are of several sections.
    #[serde(skip_serializing_if = "Option::is_none")]
    section: Option<String>,
    /// Empty in a section of general admission; absent if the lines are of several sections.
    #[serde(skip_serializing_if = "Option::is_none")]
    seats: Option<Vec<SeatBody>>,
    /// How many places; absent if the lines are of several sections.
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<u32>,
    /// What all lines cost together, with fees and taxes.
    total_amount: MoneyBody,
    /// How much of the money has gone back.
    refunded_amount: MoneyBody,
    /// The status: `held`, `payment_pending`, `completed`, `expired`, `cancelled`, `compensated` or `refunded`.
    status: &'static str,
    /// How the seats were found: `general_admission`, `requested`, `adjacent`, `same_row` or `split`; absent if the lines
    /// are of several sections.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    allocation: Option<Allocation>,
    expires_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
    payment_id: Option<Uuid>,
    tickets: Vec<TicketBody>,
    server_time: DateTime<Utc>,
}

/// A reservation that has just been made.
#[derive(Serialize, ToSchema)]
pub(crate) struct HeldResponse {
    #[serde(flatten)]
    reservation: ReservationResponse,
    /// The secret with which a guest sees, pays and cancels this order, sent in `Ticketing-Order-Secret`. It is shown only
    /// here, and only if the request had no secret of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_secret: Option<String>,
    /// The address that was kept for the order; absent if none was given, or if it has to be given again before paying because
    /// it could not be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
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
/// A guest needs no session: the answer has an `order_secret`, which lets its bearer see, pay, extend and cancel this order
/// alone. A guest may also make the secret, of 32 random bytes, and send it in `Ticketing-Order-Secret`; that is needed
/// with an `Idempotency-Key`. Before paying, a guest gives an `email`, here or with `…/contact`.
///
/// The seats belong to the caller until `expires_at`, which `…/extend` moves. An order has one section, with `section`, `quantity` and
/// `specific_seats` at the top, or the lines in `items`, one for each ticket type of a section. A
/// line that needs tickets at two prices is answered as two. The seats of all lines are held, or none.
/// Without names the server takes the best seats of a section that lie together. The event limits
/// how many seats a customer may have in all (`max_seats_per_customer`). The server limits in how many reservations of one
/// event a customer may hold seats at a time (its setting `MAX_LIVE_HOLDS`, 3 by default; administrators have no such limit).
#[utoipa::path(post, path = "/api/reservations", tag = "reservations", request_body = CreateReservationRequest,
    params(("Idempotency-Key" = Option<String>, Header)), security(("session" = []), ("order_secret" = []), ()),
    responses((status = 201, body = HeldResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn create_reservation(
    State(state): State<Shared>,
    post: Post<CreateReservationRequest, Option<Buyer>>,
) -> Result<impl IntoResponse, ApiError> {
    name_event(EventId::new(post.body.event_id));
    let (by, order_secret) = buyer_of_a_new_order(&state, &post)?;
    let email = post.body.address(by)?;
    let customer = post.body.customer_id.map(CustomerId::new);
    let hold = HoldSeats {
        customer: state.desk.hold_for(by, customer).await?,
        ..HoldSeats::try_from(&post.body)?
    };
    let held = state.box_office.hold(post.ask_as(by, hold)).await;
    let held = held.map_err(|failure| post.body.in_its_form(failure))?;
    let email = match email {
        Some(email) => keep_address(&state, held.value.reservation_id, email).await,
        None => None,
    };
    let location = format!("/api/reservations/{}", held.value.reservation_id);
    let response = HeldResponse {
        reservation: response(by, &held.value, state.clock.now()),
        order_secret: order_secret.map(|secret| secret.expose()),
        email: email.map(|email| email.as_str().to_owned()),
    };
    Ok(Created(held.consistency, location, response))
}

/// Keeps the address with which an order was made, and returns it; `None` if it could not be kept. The seats are held all the
/// same: the answer must tell the guest the secret of the order.
async fn keep_address(state: &Shared, order: ReservationId, email: EmailAddress) -> Option<EmailAddress> {
    match state.desk.give_first_address(order, &email).await {
        Ok(()) => Some(email),
        Err(error) => {
            warn!(
                error = &error as &dyn std::error::Error,
                "the address of an order could not be kept"
            );
            None
        }
    }
}

/// Returns who makes a new order, and the secret of the order if this server makes it: for a guest who has sent none.
fn buyer_of_a_new_order(
    state: &Shared,
    post: &Post<CreateReservationRequest, Option<Buyer>>,
) -> Result<(Buyer, Option<Secret>), ApiError> {
    match post.by {
        Some(by) => Ok((by, None)),
        None if post.has_idempotency_key() => Err(ApiError::invalid_request(
            ORDER_SECRET_NAME,
            "is missing: a guest who sends an Idempotency-Key makes the secret of the order too, because the answer to a \
             repeated request could not show it again",
        )),
        None => {
            let secret = state.desk.new_order_secret();
            Ok((Buyer::Guest(secret.digest().into()), Some(secret)))
        }
    }
}

/// Show a reservation
///
/// The answer includes every write up to this moment. Somebody else's reservation is not found.
#[utoipa::path(get, path = "/api/reservations/{reservation_id}", tag = "reservations",
    params(("reservation_id" = Uuid, Path)), security(("session" = []), ("order_secret" = [])),
    responses((status = 200, body = ReservationResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn get_reservation(
    State(state): State<Shared>,
    Asker(by): Asker,
    PathId(id): PathId<ReservationId>,
) -> Result<Json<ReservationResponse>, ApiError> {
    let view = state.desk.reservation(by, id).await?;
    Ok(Json(response(by, &view, state.clock.now())))
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
        reservations: listed
            .rows
            .iter()
            .map(|view| response(caller.actor(), view, now))
            .collect(),
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
    request_body = PayRequest, security(("session" = []), ("order_secret" = [])),
    params(("reservation_id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = ReservationResponse),
        (status = 202, description = "The payment is not decided yet: the customer must act, or the provider needs more time.", body = PayingResponse),
        (status = "4XX", body = ErrorBody)))]
pub(crate) async fn pay_reservation(
    State(state): State<Shared>,
    PathId(reservation_id): PathId<ReservationId>,
    post: Post<PayRequest, Buyer>,
) -> Result<Response, ApiError> {
    let by = state.desk.known(post.by, reservation_id).await?;
    let method = post
        .body
        .payment_method
        .as_ref()
        .map(PaymentMethodBody::parse)
        .transpose()?;
    let payment_id = post.body.payment_id.map(PaymentId::new);
    let paid = state
        .box_office
        .pay(post.ask_as(
            by,
            PayReservation {
                reservation_id,
                payment_id,
                method,
            },
        ))
        .await?;
    let reservation = response(by, &paid.value, state.clock.now());
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
    params(("reservation_id" = Uuid, Path)), security(("session" = []), ("order_secret" = [])),
    responses((status = 200, body = HistoryResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn reservation_history(
    State(state): State<Shared>,
    Asker(by): Asker,
    PathId(id): PathId<ReservationId>,
) -> Result<Json<HistoryResponse>, ApiError> {
    let entries = state.desk.reservation_history(by, id).await?;
    let events = entries
        .into_iter()
        .map(|entry| HistoryBody::of(by, entry))
        .collect::<Result<_, _>>()?;
    Ok(Json(HistoryResponse { events }))
}

/// What the facts tell of people, which a guest, who has not proven to be one of them, does not learn.
const OF_PEOPLE: [&str; 3] = ["customer_id", "person", "order_secret"];

impl HistoryBody {
    fn of(by: Buyer, entry: HistoryEntry) -> Result<Self, ApiError> {
        let text = String::from_utf8(entry.data).map_err(|_| ApiError::internal())?;
        let data = match by {
            Buyer::Person(_) => RawValue::from_string(text),
            Buyer::Guest(_) => serde_json::from_str(&text).and_then(|mut fields: Map<String, Value>| {
                fields.retain(|name, _| !OF_PEOPLE.contains(&name.as_str()));
                serde_json::value::to_raw_value(&fields)
            }),
        };
        Ok(Self {
            sequence: entry.sequence.0,
            event_type: entry.event_type,
            version: entry.event_version,
            at: entry.at,
            data: data.map_err(|_| ApiError::internal())?,
        })
    }
}

/// Shows a reservation to a buyer. A guest, who has not proven the address, does not learn the id of the person who has it.
pub(crate) fn response(by: impl Into<Buyer>, view: &ReservationView, now: Timestamp) -> ReservationResponse {
    let section = shared_by_all(&view.lines, |line| &line.section);
    let seats = || view.lines.iter().flat_map(seats_of).collect();
    ReservationResponse {
        reservation_id: view.reservation_id.uuid(),
        event_id: view.event_id.uuid(),
        customer_id: match by.into() {
            Buyer::Person(_) => view.customer_id.uuid(),
            Buyer::Guest(_) => view.reservation_id.uuid(),
        },
        lines: view.lines.iter().map(LineBody::from).collect(),
        section: section.map(Label::to_string),
        seats: section.map(|_| seats()),
        quantity: section.map(|_| view.quantity()),
        total_amount: view.total_amount.into(),
        refunded_amount: view.refunded_amount.into(),
        status: view.status.as_str(),
        allocation: section.and_then(|_| shared_by_all(&view.lines, |line| &line.allocation).copied()),
        expires_at: view.expires_at,
        created_at: view.created_at,
        completed_at: view.completed_at,
        payment_id: view.payment_id.map(PaymentId::uuid),
        tickets: view.tickets.iter().map(TicketBody::from).collect(),
        server_time: now,
    }
}
