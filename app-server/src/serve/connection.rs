//! Serves one connection: HTTP/1.1 or HTTP/2, in clear or over TLS.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use adapters_http::HeadFault;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{CONNECTION, TRANSFER_ENCODING};
use axum::http::{HeaderValue, Request, StatusCode, Version};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tower::Service as _;
use tracing::debug;

use super::activity::{Activity, Patience};
use super::library_answers::AnswerInOurWords;
use super::places::Place;
use super::running::{Running, RunningRequest};
use super::socket::Socket;
use super::tls::Tls;
use super::watched::Watched;

/// The most that the head of a request may have. The table of errors repeats this number.
const MOST_OF_A_HEAD: usize = 16 * 1024;

/// At most how many requests of one HTTP/2 connection are answered at once.
const STREAMS: u32 = 128;

/// How often an HTTP/2 connection is asked for a sign of life, and how long the answer may take.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);

/// How long a connection without a running request is kept open when the server stops, because a request may be on its
/// way already.
const LAST_CALL: Duration = Duration::from_millis(200);

/// How long an HTTP/2 client without a running request may take to close the connection when the server stops.
const GOODBYE: Duration = Duration::from_secs(1);

/// The same for an HTTP/2 client whose connection has to make room for a new one, which waits meanwhile.
const GOODBYE_TO_MAKE_ROOM: Duration = Duration::from_millis(50);

/// What all connections have in common.
#[derive(Debug)]
pub(super) struct Answering {
    pub(super) router: Router,
    pub(super) tls: Option<Tls>,
    pub(super) patience: Patience,
    pub(super) words: AnswerInOurWords,
    /// Is cancelled when the server begins to stop.
    pub(super) stopping: CancellationToken,
    /// Is cancelled when the server waits for running requests no longer.
    pub(super) over: CancellationToken,
    http: auto::Builder<TokioExecutor>,
}

impl Answering {
    pub(super) fn new(
        router: Router,
        tls: Option<Tls>,
        patience: Patience,
        words: AnswerInOurWords,
        stopping: CancellationToken,
    ) -> Self {
        Self {
            router,
            tls,
            patience,
            words,
            stopping,
            over: CancellationToken::new(),
            http: http(),
        }
    }

    /// Serves a connection until one of the two sides closes it, or the client has kept it waiting for too long.
    pub(super) async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, place: Place) {
        let activity = Arc::clone(&place.activity);
        let stream = Watched::new(stream, Arc::clone(&activity));
        let answering = async {
            match &self.tls {
                None => self.answer(stream, peer, place).await,
                Some(tls) => match activity.must_go.run_until_cancelled(tls.acceptor.accept(stream)).await {
                    Some(Ok(stream)) => self.answer(stream, peer, place).await,
                    Some(Err(error)) => debug!(%peer, %error, "a TLS handshake failed"),
                    None => debug!(%peer, "closed a connection during its TLS handshake to make room"),
                },
            }
        };
        tokio::select! {
            () = answering => {}
            () = activity.runs_out_of(self.patience) => debug!(%peer, "closed a connection that kept the server waiting"),
            () = self.over.cancelled() => {}
        }
    }

    async fn answer<S>(&self, stream: S, peer: SocketAddr, place: Place)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::clone(&place.activity);
        let socket = TokioIo::new(Socket::new(stream, place, self.words.clone()));
        let service = service_fn(|request: Request<Incoming>| self.call(request, peer, &activity));
        let mut connection = pin!(self.http.serve_connection_with_upgrades(socket, service));
        let mut told_to_end = pin!(self.told_to_end(&activity));
        let mut goodbye = None;
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        debug!(%peer, error = error.as_ref() as &dyn std::error::Error, "a connection ended with an error");
                    }
                    return;
                }
                patience = told_to_end.as_mut(), if goodbye.is_none() => {
                    if activity.is_quiet() && !activity.is_http2() {
                        return;
                    }
                    // A request that has begun meanwhile is answered.
                    connection.as_mut().graceful_shutdown();
                    goodbye = Some(Instant::now() + patience);
                }
                () = sleep_until(goodbye.unwrap_or_else(Instant::now)), if goodbye.is_some() => {
                    if activity.is_quiet() {
                        return;
                    }
                    goodbye = Some(Instant::now() + GOODBYE);
                }
            }
        }
    }

    /// Waits until the connection has to make room, or until the server stops and no request can be on its way any more.
    /// Returns how long the client may then take to close the connection.
    async fn told_to_end(&self, activity: &Activity) -> Duration {
        tokio::select! {
            () = activity.must_go.cancelled() => GOODBYE_TO_MAKE_ROOM,
            () = self.stopping.cancelled() => {
                if activity.is_idle() {
                    sleep(LAST_CALL).await;
                }
                GOODBYE
            }
        }
    }

    fn call(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        activity: &Arc<Activity>,
    ) -> impl Future<Output = Result<Response<Running>, Infallible>> + use<> {
        activity.request_begins();
        let running = Arc::new(RunningRequest(Arc::clone(activity)));
        let is_http1 = request.version() < Version::HTTP_2;
        // Somebody in front of this server may have read another length, and may take the rest for the next request.
        let is_the_last = is_http1 && request.headers().contains_key(TRANSFER_ENCODING);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        if activity.take_two_lengths() {
            let fault = HeadFault::new("Content-Length", "must not stand beside Transfer-Encoding");
            request.extensions_mut().insert(fault);
        }
        let answer = self.router.clone().call(request);
        let stopping = self.stopping.clone();
        async move {
            let mut response = answer.await?;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                running.0.is_upgraded();
            } else if is_the_last || is_http1 && (stopping.is_cancelled() || running.0.must_go.is_cancelled()) {
                // The client must not send its next request here.
                response
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response.map(|body| Running::new(body, running, is_http1)))
        }
    }
}

