//! Deletes everything that the file keeps about a person.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;

use crate::SqliteStore;
use crate::result_code::failed;

#[async_trait]
impl Erase for SqliteStore {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        let person = person.clone();
        self.writer
            .run(move |connection| Box::pin(erase(connection, person)))
            .await
    }
}

/// Deletes everything about a person, and the account last, because a repeated deletion finds the person by the
/// address in the account. So a deletion that a crash has interrupted can be repeated.
async fn erase(connection: &mut SqliteConnection, person: Person) -> Result<u64, StoreError> {
    let id = person.id.uuid();
    let mut erased = 0;
    for subject in person.subjects() {
        let tokens = sqlx::query("DELETE FROM one_time_tokens WHERE subject = ?").bind(subject);
        let done = tokens.execute(&mut *connection).await.map_err(failed)?;
        erased += done.rows_affected();
    }
    let email = person.email.as_ref().map(EmailAddress::as_str);
    for sql in [
        "DELETE FROM order_addresses
         WHERE email = ?1 OR email IN (SELECT email FROM buyers WHERE user_id = ?2)",
        "DELETE FROM buyers WHERE email = ?1 OR user_id = ?2",
    ] {
        let rows = sqlx::query(sql).bind(email).bind(id.as_bytes().as_slice());
        let done = rows.execute(&mut *connection).await.map_err(failed)?;
        erased += done.rows_affected();
    }
    for sql in [
        "DELETE FROM passkeys WHERE user_id = ?",
        "DELETE FROM identities WHERE user_id = ?",
        "DELETE FROM users WHERE user_id = ?",
    ] {
        let rows = sqlx::query(sql).bind(id.as_bytes().as_slice());
        let done = rows.execute(&mut *connection).await.map_err(failed)?;
        erased += done.rows_affected();
    }
    Ok(erased)
}
