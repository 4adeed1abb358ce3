//! Accepts connections until the server stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adapters_http::{ApiError, Code};
use futures::FutureExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use tracing::warn;

use super::connection::Answering;
use super::places::{Place, Places};

/// How long a new connection waits for the place of an idle connection that was told to go.
const FOR_A_PLACE: Duration = Duration::from_millis(100);

/// How long to wait after the system has refused to accept a connection, such as for want of descriptors.
const AFTER_A_REFUSAL: Duration = Duration::from_millis(50);

/// How often it is logged that connections are refused.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(10);

/// Accepts connections and gives each a place.
#[derive(Debug)]
pub(super) struct Doorkeeper {
    pub(super) answering: Arc<Answering>,
    pub(super) places: Arc<Places>,
    warned: Option<Instant>,
}

impl Doorkeeper {
    pub(super) fn new(answering: Arc<Answering>, places: Arc<Places>) -> Self {
        Self {
            answering,
            places,
            warned: None,
        }
    }

    /// Accepts connections until the server stops. Those that the system has accepted by then are served too.
    pub(super) async fn accept(&mut self, listener: TcpListener) {
        let stopping = self.answering.stopping.clone();
        loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => break,
                accepted = listener.accept() => self.take(accepted).await,
            }
        }
        while let Some(accepted) = listener.accept().now_or_never() {
            let failed = accepted.is_err();
            self.take(accepted).await;
            if failed {
                break;
            }
        }
    }

    async fn take(&mut self, accepted: std::io::Result<(TcpStream, SocketAddr)>) {
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_connection(&error) => return,
            Err(error) => {
                self.places.make_room();
                self.warn(&format!("connections cannot be accepted: {error}"));
                sleep(AFTER_A_REFUSAL).await;
                return;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            // The client is gone already, or small answers on this connection may be delayed.
            tracing::debug!(%error, "TCP_NODELAY cannot be set");
        }
        match self.find_place().await {
            Some(place) => drop(tokio::spawn(Arc::clone(&self.answering).serve(stream, peer, place))),
            None => self.refuse(&stream),
        }
    }

    async fn find_place(&self) -> Option<Place> {
        if let Some(place) = self.places.take() {
            return Some(place);
        }
        if !self.places.make_room() {
            return None;
        }
        timeout(FOR_A_PLACE, self.places.wait_for_one()).await.ok().flatten()
    }

    /// Answers that the server is busy, without waiting for anything. Over TLS the connection is only
    /// closed.
    fn refuse(&mut self, stream: &TcpStream) {
        self.warn("every place for connections is taken by a running request: new connections are refused");
        let error = ApiError {
            retry_after: Some(Duration::from_secs(1)),
            ..ApiError::new(
                Code::Busy,
                "the server has no place for another connection; try again soon",
            )
        };
        if self.answering.tls.is_some() {
            return;
        }
        // Reads what has come of the request: if a socket is closed with unread bytes, the client may lose the answer.
        let mut request = [0; 4096];
        drop(stream.try_read(&mut request));
        drop(stream.try_write(&self.answering.words.write(&error)));
    }

    fn warn(&mut self, message: &str) {
        let now = Instant::now();
        if self.warned.is_none_or(|last| now - last >= BETWEEN_WARNINGS) {
            self.warned = Some(now);
            warn!(connections = self.places.count(), "{message}");
        }
    }
}

/// Returns whether only the connection that was to be accepted is broken.
fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};

    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
