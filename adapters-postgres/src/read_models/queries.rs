//! Queries for seats, reservations and payments, and what the queries for lists have in common.
//!
//! Each query is one statement, because between two statements a batch could be applied, or the tables could be
//! replaced by rebuilt tables, so that the two would not match.

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::Version;
use ticketing_ports::read_models::availability::{Availability, AvailabilityQueries, SectionAvailability};
use ticketing_ports::read_models::payments::PaymentQueries;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::read_models::reservations::ReservationQueries;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, LineId, PaymentId, SectionId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::paging::{Cursor, Listed, Page};
use ticketing_ports::vocabulary::payment::PaymentStatus;
use ticketing_ports::vocabulary::reservation::{ReservationStatus, StoredTicket};
use ticketing_ports::vocabulary::seating::{Label, SeatCounts};
use uuid::Uuid;

use super::PostgresReadModels;
use crate::cells::Cells;
use crate::errors::failed;

#[async_trait]
impl AvailabilityQueries for PostgresReadModels {
    async fn availability(&self, event: EventId, now: Timestamp) -> Result<Option<Availability>, StoreError> {
        let rows = sqlx::query(self.sql(
            "SELECT section_id, name, capacity, available, held, sold, blocked, availability_sequence,
                    coalesce(lapsed.holds, 0) AS lapsed, coalesce(lapsed.places, 0) AS lapsed_places,
                    greatest(last_updated, lapsed.latest) AS last_updated
             FROM read_models.sections JOIN read_models.events USING (event_id)
             CROSS JOIN LATERAL (
                 SELECT count(*) AS holds, sum(quantity)::bigint AS places, max(held_until) AS latest
                 FROM (
                     SELECT section_id, held_until, quantity FROM read_models.holds
                     UNION ALL
                     SELECT section_id, held_until, quantity FROM read_models.further_holds
                 ) AS hold
                 WHERE hold.section_id = sections.section_id AND hold.held_until <= $2
             ) AS lapsed
             WHERE event_id = $1
             ORDER BY place",
        ))
        .bind(event.uuid())
        .bind(now)
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let first = Cells {
            row,
            table: "events",
            key: "section_id",
        };
        Ok(Some(Availability {
            event_id: event,
            sequence: first.count("availability_sequence")?,
            lapsed: rows.iter().map(lapsed_from).sum::<Result<_, _>>()?,
            sections: rows.iter().map(section_from).collect::<Result<_, _>>()?,
        }))
    }
}

#[async_trait]
impl ReservationQueries for PostgresReadModels {
    async fn reservations_of(&self, customer: CustomerId, page: Page) -> Result<Listed<ReservationView>, StoreError> {
        let rows = self
            .page_of(
                "SELECT total, created_at AS at, reservation_id, customer_id, status, version, payment_id, completed_at, tickets,
                        refunded, extended_until, view
                 FROM (SELECT count(*) AS total FROM read_models.reservations WHERE customer_id = $1) AS counted
                 LEFT JOIN (
                     SELECT * FROM read_models.reservations
                     WHERE customer_id = $1 AND (created_at, reservation_id) < ($4, $5)
                     ORDER BY created_at DESC, reservation_id DESC
                     LIMIT $2 OFFSET $3
                 ) AS page ON true
                 ORDER BY created_at DESC, reservation_id DESC",
                customer,
                page,
            )
            .await?;
        listed(&rows, page, "reservation_id", reservation_from)
    }
}

#[async_trait]
impl PaymentQueries for PostgresReadModels {
    async fn payments_of(&self, customer: CustomerId, page: Page) -> Result<Listed<PaymentView>, StoreError> {
        let rows = self
            .page_of(
                "SELECT total, created_at AS at, payment_id, status, version, updated_at, last_four, refunded_amount, view
                 FROM (SELECT count(*) AS total FROM read_models.payments WHERE customer_id = $1) AS counted
                 LEFT JOIN (
                     SELECT * FROM read_models.payments
                     WHERE customer_id = $1 AND (created_at, payment_id) < ($4, $5)
                     ORDER BY created_at DESC, payment_id DESC
                     LIMIT $2 OFFSET $3
                 ) AS page ON true
                 ORDER BY created_at DESC, payment_id DESC",
                customer,
                page,
            )
            .await?;
        listed(&rows, page, "payment_id", payment_from)
    }
}

impl PostgresReadModels {
    pub(super) async fn page_of(
        &self,
        statement: &'static str,
        customer: CustomerId,
        page: Page,
    ) -> Result<Vec<PgRow>, StoreError> {
        sqlx::query(self.sql(statement))
            .bind(customer.uuid())
            .bind(one_more_than(page))
            .bind(offset(page))
            .bind(page.cursor().map_or(Timestamp::MAX_UTC, |cursor| cursor.at))
            .bind(page.cursor().map_or(Uuid::max(), |cursor| cursor.id))
            .fetch_all(&self.pool)
            .await
            .map_err(failed)
    }
}

/// Returns the `LIMIT` of a page: one row more than the page has, since that row shows whether another page follows.
pub(super) fn one_more_than(page: Page) -> i64 {
    i64::from(page.size()) + 1
}

pub(super) fn offset(page: Page) -> i64 {
    page.offset().try_into().unwrap_or(i64::MAX)
}

/// Makes a page from the rows of a query. Each row has its own cursor and the total of the list; the query returns
/// one row with only the total if the page is empty.
pub(super) fn listed<T>(
    rows: &[PgRow],
    page: Page,
    key: &'static str,
    parse: impl Fn(&PgRow) -> Result<T, StoreError>,
) -> Result<Listed<T>, StoreError> {
    let mut listed = Listed {
        rows: Vec::with_capacity(rows.len()),
        total: 0,
        next: None,
    };
    let mut last = None;
    for row in rows {
        let cells = Cells {
            row,
            table: "page",
            key,
        };
        listed.total = cells.count("total")?;
        let Some(id) = cells.get::<Option<Uuid>>(key)? else {
            continue;
        };
        if listed.rows.len() < page.size() as usize {
            listed.rows.push(parse(row)?);
            let at = cells.get("at")?;
            last = Some(Cursor { at, id });
        } else {
            listed.next = last;
        }
    }
    Ok(listed)
}

pub(super) fn label(cells: &Cells<'_>, column: &'static str) -> Result<Label, StoreError> {
    cells.parse(column, |text: &str| Label::recorded(text).ok())
}

fn lapsed_from(row: &PgRow) -> Result<u64, StoreError> {
    let cells = Cells {
        row,
        table: "holds",
        key: "section_id",
    };
    cells.count("lapsed")
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
        }
        .without_lapsed(seats("lapsed_places")?),
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
    let Json(tickets): Json<Vec<StoredTicket>> = cells.get("tickets")?;
    let first = LineId::first_of(view.reservation_id);
    Ok(ReservationView {
        customer_id: CustomerId::new(cells.get("customer_id")?),
        status: cells.parse("status", ReservationStatus::parse)?,
        version: Version(cells.count("version")?),
        payment_id: cells.get::<Option<Uuid>>("payment_id")?.map(PaymentId::new),
        expires_at: cells
            .get::<Option<Timestamp>>("extended_until")?
            .unwrap_or(view.expires_at),
        completed_at: cells.get("completed_at")?,
        tickets: tickets.into_iter().map(|ticket| ticket.of(first)).collect(),
        refunded_amount: Money::new(cells.get("refunded")?, view.total_amount.currency),
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
