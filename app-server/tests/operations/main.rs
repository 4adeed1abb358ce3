//! What an operator does to the services of a server, and how the server reacts.

#[path = "../support/mod.rs"]
mod support;

mod restored;

use anyhow::ensure;
use serde_json::Value;
use sqlx::PgPool;
use support::Server;
use support::readiness::readiness;
use support::services::{Places, brokers, fresh_databases, installed, shared};
use support::waiting::Patience;
use test_services::OwnedBroker;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_refuses_to_start_on_a_schema_that_was_not_migrated() {
    let postgres = test_services::postgres().await.expect("the tests can use PostgreSQL");
    let mut installation = shared().await.expect("the tests can use the services");
    let fresh = postgres.fresh_database("events").await.expect("a database can be made");
    installation.set("DATABASE_URL_EVENTS", &fresh);
    let refused = installation
        .run(&["serve"])
        .expect_err("a server cannot start on a database without tables");
    assert!(refused.to_string().contains("run `app-server migrate`"), "{refused}");
    installation
        .run(&["migrate"])
        .expect("an empty database can be migrated");
    let again = installation.run(&["migrate"]).expect("migrating twice is no error");
    assert!(again.contains("events: up to date"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_checkpoint_says_of_which_log_and_commit_it_is() {
    let installation = shared().await.expect("the tests can use the services");
    for (database, table) in [
        ("DATABASE_URL_PROJECTIONS", "read_models.checkpoint"),
        ("DATABASE_URL_ANALYTICS", "checkpoint"),
    ] {
        let url = installation
            .variable(database)
            .expect("the installation has the variable");
        let pool = PgPool::connect(url).await.expect("the database can be reached");
        let mark = format!("SELECT position, log_id, commit_id FROM {table} WHERE id");
        let marks = sqlx::query(sqlx::AssertSqlSafe(mark)).fetch_all(&pool).await;
        assert_eq!(marks.expect("the checkpoint can be read").len(), 1, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_cannot_be_projected_is_parked_shown_and_tried_again() {
    let story = async {
        let installation = shared().await?;
        let server = Server::start(&installation, 1)?;
        let event = server.event.clone();
        drop(server);
        let log = PgPool::connect(installation.variable("DATABASE_URL_EVENTS")?).await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "INSERT INTO events (position, stream_id, aggregate_type, lane_kind, lane_id, version, event_type,
                                 event_version, event_data, commit_id, recorded_at)
             SELECT head.position + 1, stream_id, aggregate_type, lane_kind, lane_id, max(version) + 1, 'SalesClosed',
                    1, 'nonsense', gen_random_uuid(), now()
             FROM log_head AS head, events WHERE stream_id = '{event}'
             GROUP BY head.position, stream_id, aggregate_type, lane_kind, lane_id;
             UPDATE log_head SET position = position + 1;"
        )))
        .execute(&log)
        .await?;
        let server = Server::start(&installation, 1)?;
        let patience = Patience::new();
        let mut listed = String::new();
        while !listed.contains("SalesClosed") {
            patience
                .pause(|| format!("no fact became a dead letter: {listed}"))
                .await?;
            listed = installation.run(&["dead-letters", "list"])?;
        }
        readiness(&server.local_url(), |status, ready| {
            let letters = &ready["checks"]["dead_letters"]["healthy"];
            status == 200 && ready["status"] == "degraded" && letters == false
        })
        .await?;
        let position = listed.split(' ').next().unwrap_or_default().to_owned();
        let shown = installation.run(&["dead-letters", "show", &position])?;
        ensure!(shown.contains("nonsense") && shown.contains(&event), "{shown}");
        let still = installation
            .run(&["dead-letters", "retry"])
            .expect_err("the fact still cannot be applied");
        ensure!(
            still.to_string().contains("cannot be projected, the first at position"),
            "{still}"
        );

        sqlx::raw_sql("UPDATE events SET event_data = '{}' WHERE event_data = 'nonsense'")
            .execute(&log)
            .await?;
        let retried = installation.run(&["dead-letters", "retry"])?;
        ensure!(retried.contains("every one can be projected"), "{retried}");
        let empty = installation.run(&["dead-letters", "list"])?;
        ensure!(empty.contains("no dead letters"), "{empty}");
        let unknown = installation
            .run(&["dead-letters", "drop", &position])
            .expect_err("the dead letter was dropped before");
        ensure!(unknown.to_string().contains("no dead letter at position"), "{unknown}");
        anyhow::Ok(())
    };
    story.await.expect("an operator can show, retry and drop dead letters");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_a_server_is_degraded_and_still_ready() {
    let story = async {
        let broker = OwnedBroker::start().await?;
        let installation = installed(&Places {
            databases: fresh_databases().await?,
            redis: test_services::redis().await?.url().to_owned(),
            brokers: broker.bootstrap().to_owned(),
        })?;
        ensure!(
            brokers().await? != broker.bootstrap(),
            "this test must not kill the broker that all tests share"
        );
        let server = Server::start(&installation, 1)?;
        let url = server.local_url();
        readiness(&url, |status, ready| {
            status == 200 && ready["checks"]["event_bus"]["healthy"] == true
        })
        .await?;
        broker.kill().await?;
        readiness(&url, |status, ready| {
            let error = &ready["checks"]["event_bus"]["error"];
            status == 200 && ready["status"] == "degraded" && *error != Value::Null
        })
        .await?;
        anyhow::Ok(())
    };
    story.await.expect("the server reports that it is degraded");
}