fn http() -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        // `Activity` keeps the time, also for what comes before a head: silence and TLS.
        .header_read_timeout(None::<Duration>)
        .max_buf_size(MOST_OF_A_HEAD);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(MOST_OF_A_HEAD).unwrap_or(u32::MAX))
        // A client that opens streams only to reset them is sent away.
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(64)
        .initial_stream_window_size(64 * 1024)
        .initial_connection_window_size(512 * 1024)
        .max_send_buf_size(64 * 1024)
        .keep_alive_interval(SIGN_OF_LIFE)
        .keep_alive_timeout(SIGN_OF_LIFE);
    http
}

#[cfg(test)]
mod tests {
    use adapters_external::SystemIds;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::sync::Notify;
    use tokio::task::JoinHandle;

    use super::super::places::Places;
    use super::*;

    /// Hands the connection over to a protocol that sends every byte back.
    async fn echo(request: axum::extract::Request) -> Response {
        tokio::spawn(async move {
            let upgraded = hyper::upgrade::on(request).await.unwrap();
            let (mut from, mut to) = tokio::io::split(TokioIo::new(upgraded));
            tokio::io::copy(&mut from, &mut to).await.unwrap();
        });
        let answer = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
        let answer = answer.header("connection", "upgrade").header("upgrade", "echo");
        answer.body(Body::empty()).unwrap()
    }

    const LONG: Duration = Duration::from_secs(600);

    const PATIENT: Patience = Patience {
        head: LONG,
        next_request: LONG,
        reading: LONG,
    };

    /// A connection that is served, and its client.
    struct Served {
        client: TcpStream,
        connection: JoinHandle<()>,
        activity: Arc<Activity>,
        places: Arc<Places>,
    }

    async fn serve_one(router: Router, patience: Patience) -> Served {
        let words = AnswerInOurWords(Arc::new(SystemIds::new()));
        let answering = Arc::new(Answering::new(router, None, patience, words, CancellationToken::new()));
        let places = Places::new(1);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let place = places.take().unwrap();
        Served {
            client,
            activity: Arc::clone(&place.activity),
            connection: tokio::spawn(answering.serve(stream, peer, place)),
            places,
        }
    }

    #[tokio::test]
    async fn an_http_2_client_that_leaves_no_room_for_its_answer_is_sent_away() {
        let patience = Patience {
            reading: Duration::from_millis(20),
            ..PATIENT
        };
        let router = Router::new().route("/", get(async || "an answer"));
        let mut served = serve_one(router, patience).await;
        // The settings say that nothing of any answer may come: their field 4 is 0. Then comes a request for `/`, with
        // `:method: GET`, `:scheme: http`, `:path: /` from the static table, and `:authority: x`.
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        bytes.extend([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0]);
        bytes.extend([0, 0, 6, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x41, 1, b'x']);
        served.client.write_all(&bytes).await.unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(10), served.connection).await;
        ended.expect("the client keeps its connection").unwrap();
    }

    #[tokio::test]
    async fn a_request_that_has_begun_when_its_connection_must_make_room_is_answered() {
        let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (says_begun, waits) = (Arc::clone(&begun), Arc::clone(&go_on));
        let handler = async move || {
            says_begun.notify_one();
            waits.notified().await;
            "an answer"
        };
        let mut served = serve_one(Router::new().route("/", get(handler)), PATIENT).await;
        let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        served.client.write_all(request).await.unwrap();
        begun.notified().await;
        // The server chose this connection to make room because it was idle a moment ago.
        served.activity.must_go.cancel();
        tokio::task::yield_now().await;
        go_on.notify_one();
        let mut answer = String::new();
        served.client.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.contains("connection: close") && answer.ends_with("an answer"),
            "{answer}"
        );
        served.connection.await.unwrap();
    }

    #[tokio::test]
    async fn an_upgraded_connection_has_no_time_limit_keeps_its_place_and_gives_it_back() {
        let short = Duration::from_millis(20);
        let patience = Patience {
            head: short,
            next_request: short,
            reading: short,
        };
        let Served {
            mut client,
            connection,
            places,
            ..
        } = serve_one(Router::new().route("/echo", get(echo)), patience).await;

        let request = "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
        client.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        connection.await.unwrap();
        assert!(!places.make_room(), "an upgraded connection was told to go");
        assert!(places.take().is_none());
        client.write_all(b"hello").await.unwrap();
        let mut echoed = [0; 5];
        client.read_exact(&mut echoed).await.unwrap();
        assert_eq!(&echoed, b"hello");

        drop(client);
        assert!(places.wait_for_one().await.is_some());
    }
}
