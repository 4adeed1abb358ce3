//! Under which id the person with an address buys, and which address was given for an order.

use async_trait::async_trait;
use sqlx::postgres::PgPool;
use ticketing_ports::people::buyers::BuyerStore;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{ReservationId, UserId};

use crate::PostgresUserStore;
use crate::cells::Cells;
use crate::errors::failed;

#[async_trait]
impl BuyerStore for PostgresUserStore {
    async fn give_address(&self, order: ReservationId, email: &EmailAddress) -> Result<(), StoreError> {
        let replace = "INSERT INTO order_addresses (reservation_id, email)
                       VALUES ($1, $2)
                       ON CONFLICT (reservation_id) DO UPDATE SET email = excluded.email";
        note_address(&self.pool, replace, order, email).await
    }

    async fn give_first_address(&self, order: ReservationId, email: &EmailAddress) -> Result<(), StoreError> {
        let keep = "INSERT INTO order_addresses (reservation_id, email) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        note_address(&self.pool, keep, order, email).await
    }

    async fn address_of(&self, order: ReservationId) -> Result<Option<EmailAddress>, StoreError> {
        let row = sqlx::query("SELECT reservation_id, email FROM order_addresses WHERE reservation_id = $1")
            .bind(order.uuid())
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        let address = |row| {
            let cells = Cells {
                row,
                table: "order_addresses",
                key: "reservation_id",
            };
            cells.parse("email", |email| EmailAddress::parse(email).ok())
        };
        row.as_ref().map(address).transpose()
    }

    async fn person_of(&self, email: &EmailAddress, fresh: UserId) -> Result<UserId, StoreError> {
        // If the address is of somebody already, DO UPDATE changes nothing in its row, but makes RETURNING answer with
        // that row.
        let person: uuid::Uuid = sqlx::query_scalar(
            "INSERT INTO buyers (email, user_id)
             VALUES ($1, $2)
             ON CONFLICT (email) DO UPDATE SET email = excluded.email
             RETURNING user_id",
        )
        .bind(email.as_str())
        .bind(fresh.uuid())
        .fetch_one(&self.pool)
        .await
        .map_err(failed)?;
        Ok(UserId::new(person))
    }
}

async fn note_address(
    pool: &PgPool,
    statement: &'static str,
    order: ReservationId,
    email: &EmailAddress,
) -> Result<(), StoreError> {
    let note = sqlx::query(statement).bind(order.uuid()).bind(email.as_str());
    note.execute(pool).await.map_err(failed)?;
    Ok(())
}
