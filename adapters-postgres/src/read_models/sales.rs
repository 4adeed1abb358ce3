//! Queries for the sales of an event and of a customer.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use ticketing_ports::read_models::sales::{EventSales, LifetimeValue, Purchase, SalesQueries, SectionSales};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::paging::{Listed, Page};
use ticketing_ports::vocabulary::seating::Label;

use super::PostgresReadModels;
use super::queries::{label, listed};
use super::stored_sale::StoredSale;
use crate::cells::Cells;
use crate::errors::refused;

#[async_trait]
impl SalesQueries for PostgresReadModels {
    async fn event_sales(&self, event: EventId) -> Result<Option<EventSales>, StoreError> {
        let rows = sqlx::query(self.sql(
            "SELECT view -> 'details' ->> 'currency' AS currency, house.capacity, section, ticket_type, tier, revenue,
                    refunded, tickets
             FROM read_models.events
             CROSS JOIN (
                 SELECT coalesce(sum(capacity), 0)::bigint AS capacity FROM read_models.sections WHERE event_id = $1
             ) AS house
             LEFT JOIN (
                 SELECT coalesce(line.section, sale.section) AS section,
                        CASE WHEN line.place IS NULL THEN sale.ticket_type ELSE line.ticket_type END AS ticket_type,
                        coalesce(line.tier, sale.tier) AS tier,
                        sum(coalesce(line.total_amount, sale.total_amount))::bigint AS revenue,
                        sum(CASE WHEN line.place > 0 THEN 0 ELSE refunded END)::bigint AS refunded,
                        coalesce(sum(coalesce(line.quantity, sale.quantity)) FILTER (WHERE NOT returned), 0)::bigint
                            AS tickets
                 FROM read_models.sales AS sale LEFT JOIN read_models.sale_lines AS line USING (reservation_id)
                 WHERE event_id = $1
                 GROUP BY 1, 2, 3
             ) AS sold ON true
             WHERE event_id = $1",
        ))
        .bind(event.uuid())
        .fetch_all(&self.pool)
        .await
        .map_err(|error| refused(error, "sales"))?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let first = Cells {
            row,
            table: "events",
            key: "section",
        };
        let currency = currency(&first)?;
        let mut sales = EventSales {
            event_id: event,
            total_revenue: Money::zero(currency),
            refunded: Money::zero(currency),
            tickets_sold: 0,
            by_ticket_type: BTreeMap::new(),
            by_tier: BTreeMap::new(),
            by_section: BTreeMap::new(),
            total_capacity: first.count("capacity")?,
        };
        for row in &rows {
            if let Some(group) = group_from(row)? {
                group.add_to(&mut sales).ok_or_else(|| StoreError::Inconsistent {
                    table: "sales",
                    column: "total_amount",
                    row: event.to_string(),
                })?;
            }
        }
        Ok(Some(sales))
    }

    async fn purchases_of(&self, customer: CustomerId, page: Page) -> Result<Listed<Purchase>, StoreError> {
        let rows = self
            .page_of(
                "SELECT total, sold_at AS at, reservation_id, sale, refunded, returned, event.view -> 'details' ->> 'name' AS event_name
                 FROM (SELECT count(*) AS total FROM read_models.sales WHERE customer_id = $1) AS counted
                 LEFT JOIN (
                     SELECT * FROM read_models.sales
                     WHERE customer_id = $1 AND (sold_at, reservation_id) < ($4, $5)
                     ORDER BY sold_at DESC, reservation_id DESC
                     LIMIT $2 OFFSET $3
                 ) AS page ON true
                 LEFT JOIN read_models.events AS event USING (event_id)
                 ORDER BY sold_at DESC, reservation_id DESC",
                customer,
                page,
            )
            .await?;
        listed(&rows, page, "reservation_id", purchase_from)
    }

