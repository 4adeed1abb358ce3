//! The routes with which payments are authorised, shown and refunded.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::vocabulary::buyer::Buyer;
use ticketing_ports::vocabulary::card_numbers::contains_card_number;
use ticketing_ports::vocabulary::ids::{PaymentId, ReservationId};
use ticketing_ports::vocabulary::payment::{
    ActionKind, MethodKind, MethodToken, NextAction, PaymentMethod, PaymentStatus,
};
use ticketing_runtime::{AuthorizePayment, PagedList, RefundPayment};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::errors::{ApiError, ErrorBody};
use crate::events::parse_label;
use crate::extract::{
    Asker, CARD_NUMBERS_REFUSED, Caller, CaughtUp, Faults, PathId, Place, Post, Query, Read, Sent, read_object,
};
use crate::listing::PageQuery;
use crate::money::MoneyBody;
use crate::replies::{Accepted, Changed, Created};
use crate::state::Shared;

/// A one-time token of the payment provider. Card numbers are refused.
#[derive(Debug, Clone, ToSchema)]
pub(crate) struct PaymentMethodBody {
    /// The kind of payment method: `card`, `paypal` or `apple_pay`.
    #[schema(rename = "type")]
    #[schema(value_type = String, example = "card", pattern = "^(card|paypal|apple_pay)$")]
    kind: MethodKind,
    #[schema(value_type = String, example = "tok_visa", min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    token: Token,
}

read_object!(PaymentMethodBody { kind as "type", token });

/// A token of the payment gateway, which `Debug` does not print.
#[derive(Clone)]
struct Token(String);

