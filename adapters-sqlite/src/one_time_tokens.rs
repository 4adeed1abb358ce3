//! Keeps tokens that can be used once. Taking or counting tokens also deletes expired tokens.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use ticketing_ports::Timestamp;
use ticketing_ports::people::one_time_tokens::{OneTimeToken, OneTimeTokenStore, TokenPurpose};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::secrets::SecretDigest;

use crate::SqliteStore;
use crate::cells::Cells;
use crate::result_code::failed;

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
            .run(move |connection| {
                Box::pin(async move {
                    forget_expired(connection, now).await?;
                    delete(connection, purpose, digest).await
                })
            })
            .await
    }

    async fn live_for(&self, purpose: TokenPurpose, subject: &str, now: Timestamp) -> Result<u64, StoreError> {
        let subject = subject.to_owned();
        self.writer
            .run(move |connection| {
                Box::pin(async move {
                    forget_expired(connection, now).await?;
                    count(connection, purpose, &subject).await
                })
            })
            .await
    }
}

async fn insert(connection: &mut SqliteConnection, token: OneTimeToken) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT OR REPLACE INTO one_time_tokens (digest, purpose, subject, payload, expires_at)
         VALUES (?, ?, ?, ?, ?)",
    )
    .bind(token.digest.as_bytes().as_slice())
    .bind(number_of(token.purpose))
    .bind(token.subject)
    .bind(token.payload)
    .bind(token.expires_at.timestamp_micros())
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

async fn delete(
    connection: &mut SqliteConnection,
    purpose: TokenPurpose,
    digest: SecretDigest,
) -> Result<Option<OneTimeToken>, StoreError> {
    // The statement returns at most one row, but all its rows are fetched, because SQLite commits a statement only
    // when its result is read to the end.
    let rows = sqlx::query(
        "DELETE FROM one_time_tokens
         WHERE digest = ? AND purpose = ?
         RETURNING digest, subject, payload, expires_at",
    )
    .bind(digest.as_bytes().as_slice())
    .bind(number_of(purpose))
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    rows.first().map(|row| token_from(row, purpose, digest)).transpose()
}

async fn count(connection: &mut SqliteConnection, purpose: TokenPurpose, subject: &str) -> Result<u64, StoreError> {
    let tokens: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM one_time_tokens WHERE subject = ? AND purpose = ?")
        .bind(subject)
        .bind(number_of(purpose))
        .fetch_one(connection)
        .await
        .map_err(failed)?;
    Ok(tokens.unsigned_abs())
}

async fn forget_expired(connection: &mut SqliteConnection, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM one_time_tokens WHERE expires_at <= ?")
        .bind(now.timestamp_micros())
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Returns the number that stands for a purpose in the file. The numbers must not change, since existing files have
/// them.
fn number_of(purpose: TokenPurpose) -> i64 {
    match purpose {
        TokenPurpose::MagicLink => 1,
        TokenPurpose::SignInCode => 2,
        TokenPurpose::WebSocketTicket => 3,
    }
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
