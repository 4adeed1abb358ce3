//! Deletes everything that the database of users keeps about a person.

use async_trait::async_trait;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;

use crate::errors::failed;
use crate::users::PostgresUserStore;

#[async_trait]
impl Erase for PostgresUserStore {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let erased: i64 = sqlx::query_scalar(
            "WITH orders   AS (DELETE FROM order_addresses
                               WHERE email = $2 OR email IN (SELECT email FROM buyers WHERE user_id = $1)
                               RETURNING 1),
                  bought   AS (DELETE FROM buyers     WHERE user_id = $1 OR email = $2 RETURNING 1),
                  keys     AS (DELETE FROM passkeys   WHERE user_id = $1 RETURNING 1),
                  linked   AS (DELETE FROM identities WHERE user_id = $1 RETURNING 1),
                  accounts AS (DELETE FROM users      WHERE user_id = $1 RETURNING 1)
             SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM bought) + (SELECT count(*) FROM keys)
                  + (SELECT count(*) FROM linked) + (SELECT count(*) FROM accounts)",
        )
        .bind(person.id.uuid())
        .bind(person.email.as_ref().map(EmailAddress::as_str))
        .fetch_one(&self.pool)
        .await
        .map_err(failed)?;
        Ok(erased.unsigned_abs())
    }
}
