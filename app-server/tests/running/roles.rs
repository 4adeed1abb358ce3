//! The roles that a process can have, and what it does in each.

use std::time::Duration;

use crate::support::databases::number;
use crate::support::readiness::readiness;
use crate::support::services::shared;
use crate::support::waiting::Patience;
use crate::support::{Installation, Server};
use crate::{Process, get};

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_server_answers_requests_in_its_one_role_also_on_a_log_with_facts() {
    let story = async {
        let folder = tempfile::tempdir()?;
        let installation = Installation::embedded(folder.path());
        for _ in 0..2 {
            let mut process = Process::start(&installation, &["serve", "--roles", "http"])?;
            let url = process.url()?;
            readiness(&url, |status, _| status == 200).await?;
            assert_eq!(get(&url, "/api/events").await?.0, 200);
            process.stop()?;
            Server::start(&installation, 1)?.stop()?;
        }
        anyhow::Ok(())
    };
    story.await.expect("the server plays its only role");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_log_has_no_work_for_the_other_roles_with_facts_or_without() {
    let story = async {
        let folder = tempfile::tempdir()?;
        let installation = Installation::embedded(folder.path());
        for _ in 0..2 {
            for role in ["relay", "projections", "analytics"] {
                let (line, code) = Process::start(&installation, &["serve", "--roles", role])?.end()?;
                assert_eq!(code, Some(2), "{role}: {line}");
                assert!(line.starts_with("app-server: --roles (ROLES): "), "{role}: {line}");
            }
            Server::start(&installation, 1)?.stop()?;
        }
        anyhow::Ok(())
    };
    story.await.expect("roles without work are refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demonstration_waits_longer_than_a_reader_for_the_process_that_makes_its_read_models() {
    let story = async {
        let installation = shared().await?;
        let mut demo = Process::start(&installation.clone().with("ROLES", "http,relay"), &["demo"])?;
        let opened = "SELECT count(*) FROM events WHERE event_type = 'SalesOpened'";
        let patience = Patience::new();
        while number(installation.variable("DATABASE_URL_EVENTS")?, opened).await? == 0 {
            patience.pause(|| demo.log()).await?;
        }
        // A reader waits for two seconds.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let mut projections = Process::start(&installation, &["serve", "--roles", "projections"])?;
        demo.url()?;
        demo.stop()?;
        projections.stop()
    };
    story.await.expect("the demonstration starts");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_http_a_process_answers_nothing_but_how_it_is() {
    let story = async {
        let installation = shared().await?;
        for (role, check) in [("relay", "relay"), ("projections", "projections")] {
            let mut process = Process::start(&installation, &["serve", "--roles", role])?;
            let url = process.url()?;
            assert_eq!(get(&url, "/health").await?.0, 200);
            let ready = readiness(&url, |status, _| status == 200).await?;
            assert_ne!(ready["checks"][check]["condition"], serde_json::Value::Null, "{ready}");
            for path in ["/api/events", "/docs", "/api/openapi.json", "/api/auth/me"] {
                let (status, body) = get(&url, path).await?;
                assert_eq!(status, 404, "{role}: {path}");
                assert_eq!(body["code"], "NOT_FOUND");
            }
            process.stop()?;
        }
        anyhow::Ok(())
    };
    story
        .await
        .expect("a process without the role http answers health checks only");
}
