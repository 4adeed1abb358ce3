//! What an open WebSocket does: it sends messages until the client goes away, or until there is a reason to close it.

use std::convert::Infallible;
use std::future::pending;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Error;
use axum::body::Bytes;
use axum::extract::ws::{CloseCode, CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use ticketing_ports::outside::clock::Clock;
use ticketing_runtime::{BoardReader, BoardTick, Observer, Span, Tracer};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use super::messages::{self, PING, SeatsOf};
use super::traffic::Traffic;
use crate::errors::Code;
use crate::live_connections::{Over, Place, Standing};

/// How often the client is asked for a sign of life.
const PING_EVERY: Duration = Duration::from_secs(30);
/// How long a client may give no sign of life.
const SILENT_FOR: Duration = Duration::from_secs(60);
/// How long a client may take to accept a message.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// How long a client may take to answer that the connection is closed.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// How many messages a client may send between two pings. The server reads none of them.
const HEARD_BETWEEN_PINGS: u32 = 100;

/// An open connection. While it exists it has its place, and counts as open in the name of its caller.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) reader: BoardReader,
    pub(super) seats: SeatsOf,
    /// `None` for a visitor.
    pub(super) standing: Option<Arc<Standing>>,
    pub(super) stopping: CancellationToken,
    pub(super) reconnect_after: Duration,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) tracer: Arc<dyn Tracer>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) _place: Place,
}

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client has said that it closes the connection.
    ClosedByClient,
    /// The client cannot be reached, or does not accept what it is sent.
    Lost,
    /// The client has sent something that is no WebSocket message, or one that is too long.
    Unreadable,
    TooManyMessages,
    Over(Over),
    ServerStops,
    /// The board of the event is no longer kept up to date.
    BoardGone,
}

impl Connection {
    pub(super) async fn run(mut self, mut socket: WebSocket) {
        let end = self.serve(&mut socket).await;
        drop(timeout(CLOSE_WITHIN, say_goodbye(&mut socket, end, self.reconnect_after)).await);
    }

    async fn serve(&mut self, socket: &mut WebSocket) -> End {
        let told_to_end = told_to_end(self.standing.as_deref(), &self.stopping);
        let mut out = Out {
            socket,
            traffic: Traffic::begin(Arc::clone(&self.observer)),
            tracer: Arc::clone(&self.tracer),
            clock: Arc::clone(&self.clock),
            told_to_end: pin!(told_to_end),
        };
        match watch(&mut out, &mut self.reader, &self.seats).await {
            ControlFlow::Break(end) => end,
            ControlFlow::Continue(never) => match never {},
        }
    }
}

/// Ends when the server has a reason to close the connection.
async fn told_to_end(standing: Option<&Standing>, stopping: &CancellationToken) -> End {
    let over = async {
        match standing {
            Some(standing) => standing.over().await,
            None => pending().await,
        }
    };
    tokio::select! {
        biased;
        over = over => End::Over(over),
        () = stopping.cancelled() => End::ServerStops,
    }
}

/// The socket, and what ends its connection even while a message is being sent.
struct Out<'a, F> {
    socket: &'a mut WebSocket,
    traffic: Traffic,
    tracer: Arc<dyn Tracer>,
    clock: Arc<dyn Clock>,
    told_to_end: Pin<&'a mut F>,
}

impl<F: Future<Output = End>> Out<'_, F> {
    async fn send(&mut self, message: Message) -> ControlFlow<End> {
        tokio::select! {
            biased;
            sent = timeout(SEND_WITHIN, self.socket.send(message)) => match sent {
                Ok(Ok(())) => {
                    self.traffic.sent_one();
                    ControlFlow::Continue(())
                }
                Ok(Err(_)) | Err(_) => ControlFlow::Break(End::Lost),
            },
            end = self.told_to_end.as_mut() => ControlFlow::Break(end),
        }
    }

    /// Sends the message of a tick, and records the spans of its first delivery.
    async fn send_tick(&mut self, message: Utf8Bytes, tick: &BoardTick) -> ControlFlow<End> {
        self.send_text(message).await?;
        // Only now is the tick delivered: another reader may have to record it if this one cannot be reached.
        for parent in tick.traces_of_first_delivery() {
            let began = tick.state.at;
            self.tracer.record(&Span {
                parent,
                name: "websocket send",
                began,
                took: (self.clock.now() - began).to_std().unwrap_or_default(),
                details: &[],
            });
        }
        ControlFlow::Continue(())
    }

    async fn send_text(&mut self, text: Utf8Bytes) -> ControlFlow<End> {
        self.send(Message::Text(text)).await
    }
}

