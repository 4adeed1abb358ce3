//! Keeps to which user each identity at an identity provider belongs.

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use ticketing_ports::people::identities::{Identity, IdentityStore, LinkIdentityError};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;

use crate::PostgresUserStore;
use crate::cells::Cells;
use crate::errors::failed;

#[async_trait]
impl IdentityStore for PostgresUserStore {
    async fn link(&self, identity: Identity) -> Result<(), LinkIdentityError> {
        // If the identity is linked already, DO UPDATE changes nothing in its row, but makes RETURNING answer with
        // that row, so that the caller learns which user linked the identity first.
        let owner: uuid::Uuid = sqlx::query_scalar(
            "INSERT INTO identities (issuer, subject, user_id, linked_at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (issuer, subject) DO UPDATE SET issuer = excluded.issuer
             RETURNING user_id",
        )
        .bind(identity.issuer)
        .bind(identity.subject)
        .bind(identity.user_id.uuid())
        .bind(identity.linked_at)
        .fetch_one(&self.pool)
        .await
        .map_err(failed)?;
        if owner == identity.user_id.uuid() {
            Ok(())
        } else {
            Err(LinkIdentityError::Taken)
        }
    }

    async fn find(&self, issuer: &str, subject: &str) -> Result<Option<Identity>, StoreError> {
        let row = sqlx::query(
            "SELECT issuer, subject, user_id, linked_at
             FROM identities
             WHERE issuer = $1 AND subject = $2",
        )
        .bind(issuer)
        .bind(subject)
        .fetch_optional(&self.pool)
        .await
        .map_err(failed)?;
        row.as_ref().map(identity_from).transpose()
    }

    async fn identities_of(&self, user: UserId) -> Result<Vec<Identity>, StoreError> {
        let rows = sqlx::query(
            "SELECT issuer, subject, user_id, linked_at
             FROM identities
             WHERE user_id = $1
             ORDER BY linked_at, issuer, subject",
        )
        .bind(user.uuid())
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        rows.iter().map(identity_from).collect()
    }
}

fn identity_from(row: &PgRow) -> Result<Identity, StoreError> {
    let cells = Cells {
        row,
        table: "identities",
        key: "user_id",
    };
    Ok(Identity {
        issuer: cells.get("issuer")?,
        subject: cells.get("subject")?,
        user_id: UserId::new(cells.get("user_id")?),
        linked_at: cells.get("linked_at")?,
    })
}
