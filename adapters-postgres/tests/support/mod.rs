//! Gives each test an empty, migrated database of its own.

use std::time::Duration;

use adapters_postgres::{Database, DatabaseOptions, Purpose};

pub(crate) async fn fresh(purpose: Purpose) -> Database {
    connect(purpose, &fresh_url(purpose).await).await
}

/// Returns the URL of a new database, for tests in which several processes use it.
pub(crate) async fn fresh_url(purpose: Purpose) -> String {
    let postgres = test_services::postgres()
        .await
        .expect("the PostgreSQL server of the tests answers");
    let url = postgres
        .fresh_database(purpose.as_str())
        .await
        .expect("a database can be made");
    let database = connect(purpose, &url).await;
    database.migrate().await.expect("an empty database can be migrated");
    database.close().await;
    url
}

/// Opens a pool of its own to the database, as another process would.
pub(crate) async fn connect(purpose: Purpose, url: &str) -> Database {
    let options = DatabaseOptions {
        max_connections: 20,
        // The wait for a connection is long, so that no test fails only because the machine is busy.
        acquire_timeout: Duration::from_secs(30),
        ..DatabaseOptions::default()
    };
    Database::connect(purpose, url, &options)
        .await
        .expect("the database can be reached")
}
