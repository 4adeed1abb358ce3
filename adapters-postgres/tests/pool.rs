//! Tests what a database says about its pool of connections.

mod support;

use std::time::Duration;

use adapters_postgres::{Database, DatabaseOptions, PoolUse, Purpose};
use sqlx::{Connection as _, PgConnection};

/// How long a connection may take until it is back in its pool.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_pool_says_how_many_connections_are_in_use_and_how_many_there_may_be() {
    let database = support::fresh(Purpose::Auth).await;
    let first = database.pool().acquire().await.unwrap();
    let second = database.pool().acquire().await.unwrap();
    let in_use = database.pool_use();
    assert_eq!((in_use.active, in_use.max), (2, 20));
    drop((first, second));
    // A connection goes back to the pool in a task of its own.
    let given_back = async {
        while database.pool_use().active > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, given_back).await;
    in_time.expect("the connections go back to the pool");
    let PoolUse { idle, .. } = database.pool_use();
    assert_eq!(idle, in_use.idle + 2);
}

#[tokio::test]
async fn a_connection_that_the_server_has_ended_while_it_was_idle_is_not_used_again() {
    let url = support::fresh_url(Purpose::Auth).await;
    let options = DatabaseOptions {
        max_connections: 1,
        ping_idle_after: Duration::ZERO,
        ..DatabaseOptions::default()
    };
    let database = Database::connect(Purpose::Auth, &url, &options).await.unwrap();
    let pool = database.pool();
    let idle: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(pool)
        .await
        .unwrap();
    let mut other = PgConnection::connect(&url).await.unwrap();
    let ended: bool = sqlx::query_scalar("SELECT pg_terminate_backend($1, 10000)")
        .bind(idle)
        .fetch_one(&mut other)
        .await
        .unwrap();
    assert!(ended);
    let fresh: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(pool)
        .await
        .unwrap();
    assert_ne!(fresh, idle);
}
