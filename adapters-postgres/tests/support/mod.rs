//! An empty, migrated database for each test.

use adapters_postgres::{Database, DatabaseOptions, Purpose};

pub(crate) async fn fresh(purpose: Purpose) -> Database {
    let postgres = test_services::postgres().await.expect("PostgreSQL is there");
    let url = postgres
        .fresh_database(purpose.as_str())
        .await
        .expect("a database can be made");
    let options = DatabaseOptions {
        max_connections: 20,
        ..DatabaseOptions::default()
    };
    let database = Database::connect(purpose, &url, &options)
        .await
        .expect("the database can be reached");
    database.migrate().await.expect("an empty database can be migrated");
    database
}
