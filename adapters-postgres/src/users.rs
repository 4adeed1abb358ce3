//! People with an account.

use async_trait::async_trait;
use sqlx::postgres::PgPool;
use ticketing_ports::people::users::{CreateUserError, User, UserStore};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::Role;

use crate::database::Database;
use crate::errors::failed;
use crate::user_loader::{UserLoader, user_from};

/// The store of users, their passkeys and their identities at providers.
#[derive(Debug, Clone)]
pub struct PostgresUserStore {
    pub(crate) pool: PgPool,
    loader: UserLoader,
}

impl PostgresUserStore {
    /// Uses the database of [`Purpose::Auth`](crate::Purpose::Auth), which has been migrated.
    pub fn new(database: &Database) -> Self {
        Self {
            pool: database.pool().clone(),
            loader: UserLoader::default(),
        }
    }
}

#[async_trait]
impl UserStore for PostgresUserStore {
    async fn create(&self, user: User) -> Result<(), CreateUserError> {
        let done = sqlx::query(
            "INSERT INTO users (user_id, email, role, created_at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(user.id.uuid())
        .bind(user.email.as_str())
        .bind(user.role.as_str())
        .bind(user.created_at)
        .execute(&self.pool)
        .await
        .map_err(failed)?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(CreateUserError::Taken)
        }
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.loader.find(&self.pool, id).await
    }

    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StoreError> {
        let row = sqlx::query("SELECT user_id, email, role, created_at FROM users WHERE email = $1")
            .bind(email.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        row.as_ref().map(user_from).transpose()
    }

    async fn set_role(&self, id: UserId, role: Role) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE users SET role = $2 WHERE user_id = $1")
            .bind(id.uuid())
            .bind(role.as_str())
            .execute(&self.pool)
            .await
            .map_err(failed)?;
        Ok(done.rows_affected() == 1)
    }
}
