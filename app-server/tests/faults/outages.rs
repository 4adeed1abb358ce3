//! A service that a server uses goes away and comes back.

use std::time::{Duration, Instant};

use test_services::{OwnedBroker, OwnedPostgres, OwnedRedis};

use crate::on_sale::{IN_FULL_SWING, databases_of, on_sale_with, shared_redis};
use crate::support::services::{Places, brokers, installed};

/// How long the broker is away: long enough for its clients to give up on it.
const OUTAGE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_is_killed_and_comes_back() {
    let story = async {
        let postgres = OwnedPostgres::start().await?;
        let installation = installed(&Places {
            databases: databases_of(&postgres).await?,
            redis: shared_redis().await?,
            brokers: brokers().await?,
        })?;
        on_sale_with(&installation, async |_, load| {
            postgres.kill().await?;
            postgres.start_again().await?;
            load.wait_for_sales(IN_FULL_SWING)
        })
        .await
    };
    story.await.expect("the books are right");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_killed_and_comes_back() {
    let story = async {
        let postgres = OwnedPostgres::start().await?;
        let redis = OwnedRedis::start().await?;
        let installation = installed(&Places {
            databases: databases_of(&postgres).await?,
            redis: redis.url().to_owned(),
            brokers: brokers().await?,
        })?;
        on_sale_with(&installation, async |_, load| {
            redis.restart().await?;
            load.wait_for_sales(IN_FULL_SWING)
        })
        .await
    };
    story.await.expect("the books are right");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_is_away_for_half_a_minute_and_nobody_notices_but_the_readers() {
    let story = async {
        let postgres = OwnedPostgres::start().await?;
        let broker = OwnedBroker::start().await?;
        let installation = installed(&Places {
            databases: databases_of(&postgres).await?,
            redis: shared_redis().await?,
            brokers: broker.bootstrap().to_owned(),
        })?;
        on_sale_with(&installation, async |_, load| {
            broker.kill().await?;
            let gone = Instant::now();
            while gone.elapsed() < OUTAGE {
                // Sales go on without the broker.
                load.wait_for_sales(IN_FULL_SWING)?;
            }
            broker.start_again().await?;
            load.wait_for_sales(IN_FULL_SWING)
        })
        .await
    };
    story.await.expect("the books are right");
}
