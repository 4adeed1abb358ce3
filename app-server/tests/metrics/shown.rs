//! Where metrics are shown, and to whom.

use std::net::TcpListener;
use std::time::Duration;

use anyhow::ensure;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::scrape::{Scrape, ask, metrics_of};
use crate::support::process::Process;
use crate::support::{Installation, Server};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_shows_no_metrics_unless_it_is_told_to() {
    let story = async {
        let folder = tempfile::tempdir()?;
        let server = Server::start(&Installation::embedded(folder.path()), 1)?;
        assert_eq!(
            ask(&format!("{}/metrics", server.local_url()), None).await?.status(),
            404
        );
        assert!(!server.log().contains("metrics are shown"));
        anyhow::Ok(())
    };
    story.await.expect("nothing is shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_of_its_own_shows_metrics_that_the_address_of_the_api_hides() {
    let story = async {
        let folder = tempfile::tempdir()?;
        let installation = Installation::embedded(folder.path()).with("METRICS_ADDR", "127.0.0.1:0");
        let server = Server::start(&installation, 1)?;
        assert_eq!(
            ask(&format!("{}/metrics", server.local_url()), None).await?.status(),
            404
        );
        let address = metrics_of(&server)?;
        let shown = Scrape::of(&address).await?;
        assert_eq!(shown.value("reservations_created_total"), Some(0.0));
        let unknown = r#"http_requests_total{method="GET",path="unknown",status="404"}"#;
        assert_eq!(shown.value(unknown), Some(1.0), "{}", shown.text);
        assert_eq!(ask(&format!("http://{address}/api/events"), None).await?.status(), 404);
        anyhow::Ok(())
    };
    story.await.expect("the metrics are at their own address");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_token_both_addresses_show_metrics_to_whoever_has_it() {
    let story = async {
        let folder = tempfile::tempdir()?;
        let installation = Installation::embedded(folder.path())
            .with("METRICS_ADDR", "127.0.0.1:0")
            .with("METRICS_TOKEN", TOKEN);
        let server = Server::start(&installation, 1)?;
        let own = format!("http://{}/metrics", metrics_of(&server)?);
        for url in [own, format!("{}/metrics", server.local_url())] {
            assert_eq!(ask(&url, None).await?.status(), 401, "{url}");
            assert_eq!(
                ask(&url, Some("another-token-of-32-characters!!")).await?.status(),
                401,
                "{url}"
            );
            let answer = ask(&url, Some(TOKEN)).await?;
            assert_eq!(answer.status(), 200, "{url}");
            assert!(answer.text().await?.contains("reservations_created_total 0"), "{url}");
        }
        assert!(!server.log().contains(TOKEN), "the token is in the log");
        anyhow::Ok(())
    };
    story.await.expect("the token opens both addresses");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_networks_that_are_refused_get_no_metrics_at_the_address_of_the_api() {
    let story = async {
        let folder = tempfile::tempdir()?;
        let installation = Installation::embedded(folder.path())
            .with("METRICS_TOKEN", TOKEN)
            .with("BLOCKED_NETWORKS", "127.0.0.0/8,::1/128");
        let mut process = Process::start(&installation, &["serve"])?;
        let url = format!("{}/metrics", process.url()?);
        assert_eq!(ask(&url, Some(TOKEN)).await?.status(), 403);
        anyhow::Ok(())
    };
    story.await.expect("the list of networks holds for the metrics");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_at_the_address_of_the_metrics_is_sent_away() {
    let story = async {
        let folder = tempfile::tempdir()?;
        let installation = Installation::embedded(folder.path())
            .with("METRICS_ADDR", "127.0.0.1:0")
            .with("HEAD_TIMEOUT_SECONDS", "1");
        let server = Server::start(&installation, 1)?;
        let mut silent = TcpStream::connect(metrics_of(&server)?).await?;
        let closed = tokio::time::timeout(Duration::from_secs(30), silent.read(&mut [0])).await;
        ensure!(closed?? == 0, "bytes came");
        anyhow::Ok(())
    };
    story.await.expect("the connection is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_address_for_metrics_is_taken_begins_nothing() {
    let story = async {
        let folder = tempfile::tempdir()?;
        let taken = TcpListener::bind("127.0.0.1:0")?;
        let address = taken.local_addr()?.to_string();
        let installation = Installation::embedded(folder.path()).with("METRICS_ADDR", &address);
        let mut process = Process::start(&installation, &["serve"])?;
        let (why, code) = process.end()?;
        assert_eq!(code, Some(1));
        ensure!(why.contains("--metrics-addr (METRICS_ADDR): cannot listen on"), "{why}");
        ensure!(!process.log().contains("starting"), "{}", process.log());
        anyhow::Ok(())
    };
    story.await.expect("the server says why it does not start");
}