    async fn lifetime_value(&self, customer: CustomerId) -> Result<Vec<LifetimeValue>, StoreError> {
        let rows = sqlx::query(self.sql(
            "SELECT currency, sum(total_amount)::bigint AS spent, sum(refunded)::bigint AS refunded, count(*) AS orders,
                    coalesce(sum(quantity) FILTER (WHERE NOT returned), 0)::bigint AS tickets,
                    min(sold_at) AS first_purchase_at, max(sold_at) AS last_purchase_at
             FROM read_models.sales
             WHERE customer_id = $1
             GROUP BY currency
             ORDER BY currency COLLATE \"C\"",
        ))
        .bind(customer.uuid())
        .fetch_all(&self.pool)
        .await
        .map_err(|error| refused(error, "sales"))?;
        rows.iter().map(lifetime_value_from).collect()
    }
}

/// The sales of one tier of one ticket type in one section.
struct Group {
    section: Label,
    ticket_type: Option<Label>,
    tier: Label,
    revenue: i64,
    refunded: i64,
    tickets: u64,
}

impl Group {
    /// Adds these sales to the totals of the event. Returns `None` if a sum is out of range.
    fn add_to(self, sales: &mut EventSales) -> Option<()> {
        let add = |to: &mut Money, amount: i64| to.amount.checked_add(amount).map(|sum| to.amount = sum);
        add(&mut sales.total_revenue, self.revenue)?;
        add(&mut sales.refunded, self.refunded)?;
        sales.tickets_sold = sales.tickets_sold.checked_add(self.tickets)?;
        if let Some(ticket_type) = self.ticket_type {
            let of_type = sales.by_ticket_type.entry(ticket_type).or_default();
            *of_type = of_type.checked_add(self.tickets)?;
        }
        let tier = sales.by_tier.entry(self.tier).or_default();
        *tier = tier.checked_add(self.tickets)?;
        let section = sales.by_section.entry(self.section).or_insert(SectionSales {
            tickets_sold: 0,
            revenue: Money::zero(sales.total_revenue.currency),
        });
        section.tickets_sold = section.tickets_sold.checked_add(self.tickets)?;
        add(&mut section.revenue, self.revenue)
    }
}

/// Reads the sales of one tier of one ticket type in one section from a row. Returns `None` if the row only says that the event has no
/// sales.
fn group_from(row: &PgRow) -> Result<Option<Group>, StoreError> {
    let cells = Cells {
        row,
        table: "sales",
        key: "section",
    };
    if cells.get::<Option<&str>>("section")?.is_none() {
        return Ok(None);
    }
    let has_type = cells.get::<Option<&str>>("ticket_type")?.is_some();
    Ok(Some(Group {
        ticket_type: if has_type {
            Some(label(&cells, "ticket_type")?)
        } else {
            None
        },
        section: label(&cells, "section")?,
        tier: label(&cells, "tier")?,
        revenue: cells.get("revenue")?,
        refunded: cells.get("refunded")?,
        tickets: cells.count("tickets")?,
    }))
}

fn purchase_from(row: &PgRow) -> Result<Purchase, StoreError> {
    let cells = Cells {
        row,
        table: "sales",
        key: "reservation_id",
    };
    let Json(stored): Json<StoredSale> = cells.get("sale")?;
    let row = stored.reservation_id.to_string();
    let sale = stored.sale().ok_or(StoreError::Inconsistent {
        table: "sales",
        column: "sale",
        row,
    })?;
    Ok(Purchase {
        event_name: label(&cells, "event_name")?,
        refunded: Money::new(cells.get("refunded")?, sale.total_amount.currency),
        returned: cells.get("returned")?,
        sale,
    })
}

fn lifetime_value_from(row: &PgRow) -> Result<LifetimeValue, StoreError> {
    let cells = Cells {
        row,
        table: "sales",
        key: "currency",
    };
    let currency = currency(&cells)?;
    Ok(LifetimeValue {
        spent: Money::new(cells.get("spent")?, currency),
        refunded: Money::new(cells.get("refunded")?, currency),
        orders: cells.count("orders")?,
        tickets: cells.count("tickets")?,
        first_purchase_at: cells.get("first_purchase_at")?,
        last_purchase_at: cells.get("last_purchase_at")?,
    })
}

fn currency(cells: &Cells<'_>) -> Result<Currency, StoreError> {
    cells.parse("currency", |code: &str| Currency::new(code).ok())
}
