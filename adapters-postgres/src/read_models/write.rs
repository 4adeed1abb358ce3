//! Writes the merged changes of a batch, with one statement for each table.

use std::collections::BTreeSet;

use serde::Serialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use ticketing_ports::read_models::changes::Said;
use ticketing_ports::read_models::event_search::terms_of;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId};
use ticketing_ports::vocabulary::payment::PaymentStatus;
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use uuid::Uuid;

use super::PostgresReadModels;
use super::folded::Folded;
use crate::cells::bound;
use crate::errors::{failed, refused};

impl PostgresReadModels {
    pub(super) async fn write(&self, connection: &mut PgConnection, folded: &Folded) -> Result<(), StoreError> {
        self.write_events(connection, folded).await?;
        self.write_sections(connection, folded).await?;
        self.write_holds(connection, folded).await?;
        self.write_reservations(connection, folded).await?;
        self.write_payments(connection, folded).await?;
        self.write_sales(connection, folded).await
    }

    async fn write_events(&self, connection: &mut PgConnection, folded: &Folded) -> Result<(), StoreError> {
        if !folded.events.is_empty() {
            let rows = folded.events.values();
            sqlx::query(self.sql(
                "INSERT INTO read_models.events (event_id, owner_id, status, version, starts_at, view, search)
                 SELECT event_id, owner_id, status, version, starts_at, view,
                        array_to_tsvector(string_to_array(terms, E'\\x1f'))
                 FROM unnest($1, $2, $3, $4, $5, $6, $7)
                      AS event (event_id, owner_id, status, version, starts_at, view, terms)
                 ON CONFLICT (event_id) DO UPDATE
                 SET status = excluded.status, version = excluded.version, view = excluded.view,
                     starts_at = excluded.starts_at, search = excluded.search",
            ))
            .bind(column(rows.clone(), |event| event.event_id.uuid()))
            .bind(column(rows.clone(), |event| event.owner_id.uuid()))
            .bind(column(rows.clone(), |event| event.status.as_str()))
            .bind(column(rows.clone(), |event| bound(event.version.0)))
            .bind(column(rows.clone(), |event| event.details.starts_at))
            .bind(column(rows.clone(), Json))
            .bind(column(rows, |event| in_one_text(&terms_of(&event.details))))
            .execute(&mut *connection)
            .await
            .map_err(|error| refused(error, "events"))?;
        }
        if !folded.event_changes.is_empty() {
            let ids: Vec<_> = folded.event_changes.keys().map(|id| id.uuid()).collect();
            let changed = sqlx::query_scalar(self.sql(
                "UPDATE read_models.events AS event
                 SET status = coalesce(change.status, event.status), version = change.version
                 FROM unnest($1, $2, $3) AS change (event_id, status, version)
                 WHERE event.event_id = change.event_id
                 RETURNING event.event_id",
            ))
            .bind(&ids)
            .bind(
                folded
                    .event_changes
                    .values()
                    .map(|(status, _)| status.map(EventStatus::as_str))
                    .collect::<Vec<_>>(),
            )
            .bind(
                folded
                    .event_changes
                    .values()
                    .map(|(_, version)| bound(version.0))
                    .collect::<Vec<_>>(),
            )
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| refused(error, "events"))?;
            all_there("events", &ids, changed)?;
        }
        Ok(())
    }

    async fn write_sections(&self, connection: &mut PgConnection, folded: &Folded) -> Result<(), StoreError> {
        if !folded.sections.is_empty() {
            let rows = folded.sections.iter();
            self.need_events(connection, rows.clone().map(|section| section.event_id))
                .await?;
            sqlx::query(self.sql(
                "INSERT INTO read_models.sections (section_id, event_id, name, capacity, available, held, sold, blocked,
                                                   last_updated)
                 SELECT section_id, event_id, name, capacity, capacity, 0, 0, 0, last_updated
                 FROM unnest($1, $2, $3, $4, $5)
                      WITH ORDINALITY AS opened (section_id, event_id, name, capacity, last_updated, place)
                 ORDER BY place
                 ON CONFLICT (section_id) DO NOTHING",
            ))
            .bind(column(rows.clone(), |section| section.section_id.uuid()))
            .bind(column(rows.clone(), |section| section.event_id.uuid()))
            .bind(column(rows.clone(), |section| section.name.as_str()))
            .bind(column(rows.clone(), |section| i64::from(section.capacity)))
            .bind(column(rows, |section| section.at))
            .execute(&mut *connection)
            .await
            .map_err(|error| refused(error, "sections"))?;
        }
        if !folded.moves.is_empty() {
            let ids: Vec<_> = folded.moves.keys().map(|id| id.uuid()).collect();
            let moves = folded.moves.values();
            let moved = sqlx::query_scalar(self.sql(
                "WITH moved AS (
                     UPDATE read_models.sections AS section
                     SET available = section.available + change.available, held = section.held + change.held,
                         sold = section.sold + change.sold, blocked = section.blocked + change.blocked,
                         last_updated = change.last_updated
                     FROM unnest($1, $2, $3, $4, $5, $6, $7)
                          AS change (section_id, available, held, sold, blocked, last_updated, moves)
                     WHERE section.section_id = change.section_id
                     RETURNING section.section_id, section.event_id, change.moves
                 ), sequenced AS (
                     UPDATE read_models.events AS event
                     SET availability_sequence = event.availability_sequence + more.moves
                     FROM (SELECT event_id, sum(moves)::bigint AS moves FROM moved GROUP BY event_id) AS more
                     WHERE event.event_id = more.event_id
                 )
                 SELECT section_id FROM moved",
            ))
            .bind(&ids)
            .bind(column(moves.clone(), |moves| moves.sum.available))
            .bind(column(moves.clone(), |moves| moves.sum.held))
            .bind(column(moves.clone(), |moves| moves.sum.sold))
            .bind(column(moves.clone(), |moves| moves.sum.blocked))
            .bind(column(moves.clone(), |moves| moves.last))
            .bind(column(moves, |moves| moves.count))
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| refused(error, "sections"))?;
            all_there("sections", &ids, moved)?;
        }
        Ok(())
    }

    async fn write_holds(&self, connection: &mut PgConnection, folded: &Folded) -> Result<(), StoreError> {
        let ended = folded.holds.iter().filter(|(_, hold)| hold.is_none());
        let ended: Vec<_> = ended.map(|(id, _)| id).collect();
        if !ended.is_empty() {
            sqlx::query(self.sql(
                "WITH ended AS (
                     SELECT * FROM unnest($1, $2) AS ended (reservation_id, section_id)
                 ), first AS (
                     DELETE FROM read_models.holds AS hold
                     USING ended
                     WHERE hold.reservation_id = ended.reservation_id AND hold.section_id = ended.section_id
                 )
                 DELETE FROM read_models.further_holds AS hold
                 USING ended
                 WHERE hold.reservation_id = ended.reservation_id AND hold.section_id = ended.section_id",
            ))
            .bind(column(ended.iter(), |(reservation, _)| reservation.uuid()))
            .bind(column(ended.iter(), |(_, section)| section.uuid()))
            .execute(&mut *connection)
            .await
            .map_err(|error| refused(error, "holds"))?;
        }
        let began: Vec<_> = folded.holds.values().flatten().collect();
        if !began.is_empty() {
            let rows = began.iter();
            // What finds the row of its reservation taken by another section goes to the further holds.
            sqlx::query(self.sql(
                "WITH began AS (
                     SELECT * FROM unnest($1, $2, $3, $4) AS began (reservation_id, section_id, held_until, quantity)
                 ), first AS (
                     INSERT INTO read_models.holds AS hold (reservation_id, section_id, held_until, quantity)
                     SELECT DISTINCT ON (reservation_id) * FROM began
                     WHERE (reservation_id, section_id) NOT IN (
                         SELECT reservation_id, section_id FROM read_models.further_holds
                         WHERE reservation_id = ANY ($1)
                     )
                     ON CONFLICT (reservation_id) DO UPDATE
                     SET held_until = excluded.held_until, quantity = excluded.quantity
                     WHERE hold.section_id = excluded.section_id
                     RETURNING reservation_id, section_id
                 )
                 INSERT INTO read_models.further_holds (reservation_id, section_id, held_until, quantity)
                 SELECT * FROM began
                 WHERE (reservation_id, section_id) NOT IN (SELECT reservation_id, section_id FROM first)
                 ON CONFLICT (reservation_id, section_id) DO UPDATE
                 SET held_until = excluded.held_until, quantity = excluded.quantity",
            ))
            .bind(column(rows.clone(), |hold| hold.reservation_id.uuid()))
            .bind(column(rows.clone(), |hold| hold.section_id.uuid()))
            .bind(column(rows.clone(), |hold| hold.until))
            .bind(column(rows, |hold| i64::from(hold.quantity)))
            .execute(&mut *connection)
            .await
            .map_err(|error| refused(error, "holds"))?;
        }
        Ok(())
    }

    async fn write_reservations(&self, connection: &mut PgConnection, folded: &Folded) -> Result<(), StoreError> {
        if !folded.reservations.is_empty() {
            let rows = folded.reservations.values();
            sqlx::query(self.sql(
                "INSERT INTO read_models.reservations (reservation_id, customer_id, created_at, status, version,
                                                       payment_id, completed_at, tickets, refunded, view)
                 SELECT reservation_id, customer_id, created_at, status, version, payment_id, completed_at, tickets,
                        refunded, view::json
                 FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                      AS held (reservation_id, customer_id, created_at, status, version, payment_id, completed_at,
                               tickets, refunded, view)
                 ON CONFLICT (reservation_id) DO UPDATE
                 SET customer_id = excluded.customer_id, status = excluded.status, version = excluded.version,
                     payment_id = excluded.payment_id, completed_at = excluded.completed_at,
                     tickets = excluded.tickets, refunded = excluded.refunded, extended_until = NULL,
                     view = excluded.view",
            ))
            .bind(column(rows.clone(), |row| row.reservation_id.uuid()))
            .bind(column(rows.clone(), |row| row.customer_id.uuid()))
            .bind(column(rows.clone(), |row| row.created_at))
            .bind(column(rows.clone(), |row| row.status.as_str()))
            .bind(column(rows.clone(), |row| bound(row.version.0)))
            .bind(column(rows.clone(), |row| row.payment_id.map(PaymentId::uuid)))
            .bind(column(rows.clone(), |row| row.completed_at))
            .bind(column(rows.clone(), |row| Json(&row.tickets)))
            .bind(column(rows.clone(), |row| row.refunded_amount.amount))
            .bind(texts(rows)?)
            .execute(&mut *connection)
            .await
            .map_err(|error| refused(error, "reservations"))?;
        }
        if !folded.reservation_changes.is_empty() {
            let ids: Vec<_> = folded.reservation_changes.keys().map(|id| id.uuid()).collect();
            let changes = folded.reservation_changes.values();
            let changed = sqlx::query_scalar(self.sql(
                "UPDATE read_models.reservations AS reservation
                 SET status = coalesce(change.status, reservation.status), version = change.version,
                     payment_id = CASE WHEN change.keeps_payment THEN reservation.payment_id ELSE change.payment_id END,
                     completed_at = coalesce(change.completed_at, reservation.completed_at),
                     tickets = coalesce(change.tickets, reservation.tickets),
                     refunded = coalesce(change.refunded, reservation.refunded),
                     extended_until = coalesce(change.extended_until, reservation.extended_until),
                     customer_id = coalesce(change.customer_id, reservation.customer_id)
                 FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                      AS change (reservation_id, status, version, keeps_payment, payment_id, completed_at, tickets,
                                 refunded, extended_until, customer_id)
                 WHERE reservation.reservation_id = change.reservation_id
                 RETURNING reservation.reservation_id",
            ))
            .bind(&ids)
            .bind(column(changes.clone(), |change| {
                change.status.map(ReservationStatus::as_str)
            }))
            .bind(column(changes.clone(), |change| bound(change.version.0)))
            .bind(column(changes.clone(), |change| change.payment_id == Said::Nothing))
            .bind(column(changes.clone(), |change| {
                change.payment_id.over(None).map(PaymentId::uuid)
            }))
            .bind(column(changes.clone(), |change| change.completed_at))
            .bind(column(changes.clone(), |change| {
                (!change.tickets.is_empty()).then_some(Json(&change.tickets))
            }))
            .bind(column(changes.clone(), |change| {
                change.refunded_amount.map(|amount| amount.amount)
            }))
            .bind(column(changes.clone(), |change| change.expires_at))
            .bind(column(changes, |change| change.customer_id.map(CustomerId::uuid)))
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| refused(error, "reservations"))?;
            all_there("reservations", &ids, changed)?;
        }
        Ok(())
    }

    async fn write_payments(&self, connection: &mut PgConnection, folded: &Folded) -> Result<(), StoreError> {
        if !folded.payments.is_empty() {
            let rows = folded.payments.values();
            sqlx::query(self.sql(
                "INSERT INTO read_models.payments (payment_id, customer_id, created_at, status, version, updated_at,
                                                   last_four, refunded_amount, view)
                 SELECT payment_id, customer_id, created_at, status, version, updated_at, last_four, refunded_amount,
                        view::json
                 FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
                      AS requested (payment_id, customer_id, created_at, status, version, updated_at, last_four,
                                    refunded_amount, view)
                 ON CONFLICT (payment_id) DO UPDATE
                 SET status = excluded.status, version = excluded.version, updated_at = excluded.updated_at,
                     last_four = excluded.last_four, refunded_amount = excluded.refunded_amount, view = excluded.view",
            ))
            .bind(column(rows.clone(), |row| row.payment_id.uuid()))
            .bind(column(rows.clone(), |row| row.customer_id.uuid()))
            .bind(column(rows.clone(), |row| row.created_at))
            .bind(column(rows.clone(), |row| row.status.as_str()))
            .bind(column(rows.clone(), |row| bound(row.version.0)))
            .bind(column(rows.clone(), |row| row.updated_at))
            .bind(column(rows.clone(), |row| row.last_four.as_deref()))
            .bind(column(rows.clone(), |row| row.refunded_amount.amount))
            .bind(texts(rows)?)
            .execute(&mut *connection)
            .await
            .map_err(|error| refused(error, "payments"))?;
        }
        if !folded.payment_changes.is_empty() {
            let ids: Vec<_> = folded.payment_changes.keys().map(|id| id.uuid()).collect();
            let changes = folded.payment_changes.values();
            let changed = sqlx::query_scalar(self.sql(
                "UPDATE read_models.payments AS payment
                 SET status = coalesce(change.status, payment.status), version = change.version, updated_at = change.updated_at,
                     last_four = coalesce(change.last_four, payment.last_four),
                     refunded_amount = coalesce(change.refunded_amount, payment.refunded_amount)
                 FROM unnest($1, $2, $3, $4, $5, $6)
                      AS change (payment_id, status, version, updated_at, last_four, refunded_amount)
                 WHERE payment.payment_id = change.payment_id
                 RETURNING payment.payment_id",
            ))
            .bind(&ids)
            .bind(column(changes.clone(), |change| change.status.map(PaymentStatus::as_str)))
            .bind(column(changes.clone(), |change| bound(change.version.0)))
            .bind(column(changes.clone(), |change| change.updated_at))
            .bind(column(changes.clone(), |change| change.last_four.as_deref()))
            .bind(column(changes, |change| {
                change.refunded_amount.map(|money| money.amount)
            }))
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| refused(error, "payments"))?;
            all_there("payments", &ids, changed)?;
        }
        Ok(())
    }

    pub(super) async fn need_events(
        &self,
        connection: &mut PgConnection,
        events: impl Iterator<Item = EventId>,
    ) -> Result<(), StoreError> {
        let ids: BTreeSet<Uuid> = events.map(EventId::uuid).collect();
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let known = sqlx::query_scalar(self.sql("SELECT event_id FROM read_models.events WHERE event_id = ANY ($1)"))
            .bind(&ids)
            .fetch_all(connection)
            .await
            .map_err(failed)?;
        all_there("events", &ids, known)
    }
}

