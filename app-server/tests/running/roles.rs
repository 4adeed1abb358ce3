//! The roles that a process can have, and what it does in each.

use crate::support::services::shared;
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
            assert_eq!(get(&url, "/health/ready").await?.0, 200);
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
async fn without_http_a_process_answers_nothing_but_how_it_is() {
    let story = async {
        let installation = shared().await?;
        for (role, check) in [("relay", "relay"), ("projections", "projections")] {
            let mut process = Process::start(&installation, &["serve", "--roles", role])?;
            let url = process.url()?;
            assert_eq!(get(&url, "/health").await?.0, 200);
            let (status, ready) = get(&url, "/health/ready").await?;
            assert_eq!(status, 200, "{ready}");
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