impl Read for Token {
    fn read(sent: Sent, at: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        String::read(sent, at, faults).map(Self)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl PaymentMethodBody {
    pub(crate) fn parse(&self) -> Result<PaymentMethod, ApiError> {
        refuse_card_number("payment_method.token", &self.token.0)?;
        let token = MethodToken::new(&self.token.0).ok_or_else(|| {
            ApiError::invalid_request("payment_method.token", "must have 1 to 255 visible ASCII characters")
        })?;
        Ok(PaymentMethod { kind: self.kind, token })
    }
}

fn refuse_card_number(field: &str, text: &str) -> Result<(), ApiError> {
    if contains_card_number(text) {
        return Err(ApiError::invalid_request(field, CARD_NUMBERS_REFUSED));
    }
    Ok(())
}

#[derive(Debug, Clone, ToSchema)]
pub(crate) struct CreatePaymentRequest {
    reservation_id: Uuid,
    payment_method: PaymentMethodBody,
}

read_object!(CreatePaymentRequest {
    reservation_id,
    payment_method
});

#[derive(Debug, Clone, ToSchema)]
pub(crate) struct RefundRequest {
    /// Everything that is left if absent.
    amount: Option<MoneyBody>,
    #[schema(min_length = 1, max_length = 100)]
    reason: String,
}

read_object!(RefundRequest { amount, reason });

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentResponse {
    payment_id: Uuid,
    reservation_id: Uuid,
    customer_id: Uuid,
    amount: MoneyBody,
    refunded_amount: MoneyBody,
    /// The status: `pending`, `authorized`, `captured`, `failed`, `refunded` or `partially_refunded`.
    status: &'static str,
    payment_method: MethodResponse,
    /// What the customer has to do before the provider decides. Shown to the payment's customer only, only as long as
    /// it can still lead to a payment, and never in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_action: Option<NextActionBody>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// What the customer has to do before the payment is decided. A client must keep this secret: whoever has the URL or
/// the secret can act as the customer.
#[derive(Serialize, ToSchema)]
pub(crate) struct NextActionBody {
    /// `redirect`: open `url`. `client_secret`: give `client_secret` to the provider's code in the browser or app.
    #[schema(value_type = String, example = "redirect")]
    kind: ActionKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    /// After this time the provider gives the payment up.
    until: DateTime<Utc>,
}

impl std::fmt::Debug for NextActionBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NextActionBody")
            .field("kind", &self.kind)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

impl From<NextAction> for NextActionBody {
    fn from(action: NextAction) -> Self {
        let said = |kind| (action.wanted.kind == kind).then(|| action.expose().to_owned());
        Self {
            kind: action.wanted.kind,
            url: said(ActionKind::Redirect),
            client_secret: said(ActionKind::ClientSecret),
            until: action.wanted.until,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MethodResponse {
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: MethodKind,
    last_four: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentsResponse {
    payments: Vec<PaymentResponse>,
    /// Absent if the request had `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u32>,
    per_page: u32,
    total: u64,
    /// Send this as `after` to get the rows that follow; null if there are none.
    next: Option<String>,
}

/// Authorise a payment
///
/// The provider sets the money for a held reservation aside. The money is charged when the reservation is paid with this
/// payment, and released when the hold ends.
#[utoipa::path(post, path = "/api/payments", tag = "payments", request_body = CreatePaymentRequest,
    params(("Idempotency-Key" = Option<String>, Header)), security(("session" = []), ("order_secret" = [])),
    responses((status = 201, body = PaymentResponse),
        (status = 202, description = "The payment is not decided yet: the customer must act, or the provider needs more time.", body = PaymentResponse),
        (status = "4XX", body = ErrorBody)))]
pub(crate) async fn create_payment(
    State(state): State<Shared>,
    post: Post<CreatePaymentRequest, Buyer>,
) -> Result<Response, ApiError> {
    let method = post.body.payment_method.parse()?;
    let reservation_id = ReservationId::new(post.body.reservation_id);
    let by = state.desk.known(post.by, reservation_id).await?;
    let authorized = state
        .box_office
        .authorize(post.ask_as(by, AuthorizePayment { reservation_id, method }))
        .await?;
    let view = authorized.value;
    let location = location_of(view.payment_id);
    if view.status != PaymentStatus::Pending {
        return Ok(Created(authorized.consistency, location, PaymentResponse::from(&view)).into_response());
    }
    let next_action = state.desk.next_action(by, view.payment_id).await?;
    let response = PaymentResponse::with_next_action(&view, next_action);
    Ok(Accepted(authorized.consistency, location, response).into_response())
}

pub(crate) fn location_of(payment_id: PaymentId) -> String {
    format!("/api/payments/{payment_id}")
}

/// Show a payment
///
/// Somebody else's payment is not found. While the payment waits for its customer, `next_action` says what the customer must
/// do.
#[utoipa::path(get, path = "/api/payments/{payment_id}", tag = "payments",
    params(("payment_id" = Uuid, Path)), security(("session" = []), ("order_secret" = [])),
    responses((status = 200, body = PaymentResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn get_payment(
    State(state): State<Shared>,
    Asker(by): Asker,
    PathId(id): PathId<PaymentId>,
) -> Result<Json<PaymentResponse>, ApiError> {
    let view = state.desk.payment(by, id).await?;
    let next_action = match view.status {
        PaymentStatus::Pending => state.desk.next_action(by, id).await?,
        _ => None,
    };
    Ok(Json(PaymentResponse::with_next_action(&view, next_action)))
}

/// List my payments, newest first
///
/// `page` jumps to a part of the list; `after` continues behind the last payment of an earlier answer and shows no payment
/// twice.
#[utoipa::path(get, path = "/api/payments", tag = "payments", params(CaughtUp, PageQuery), security(("session" = [])),
    responses((status = 200, body = PaymentsResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn list_payments(
    State(state): State<Shared>,
    caller: Caller,
    _: CaughtUp,
    Query(query): Query<PageQuery>,
) -> Result<Json<PaymentsResponse>, ApiError> {
    let page = query.page(PagedList::Payments)?;
    let listed = state.desk.own_payments(caller.actor(), page).await?;
    Ok(Json(PaymentsResponse {
        payments: listed.rows.iter().map(PaymentResponse::from).collect(),
        page: page.number(),
        per_page: page.size(),
        total: listed.total,
        next: listed.next.map(|cursor| PagedList::Payments.cursor_text(cursor)),
    }))
}

/// Refund a captured payment
///
/// Only for administrators. Without an amount, everything that is left is refunded. The tickets stay valid.
#[utoipa::path(post, path = "/api/payments/{payment_id}/refund", tag = "payments", request_body = RefundRequest,
    params(("payment_id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)), security(("session" = [])),
    responses((status = 200, body = PaymentResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn refund_payment(
    State(state): State<Shared>,
    PathId(payment_id): PathId<PaymentId>,
    post: Post<RefundRequest>,
) -> Result<impl IntoResponse, ApiError> {
    state.desk.may_refund(post.actor())?;
    refuse_card_number("reason", &post.body.reason)?;
    let mut errors = Vec::new();
    let reason = parse_label(&post.body.reason, "reason", &mut errors);
    let amount = post
        .body
        .amount
        .as_ref()
        .and_then(|amount| amount.parse("amount", &mut errors));
    let (Some(reason), true) = (reason, errors.is_empty()) else {
        return Err(Refusal::Invalid(errors).into());
    };
    let refunded = state
        .box_office
        .refund(post.ask(RefundPayment {
            payment_id,
            amount,
            reason,
        }))
        .await?;
    Ok(Changed(refunded.consistency, PaymentResponse::from(&refunded.value)))
}

impl PaymentResponse {
    fn with_next_action(view: &PaymentView, next_action: Option<NextAction>) -> Self {
        Self {
            next_action: next_action.map(NextActionBody::from),
            ..Self::from(view)
        }
    }
}

impl From<&PaymentView> for PaymentResponse {
    fn from(view: &PaymentView) -> Self {
        Self {
            payment_id: view.payment_id.uuid(),
            reservation_id: view.reservation_id.uuid(),
            customer_id: view.customer_id.uuid(),
            amount: view.amount.into(),
            refunded_amount: view.refunded_amount.into(),
            status: view.status.as_str(),
            payment_method: MethodResponse {
                kind: view.method,
                last_four: view.last_four.clone(),
            },
            next_action: None,
            created_at: view.created_at,
            updated_at: view.updated_at,
        }
    }
}
