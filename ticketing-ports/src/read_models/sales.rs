//! What was sold and paid back: summed for the organiser of an event, and listed for each customer.

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

/// The sales of one section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionSales {
    /// How many tickets were sold and not given back.
    pub tickets_sold: u64,
    /// What customers paid, before refunds.
    pub revenue: Money,
}

/// The sales of one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSales {
    /// The event.
    pub event_id: EventId,
    /// What customers paid, before refunds.
    pub total_revenue: Money,
    /// How much was paid back.
    pub refunded: Money,
    /// How many tickets were sold and not given back.
    pub tickets_sold: u64,
    /// How many tickets were sold and not given back, by the name of their ticket type. Tickets without a type are not
    /// counted here.
    pub by_ticket_type: BTreeMap<Label, u64>,
    /// How many tickets were sold and not given back, by the name of their pricing tier.
    pub by_tier: BTreeMap<Label, u64>,
    /// The sales of each section, by the name of the section.
    pub by_section: BTreeMap<Label, SectionSales>,
    /// How many places the event has.
    pub total_capacity: u64,
}

/// What a customer bought with one reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// What was sold.
    pub sale: Sale,
    /// The name of the event.
    pub event_name: Label,
    /// How much was paid back.
    pub refunded: Money,
    /// Whether the tickets were given back.
    pub returned: bool,
}

/// What one customer has bought in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifetimeValue {
    /// What the customer paid, before refunds.
    pub spent: Money,
    /// How much was paid back.
    pub refunded: Money,
    /// How many reservations the customer paid for.
    pub orders: u64,
    /// How many tickets the customer bought and did not give back.
    pub tickets: u64,
    /// When the customer first bought.
    pub first_purchase_at: Timestamp,
    /// When the customer last bought.
    pub last_purchase_at: Timestamp,
}

/// Reads sales.
///
/// ```
/// use adapters_memory::InMemoryReadModels;
/// use ticketing_ports::read_models::sales::SalesQueries;
/// use ticketing_ports::vocabulary::ids::EventId;
/// use uuid::Uuid;
///
/// # futures::executor::block_on(async {
/// let store = InMemoryReadModels::new();
/// let unknown = EventId::new(Uuid::from_u128(1));
/// assert_eq!(store.event_sales(unknown).await.unwrap(), None);
/// # });
/// ```
///
/// **Contract**
/// - `sales_sum_quantities_and_amounts`: a sale of several tickets counts as several, not as one row.
/// - `a_sale_of_several_lines_counts_for_the_section_and_the_tier_of_each`, and as one order.
/// - `refunds_are_counted_beside_revenue`.
/// - `returned_tickets_are_not_counted_as_sold`.
/// - `an_event_without_sales_has_zeros_and_an_unknown_one_nothing`.
/// - `purchases_of_a_customer_are_listed_newest_first`.
/// - `purchases_are_listed_after_a_cursor_although_others_arrive`.
/// - `lifetime_value_keeps_currencies_apart`.
#[async_trait]
pub trait SalesQueries: std::fmt::Debug + Send + Sync {
    /// Returns the sales of an event; `None` if there is no such event. If nothing was sold, all sums are 0.
    async fn event_sales(&self, event: EventId) -> Result<Option<EventSales>, StoreError>;

    /// Lists the purchases of a customer, the newest first.
    async fn purchases_of(&self, customer: CustomerId, page: Page) -> Result<Listed<Purchase>, StoreError>;

    /// Returns what a customer has bought: one entry for each currency, in the order of the currency codes.
    async fn lifetime_value(&self, customer: CustomerId) -> Result<Vec<LifetimeValue>, StoreError>;
}
