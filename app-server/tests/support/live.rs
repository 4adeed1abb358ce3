//! Watches an event over a WebSocket, as a page of a browser does, and demands that nothing is missed.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::StreamExt as _;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::Server;

/// A server sends something every 30 seconds.
const SILENT_FOR: Duration = Duration::from_secs(45);

/// Somebody who watches an event. What was seen is kept over reconnections.
pub(crate) struct Watcher {
    event: String,
    query: String,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) sequence: u64,
    /// The latest counts of each section.
    pub(crate) sections: BTreeMap<String, Value>,
    pub(crate) updates: usize,
    /// How many seats updates have named.
    pub(crate) seats: usize,
}

impl Watcher {
    pub(crate) async fn open(server: &Server, event: &str, query: &str) -> anyhow::Result<Self> {
        Ok(Self {
            event: event.to_owned(),
            query: query.to_owned(),
            socket: connected(server, event, query).await?,
            sequence: 0,
            sections: BTreeMap::new(),
            updates: 0,
            seats: 0,
        })
    }

    /// Connects again, after the connection was closed, to the same server or to another.
    pub(crate) async fn reopen(&mut self, server: &Server) -> anyhow::Result<()> {
        self.socket = connected(server, &self.event, &self.query).await?;
        let first = self.next().await?.context("the server closes at once")?;
        ensure!(first["type"] == "availability_snapshot", "{first}");
        self.take(&first)
    }

    /// Watches until the server closes the connection. Returns the error that it sends before.
    pub(crate) async fn until_closed(&mut self) -> anyhow::Result<Value> {
        while let Some(message) = self.next().await? {
            if message["type"] == "error" {
                return Ok(message);
            }
            self.take(&message)?;
        }
        anyhow::bail!("the server has closed the connection without a reason")
    }

    /// Watches until everything up to a `sequence` was seen, which is known only later.
    pub(crate) async fn until(&mut self, mut target: watch::Receiver<Option<u64>>) -> anyhow::Result<()> {
        loop {
            if target.borrow_and_update().is_some_and(|target| self.sequence >= target) {
                return Ok(());
            }
            tokio::select! {
                changed = target.changed() => changed?,
                message = self.next() => {
                    let message = message?.context("the server has closed the connection")?;
                    self.take(&message)?;
                }
            }
        }
    }

    /// Returns the next message, pings left out. `None` once the connection is closed.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Value>> {
        loop {
            let frame = tokio::time::timeout(SILENT_FOR, self.socket.next()).await;
            let Some(frame) = frame.context("the server is silent")? else {
                return Ok(None);
            };
            let Message::Text(text) = frame? else { continue };
            let message: Value = serde_json::from_str(&text)?;
            if message["type"] != "ping" {
                return Ok(Some(message));
            }
        }
    }

    pub(crate) fn take(&mut self, message: &Value) -> anyhow::Result<()> {
        let sequence = message["sequence"].as_u64().with_context(|| message.to_string())?;
        ensure!(sequence >= self.sequence, "after {}: {message}", self.sequence);
        if message["type"] == "availability_update" {
            ensure!(message["since"] == self.sequence, "after {}: {message}", self.sequence);
            self.updates += 1;
        }
        self.sequence = sequence;
        for (section, counts) in message["sections"].as_object().context("the message has no sections")? {
            self.sections.insert(section.clone(), counts.clone());
        }
        let seats = message["seats"]
            .as_object()
            .into_iter()
            .flat_map(|sections| sections.values());
        let lists = seats.filter_map(Value::as_object).flat_map(|states| states.values());
        self.seats += lists.filter_map(Value::as_array).map(Vec::len).sum::<usize>();
        Ok(())
    }
}

async fn connected(
    server: &Server,
    event: &str,
    query: &str,
) -> anyhow::Result<WebSocketStream<MaybeTlsStream<TcpStream>>> {
    let url = server
        .local_url()
        .replace("http://localhost", "ws://127.0.0.1")
        .replace("http://", "ws://");
    let opened = connect_async(format!("{url}/ws/events/{event}/availability?{query}")).await;
    Ok(opened.context("the WebSocket is not opened")?.0)
}
