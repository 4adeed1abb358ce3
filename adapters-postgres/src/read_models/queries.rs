//! What people ask.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use ticketing_ports::errors::StoreError;
use ticketing_ports::event_details::{EventStatus, EventView};
use ticketing_ports::ids::{CustomerId, EventId, PaymentId, SectionId};
use ticketing_ports::money::{Currency, Money};
use ticketing_ports::paging::{Listed, Page};
use ticketing_ports::payment::{PaymentStatus, PaymentView};
use ticketing_ports::read_models::{
    Availability, AvailabilityQueries, DraftsVisible, EventQueries, EventSales, LifetimeValue, PaymentQueries,
    Purchase, ReservationQueries, SalesQueries, SectionAvailability, SectionSales,
};
use ticketing_ports::reservation::{ReservationStatus, ReservationView};
use ticketing_ports::seating::{Label, SeatCounts};
use ticketing_ports::streams::Version;
use uuid::Uuid;

use super::PostgresReadModels;
use crate::cells::Cells;

#[async_trait]
impl EventQueries for PostgresReadModels {
    async fn event(&self, id: EventId) -> Result<Option<EventView>, StoreError> {
        let row =
            sqlx::query(self.sql("SELECT event_id, status, version, view FROM read_models.events WHERE event_id = $1"))
                .bind(id.uuid())
                .fetch_optional(&self.pool)
                .await
                .map_err(StoreError::unavailable)?;
        row.as_ref().map(event_from).transpose()
    }

    async fn events(
        &self,
        status: Option<EventStatus>,
        drafts: DraftsVisible,
        page: Page,
    ) -> Result<Listed<EventView>, StoreError> {
        let (all_drafts, drafts_of) = match drafts {
            DraftsVisible::None => (false, None),
            DraftsVisible::OwnedBy(owner) => (false, Some(owner.uuid())),
            DraftsVisible::All => (true, None),
        };
        // The window counts all rows that match, whatever page is wanted.
        let rows = sqlx::query(self.sql(
            "SELECT event_id, status, version, view, count(*) OVER () AS total
             FROM read_models.events
             WHERE ($1::text IS NULL OR status = $1) AND (status <> $2 OR $3 OR owner_id = $4)
             ORDER BY starts_at, event_id
             LIMIT $5 OFFSET $6",
        ))
        .bind(status.map(EventStatus::as_str))
        .bind(EventStatus::Draft.as_str())
        .bind(all_drafts)
        .bind(drafts_of)
        .bind(i64::from(page.size()))
        .bind(offset(page))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::unavailable)?;
        let total = match total(&rows, "events")? {
            Some(total) => total,
            None => {
                let total: i64 = sqlx::query_scalar(self.sql(
                    "SELECT count(*) FROM read_models.events
                     WHERE ($1::text IS NULL OR status = $1) AND (status <> $2 OR $3 OR owner_id = $4)",
                ))
                .bind(status.map(EventStatus::as_str))
                .bind(EventStatus::Draft.as_str())
                .bind(all_drafts)
                .bind(drafts_of)
                .fetch_one(&self.pool)
                .await
                .map_err(StoreError::unavailable)?;
                total.unsigned_abs()
            }
        };
        let rows = rows.iter().map(event_from).collect::<Result<_, _>>()?;
        Ok(Listed { rows, total })
    }
}

#[async_trait]
impl AvailabilityQueries for PostgresReadModels {
    async fn availability(&self, event: EventId) -> Result<Option<Availability>, StoreError> {
        let rows = sqlx::query(self.sql(
            "SELECT section_id, name, capacity, available, held, sold, blocked, last_updated, availability_sequence
             FROM read_models.sections JOIN read_models.events USING (event_id)
             WHERE event_id = $1
             ORDER BY place",
        ))
        .bind(event.uuid())
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::unavailable)?;
        let cells = |row| Cells {
            row,
            table: "sections",
            key: "section_id",
        };
        let Some(first) = rows.first() else {
            return Ok(None);
        };
        Ok(Some(Availability {
            event_id: event,
            sequence: cells(first).count("availability_sequence")?,
            sections: rows.iter().map(section_from).collect::<Result<_, _>>()?,
        }))
    }
}

