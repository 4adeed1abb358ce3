//! The route that shows an event's sales to its owner.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use ticketing_ports::read_models::sales::EventSales;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::seating::Label;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::errors::{ApiError, ErrorBody};
use crate::extract::{Caller, CaughtUp, PathId};
use crate::money::MoneyBody;
use crate::state::Shared;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventAnalyticsResponse {
    event_id: Uuid,
    /// What customers have paid, with fees and taxes, before refunds.
    total_revenue: MoneyBody,
    refunded: MoneyBody,
    /// How many tickets are valid now.
    tickets_sold: u64,
    /// Revenue minus refunds, divided by the number of valid tickets and rounded down.
    average_price: MoneyBody,
    /// How many tickets are valid now, by the name of their ticket type. Tickets without a type are not counted here.
    by_ticket_type: BTreeMap<String, u64>,
    /// How many tickets are valid now, by the name of their pricing tier.
    by_tier: BTreeMap<String, u64>,
    by_section: BTreeMap<String, SectionSalesBody>,
    /// The share of places that are sold, from 0 to 1.
    capacity_utilization: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SectionSalesBody {
    tickets_sold: u64,
    /// What customers have paid for the lines of the section, with fees and taxes. A fee of an order is a part of its first
    /// line that costs something.
    revenue: MoneyBody,
}

/// Show the sales of an event
///
/// Only for the owner of the event and for administrators. All amounts are in the currency of the event.
#[utoipa::path(get, path = "/api/events/{event_id}/analytics", tag = "analytics",
    params(CaughtUp, ("event_id" = Uuid, Path)), security(("session" = [])),
    responses((status = 200, body = EventAnalyticsResponse), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn event_analytics(
    State(state): State<Shared>,
    caller: Caller,
    _: CaughtUp,
    PathId(id): PathId<EventId>,
) -> Result<Json<EventAnalyticsResponse>, ApiError> {
    let sales = state.desk.event_sales(caller.actor(), id).await?;
    Ok(Json(sales.into()))
}

impl From<EventSales> for EventAnalyticsResponse {
    fn from(sales: EventSales) -> Self {
        let kept = sales.total_revenue.amount - sales.refunded.amount;
        let average = i64::try_from(sales.tickets_sold)
            .ok()
            .and_then(|tickets| kept.checked_div(tickets));
        #[expect(
            clippy::cast_precision_loss,
            reason = "a share for people; seats are far fewer than 2^52"
        )]
        let utilization = match sales.total_capacity {
            0 => 0.0,
            capacity => sales.tickets_sold as f64 / capacity as f64,
        };
        let section = |sales: ticketing_ports::read_models::sales::SectionSales| SectionSalesBody {
            tickets_sold: sales.tickets_sold,
            revenue: sales.revenue.into(),
        };
        Self {
            event_id: sales.event_id.uuid(),
            total_revenue: sales.total_revenue.into(),
            refunded: sales.refunded.into(),
            tickets_sold: sales.tickets_sold,
            average_price: Money::new(average.unwrap_or(0), sales.total_revenue.currency).into(),
            by_ticket_type: by_name(sales.by_ticket_type),
            by_tier: by_name(sales.by_tier),
            by_section: sales
                .by_section
                .into_iter()
                .map(|(name, sold)| (name.into(), section(sold)))
                .collect(),
            capacity_utilization: utilization,
        }
    }
}

fn by_name(counts: BTreeMap<Label, u64>) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(name, count)| (name.into(), count)).collect()
}
