//! The least that a server can do: it sends each WebSocket of an event the latest thing that was said.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::ensure;
use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use box_office_tests::client::{Ask, Connection, Target, path};
use tokio::net::TcpListener;
use tokio::sync::watch;

type Said = Arc<Vec<watch::Sender<Utf8Bytes>>>;

pub(crate) async fn serve(events: usize) -> anyhow::Result<()> {
    let said: Said = Arc::new((0..events).map(|_| watch::Sender::new(text(0).into())).collect());
    let router = Router::new()
        .route("/ws/{event}", get(open))
        .route("/say/{event}", post(say))
        .with_state(said);
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}

async fn open(State(said): State<Said>, Path(event): Path<usize>, upgrade: WebSocketUpgrade) -> Response {
    let heard = said[event].subscribe();
    upgrade
        .read_buffer_size(4096)
        .write_buffer_size(0)
        .on_upgrade(move |socket| send(socket, heard))
}

async fn send(mut socket: WebSocket, mut heard: watch::Receiver<Utf8Bytes>) {
    loop {
        let text = heard.borrow_and_update().clone();
        if socket.send(Message::Text(text)).await.is_err() || heard.changed().await.is_err() {
            return;
        }
    }
}

async fn say(State(said): State<Said>, Path(event): Path<usize>, text: String) {
    said[event].send_replace(text.into());
}

/// Returns a message of the size of an update.
fn text(number: u64) -> String {
    let text = format!(r#"{{"type":"availability_update","sections":{{"Field":{{"reserved":{number},"filling":""#);
    format!("{text}{}\"}}}}}}", "x".repeat(300 - text.len()))
}

/// Says things to the reference server.
pub(crate) struct Reference {
    connection: Connection,
    events: usize,
}

impl Reference {
    pub(crate) fn open(url: Target, events: usize) -> Self {
        Self {
            connection: Connection::new(url),
            events,
        }
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        (0..self.events).map(|event| format!("/ws/{event}")).collect()
    }

    pub(crate) async fn say(&mut self, event: usize, number: u64) -> anyhow::Result<()> {
        let ask = Ask::post(path(format!("/say/{event}"))).json(text(number).into());
        let answer = self.connection.ask(ask).await?;
        ensure!(answer.status.is_success(), "{}", answer.status);
        Ok(())
    }
}
