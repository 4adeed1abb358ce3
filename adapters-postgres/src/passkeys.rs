//! Keeps the passkeys (WebAuthn credentials) of users.

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use ticketing_ports::people::passkeys::{AddPasskeyError, Passkey, PasskeyStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;

use crate::PostgresUserStore;
use crate::cells::Cells;
use crate::errors::failed;

#[async_trait]
impl PasskeyStore for PostgresUserStore {
    async fn add(&self, passkey: Passkey, most: usize) -> Result<(), AddPasskeyError> {
        let mut transaction = self.pool.begin().await.map_err(failed)?;
        // The lock makes registrations of one user take turns, so that each registration counts the passkeys that
        // earlier registrations have added.
        sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('passkeys ' || $1, 0))")
            .bind(passkey.user_id.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        let id = passkey.credential_id.clone();
        let done = sqlx::query(
            "INSERT INTO passkeys (credential_id, user_id, name, credential, counter, created_at, last_used_at, suspect)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8
             WHERE (SELECT count(*) FROM passkeys WHERE user_id = $2) < $9
             ON CONFLICT DO NOTHING",
        )
        .bind(passkey.credential_id)
        .bind(passkey.user_id.uuid())
        .bind(passkey.name)
        .bind(passkey.credential)
        .bind(i64::from(passkey.counter))
        .bind(passkey.created_at)
        .bind(passkey.last_used_at)
        .bind(passkey.suspect)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        if done.rows_affected() == 1 {
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
             WHERE credential_id = $1",
        )
        .bind(credential_id)
        .fetch_optional(&self.pool)
        .await
        .map_err(failed)?;
        row.as_ref().map(passkey_from).transpose()
    }

    async fn passkeys_of(&self, user: UserId) -> Result<Vec<Passkey>, StoreError> {
        let rows = sqlx::query(
            "SELECT credential_id, user_id, name, credential, counter, created_at, last_used_at, suspect
             FROM passkeys
             WHERE user_id = $1
             ORDER BY created_at, credential_id",
        )
        .bind(user.uuid())
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        rows.iter().map(passkey_from).collect()
    }

    async fn update(&self, passkey: Passkey, seen_counter: u32) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE passkeys
             SET name = $2, credential = $3, counter = $4, last_used_at = $5, suspect = $6
             WHERE credential_id = $1 AND counter = $7 AND user_id = $8",
        )
        .bind(passkey.credential_id)
        .bind(passkey.name)
        .bind(passkey.credential)
        .bind(i64::from(passkey.counter))
        .bind(passkey.last_used_at)
        .bind(passkey.suspect)
        .bind(i64::from(seen_counter))
        .bind(passkey.user_id.uuid())
        .execute(&self.pool)
        .await
        .map_err(failed)?;
        Ok(done.rows_affected() == 1)
    }

    async fn rename(&self, user: UserId, credential_id: &[u8], name: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE passkeys SET name = $3 WHERE user_id = $1 AND credential_id = $2")
            .bind(user.uuid())
            .bind(credential_id)
            .bind(name)
            .execute(&self.pool)
            .await
            .map_err(failed)?;
        Ok(done.rows_affected() == 1)
    }

    async fn remove(&self, user: UserId, credential_id: &[u8]) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM passkeys WHERE user_id = $1 AND credential_id = $2")
            .bind(user.uuid())
            .bind(credential_id)
            .execute(&self.pool)
            .await
            .map_err(failed)?;
        Ok(done.rows_affected() == 1)
    }
}

fn passkey_from(row: &PgRow) -> Result<Passkey, StoreError> {
    let cells = Cells {
        row,
        table: "passkeys",
        key: "user_id",
    };
    Ok(Passkey {
        credential_id: cells.get("credential_id")?,
        user_id: UserId::new(cells.get("user_id")?),
        name: cells.get("name")?,
        credential: cells.get("credential")?,
        counter: cells.parse("counter", |counter: i64| counter.try_into().ok())?,
        created_at: cells.get("created_at")?,
        last_used_at: cells.get("last_used_at")?,
        suspect: cells.get("suspect")?,
    })
}
