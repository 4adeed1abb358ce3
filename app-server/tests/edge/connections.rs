use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::{Request, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::Edge;
use crate::support::process::Process;
use crate::support::waiting::Patience;
use crate::wire::{HEALTH, Wire};

const HALF_A_HEAD: &str = "GET /health HTTP/1.1\r\nHost: ";

/// Longer than the time limits that these tests set, and much shorter than those that a server has by default.
const SOON: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread")]
async fn silence_half_a_head_and_an_idle_connection_are_closed_when_their_time_is_over() {
    let story = async {
        let edge = Edge::start(&[("HEAD_TIMEOUT_SECONDS", "1"), ("KEEP_ALIVE_SECONDS", "2")])?;
        let mut silent = edge.connect().await?;
        let mut half = edge.connect().await?;
        half.send(HALF_A_HEAD).await?;
        let mut idle = edge.connect().await?;
        ensure!(idle.ask(HEALTH).await?.status == 200);
        let mut second_half = edge.connect().await?;
        ensure!(second_half.ask(HEALTH).await?.status == 200);
        second_half.send(HALF_A_HEAD).await?;
        let mut preface = edge.connect().await?;
        preface.send("PRI * HTTP/2.0\r\n").await?;
        for wire in [&mut silent, &mut half, &mut idle, &mut second_half, &mut preface] {
            let took = wire.closed().await?;
            ensure!(took < SOON, "closed after {took:?}");
        }
        anyhow::Ok(())
    };
    story.await.expect("every connection that waits is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_silent_connections_keep_nobody_waiting_on_a_server_with_256_descriptors() {
    let story = async {
        // Half heads stay open for longer than the test, so that only the server's making room lets somebody in.
        let edge = Edge::run(&[("HEAD_TIMEOUT_SECONDS", "300")], |installation| {
            Process::start_with_descriptors(256, installation)
        })?;
        edge.process.says("at most this many connections")?;
        let log = edge.process.log();
        ensure!(
            log.contains("connections=192") && log.contains("descriptors=256"),
            "{log}"
        );
        let mut silent = Vec::new();
        for number in 0..300 {
            let mut wire = edge.connect().await?;
            if number % 2 == 0 {
                wire.send(HALF_A_HEAD).await?;
            }
            silent.push(wire);
        }
        for _ in 0..20 {
            edge.finds_a_place().await?;
        }
        anyhow::Ok(())
    };
    story.await.expect("everybody else is answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_half_heads_cost_little_memory_and_no_head_may_be_larger() {
    let story = async {
        let edge = Edge::start(&[])?;
        ensure!(edge.connect().await?.ask(HEALTH).await?.status == 200);
        let before = memory(edge.process.id())?;
        let half = format!("{HALF_A_HEAD}{}", "x".repeat(15_000));
        let mut wires = Vec::new();
        for _ in 0..500 {
            let mut wire = edge.connect().await?;
            wire.send(&half).await?;
            wires.push(wire);
        }
        // The last one was read when its head is answered as too large.
        let last = wires.last_mut().context("a connection")?;
        last.ask("x".repeat(300_000)).await?.is_refused(431, "HEAD_TOO_LARGE")?;
        let grown = memory(edge.process.id())?.saturating_sub(before);
        ensure!(grown < 40_000, "500 half heads cost {grown} kB");
        anyhow::Ok(())
    };
    story.await.expect("heads are small");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connection_that_is_idle_for_the_longest_time_makes_room_for_a_new_one() {
    let story = async {
        let edge = Edge::start(&[("MAX_CONNECTIONS", "2")])?;
        let (mut old, mut new) = (edge.connect().await?, edge.connect().await?);
        ensure!(old.ask(HEALTH).await?.status == 200);
        // The server compares whole milliseconds.
        tokio::time::sleep(Duration::from_millis(5)).await;
        ensure!(new.ask(HEALTH).await?.status == 200);
        edge.finds_a_place().await?;
        ensure!(old.closed().await? < SOON);
        ensure!(
            new.ask(HEALTH).await?.status == 200,
            "the newer connection was closed too"
        );
        anyhow::Ok(())
    };
    story.await.expect("a new connection finds a place");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_every_connection_is_busy_a_new_one_is_told_so_at_once() {
    let story = async {
        let edge = Edge::start(&[("MAX_CONNECTIONS", "2")])?;
        let mut busy = Vec::new();
        for _ in 0..2 {
            let mut wire = edge.connect().await?;
            wire.begin_a_body().await?;
            busy.push(wire);
        }
        let began = Instant::now();
        let refused = edge.ask(HEALTH).await?;
        ensure!(began.elapsed() < SOON, "{:?}", began.elapsed());
        refused.is_refused(503, "BUSY")?;
        ensure!(refused.header("retry-after") == Some("1"), "{}", refused.head);
        let first = busy.first_mut().context("a connection")?;
        first.end_the_body().await?.is_refused(400, "INVALID_REQUEST")?;
        // The connection that is idle now makes room.
        edge.finds_a_place().await?;
        anyhow::Ok(())
    };
    story.await.expect("whoever finds no place is told so");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_may_speak_http_2_in_clear() {
    let story = async {
        let edge = Edge::start(&[])?;
        let stream = TcpStream::connect(&edge.address).await?;
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection);
        for path in ["/health", "/api/events", "/no/such/route"] {
            let request = Request::get(format!("http://{}{path}", edge.address));
            let answer = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
            ensure!(answer.version() == Version::HTTP_2);
            ensure!(answer.headers().contains_key("x-correlation-id"), "{path}");
            let body = answer.into_body().collect().await?.to_bytes();
            serde_json::from_slice::<serde_json::Value>(&body)?;
        }
        drop(sender);
        driver.await??;
        anyhow::Ok(())
    };
    story.await.expect("HTTP/2 works without TLS");
}

/// Returns how much memory a process uses, in kB.
fn memory(id: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()).context("VmRSS")?;
    Ok(number.parse()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_resets_every_stream_is_sent_away_and_others_are_answered() {
    let story = async {
        let edge = Edge::start(&[])?;
        let mut wire = edge.connect().await?;
        wire.send(resets(2_000))
            .await
            .or_else(|error| closed_meanwhile(&error))?;
        ensure!(wire.closed().await? < SOON, "the flood goes on");
        ensure!(edge.connect().await?.ask(HEALTH).await?.status == 200);
        anyhow::Ok(())
    };
    story.await.expect("a flood of resets ends its own connection only");
}

/// The server may close the connection before the whole flood was sent.
fn closed_meanwhile(error: &anyhow::Error) -> anyhow::Result<()> {
    ensure!(error.is::<std::io::Error>(), "{error}");
    Ok(())
}

/// Returns the bytes of an HTTP/2 connection that opens streams and resets each at once.
fn resets(streams: u32) -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let mut frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let length = u32::try_from(payload.len()).expect("a frame is short").to_be_bytes();
        bytes.extend_from_slice(&length[1..]);
        bytes.extend_from_slice(&[kind, flags]);
        bytes.extend_from_slice(&stream.to_be_bytes());
        bytes.extend_from_slice(payload);
    };
    frame(4, 0, 0, &[]);
    for number in 0..streams {
        let stream = number * 2 + 1;
        // `:method: GET`, `:scheme: http`, `:path: /` from the static table, and `:authority: x`.
        frame(1, 5, stream, &[0x82, 0x86, 0x84, 0x41, 1, b'x']);
        frame(3, 0, stream, &8_u32.to_be_bytes());
    }
    bytes
}

impl Edge {
    /// Sends a request and reads its answer on a connection of its own.
    pub(crate) async fn ask(&self, request: impl AsRef<[u8]>) -> anyhow::Result<crate::wire::Answered> {
        Wire::connect(&self.address).await?.ask(request).await
    }

    /// Asks for the health on new connections until one has found a place. Whoever finds none within 100 ms is told to
    /// come again, which may happen on a busy machine.
    async fn finds_a_place(&self) -> anyhow::Result<()> {
        let patience = Patience::of(SOON);
        loop {
            match self.ask(HEALTH).await {
                Ok(answered) if answered.status == 200 => return Ok(()),
                told => patience.pause(|| format!("no place becomes free: {told:?}")).await?,
            }
        }
    }
}