#[async_trait]
impl ReservationQueries for PostgresReadModels {
    async fn reservations_of(&self, customer: CustomerId, page: Page) -> Result<Listed<ReservationView>, StoreError> {
        let rows = sqlx::query(self.sql(
            "SELECT reservation_id, status, version, payment_id, completed_at, tickets, view
             FROM read_models.reservations
             WHERE customer_id = $1
             ORDER BY created_at DESC, reservation_id DESC
             LIMIT $2 OFFSET $3",
        ))
        .bind(customer.uuid())
        .bind(i64::from(page.size()))
        .bind(offset(page))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::unavailable)?;
        let total = self
            .count_of(
                "SELECT count(*) FROM read_models.reservations WHERE customer_id = $1",
                customer,
            )
            .await?;
        let rows = rows.iter().map(reservation_from).collect::<Result<_, _>>()?;
        Ok(Listed { rows, total })
    }
}

#[async_trait]
impl PaymentQueries for PostgresReadModels {
    async fn payments_of(&self, customer: CustomerId, page: Page) -> Result<Listed<PaymentView>, StoreError> {
        let rows = sqlx::query(self.sql(
            "SELECT payment_id, status, version, updated_at, last_four, refunded_amount, view
             FROM read_models.payments
             WHERE customer_id = $1
             ORDER BY created_at DESC, payment_id DESC
             LIMIT $2 OFFSET $3",
        ))
        .bind(customer.uuid())
        .bind(i64::from(page.size()))
        .bind(offset(page))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::unavailable)?;
        let total = self
            .count_of(
                "SELECT count(*) FROM read_models.payments WHERE customer_id = $1",
                customer,
            )
            .await?;
        let rows = rows.iter().map(payment_from).collect::<Result<_, _>>()?;
        Ok(Listed { rows, total })
    }
}

#[async_trait]
impl SalesQueries for PostgresReadModels {
    async fn event_sales(&self, event: EventId) -> Result<Option<EventSales>, StoreError> {
        let Some(view) = self.event(event).await? else {
            return Ok(None);
        };
        let capacity: i64 = sqlx::query_scalar(
            self.sql("SELECT coalesce(sum(capacity), 0)::bigint FROM read_models.sections WHERE event_id = $1"),
        )
        .bind(event.uuid())
        .fetch_one(&self.pool)
        .await
        .map_err(StoreError::unavailable)?;
        let rows = sqlx::query(self.sql(
            "SELECT section, tier, sum(total_amount)::bigint AS revenue, sum(refunded)::bigint AS refunded,
                    coalesce(sum(quantity) FILTER (WHERE NOT returned), 0)::bigint AS tickets
             FROM read_models.sales
             WHERE event_id = $1
             GROUP BY section, tier",
        ))
        .bind(event.uuid())
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::unavailable)?;
        let currency = view.details.currency;
        let mut sales = EventSales {
            event_id: event,
            total_revenue: Money::zero(currency),
            refunded: Money::zero(currency),
            tickets_sold: 0,
            by_tier: BTreeMap::new(),
            by_section: BTreeMap::new(),
            total_capacity: capacity.unsigned_abs(),
        };
        for row in &rows {
            let cells = Cells {
                row,
                table: "sales",
                key: "section",
            };
            let revenue: i64 = cells.get("revenue")?;
            let tickets = cells.count("tickets")?;
            sales.total_revenue.amount += revenue;
            sales.refunded.amount += cells.get::<i64>("refunded")?;
            sales.tickets_sold += tickets;
            *sales.by_tier.entry(label(&cells, "tier")?).or_default() += tickets;
            let section = sales
                .by_section
                .entry(label(&cells, "section")?)
                .or_insert(SectionSales {
                    tickets_sold: 0,
                    revenue: Money::zero(currency),
                });
            section.tickets_sold += tickets;
            section.revenue.amount += revenue;
        }
        Ok(Some(sales))
    }

    async fn purchases_of(&self, customer: CustomerId, page: Page) -> Result<Listed<Purchase>, StoreError> {
        let rows = sqlx::query(self.sql(
            "SELECT sale.reservation_id, sale.sale, sale.refunded, sale.returned,
                    event.view -> 'details' ->> 'name' AS event_name
             FROM read_models.sales AS sale JOIN read_models.events AS event USING (event_id)
             WHERE sale.customer_id = $1
             ORDER BY sale.sold_at DESC, sale.reservation_id DESC
             LIMIT $2 OFFSET $3",
        ))
        .bind(customer.uuid())
        .bind(i64::from(page.size()))
        .bind(offset(page))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::unavailable)?;
        let total = self
            .count_of(
                "SELECT count(*) FROM read_models.sales WHERE customer_id = $1",
                customer,
            )
            .await?;
        let rows = rows.iter().map(purchase_from).collect::<Result<_, _>>()?;
        Ok(Listed { rows, total })
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
        .map_err(StoreError::unavailable)?;
        rows.iter().map(lifetime_value_from).collect()
    }
}

