//! A connection on which a test sends any bytes.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a test waits for bytes that have to come.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const HEALTH: &str = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";

/// The head of a request whose body has 100 bytes. The server says when it begins to wait for the body.
const WITH_A_BODY: &str = "POST /api/auth/magic-link/send HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                           Content-Length: 100\r\nExpect: 100-continue\r\n\r\n";

pub(crate) struct Wire(TcpStream);

/// An answer, split into its parts.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
    }

    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.body).with_context(|| self.body.clone())
    }

    /// Demands an error in the words of the API.
    pub(crate) fn is_refused(&self, status: u16, code: &str) -> anyhow::Result<()> {
        ensure!(
            self.status == status,
            "{} instead of {status}: {}",
            self.head,
            self.body
        );
        ensure!(self.json()?["code"] == code, "{}", self.body);
        ensure!(self.header("x-correlation-id").is_some(), "{}", self.head);
        Ok(())
    }
}

impl Wire {
    pub(crate) async fn connect(address: &str) -> anyhow::Result<Self> {
        Ok(Self(TcpStream::connect(address).await?))
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> anyhow::Result<()> {
        Ok(self.0.write_all(bytes.as_ref()).await?)
    }

    /// Reads one answer, whose body has an announced length.
    pub(crate) async fn answer(&mut self) -> anyhow::Result<Answered> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = timeout(PATIENCE, self.0.read_u8()).await.context("no answer")?;
            head.push(byte.with_context(|| String::from_utf8_lossy(&head).into_owned())?);
        }
        let mut answered = Answered {
            status: 0,
            head: String::from_utf8(head)?,
            body: String::new(),
        };
        answered.status = answered.head.split(' ').nth(1).context("no status")?.parse()?;
        let length = answered.header("content-length").unwrap_or("0").parse()?;
        let mut body = vec![0; length];
        timeout(PATIENCE, self.0.read_exact(&mut body))
            .await
            .context("no body")??;
        answered.body = String::from_utf8(body)?;
        Ok(answered)
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn ask(&mut self, request: impl AsRef<[u8]>) -> anyhow::Result<Answered> {
        self.send(request).await?;
        self.answer().await
    }

    /// Begins a request whose body does not come. Returns when the server waits for the body.
    pub(crate) async fn begin_a_body(&mut self) -> anyhow::Result<()> {
        let told = self.ask(WITH_A_BODY).await?;
        ensure!(told.status == 100, "{}: {}", told.head, told.body);
        Ok(())
    }

    /// Sends the body that was begun, which has nothing in it, and reads the answer.
    pub(crate) async fn end_the_body(&mut self) -> anyhow::Result<Answered> {
        self.ask(format!("{{{}}}", " ".repeat(98))).await
    }

    /// Reads until the server closes the connection.
    pub(crate) async fn rest(&mut self) -> anyhow::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        timeout(PATIENCE, self.0.read_to_end(&mut bytes))
            .await
            .context("the connection stays open")??;
        Ok(bytes)
    }

    /// Reads until the server closes the connection, and returns how long that took. Whatever comes is passed over.
    pub(crate) async fn closed(&mut self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let mut bytes = [0; 4096];
        loop {
            match timeout(PATIENCE, self.0.read(&mut bytes))
                .await
                .context("the connection stays open")?
            {
                Ok(0) | Err(_) => return Ok(began.elapsed()),
                Ok(_) => {}
            }
        }
    }
}
