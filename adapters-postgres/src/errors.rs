//! Turns errors of PostgreSQL into errors that tell a caller what to do: try again, or have the data or the database
//! repaired.

use std::sync::Arc;

use ticketing_ports::vocabulary::errors::StoreError;

/// The SQLSTATEs `data_corrupted` and `index_corrupted`: a page or an index is damaged, since its content is not what
/// PostgreSQL has written.
const DAMAGE: [&str; 2] = ["XX001", "XX002"];

/// Returns the error of a failed statement: `Damaged` if the database has to be repaired first, else `Unavailable`.
pub(crate) fn failed(error: sqlx::Error) -> StoreError {
    if is_damage(&error) {
        StoreError::Damaged(error.into())
    } else {
        StoreError::unavailable(error)
    }
}

/// Returns what `failed` returns, for one of several callers that share the error of one statement.
pub(crate) fn failed_for_one(error: &Arc<sqlx::Error>) -> StoreError {
    let shared = Arc::clone(error);
    if is_damage(error) {
        StoreError::Damaged(shared.into())
    } else {
        StoreError::unavailable(shared)
    }
}

fn is_damage(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| DAMAGE.contains(&code.as_ref()))
}

/// Returns the error of a failed write. The error is `Inconsistent` if the server will never accept a value, so that
/// trying again does not help.
pub(crate) fn refused(error: sqlx::Error, table: &'static str) -> StoreError {
    // SQLSTATEs that begin with 22 are data exceptions, and those that begin with 23 violated constraints.
    let message = error.as_database_error().and_then(|error| {
        let code = error.code()?;
        (code.starts_with("22") || code.starts_with("23")).then(|| error.message().to_owned())
    });
    match message {
        Some(message) => StoreError::Inconsistent {
            table,
            column: "*",
            row: format!("a row that the statement writes; PostgreSQL says: {message}"),
        },
        None => failed(error),
    }
}
