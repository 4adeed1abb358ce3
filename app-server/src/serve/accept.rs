//! Accepts connections until the server stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adapters_http::{ApiError, Code};
use futures::FutureExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::unconstrained;
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

/// At most how many connections that wait when the server stops are still served. The system lets no more wait by default.
const MOST_THAT_WAIT: usize = 4_096;

/// How long connections that wait when the server stops are taken.
const FOR_THOSE_THAT_WAIT: Duration = Duration::from_secs(1);

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
        self.take_those_that_wait(&listener).await;
    }

    /// Takes the connections that the system has accepted already.
    async fn take_those_that_wait(&mut self, listener: &TcpListener) {
        let began = Instant::now();
        for _ in 0..MOST_THAT_WAIT {
            // Otherwise tokio would let the task rest after some connections, which would look as if no more waited.
            let Some(accepted) = unconstrained(listener.accept()).now_or_never() else {
                return;
            };
            self.take(accepted).await;
            if began.elapsed() >= FOR_THOSE_THAT_WAIT {
                return;
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

#[cfg(test)]
mod tests {
    use adapters_external::SystemIds;
    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpSocket;
    use tokio_util::sync::CancellationToken;

    use super::super::activity::Patience;
    use super::super::library_answers::AnswerInOurWords;
    use super::*;

    #[tokio::test]
    async fn every_connection_that_waits_when_the_server_stops_is_served() {
        const WAITING: u32 = 300;
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(2 * WAITING).unwrap();
        let mut clients = Vec::new();
        for _ in 0..WAITING {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
            clients.push(client);
        }
        let minute = Duration::from_secs(60);
        let patience = Patience {
            head: minute,
            next_request: minute,
            reading: minute,
        };
        let stopping = CancellationToken::new();
        let words = AnswerInOurWords(Arc::new(SystemIds::new()));
        let router = Router::new().route("/", get(async || "here"));
        let answering = Answering::new(router, None, patience, words, stopping.clone());
        let mut doorkeeper = Doorkeeper::new(Arc::new(answering), Places::new(WAITING));
        stopping.cancel();
        doorkeeper.accept(listener).await;
        for mut client in clients {
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        }
    }
}
