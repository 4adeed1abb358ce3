//! Keeps to which user each identity at an identity provider belongs.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use ticketing_ports::people::identities::{Identity, IdentityStore, LinkIdentityError};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;

use crate::SqliteStore;
use crate::cells::Cells;
use crate::result_code::failed;

#[async_trait]
impl IdentityStore for SqliteStore {
    async fn link(&self, identity: Identity) -> Result<(), LinkIdentityError> {
        let user = identity.user_id;
        let owner = self
            .writer
            .run(move |connection| Box::pin(insert(connection, identity)))
            .await?;
        if owner.as_slice() == user.uuid().as_bytes() {
            Ok(())
        } else {
            Err(LinkIdentityError::Taken)
        }
    }

    async fn find(&self, issuer: &str, subject: &str) -> Result<Option<Identity>, StoreError> {
        let row = sqlx::query(
            "SELECT issuer, subject, user_id, linked_at
             FROM identities
             WHERE issuer = ? AND subject = ?",
        )
        .bind(issuer)
        .bind(subject)
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        row.as_ref().map(identity_from).transpose()
    }

    async fn identities_of(&self, user: UserId) -> Result<Vec<Identity>, StoreError> {
        let rows = sqlx::query(
            "SELECT issuer, subject, user_id, linked_at
             FROM identities
             WHERE user_id = ?
             ORDER BY linked_at, issuer, subject",
        )
        .bind(user.uuid().as_bytes().as_slice())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        rows.iter().map(identity_from).collect()
    }
}

/// Links an identity to its user, unless the identity belongs to a user already. Returns the id of the user that it
/// belongs to now.
async fn insert(connection: &mut SqliteConnection, identity: Identity) -> Result<Vec<u8>, StoreError> {
    sqlx::query_scalar(
        "INSERT INTO identities (issuer, subject, user_id, linked_at)
         VALUES (?, ?, ?, ?)
         ON CONFLICT (issuer, subject) DO UPDATE SET issuer = excluded.issuer
         RETURNING user_id",
    )
    .bind(identity.issuer)
    .bind(identity.subject)
    .bind(identity.user_id.uuid().as_bytes().as_slice())
    .bind(identity.linked_at.timestamp_micros())
    .fetch_one(connection)
    .await
    .map_err(failed)
}

fn identity_from(row: &SqliteRow) -> Result<Identity, StoreError> {
    let cells = Cells {
        row,
        table: "identities",
        key: "user_id",
    };
    Ok(Identity {
        issuer: cells.get("issuer")?,
        subject: cells.get("subject")?,
        user_id: UserId::new(cells.uuid("user_id")?),
        linked_at: cells.time("linked_at")?,
    })
}
