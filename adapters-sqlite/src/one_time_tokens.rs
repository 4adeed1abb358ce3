//! Tokens that open a door once.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use ticketing_ports::Timestamp;
use ticketing_ports::errors::StoreError;
use ticketing_ports::one_time_tokens::{OneTimeToken, OneTimeTokenStore, TokenPurpose};
use ticketing_ports::secrets::SecretDigest;

use crate::SqliteStore;
use crate::cells::Cells;

#[async_trait]
impl OneTimeTokenStore for SqliteStore {
    async fn put(&self, token: OneTimeToken) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| Box::pin(insert(connection, token)))
            .await
    }

    async fn take(
        &self,
        purpose: TokenPurpose,
        digest: SecretDigest,
        now: Timestamp,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        self.writer
            .run(move |connection| Box::pin(delete(connection, purpose, digest, now)))
            .await
    }

    async fn live_for(&self, purpose: TokenPurpose, subject: &str, now: Timestamp) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS live
               FROM one_time_tokens
              WHERE subject = ? AND purpose = ? AND expires_at > ?",
        )
        .bind(subject)
        .bind(number_of(purpose))
        .bind(now.timestamp_micros())
        .fetch_one(&self.readers)
        .await
        .map_err(StoreError::unavailable)?;
        Cells {
            row: &row,
            table: "one_time_tokens",
            key: "live",
        }
        .count("live")
    }
}

/// The numbers are part of the file format.
fn number_of(purpose: TokenPurpose) -> i64 {
    match purpose {
        TokenPurpose::MagicLink => 1,
        TokenPurpose::SignInCode => 2,
        TokenPurpose::WebSocketTicket => 3,
    }
}

async fn insert(connection: &mut SqliteConnection, token: OneTimeToken) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO one_time_tokens (digest, purpose, subject, payload, expires_at)
         VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (digest, purpose) DO UPDATE
            SET subject = excluded.subject, payload = excluded.payload, expires_at = excluded.expires_at",
    )
    .bind(token.digest.as_bytes().as_slice())
    .bind(number_of(token.purpose))
    .bind(token.subject)
    .bind(token.payload)
    .bind(token.expires_at.timestamp_micros())
    .execute(connection)
    .await
    .map_err(StoreError::unavailable)?;
    Ok(())
}

/// Deletes the token and returns it if it had not expired; expired ones of others go with it.
async fn delete(
    connection: &mut SqliteConnection,
    purpose: TokenPurpose,
    digest: SecretDigest,
    now: Timestamp,
) -> Result<Option<OneTimeToken>, StoreError> {
    let row = sqlx::query(
        "DELETE FROM one_time_tokens
          WHERE digest = ? AND purpose = ? AND expires_at > ?
         RETURNING digest, subject, payload, expires_at",
    )
    .bind(digest.as_bytes().as_slice())
    .bind(number_of(purpose))
    .bind(now.timestamp_micros())
    .fetch_optional(&mut *connection)
    .await
    .map_err(StoreError::unavailable)?;
    sqlx::query("DELETE FROM one_time_tokens WHERE expires_at <= ?")
        .bind(now.timestamp_micros())
        .execute(connection)
        .await
        .map_err(StoreError::unavailable)?;
    row.as_ref().map(|row| token_from(row, purpose, digest)).transpose()
}

fn token_from(row: &SqliteRow, purpose: TokenPurpose, digest: SecretDigest) -> Result<OneTimeToken, StoreError> {
    let cells = Cells {
        row,
        table: "one_time_tokens",
        key: "digest",
    };
    Ok(OneTimeToken {
        digest,
        purpose,
        subject: cells.get("subject")?,
        payload: cells.get("payload")?,
        expires_at: cells.time("expires_at")?,
    })
}
