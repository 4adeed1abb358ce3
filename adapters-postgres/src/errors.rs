//! From what PostgreSQL refused to what a caller can do about it.

use ticketing_ports::vocabulary::errors::StoreError;

/// A value that the server will never take is inconsistent, however often it is tried; everything else may pass.
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
            row: format!("among those asked for ({message})"),
        },
        None => StoreError::unavailable(error),
    }
}
