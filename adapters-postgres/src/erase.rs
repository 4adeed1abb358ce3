//! Deletes everything that the database of users keeps about a person.

use async_trait::async_trait;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::vocabulary::errors::StoreError;

use crate::errors::failed;
use crate::users::PostgresUserStore;

#[async_trait]
impl Erase for PostgresUserStore {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let erased: i64 = sqlx::query_scalar(
            "WITH keys     AS (DELETE FROM passkeys   WHERE user_id = $1 RETURNING 1),
                  linked   AS (DELETE FROM identities WHERE user_id = $1 RETURNING 1),
                  accounts AS (DELETE FROM users      WHERE user_id = $1 RETURNING 1)
             SELECT (SELECT count(*) FROM keys) + (SELECT count(*) FROM linked) + (SELECT count(*) FROM accounts)",
        )
        .bind(person.id.uuid())
        .fetch_one(&self.pool)
        .await
        .map_err(failed)?;
        Ok(erased.unsigned_abs())
    }
}
