//! The command `migrate`: brings the schemas of the databases up to date.

use adapters_postgres::{PostgresEventStore, Purpose};
use ticketing_runtime::finish_update;

use crate::config::{Migrate, StorageSettings};
use crate::storage::{connect, named_databases};

/// Migrates every PostgreSQL database that the settings name, finishes an update if `--finish` was given, and
/// returns one line about each database.
///
/// # Errors
/// When a database cannot be reached or migrated. The databases that come before that one in the list have been
/// migrated by then.
pub async fn migrate(settings: &StorageSettings, wanted: Migrate) -> anyhow::Result<String> {
    let databases = named_databases(settings);
    if databases.is_empty() {
        return Ok("no PostgreSQL database is set: an SQLite file is migrated when it is opened".to_owned());
    }
    let mut lines = Vec::new();
    for (purpose, url) in databases {
        let database = connect(purpose, url, settings).await?;
        let migrations = database.migrate().await?;
        // True if every migration was applied just now. On a log that has just been made no older build can be
        // running, so the newest facts may be written at once.
        let is_new = migrations == purpose.migrations();
        let line = match migrations {
            0 => format!("{}: up to date", purpose.as_str()),
            1 => format!("{}: 1 migration applied", purpose.as_str()),
            migrations => format!("{}: {migrations} migrations applied", purpose.as_str()),
        };
        lines.push(line);
        if purpose == Purpose::Events && (wanted.finish || is_new) {
            let floor = finish_update(&PostgresEventStore::new(&database)).await?;
            lines.extend(
                wanted
                    .finish
                    .then(|| format!("events: all facts up to generation {floor} are written from now on")),
            );
        }
        database.close().await;
    }
    Ok(lines.join("\n"))
}