async fn watch<F: Future<Output = End>>(
    out: &mut Out<'_, F>,
    reader: &mut BoardReader,
    seats: &SeatsOf,
) -> ControlFlow<End, Infallible> {
    let first: Arc<BoardTick> = reader.latest();
    let mut seen = first.number;
    out.send_text(messages::snapshot(&first.state, seats)).await?;
    drop(first);
    let mut pulse = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Heard::now();
    loop {
        tokio::select! {
            end = out.told_to_end.as_mut() => return ControlFlow::Break(end),
            tick = reader.changed() => {
                let Ok(tick) = tick else { return ControlFlow::Break(End::BoardGone) };
                let message = messages::next_message(&tick, seen, seats);
                seen = tick.number;
                out.send_tick(message, &tick).await?;
                drop(tick);
            }
            _ = pulse.tick() => {
                heard.check()?;
                out.traffic.report();
                out.send(Message::Ping(Bytes::new())).await?;
                out.send_text(PING).await?;
            }
            message = out.socket.recv() => {
                if matches!(message, Some(Ok(_))) {
                    out.traffic.received_one();
                }
                heard.take(message.as_ref())?;
            }
        }
    }
}

/// What was heard of the client.
struct Heard {
    last: Instant,
    since_ping: u32,
}

impl Heard {
    fn now() -> Self {
        Self {
            last: Instant::now(),
            since_ping: 0,
        }
    }

    fn take(&mut self, message: Option<&Result<Message, Error>>) -> ControlFlow<End> {
        match message {
            None => ControlFlow::Break(End::Lost),
            Some(Err(_)) => ControlFlow::Break(End::Unreadable),
            Some(Ok(Message::Close(_))) => ControlFlow::Break(End::ClosedByClient),
            Some(Ok(_)) => {
                self.last = Instant::now();
                self.since_ping += 1;
                if self.since_ping > HEARD_BETWEEN_PINGS {
                    return ControlFlow::Break(End::TooManyMessages);
                }
                ControlFlow::Continue(())
            }
        }
    }

    /// Checks, when a ping is due, that the client has given a sign of life.
    fn check(&mut self) -> ControlFlow<End> {
        self.since_ping = 0;
        if self.last.elapsed() >= SILENT_FOR {
            return ControlFlow::Break(End::Lost);
        }
        ControlFlow::Continue(())
    }
}

/// Tells the client why the connection is closed, closes it, and reads until the client has closed it too. A socket that
/// is closed with unread bytes could make the client's system throw the message away.
async fn say_goodbye(socket: &mut WebSocket, end: End, reconnect_after: Duration) -> Result<(), Error> {
    if let Some((close, code, message)) = reason(end) {
        let reconnect = matches!(end, End::ServerStops | End::BoardGone).then_some(reconnect_after);
        let text = messages::error(code, message, reconnect);
        socket.send(Message::Text(text)).await?;
        let reason = match reconnect {
            Some(time) => format!("connect again in {} ms", time.as_millis()).into(),
            None => message.into(),
        };
        socket
            .send(Message::Close(Some(CloseFrame { code: close, reason })))
            .await?;
    } else if end == End::Lost {
        return Ok(());
    }
    while let Some(Ok(_)) = socket.recv().await {}
    Ok(())
}

/// Returns the close code, error code and message for a connection that ends. `None` if nothing is sent, because the
/// client has closed it or cannot be reached.
fn reason(end: End) -> Option<(CloseCode, Code, &'static str)> {
    Some(match end {
        End::ClosedByClient | End::Lost => return None,
        End::Unreadable => (
            close_code::PROTOCOL,
            Code::InvalidRequest,
            "the server cannot read what you have sent; it expects no messages",
        ),
        End::TooManyMessages => (
            close_code::POLICY,
            Code::RateLimited,
            "you have sent too many messages; the server expects none",
        ),
        End::Over(Over::SignedOut) => (
            close_code::POLICY,
            Code::Unauthenticated,
            "sign in again: your session has ended",
        ),
        End::Over(Over::RoleChanged) => (
            close_code::POLICY,
            Code::Unauthenticated,
            "your role has changed: connect again",
        ),
        End::ServerStops => (
            close_code::AWAY,
            Code::Unavailable,
            "the server stops: connect again, and you will reach another or the next one",
        ),
        End::BoardGone => (
            close_code::AGAIN,
            Code::Unavailable,
            "the server has lost sight of the event: connect again",
        ),
    })
}
