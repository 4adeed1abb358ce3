//! Many open WebSockets, and what each has seen. Everything runs in one thread.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use box_office_tests::client::Target;
use futures::{StreamExt as _, TryStreamExt as _};
use hdrhistogram::Histogram;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// How many sockets are opened at the same time.
const AT_ONCE: usize = 100;

pub(crate) struct Audience {
    /// For each event, when each thing has happened.
    happened: RefCell<Vec<Vec<Instant>>>,
    seats: RefCell<Vec<Rc<Seat>>>,
    lateness: RefCell<Histogram<u64>>,
    seen: Cell<u64>,
    overtaken: Cell<u64>,
}

/// Somebody who watches an event, and how much of it was seen.
struct Seat {
    event: usize,
    seen: Cell<u64>,
}

impl Audience {
    pub(crate) fn new(events: usize) -> Self {
        Self {
            happened: RefCell::new(vec![Vec::new(); events]),
            seats: RefCell::default(),
            lateness: RefCell::new(Histogram::new(3).expect("3 figures are allowed")),
            seen: Cell::new(0),
            overtaken: Cell::new(0),
        }
    }

    /// Opens the sockets, and waits until each has got its first message.
    pub(crate) async fn seat(self: &Rc<Self>, url: &Target, paths: &[String], sockets: usize) -> anyhow::Result<()> {
        let opened = futures::stream::iter(0..sockets).map(|number| {
            let event = number % paths.len();
            let address = format!("ws://{url}{}", paths[event]);
            async move {
                let mut socket = open(url, &address).await?;
                let first = socket.next().await.context("the socket is closed at once")??;
                anyhow::ensure!(first.is_text(), "{first:?}");
                let seat = Rc::new(Seat {
                    event,
                    seen: Cell::new(0),
                });
                self.seats.borrow_mut().push(Rc::clone(&seat));
                tokio::task::spawn_local(Rc::clone(self).watch(socket, seat));
                Ok(())
            }
        });
        opened.buffer_unordered(AT_ONCE).try_collect().await
    }

    pub(crate) fn happens(&self, event: usize, number: u64, at: Instant) {
        let happened = &mut self.happened.borrow_mut()[event];
        happened.push(at);
        assert_eq!(happened.len() as u64, number);
    }

    async fn watch(self: Rc<Self>, mut socket: WebSocketStream<TcpStream>, seat: Rc<Seat>) {
        while let Some(Ok(message)) = socket.next().await {
            let Message::Text(text) = message else { continue };
            let now = Instant::now();
            // A scan costs less than reading the JSON, and the sockets share their machine with the server.
            let number = text.split_once("\"reserved\":").map(|(_, rest)| {
                let digits = rest.bytes().take_while(u8::is_ascii_digit);
                digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
            });
            let Some(number) = number.filter(|number| *number > seat.seen.get()) else {
                continue;
            };
            let happened = self.happened.borrow();
            let last = usize::try_from(number)
                .ok()
                .and_then(|number| happened[seat.event].get(number - 1));
            let Some(last) = last else { continue };
            let lateness = u64::try_from((now - *last).as_micros()).unwrap_or(u64::MAX);
            let noted = self.lateness.borrow_mut().record(lateness);
            noted.expect("the histogram grows with what it notes");
            self.seen.set(self.seen.get() + 1);
            self.overtaken.set(self.overtaken.get() + number - seat.seen.get() - 1);
            seat.seen.set(number);
        }
    }

    /// Waits until every socket has seen everything.
    pub(crate) async fn have_seen(&self, done: &[u64]) {
        while self.behind(done) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Returns how many sockets have not seen everything.
    pub(crate) fn behind(&self, done: &[u64]) -> usize {
        let seats = self.seats.borrow();
        seats.iter().filter(|seat| seat.seen.get() < done[seat.event]).count()
    }

    /// Returns the median, the 95th and the 99th percentile, in milliseconds.
    pub(crate) fn lateness(&self) -> [f64; 3] {
        let lateness = self.lateness.borrow();
        [0.5, 0.95, 0.99].map(|part| lateness.value_at_quantile(part) as f64 / 1_000.0)
    }

    /// Returns which part of what happened was overtaken by something newer before it came.
    pub(crate) fn overtaken(&self) -> f64 {
        let (seen, overtaken) = (self.seen.get() as f64, self.overtaken.get() as f64);
        overtaken / (seen + overtaken)
    }
}

async fn open(url: &Target, address: &str) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let stream = TcpStream::connect(url.to_string()).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
    Ok(client_async_with_config(address, stream, Some(config)).await?.0)
}
