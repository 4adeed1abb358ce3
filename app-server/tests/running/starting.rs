//! How a server starts while something that it needs is slow or down.

use app_server::config::CommandLine;
use app_server::serve::{Serving, listen};
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
        let log = process.log();
        for line in [
            "only health checks are answered",
            "a database does not answer",
            "Redis does not answer",
            "no broker of the bus answers",
        ] {
            assert!(log.contains(line), "{line}: {log}");
        }
        anyhow::Ok(())
    };
    story.await.expect("the server starts");
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
        let listener = listen(&settings.http).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let serving = Serving::begin(&settings, listener).await?;
        assert_eq!(get(&url, "/health").await?.0, 200);
        let (status, ready) = get(&url, "/health/ready").await?;
        assert_eq!((status, &ready["status"]), (503, &"starting".into()), "{ready}");
        let (status, early) = get(&url, "/api/events").await?;
        assert_eq!((status, &early["code"]), (503, &"UNAVAILABLE".into()), "{early}");

        let server = RunningServer::start(&settings, &url, serving.stopping()).await?;
        serving.open(&settings, &server, Router::new());
        readiness(&url, |status, _| status == 200).await?;
        assert_eq!(get(&url, "/api/events").await?.0, 200);
        server.stop(PATIENCE).await;
        anyhow::Ok(())
    };
    story.await.expect("the server answers health checks while it starts");
}
