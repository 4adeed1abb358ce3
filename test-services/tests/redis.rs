//! Tests the Redis servers that this crate provides: the shared one, with keys of its own for each test, and private
//! ones that a test breaks on purpose.

use redis::{Client, Commands, Connection};
use test_services::{OwnedRedis, redis as shared};

#[tokio::test]
async fn two_databases_do_not_see_each_other_and_begin_empty() {
    let server = shared().await.unwrap();
    let first = server.fresh_database().await.unwrap();
    let second = server.fresh_database().await.unwrap();
    assert_ne!(first.url(), second.url());

    let () = connect(first.url()).set("seat", 1).unwrap();
    let seen: Option<i32> = connect(second.url()).get("seat").unwrap();

    assert_eq!(seen, None);
}

#[tokio::test]
async fn a_database_that_was_given_back_holds_nothing_for_the_next_test() {
    let server = shared().await.unwrap();
    let first = server.fresh_database().await.unwrap();
    let url = first.url().to_owned();
    let () = connect(&url).set("left behind", 1).unwrap();

    drop(first);

    let seen: Option<i32> = connect(&url).get("left behind").unwrap();
    assert_eq!(seen, None);
}

#[tokio::test]
async fn no_two_prefixes_are_alike() {
    let server = shared().await.unwrap();
    assert_ne!(server.fresh_prefix("sessions"), server.fresh_prefix("sessions"));
}

#[tokio::test]
async fn a_killed_server_comes_back_with_what_it_acknowledged() {
    let server = OwnedRedis::start().await.unwrap();
    let mut connection = connect(server.url());
    let () = connection.set("seat", 12).unwrap();

    server.kill().await.unwrap();
    assert!(connection.get::<_, i32>("seat").is_err());

    server.start_again().await.unwrap();
    assert_eq!(connect(server.url()).get::<_, i32>("seat").unwrap(), 12);
}

#[tokio::test]
async fn a_stopped_server_refuses_until_it_is_started_again() {
    let server = OwnedRedis::start().await.unwrap();
    server.stop().await.unwrap();
    let client = Client::open(server.url()).unwrap();
    assert!(client.get_connection().is_err());
    server.start_again().await.unwrap();
    server.restart().await.unwrap();
    connect(server.url());
}

fn connect(url: &str) -> Connection {
    let client = Client::open(url).expect("the URL is valid");
    client.get_connection().expect("the server is up")
}
