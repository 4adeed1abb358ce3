//! Tests what a database says about its pool of connections.

mod support;

use std::time::Duration;

use adapters_postgres::{PoolUse, Purpose};

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
