//! What a caller can do about an error of PostgreSQL: try again, or have the data or the database repaired.

use ticketing_ports::vocabulary::errors::StoreError;

/// Returns the error of a failed write. A value that the server will never accept is `Inconsistent`, since it does not help to try
/// again.
pub(crate) fn refused(error: sqlx::Error, table: &'static str) -> StoreError {
    // Classes of SQLSTATE: 22 is a data exception, 23 a violated constraint.
    let message = error.as_database_error().and_then(|error| {
        let code = error.code()?;
        (code.starts_with("22") || code.starts_with("23")).then(|| error.message().to_owned())
    });
    match message {
        Some(message) => StoreError::Inconsistent {
            table,
            column: "*",
            row: format!("one of those in the statement ({message})"),
        },
        None => StoreError::unavailable(error),
    }
}
