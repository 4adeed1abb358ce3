//! The routes that show what a customer has bought and spent.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use ticketing_ports::read_models::sales::{LifetimeValue, Purchase};
use ticketing_ports::vocabulary::ids::{CustomerId, PaymentId};
use ticketing_ports::vocabulary::seating::Label;
use ticketing_runtime::PagedList;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::errors::{ApiError, ErrorBody};
use crate::extract::{Caller, CaughtUp, PathId, Query};
use crate::lines::{SoldLineBody, shared_by_all};
use crate::listing::PageQuery;
use crate::money::MoneyBody;
use crate::state::Shared;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CustomerHistoryResponse {
    customer_id: Uuid,
    purchases: Vec<PurchaseBody>,
    /// Absent if the request had `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u32>,
    per_page: u32,
    total: u64,
    /// Send this as `after` to get the rows that follow; null if there are none.
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PurchaseBody {
    reservation_id: Uuid,
    /// Null if the tickets were free.
    payment_id: Option<Uuid>,
    event_id: Uuid,
    event_name: String,
    /// What was bought.
    lines: Vec<SoldLineBody>,
    /// The section of all lines; absent if they are of several sections.
    #[serde(skip_serializing_if = "Option::is_none")]
    section: Option<String>,
    /// The pricing tier of all lines; absent if they are of several sections or tiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<String>,
    /// How many tickets; absent if the lines are of several sections.
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<u32>,
    total_amount: MoneyBody,
    refunded_amount: MoneyBody,
    /// Whether the purchase was cancelled, so that its tickets are no longer valid.
    returned: bool,
    purchased_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LifetimeValueResponse {
    customer_id: Uuid,
    /// One entry for each currency.
    values: Vec<LifetimeValueBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LifetimeValueBody {
    total_spent: MoneyBody,
    refunded: MoneyBody,
    orders: u64,
    tickets: u64,
    first_purchase_at: DateTime<Utc>,
    last_purchase_at: DateTime<Utc>,
}

/// List the purchases of a customer, newest first
///
/// Only for that customer and for administrators. For everybody else the customer does not exist.
#[utoipa::path(get, path = "/api/customers/{customer_id}/history", tag = "customers",
    params(CaughtUp, ("customer_id" = Uuid, Path), PageQuery), security(("session" = [])),
    responses((status = 200, body = CustomerHistoryResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn customer_history(
    State(state): State<Shared>,
    caller: Caller,
    _: CaughtUp,
    PathId(id): PathId<CustomerId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<CustomerHistoryResponse>, ApiError> {
    let page = query.page(PagedList::Purchases)?;
    let listed = state.desk.purchases(caller.actor(), id, page).await?;
    Ok(Json(CustomerHistoryResponse {
        customer_id: id.uuid(),
        next: listed.next.map(|cursor| PagedList::Purchases.cursor_text(cursor)),
        purchases: listed.rows.into_iter().map(PurchaseBody::from).collect(),
        page: page.number(),
        per_page: page.size(),
        total: listed.total,
    }))
}

/// Show what a customer has spent
///
/// Only for that customer and for administrators. For everybody else the customer does not exist.
#[utoipa::path(get, path = "/api/customers/{customer_id}/lifetime-value", tag = "customers",
    params(CaughtUp, ("customer_id" = Uuid, Path)), security(("session" = [])),
    responses((status = 200, body = LifetimeValueResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn lifetime_value(
    State(state): State<Shared>,
    caller: Caller,
    _: CaughtUp,
    PathId(id): PathId<CustomerId>,
) -> Result<Json<LifetimeValueResponse>, ApiError> {
    let values = state.desk.lifetime_value(caller.actor(), id).await?;
    let values = values.into_iter().map(LifetimeValueBody::from).collect();
    Ok(Json(LifetimeValueResponse {
        customer_id: id.uuid(),
        values,
    }))
}

impl From<Purchase> for PurchaseBody {
    fn from(purchase: Purchase) -> Self {
        let sale = purchase.sale;
        let section = shared_by_all(&sale.lines, |line| &line.section);
        let tier = section.and_then(|_| shared_by_all(&sale.lines, |line| &line.tier));
        Self {
            reservation_id: sale.reservation_id.uuid(),
            payment_id: sale.payment_id.map(PaymentId::uuid),
            event_id: sale.event_id.uuid(),
            event_name: purchase.event_name.into(),
            lines: sale.lines.iter().map(SoldLineBody::from).collect(),
            section: section.map(Label::to_string),
            tier: tier.map(Label::to_string),
            quantity: section.map(|_| sale.quantity()),
            total_amount: sale.total_amount.into(),
            refunded_amount: purchase.refunded.into(),
            returned: purchase.returned,
            purchased_at: sale.sold_at,
        }
    }
}

impl From<LifetimeValue> for LifetimeValueBody {
    fn from(value: LifetimeValue) -> Self {
        Self {
            total_spent: value.spent.into(),
            refunded: value.refunded.into(),
            orders: value.orders,
            tickets: value.tickets,
            first_purchase_at: value.first_purchase_at,
            last_purchase_at: value.last_purchase_at,
        }
    }
}
