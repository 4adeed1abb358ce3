use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use futures::{SinkExt as _, StreamExt as _};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::{Answer, TestServer};

/// A way to reach a server without the network, so that a test can stop the clock: with real sockets, the clock of a
/// paused runtime would run ahead while bytes are under way.
pub(crate) struct Wire {
    router: Router,
    from: IpAddr,
    buffer: usize,
    headers: Vec<(&'static str, String)>,
}

impl TestServer {
    pub(crate) fn wire(&self) -> Wire {
        Wire::to(self.router.clone())
    }
}

impl Wire {
    pub(crate) fn to(router: Router) -> Self {
        Self {
            router,
            from: Ipv4Addr::LOCALHOST.into(),
            buffer: 64 * 1024,
            headers: Vec::new(),
        }
    }

    /// Comes from another address.
    pub(crate) fn from(mut self, address: &str) -> Self {
        self.from = address.parse().unwrap();
        self
    }

    /// Has room for `bytes` that the other end has not read yet.
    pub(crate) fn narrow(mut self, bytes: usize) -> Self {
        self.buffer = bytes;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Connects, and sends nothing yet.
    pub(crate) fn connect(&self) -> DuplexStream {
        let (client, served) = tokio::io::duplex(self.buffer);
        let from = SocketAddr::new(self.from, 4711);
        let service = TowerToHyperService::new(self.router.clone().layer(Extension(ConnectInfo(from))));
        let serving = http1::Builder::new()
            .serve_connection(TokioIo::new(served), service)
            .with_upgrades();
        tokio::spawn(serving);
        client
    }

    /// Opens a WebSocket. If that is refused, returns the answer.
    pub(crate) async fn try_open(&self, path: &str) -> Result<Socket<DuplexStream>, Answer> {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Socket::open(self.connect(), path, &headers).await
    }

    pub(crate) async fn open(&self, path: &str) -> Socket<DuplexStream> {
        self.try_open(path).await.unwrap()
    }
}

/// The client's end of an open WebSocket. It answers pings only while it is read.
#[derive(Debug)]
pub(crate) struct Socket<S>(pub(crate) WebSocketStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    pub(crate) async fn open(io: S, path: &str, headers: &[(&'static str, &str)]) -> Result<Self, Answer> {
        let mut request = format!("ws://tickets.example{path}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match client_async(request, io).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(answer)) => {
                let (parts, body) = answer.into_parts();
                let bytes = body.unwrap_or_default();
                Err(Answer {
                    status: parts.status.as_u16(),
                    headers: parts.headers,
                    body: serde_json::from_slice(&bytes).unwrap_or_default(),
                    bytes,
                })
            }
            Err(error) => panic!("the WebSocket cannot be opened: {error:?}"),
        }
    }

    /// Waits for the next frame, whatever it is.
    pub(crate) async fn frame(&mut self) -> Option<Message> {
        self.0.next().await.and_then(Result::ok)
    }

    /// Waits for the next message that is not a ping.
    pub(crate) async fn message(&mut self) -> Value {
        loop {
            let message = match self.frame().await {
                Some(Message::Text(text)) => serde_json::from_str::<Value>(&text).unwrap(),
                Some(Message::Ping(_)) => continue,
                other => panic!("no message, but {other:?}"),
            };
            if message["type"] != "ping" {
                return message;
            }
        }
    }

    /// Waits until the server closes the socket. Returns the error that it sends before, and the frame that closes.
    pub(crate) async fn closed(&mut self) -> (Value, CloseFrame) {
        let mut error = Value::Null;
        loop {
            match self.frame().await {
                Some(Message::Text(text)) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    if message["type"] == "error" {
                        error = message;
                    }
                }
                Some(Message::Close(Some(frame))) => {
                    while self.frame().await.is_some() {}
                    return (error, frame);
                }
                Some(Message::Ping(_)) => {}
                other => panic!("the server does not close the socket, but {other:?}"),
            }
        }
    }

    pub(crate) async fn close(mut self) {
        self.0.close(None).await.unwrap();
        while self.frame().await.is_some() {}
    }

    pub(crate) async fn say(&mut self, text: &str) -> Result<(), Error> {
        self.0.send(Message::text(text)).await
    }
}
