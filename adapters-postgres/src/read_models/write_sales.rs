//! Writes the rows of sales, and of the lines of those that have several.

use sqlx::PgConnection;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::reservation::{Sale, SoldLine};

use super::PostgresReadModels;
use super::folded::{Folded, Sold};
use super::stored_sale::StoredSale;
use super::write::{all_there, column, texts};
use crate::errors::refused;

impl PostgresReadModels {
    pub(super) async fn write_sales(&self, connection: &mut PgConnection, folded: &Folded) -> Result<(), StoreError> {
        if !folded.sales.is_empty() {
            let rows = folded.sales.values();
            self.need_events(connection, rows.clone().map(|sold| sold.sale.event_id))
                .await?;
            sqlx::query(self.sql(
                "INSERT INTO read_models.sales (reservation_id, event_id, customer_id, section, ticket_type, tier,
                                                quantity, total_amount, currency, sold_at, refunded, returned, sale)
                 SELECT reservation_id, event_id, customer_id, section, ticket_type, tier, quantity, total_amount,
                        currency, sold_at, refunded, returned, sale::json
                 FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                      AS sold (reservation_id, event_id, customer_id, section, tier, quantity, total_amount, currency,
                               sold_at, refunded, returned, sale, ticket_type)
                 ON CONFLICT (reservation_id) DO UPDATE
                 SET refunded = excluded.refunded, returned = excluded.returned, sale = excluded.sale,
                     quantity = excluded.quantity, total_amount = excluded.total_amount, sold_at = excluded.sold_at",
            ))
            .bind(column(rows.clone(), |sold| sold.sale.reservation_id.uuid()))
            .bind(column(rows.clone(), |sold| sold.sale.event_id.uuid()))
            .bind(column(rows.clone(), |sold| sold.sale.customer_id.uuid()))
            .bind(first_lines(rows.clone(), |line| line.section.as_str())?)
            .bind(first_lines(rows.clone(), |line| line.tier.as_str())?)
            .bind(column(rows.clone(), |sold| i64::from(sold.sale.quantity())))
            .bind(column(rows.clone(), |sold| sold.sale.total_amount.amount))
            .bind(column(rows.clone(), |sold| sold.sale.total_amount.currency.as_str()))
            .bind(column(rows.clone(), |sold| sold.sale.sold_at))
            .bind(column(rows.clone(), |sold| sold.given_back.refunded))
            .bind(column(rows.clone(), |sold| sold.given_back.returned))
            .bind(texts(rows.clone().map(|sold| StoredSale::from(&sold.sale)))?)
            .bind(first_lines(rows.clone(), name_of_type)?)
            .execute(&mut *connection)
            .await
            .map_err(|error| refused(error, "sales"))?;
            self.write_sale_lines(connection, rows.map(|sold| &sold.sale)).await?;
        }
        if !folded.sale_changes.is_empty() {
            let ids: Vec<_> = folded.sale_changes.keys().map(|id| id.uuid()).collect();
            let changes = folded.sale_changes.values();
            let changed = sqlx::query_scalar(self.sql(
                "UPDATE read_models.sales AS sale
                 SET refunded = sale.refunded + change.refunded, returned = sale.returned OR change.returned
                 FROM unnest($1, $2, $3) AS change (reservation_id, refunded, returned)
                 WHERE sale.reservation_id = change.reservation_id
                 RETURNING sale.reservation_id",
            ))
            .bind(&ids)
            .bind(column(changes.clone(), |change| change.refunded))
            .bind(column(changes, |change| change.returned))
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| refused(error, "sales"))?;
            all_there("sales", &ids, changed)?;
        }
        Ok(())
    }

    /// Writes the lines of the sales that have several.
    async fn write_sale_lines(
        &self,
        connection: &mut PgConnection,
        sales: impl Iterator<Item = &Sale>,
    ) -> Result<(), StoreError> {
        let several = sales.filter(|sale| sale.lines.len() > 1);
        let lines: Vec<_> = several
            .flat_map(|sale| {
                (0_i32..)
                    .zip(&sale.lines)
                    .map(|(place, line)| (sale.reservation_id, place, line))
            })
            .collect();
        if lines.is_empty() {
            return Ok(());
        }
        let rows = lines.iter();
        sqlx::query(self.sql(
            "INSERT INTO read_models.sale_lines (reservation_id, place, section, tier, quantity, total_amount, ticket_type)
             SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (reservation_id, place) DO NOTHING",
        ))
        .bind(column(rows.clone(), |(reservation, _, _)| reservation.uuid()))
        .bind(column(rows.clone(), |(_, place, _)| *place))
        .bind(column(rows.clone(), |(_, _, line)| line.section.as_str()))
        .bind(column(rows.clone(), |(_, _, line)| line.tier.as_str()))
        .bind(column(rows.clone(), |(_, _, line)| i64::from(line.quantity)))
        .bind(column(rows.clone(), |(_, _, line)| line.total.amount))
        .bind(column(rows, |(_, _, line)| name_of_type(line)))
        .execute(connection)
        .await
        .map_err(|error| refused(error, "sale_lines"))?;
        Ok(())
    }
}

fn name_of_type(line: &SoldLine) -> Option<&str> {
    line.ticket_type.as_ref().map(|of| of.name.as_str())
}

/// Returns a column of what the first line of each sale says.
fn first_lines<'s, T>(
    sales: impl Iterator<Item = &'s Sold>,
    value: impl Fn(&'s SoldLine) -> T,
) -> Result<Vec<T>, StoreError> {
    let first = |sold: &'s Sold| {
        sold.sale
            .lines
            .first()
            .map(&value)
            .ok_or_else(|| StoreError::Inconsistent {
                table: "sales",
                column: "section",
                row: sold.sale.reservation_id.to_string(),
            })
    };
    sales.map(first).collect()
}
