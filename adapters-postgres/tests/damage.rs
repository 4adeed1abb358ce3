//! Tests which error a caller gets when PostgreSQL finds that a page or an index is damaged.

use std::time::Duration;

use adapters_postgres::{Database, DatabaseOptions, PostgresEventStore, PostgresUserStore, Purpose};
use ticketing_ports::log::event_store::EventStore as _;
use ticketing_ports::people::users::UserStore as _;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use uuid::Uuid;

/// Makes a database in which every read of `table` fails with the SQLSTATE `code`, as a read of a damaged page does.
async fn failing(purpose: Purpose, table: &str, code: &str) -> Database {
    let postgres = test_services::postgres()
        .await
        .expect("the PostgreSQL server of the tests answers");
    let url = postgres
        .fresh_database(purpose.as_str())
        .await
        .expect("a database can be made");
    let options = DatabaseOptions {
        acquire_timeout: Duration::from_secs(30),
        ..DatabaseOptions::default()
    };
    let database = Database::connect(purpose, &url, &options)
        .await
        .expect("the database can be reached");
    database.migrate().await.expect("an empty database can be migrated");
    let script = format!(
        "CREATE FUNCTION fail() RETURNS boolean LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'invalid page in block 0' USING ERRCODE = '{code}'; END $$;
         ALTER TABLE {table} RENAME TO {table}_before;
         CREATE VIEW {table} AS SELECT * FROM {table}_before WHERE fail() OFFSET 0"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(script))
        .execute(database.pool())
        .await
        .expect("the table can be hidden behind a view");
    database
}

#[tokio::test]
async fn a_damaged_page_or_index_is_damage_and_does_not_pass() {
    for code in ["XX001", "XX002"] {
        let events = PostgresEventStore::new(&failing(Purpose::Events, "log_head", code).await);
        let error = events.head().await.expect_err("the table fails");
        assert!(matches!(error, StoreError::Damaged(_)), "{code}: {error:?}");
        assert!(!error.is_transient());
    }
}

#[tokio::test]
async fn any_other_error_of_the_server_may_pass() {
    let events = PostgresEventStore::new(&failing(Purpose::Events, "log_head", "53100").await);
    let error = events.head().await.expect_err("the table fails");
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn damage_reaches_each_caller_who_waited_for_the_same_statement() {
    let database = failing(Purpose::Auth, "users", "XX001").await;
    sqlx::query("INSERT INTO users_before VALUES (gen_random_uuid(), 'ada@example.com', 'customer', now())")
        .execute(database.pool())
        .await
        .expect("a user can be added to the table itself");
    let users = PostgresUserStore::new(&database);
    let id = |number| UserId::new(Uuid::from_u128(number));
    let (one, another) = tokio::join!(users.find(id(1)), users.find(id(2)));
    for found in [one, another] {
        let error = found.expect_err("the table fails");
        assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
    }
}
