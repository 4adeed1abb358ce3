//! What was sold and paid back: of one event for its organiser, of one customer for that customer.

use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::CustomerId;
use crate::vocabulary::ids::EventId;
use crate::vocabulary::money::Money;
use crate::vocabulary::paging::Listed;
use crate::vocabulary::paging::Page;
use crate::vocabulary::reservation::Sale;
use crate::vocabulary::seating::Label;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionSales {
    pub tickets_sold: u64,
    pub revenue: Money,
}

/// Sales of one event. Revenue is what was paid, before refunds; tickets are those not given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSales {
    pub event_id: EventId,
    pub total_revenue: Money,
    pub refunded: Money,
    pub tickets_sold: u64,
    pub by_tier: BTreeMap<Label, u64>,
    pub by_section: BTreeMap<Label, SectionSales>,
    pub total_capacity: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    pub sale: Sale,
    pub event_name: Label,
    pub refunded: Money,
    pub returned: bool,
}

/// Totals of one customer in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifetimeValue {
    pub spent: Money,
    pub refunded: Money,
    pub orders: u64,
    pub tickets: u64,
    pub first_purchase_at: Timestamp,
    pub last_purchase_at: Timestamp,
}

/// **Contract**
/// - `sales_sum_quantities_and_amounts`, not rows.
/// - `refunds_are_counted_beside_revenue`.
/// - `returned_tickets_are_not_counted_as_sold`.
/// - `an_event_without_sales_has_zeros_and_an_unknown_one_nothing`.
/// - `purchases_of_a_customer_are_listed_newest_first`.
/// - `purchases_are_listed_after_a_cursor_although_others_arrive`.
/// - `lifetime_value_keeps_currencies_apart`.
#[async_trait]
pub trait SalesQueries: Send + Sync {
    /// Returns nothing for an unknown event, zeros for one without sales.
    async fn event_sales(&self, event: EventId) -> Result<Option<EventSales>, StoreError>;

    async fn purchases_of(&self, customer: CustomerId, page: Page) -> Result<Listed<Purchase>, StoreError>;

    /// Returns one entry a currency, in the order of their codes.
    async fn lifetime_value(&self, customer: CustomerId) -> Result<Vec<LifetimeValue>, StoreError>;
}