/// Returns one column of many rows as an array, which the statement turns back into rows by `unnest`.
pub(super) fn column<R, T>(rows: impl Iterator<Item = R>, value: impl FnMut(R) -> T) -> Vec<T> {
    rows.map(value).collect()
}

/// Joins the terms of an event by a control character, which no term has: PostgreSQL has no arrays of arrays of
/// different lengths.
fn in_one_text(terms: &BTreeSet<String>) -> String {
    let terms: Vec<_> = terms.iter().map(String::as_str).collect();
    terms.join("\u{1f}")
}

/// Returns a column of JSON as text, since PostgreSQL reads parameters of type text faster than those of type
/// `jsonb`.
pub(super) fn texts(values: impl Iterator<Item = impl Serialize>) -> Result<Vec<String>, StoreError> {
    let text = |value| serde_json::to_string(&value).map_err(StoreError::unavailable);
    values.map(text).collect()
}

/// Fails if one of the rows that a statement had to change does not exist.
pub(super) fn all_there(table: &'static str, wanted: &[Uuid], there: Vec<Uuid>) -> Result<(), StoreError> {
    if wanted.len() == there.len() {
        return Ok(());
    }
    let there: BTreeSet<Uuid> = there.into_iter().collect();
    match wanted.iter().find(|id| !there.contains(id)) {
        None => Ok(()),
        Some(missing) => Err(StoreError::Inconsistent {
            table,
            column: "id",
            row: missing.to_string(),
        }),
    }
}
