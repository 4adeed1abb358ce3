//! Tests the PostgreSQL servers that this crate provides: the shared one, with a database for each test, and private
//! ones that a test breaks on purpose.

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use test_services::{OwnedPostgres, postgres};

#[tokio::test]
async fn every_test_gets_an_empty_database_of_its_own() {
    let server = postgres().await.unwrap();
    let first = server.fresh_database("First one!").await.unwrap();
    let second = server.fresh_database("First one!").await.unwrap();
    assert_ne!(first, second);
    for url in [&first, &second] {
        let mut connection = PgConnection::connect(url).await.unwrap();
        run(&mut connection, "CREATE TABLE seats (id int)").await;
    }
}

#[tokio::test]
async fn a_name_that_no_database_could_have_is_only_a_hint() {
    let server = postgres().await.unwrap();
    for hint in [
        "",
        "\"; DROP DATABASE postgres; --",
        "Überlänge, und noch viel mehr davon",
    ] {
        let url = server.fresh_database(hint).await.unwrap();
        PgConnection::connect(&url).await.unwrap();
    }
}

#[tokio::test]
async fn many_databases_can_be_made_at_once() {
    let server = postgres().await.unwrap();
    let made: Vec<_> = (0..10)
        .map(|_| {
            let server = server.clone();
            tokio::spawn(async move { server.fresh_database("race").await.unwrap() })
        })
        .collect();
    let mut urls = Vec::new();
    for url in made {
        urls.push(url.await.unwrap());
    }
    urls.sort();
    urls.dedup();
    assert_eq!(urls.len(), 10);
}

#[tokio::test]
async fn a_killed_server_comes_back_with_what_was_committed() {
    let server = OwnedPostgres::start().await.unwrap();
    let url = server.fresh_database("killed").await.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    run(&mut connection, "CREATE TABLE seats (id int)").await;
    run(&mut connection, "INSERT INTO seats VALUES (1), (2)").await;
    run(&mut connection, "BEGIN").await;
    run(&mut connection, "INSERT INTO seats VALUES (3)").await;

    server.kill().await.unwrap();
    assert!(sqlx::query("COMMIT").execute(&mut connection).await.is_err());
    assert!(PgConnection::connect(&url).await.is_err());

    server.start_again().await.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    assert_eq!(count(&mut connection).await, 2);
}

#[tokio::test]
async fn a_server_can_be_stopped_and_started_again_and_again() {
    let server = OwnedPostgres::start().await.unwrap();
    let mut connection = PgConnection::connect(server.url()).await.unwrap();
    run(&mut connection, "CREATE TABLE seats (id int)").await;
    for round in 1..=2 {
        run(&mut connection, "INSERT INTO seats VALUES (1)").await;
        server.stop().await.unwrap();
        server.stop().await.unwrap();
        assert!(PgConnection::connect(server.url()).await.is_err());
        server.start_again().await.unwrap();
        server.start_again().await.unwrap();
        connection = PgConnection::connect(server.url()).await.unwrap();
        assert_eq!(count(&mut connection).await, round);
    }
    server.restart().await.unwrap();
    PgConnection::connect(server.url()).await.unwrap();
}

async fn run(connection: &mut PgConnection, statement: &str) {
    sqlx::query(AssertSqlSafe(statement.to_owned()))
        .execute(connection)
        .await
        .expect("the statement is valid");
}

async fn count(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM seats")
        .fetch_one(connection)
        .await
        .expect("the table exists")
}
