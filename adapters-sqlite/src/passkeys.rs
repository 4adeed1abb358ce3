//! Keeps the passkeys (WebAuthn credentials) of users.

use async_trait::async_trait;
use chrono::DateTime;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use ticketing_ports::people::passkeys::{AddPasskeyError, Passkey, PasskeyStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;

use crate::SqliteStore;
use crate::cells::{Cells, limit};
use crate::result_code::failed;

#[async_trait]
impl PasskeyStore for SqliteStore {
    async fn add(&self, passkey: Passkey, most: usize) -> Result<(), AddPasskeyError> {
        let id = passkey.credential_id.clone();
        let added = self
            .writer
            .run(move |connection| Box::pin(insert(connection, passkey, most)))
            .await?;
        if added {
            Ok(())
        } else if self.find(&id).await?.is_some() {
            Err(AddPasskeyError::Taken)
        } else {
            Err(AddPasskeyError::TooMany)
        }
    }

    async fn find(&self, credential_id: &[u8]) -> Result<Option<Passkey>, StoreError> {
        let row = sqlx::query(
            "SELECT credential_id, user_id, name, credential, counter, created_at, last_used_at, suspect
             FROM passkeys
             WHERE credential_id = ?",
        )
        .bind(credential_id)
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        row.as_ref().map(passkey_from).transpose()
    }

    async fn passkeys_of(&self, user: UserId) -> Result<Vec<Passkey>, StoreError> {
        let rows = sqlx::query(
            "SELECT credential_id, user_id, name, credential, counter, created_at, last_used_at, suspect
             FROM passkeys
             WHERE user_id = ?
             ORDER BY created_at, credential_id",
        )
        .bind(user.uuid().as_bytes().as_slice())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        rows.iter().map(passkey_from).collect()
    }

    async fn update(&self, passkey: Passkey, seen_counter: u32) -> Result<bool, StoreError> {
        self.writer
            .run(move |connection| Box::pin(update(connection, passkey, seen_counter)))
            .await
    }

    async fn rename(&self, user: UserId, credential_id: &[u8], name: &str) -> Result<bool, StoreError> {
        let (id, name) = (credential_id.to_vec(), name.to_owned());
        self.writer
            .run(move |connection| Box::pin(rename(connection, user, id, name)))
            .await
    }

    async fn remove(&self, user: UserId, credential_id: &[u8]) -> Result<bool, StoreError> {
        let id = credential_id.to_vec();
        self.writer
            .run(move |connection| Box::pin(delete(connection, user, id)))
            .await
    }
}

/// Adds a passkey. Returns `false` if the credential is registered already, or the user has as many passkeys as are
/// allowed (`most`). The check and the write are one statement, so that nothing happens between them.
async fn insert(connection: &mut SqliteConnection, passkey: Passkey, most: usize) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO passkeys (credential_id, user_id, name, credential, counter, created_at, last_used_at, suspect)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
         WHERE (SELECT COUNT(*) FROM passkeys WHERE user_id = ?2) < ?9
         ON CONFLICT DO NOTHING",
    )
    .bind(passkey.credential_id)
    .bind(passkey.user_id.uuid().as_bytes().as_slice())
    .bind(passkey.name)
    .bind(passkey.credential)
    .bind(i64::from(passkey.counter))
    .bind(passkey.created_at.timestamp_micros())
    .bind(passkey.last_used_at.map(|time| time.timestamp_micros()))
    .bind(passkey.suspect)
    .bind(limit(most))
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(done.rows_affected() == 1)
}

async fn update(connection: &mut SqliteConnection, passkey: Passkey, seen_counter: u32) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE passkeys
         SET name = ?, credential = ?, counter = ?, last_used_at = ?, suspect = ?
         WHERE credential_id = ? AND counter = ? AND user_id = ?",
    )
    .bind(passkey.name)
    .bind(passkey.credential)
    .bind(i64::from(passkey.counter))
    .bind(passkey.last_used_at.map(|time| time.timestamp_micros()))
    .bind(passkey.suspect)
    .bind(passkey.credential_id)
    .bind(i64::from(seen_counter))
    .bind(passkey.user_id.uuid().as_bytes().as_slice())
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(done.rows_affected() == 1)
}

async fn rename(
    connection: &mut SqliteConnection,
    user: UserId,
    credential_id: Vec<u8>,
    name: String,
) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE passkeys SET name = ? WHERE user_id = ? AND credential_id = ?")
        .bind(name)
        .bind(user.uuid().as_bytes().as_slice())
        .bind(credential_id)
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(done.rows_affected() == 1)
}

async fn delete(connection: &mut SqliteConnection, user: UserId, credential_id: Vec<u8>) -> Result<bool, StoreError> {
    let done = sqlx::query("DELETE FROM passkeys WHERE user_id = ? AND credential_id = ?")
        .bind(user.uuid().as_bytes().as_slice())
        .bind(credential_id)
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(done.rows_affected() == 1)
}

fn passkey_from(row: &SqliteRow) -> Result<Passkey, StoreError> {
    let cells = Cells {
        row,
        table: "passkeys",
        key: "user_id",
    };
    let time = |micros: Option<i64>| match micros {
        None => Some(None),
        Some(micros) => DateTime::from_timestamp_micros(micros).map(Some),
    };
    Ok(Passkey {
        credential_id: cells.get("credential_id")?,
        user_id: UserId::new(cells.uuid("user_id")?),
        name: cells.get("name")?,
        credential: cells.get("credential")?,
        counter: cells.parse("counter", |counter: i64| counter.try_into().ok())?,
        created_at: cells.time("created_at")?,
        last_used_at: cells.parse("last_used_at", time)?,
        suspect: cells.get("suspect")?,
    })
}