impl PostgresReadModels {
    async fn count_of(&self, count: &'static str, customer: CustomerId) -> Result<u64, StoreError> {
        let total: i64 = sqlx::query_scalar(self.sql(count))
            .bind(customer.uuid())
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(total.unsigned_abs())
    }
}

fn offset(page: Page) -> i64 {
    page.offset().try_into().unwrap_or(i64::MAX)
}

/// What the window counted; nothing when the page is empty.
fn total(rows: &[PgRow], table: &'static str) -> Result<Option<u64>, StoreError> {
    let first = rows.first().map(|row| Cells {
        row,
        table,
        key: "event_id",
    });
    first.map(|cells| cells.count("total")).transpose()
}

fn label(cells: &Cells<'_>, column: &'static str) -> Result<Label, StoreError> {
    cells.parse(column, |text: &str| Label::new(text).ok())
}

fn event_from(row: &PgRow) -> Result<EventView, StoreError> {
    let cells = Cells {
        row,
        table: "events",
        key: "event_id",
    };
    let Json(view): Json<EventView> = cells.get("view")?;
    Ok(EventView {
        status: cells.parse("status", EventStatus::parse)?,
        version: Version(cells.count("version")?),
        ..view
    })
}

fn section_from(row: &PgRow) -> Result<SectionAvailability, StoreError> {
    let cells = Cells {
        row,
        table: "sections",
        key: "section_id",
    };
    let seats = |column| cells.parse(column, |count: i64| count.try_into().ok());
    Ok(SectionAvailability {
        section_id: SectionId::new(cells.get("section_id")?),
        name: label(&cells, "name")?,
        total_capacity: seats("capacity")?,
        counts: SeatCounts {
            available: seats("available")?,
            held: seats("held")?,
            sold: seats("sold")?,
            blocked: seats("blocked")?,
        },
        last_updated: cells.get("last_updated")?,
    })
}

fn reservation_from(row: &PgRow) -> Result<ReservationView, StoreError> {
    let cells = Cells {
        row,
        table: "reservations",
        key: "reservation_id",
    };
    let Json(view): Json<ReservationView> = cells.get("view")?;
    let Json(tickets) = cells.get("tickets")?;
    Ok(ReservationView {
        status: cells.parse("status", ReservationStatus::parse)?,
        version: Version(cells.count("version")?),
        payment_id: cells.get::<Option<Uuid>>("payment_id")?.map(PaymentId::new),
        completed_at: cells.get("completed_at")?,
        tickets,
        ..view
    })
}

fn payment_from(row: &PgRow) -> Result<PaymentView, StoreError> {
    let cells = Cells {
        row,
        table: "payments",
        key: "payment_id",
    };
    let Json(view): Json<PaymentView> = cells.get("view")?;
    Ok(PaymentView {
        status: cells.parse("status", PaymentStatus::parse)?,
        version: Version(cells.count("version")?),
        updated_at: cells.get("updated_at")?,
        last_four: cells.get("last_four")?,
        refunded_amount: Money::new(cells.get("refunded_amount")?, view.refunded_amount.currency),
        ..view
    })
}

fn purchase_from(row: &PgRow) -> Result<Purchase, StoreError> {
    let cells = Cells {
        row,
        table: "sales",
        key: "reservation_id",
    };
    let Json(sale): Json<ticketing_ports::read_models::Sale> = cells.get("sale")?;
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
    let currency = cells.parse("currency", |code: &str| Currency::new(code).ok())?;
    Ok(LifetimeValue {
        spent: Money::new(cells.get("spent")?, currency),
        refunded: Money::new(cells.get("refunded")?, currency),
        orders: cells.count("orders")?,
        tickets: cells.count("tickets")?,
        first_purchase_at: cells.get("first_purchase_at")?,
        last_purchase_at: cells.get("last_purchase_at")?,
    })
}
