use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::Edge;
use crate::wire::HEALTH;

/// Much shorter than the 30 seconds for which a server waits for running requests by default.
const AT_ONCE: Duration = Duration::from_secs(12);

#[tokio::test(flavor = "multi_thread")]
async fn a_server_does_not_wait_for_half_a_head_or_an_idle_connection() {
    let story = async {
        // No time limit of a connection may be over before the server has to be.
        let mut edge = Edge::start(&[("HEAD_TIMEOUT_SECONDS", "300"), ("KEEP_ALIVE_SECONDS", "3600")])?;
        let mut half = edge.connect().await?;
        half.send("POST /api/reservations HTTP/1.1\r\nHost: ").await?;
        let mut second_half = edge.connect().await?;
        ensure!(second_half.ask(HEALTH).await?.status == 200);
        second_half.send("GET /hea").await?;
        let silent = edge.connect().await?;
        let mut idle = edge.connect().await?;
        ensure!(idle.ask(HEALTH).await?.status == 200);
        let began = Instant::now();
        edge.process.signal("TERM")?;
        let ended = edge.process.ends_within(AT_ONCE)?;
        ensure!(ended.success(), "{ended} after {:?}", began.elapsed());
        drop((half, second_half, silent, idle));
        anyhow::Ok(())
    };
    story.await.expect("the server ends at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_running_is_answered_and_its_connection_closed() {
    let story = async {
        let mut edge = Edge::start(&[])?;
        let mut running = edge.connect().await?;
        running.begin_a_body().await?;
        edge.process.signal("TERM")?;
        edge.process.says("stopping")?;
        let answered = running.end_the_body().await?;
        answered.is_refused(400, "INVALID_REQUEST")?;
        ensure!(answered.header("connection") == Some("close"), "{}", answered.head);
        let ended = edge.process.ends_within(AT_ONCE)?;
        ensure!(ended.success(), "{ended}");
        let refused = edge.connect().await;
        ensure!(refused.is_err(), "a stopped server accepts connections");
        anyhow::Ok(())
    };
    story.await.expect("running requests are finished");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_holds_a_server_no_longer_than_its_patience() {
    let story = async {
        let mut edge = Edge::start(&[("SHUTDOWN_SECONDS", "1")])?;
        let mut endless = edge.connect().await?;
        endless.begin_a_body().await?;
        edge.process.signal("TERM")?;
        edge.process.ends_within(AT_ONCE)?;
        let log = edge.process.log();
        ensure!(log.contains("stopped before every request was finished"), "{log}");
        anyhow::Ok(())
    };
    story.await.expect("the server ends when its patience does");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_a_server_at_once() {
    let story = async {
        for (first, second) in [("TERM", "TERM"), ("INT", "INT"), ("TERM", "INT")] {
            let mut edge = Edge::start(&[("SHUTDOWN_SECONDS", "600")])?;
            let mut endless = edge.connect().await?;
            endless.begin_a_body().await?;
            edge.process.signal(first)?;
            edge.process.says("stopping")?;
            edge.process.signal(second)?;
            let ended = edge.process.ends_within(AT_ONCE)?;
            ensure!(ended.code() == Some(143), "{first} {second}: {ended}");
        }
        anyhow::Ok(())
    };
    story.await.expect("a second signal is enough");
}
