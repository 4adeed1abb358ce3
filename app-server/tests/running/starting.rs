//! How a server starts while something that it needs is slow or down.

use anyhow::Context as _;
use app_server::config::CommandLine;
use app_server::serve::{Listeners, Serving};
use app_server::wiring::RunningServer;
use axum::Router;
use test_services::{OwnedBroker, OwnedRedis};

use crate::support::readiness::readiness;
use crate::support::services::{Places, fresh_databases, installed};
use crate::support::waiting::PATIENCE;
use crate::support::{Installation, Server};
use crate::{Process, get};

/// A port on which nobody listens: `discard` is assigned to a service that nobody runs any more.
const NOBODY: &str = "127.0.0.1:9";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_with_its_log_alone_and_says_what_it_waits_for() {
    let story = async {
        let folder = tempfile::tempdir()?;
        let database = format!("postgres://nobody@{NOBODY}/box_office");
        let installation = Installation::embedded(folder.path())
            .with("DATABASE_URL_PROJECTIONS", &database)
            .with("DATABASE_URL_AUTH", &database)
            .with("REDIS_URL", &format!("redis://{NOBODY}"))
            .with("REDPANDA_BROKERS", NOBODY);
        let mut process = Process::start(&installation, &["serve"])?;
        let url = process.url()?;
        assert_eq!(get(&url, "/health").await?.0, 200);
        let (status, ready) = get(&url, "/health/ready").await?;
        assert_eq!((status, &ready["status"]), (503, &"unavailable".into()), "{ready}");
        for (check, healthy) in [
            ("event_store", true),
            ("database_projections", false),
            ("database_auth", false),
            ("redis", false),
            ("event_bus", false),
        ] {
            assert_eq!(ready["checks"][check]["healthy"], healthy, "{check}: {ready}");
        }
        for line in [
            "only health checks are answered",
            "a database does not answer",
            "Redis does not answer",
            "no broker of the bus answers",
        ] {
            process.says(line)?;
        }
        anyhow::Ok(())
    };
    story.await.expect("the server starts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_names_a_database_which_does_not_exist_says_so_and_does_not_start() {
    let story = async {
        let postgres = test_services::postgres().await?;
        let database = postgres.fresh_database("gone").await?;
        let (before, name) = database.rsplit_once('/').context("the URL names a database")?;
        let folder = tempfile::tempdir()?;
        let installation =
            Installation::embedded(folder.path()).with("DATABASE_URL_AUTH", &format!("{before}/no_{name}"));
        let mut process = Process::start(&installation, &["serve"])?;
        let (why, code) = process.end()?;
        assert_eq!(code, Some(1), "{why}");
        assert!(why.contains("does not exist"), "{why}");
        anyhow::Ok(())
    };
    story.await.expect("the server says why it does not start");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_started_without_redis_and_a_broker_is_well_once_they_come() {
    let story = async {
        let (redis, broker) = (OwnedRedis::start().await?, OwnedBroker::start().await?);
        let installation = installed(&Places {
            databases: fresh_databases().await?,
            redis: redis.url().to_owned(),
            brokers: broker.bootstrap().to_owned(),
        })?;
        // The facts of this demonstration wait in the log: the relay of the next server publishes them.
        Server::start(&installation, 1)?.kill()?;
        redis.kill().await?;
        broker.kill().await?;
        let mut process = Process::start(&installation, &["serve"])?;
        let url = process.url()?;
        let (status, ready) = get(&url, "/health/ready").await?;
        assert_eq!(status, 503, "{ready}");
        redis.start_again().await?;
        readiness(&url, |status, ready| status == 200 && ready["status"] == "degraded").await?;
        broker.start_again().await?;
        readiness(&url, |status, ready| status == 200 && ready["status"] == "healthy").await
    };
    story.await.expect("the server uses what has come");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_alive_while_it_still_starts_and_ready_after_that() {
    let story = async {
        let line = [
            "app-server",
            "serve",
            "--database-url-events",
            "memory:",
            "--http-addr",
            "127.0.0.1:0",
        ];
        let settings = CommandLine::read(line.map(Into::into))
            .expect("the settings can be used")
            .settings;
        let listeners = Listeners::bind(&settings).await?;
        let url = format!("http://{}", listeners.address()?);
        let serving = Serving::begin(&settings, listeners).await?;
        assert_eq!(get(&url, "/health").await?.0, 200);
        let (status, ready) = get(&url, "/health/ready").await?;
        assert_eq!((status, &ready["status"]), (503, &"starting".into()), "{ready}");
        let (status, early) = get(&url, "/api/events").await?;
        assert_eq!((status, &early["code"]), (503, &"UNAVAILABLE".into()), "{early}");

        let server = RunningServer::start(&settings, &url, serving.capacity(), serving.stopping()).await?;
        serving.open(&settings, &server, Router::new());
        readiness(&url, |status, _| status == 200).await?;
        assert_eq!(get(&url, "/api/events").await?.0, 200);
        server.stop(PATIENCE).await;
        anyhow::Ok(())
    };
    story.await.expect("the server answers health checks while it starts");
}
