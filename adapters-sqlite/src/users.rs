//! People with an account.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use ticketing_ports::people::users::{CreateUserError, User, UserStore};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::Role;

use crate::SqliteStore;
use crate::cells::Cells;
use crate::result_code::failed;

#[async_trait]
impl UserStore for SqliteStore {
    async fn create(&self, user: User) -> Result<(), CreateUserError> {
        let created = self
            .writer
            .run(move |connection| Box::pin(insert(connection, user)))
            .await?;
        if created { Ok(()) } else { Err(CreateUserError::Taken) }
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let row = sqlx::query("SELECT user_id, email, role, created_at FROM users WHERE user_id = ?")
            .bind(id.uuid().as_bytes().as_slice())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        row.as_ref().map(user_from).transpose()
    }

    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StoreError> {
        let row = sqlx::query("SELECT user_id, email, role, created_at FROM users WHERE email = ?")
            .bind(email.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        row.as_ref().map(user_from).transpose()
    }

    async fn set_role(&self, id: UserId, role: Role) -> Result<bool, StoreError> {
        self.writer
            .run(move |connection| Box::pin(update_role(connection, id, role)))
            .await
    }
}

/// Adds a user. Returns `false` if another user has the id or the email address already.
async fn insert(connection: &mut SqliteConnection, user: User) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO users (user_id, email, role, created_at)
         VALUES (?, ?, ?, ?)
         ON CONFLICT DO NOTHING",
    )
    .bind(user.id.uuid().as_bytes().as_slice())
    .bind(user.email.as_str())
    .bind(user.role.as_str())
    .bind(user.created_at.timestamp_micros())
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(done.rows_affected() == 1)
}

async fn update_role(connection: &mut SqliteConnection, id: UserId, role: Role) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE users SET role = ? WHERE user_id = ?")
        .bind(role.as_str())
        .bind(id.uuid().as_bytes().as_slice())
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(done.rows_affected() == 1)
}

fn user_from(row: &SqliteRow) -> Result<User, StoreError> {
    let cells = Cells {
        row,
        table: "users",
        key: "user_id",
    };
    Ok(User {
        id: UserId::new(cells.uuid("user_id")?),
        email: cells.parse("email", |email: &str| EmailAddress::parse(email).ok())?,
        role: cells.parse("role", Role::parse)?,
        created_at: cells.time("created_at")?,
    })
}
