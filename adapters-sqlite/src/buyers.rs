//! Under which id the person with an address buys, and which address was given for an order.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use ticketing_ports::people::buyers::BuyerStore;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{ReservationId, UserId};

use crate::SqliteStore;
use crate::cells::Cells;
use crate::result_code::failed;

#[async_trait]
impl BuyerStore for SqliteStore {
    async fn give_address(&self, order: ReservationId, email: &EmailAddress) -> Result<(), StoreError> {
        let email = email.clone();
        self.writer
            .run(move |connection| Box::pin(give_address(connection, REPLACE, order, email)))
            .await
    }

    async fn give_first_address(&self, order: ReservationId, email: &EmailAddress) -> Result<(), StoreError> {
        let email = email.clone();
        self.writer
            .run(move |connection| Box::pin(give_address(connection, KEEP, order, email)))
            .await
    }

    async fn address_of(&self, order: ReservationId) -> Result<Option<EmailAddress>, StoreError> {
        let row = sqlx::query("SELECT reservation_id, email FROM order_addresses WHERE reservation_id = ?")
            .bind(order.uuid().as_bytes().as_slice())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        let address = |row| {
            let cells = Cells {
                row,
                table: "order_addresses",
                key: "reservation_id",
            };
            cells.parse("email", |email: &str| EmailAddress::parse(email).ok())
        };
        row.as_ref().map(address).transpose()
    }

    async fn person_of(&self, email: &EmailAddress, fresh: UserId) -> Result<UserId, StoreError> {
        let email = email.clone();
        self.writer
            .run(move |connection| Box::pin(person_of(connection, email, fresh)))
            .await
    }
}

const REPLACE: &str = "INSERT INTO order_addresses (reservation_id, email)
     VALUES (?, ?)
     ON CONFLICT (reservation_id) DO UPDATE SET email = excluded.email";
const KEEP: &str = "INSERT INTO order_addresses (reservation_id, email) VALUES (?, ?) ON CONFLICT DO NOTHING";

async fn give_address(
    connection: &mut SqliteConnection,
    statement: &'static str,
    order: ReservationId,
    email: EmailAddress,
) -> Result<(), StoreError> {
    sqlx::query(statement)
        .bind(order.uuid().as_bytes().as_slice())
        .bind(email.as_str())
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

async fn person_of(
    connection: &mut SqliteConnection,
    email: EmailAddress,
    fresh: UserId,
) -> Result<UserId, StoreError> {
    let row = sqlx::query(
        "INSERT INTO buyers (email, user_id)
         VALUES (?, ?)
         ON CONFLICT (email) DO UPDATE SET email = excluded.email
         RETURNING email, user_id",
    )
    .bind(email.as_str())
    .bind(fresh.uuid().as_bytes().as_slice())
    .fetch_one(connection)
    .await
    .map_err(failed)?;
    let cells = Cells {
        row: &row,
        table: "buyers",
        key: "email",
    };
    Ok(UserId::new(cells.uuid("user_id")?))
}
