//! Watches the seats of an event as they are held, sold and given back, over a WebSocket, for as long as you like. If
//! the server stops or the network breaks, it connects again, as late as the server wants it to. It ends with an error if
//! it ever misses an update, and if the server refuses what does not change by waiting.
//!
//! ```sh
//! cargo run -p box-office-examples --example watch_seats -- http://localhost:8080 EVENT VIP
//! ```
//!
//! `EVENT` is the id of an event, `VIP` a section (or several, separated by commas) whose seats you want to see by
//! name; without it you see the counts of all sections. With `https://` in the address the socket is a `wss://` one; for a
//! certificate that your system does not know, set `SSL_CERT_FILE` to its file.
//!
//! If the server lets no visitors in, set the variable `SESSION` to the id of your session. The example then gets a
//! one-time ticket for each connection, as a web page does. With `BY=session_id` it sends the session id itself, in the
//! address: then every proxy that writes addresses into its log learns it, so do that only without a proxy.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use adapters_external::SystemIds;
use anyhow::{Context as _, bail, ensure};
use futures::StreamExt as _;
use reqwest::header::HeaderValue;
use serde_json::Value;
use ticketing_ports::vocabulary::ids::IdSource as _;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use url::Url;

/// The pause before the second try to connect, at most. It doubles with each try.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause between two tries to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long the server may take to answer a request, or to open a socket.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// A server sends something every 30 seconds, so a connection on which nothing comes for longer is dead.
const SILENT_FOR: Duration = Duration::from_secs(45);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(server), Some(event)) = (arguments.next(), arguments.next()) else {
        println!("usage: watch_seats http://localhost:8080 EVENT [SECTION,SECTION,…]");
        return Ok(());
    };
    let by_session_id = std::env::var("BY").is_ok_and(|by| by == "session_id");
    let watch = Watch {
        server: Url::parse(&server)?,
        event,
        seats: arguments.next(),
        proof: match std::env::var("SESSION").ok() {
            None => Proof::None,
            Some(session) if by_session_id => Proof::SessionId(session),
            Some(session) => Proof::Ticket(session),
        },
    };
    watch.run(|shown| println!("{shown}"), |_| false).await
}

/// How the caller proves who they are.
enum Proof {
    /// As a visitor.
    None,
    /// By a one-time ticket, for which this session pays.
    Ticket(String),
    /// By the id of a session in the address.
    SessionId(String),
}

struct Watch {
    server: Url,
    event: String,
    seats: Option<String>,
    proof: Proof,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why there is no connection now. Trying again may help.
#[derive(Debug)]
struct NotNow {
    why: String,
    /// How long the server wants the caller to wait. `None` if it does not say so.
    wait: Option<Duration>,
}

impl NotNow {
    fn unreachable(why: impl Into<anyhow::Error>) -> Self {
        Self {
            why: format!("{:#}", why.into()),
            wait: None,
        }
    }

    fn ended(wait: Option<Duration>) -> Self {
        Self {
            why: "the connection has ended".to_owned(),
            wait,
        }
    }

    /// Reads the answer to a request that cannot be served now. `None` if trying again does not help.
    fn read(status: u16, retry_after: Option<&HeaderValue>) -> Option<Self> {
        let seconds = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        [429, 500, 502, 503, 504].contains(&status).then(|| Self {
            why: format!("the server answered {status}"),
            wait: seconds.map(Duration::from_secs),
        })
    }
}

impl Watch {
    /// Shows what happens, until `is_enough` says so of a message.
    async fn run(&self, show: impl Fn(String), is_enough: impl Fn(&Value) -> bool) -> anyhow::Result<()> {
        // An error means that the cryptography for TLS is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(ANSWERED_WITHIN).build()?;
        let mut seen = None;
        let mut pause = SHORTEST_PAUSE;
        loop {
            let not_now = match self.connect(&http).await? {
                Ok(mut socket) => {
                    let opened = Instant::now();
                    let ended = self.watch(&http, &mut socket, &mut seen, &show, &is_enough).await?;
                    // A connection that ends at once is one more failure.
                    if opened.elapsed() > LONGEST_PAUSE {
                        pause = SHORTEST_PAUSE;
                    }
                    match ended {
                        ControlFlow::Continue(not_now) => not_now,
                        ControlFlow::Break(()) => return Ok(()),
                    }
                }
                Err(not_now) => not_now,
            };
            let wait = not_now.wait;
            let wait = wait.map_or_else(|| shortened(pause), |told| told + shortened(SHORTEST_PAUSE));
            show(format!(
                "not connected: {}; the next try is in {} ms",
                not_now.why,
                wait.as_millis()
            ));
            tokio::time::sleep(wait).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Shows what comes over a connection until it ends. Returns why there is no connection then.
    async fn watch(
        &self,
        http: &reqwest::Client,
        socket: &mut Socket,
        seen: &mut Option<u64>,
        show: &impl Fn(String),
        is_enough: &impl Fn(&Value) -> bool,
    ) -> anyhow::Result<ControlFlow<(), NotNow>> {
        while let Some(message) = next_message(socket).await {
            if message["type"] == "error" {
                show(format!("the server says: {}", message["message"]));
                let told = message["reconnect_after_ms"].as_u64();
                // Without a time to come back there is something that coming back does not mend.
                let told = told.with_context(|| message["code"].to_string())?;
                return Ok(ControlFlow::Continue(NotNow::ended(Some(Duration::from_millis(told)))));
            }
            if let Some(line) = take(&message, seen)? {
                show(line);
            }
            for section in texts(&message["stale"]) {
                match self.fetch(http, section).await? {
                    Ok(seats) => show(format!("        {seats}")),
                    // The first message of the next connection says again which seats are to be read.
                    Err(not_now) => return Ok(ControlFlow::Continue(not_now)),
                }
            }
            if is_enough(&message) {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(NotNow::ended(None)))
    }

    /// Connects. The outer error says that the server refuses.
    async fn connect(&self, http: &reqwest::Client) -> anyhow::Result<Result<Socket, NotNow>> {
        let mut url = self.server.join(&format!("ws/events/{}/availability", self.event))?;
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        ensure!(
            url.set_scheme(scheme).is_ok(),
            "the address must begin with http:// or https://"
        );
        if let Some(seats) = &self.seats {
            url.query_pairs_mut().append_pair("seats", seats);
        }
        match &self.proof {
            Proof::None => {}
            Proof::SessionId(session) => drop(url.query_pairs_mut().append_pair("session_id", session)),
            Proof::Ticket(session) => match self.ticket(http, session).await? {
                Ok(ticket) => drop(url.query_pairs_mut().append_pair("ticket", &ticket)),
                Err(not_now) => return Ok(Err(not_now)),
            },
        }
        match tokio::time::timeout(ANSWERED_WITHIN, connect_async(url.as_str())).await {
            Err(too_late) => Ok(Err(NotNow::unreachable(too_late))),
            Ok(Ok((socket, _))) => Ok(Ok(socket)),
            Ok(Err(Error::Http(answer))) => {
                if let Some(not_now) = NotNow::read(answer.status().as_u16(), answer.headers().get("retry-after")) {
                    return Ok(Err(not_now));
                }
                let body = answer.body().as_deref().unwrap_or_default();
                bail!(
                    "the server refuses: {} {}",
                    answer.status(),
                    String::from_utf8_lossy(body)
                );
            }
            Ok(Err(Error::Url(why))) => Err(why.into()),
            Ok(Err(why)) => Ok(Err(NotNow::unreachable(why))),
        }
    }

    async fn ticket(&self, http: &reqwest::Client, session: &str) -> anyhow::Result<Result<String, NotNow>> {
        let request = http.post(self.server.join("api/auth/ws-ticket")?).bearer_auth(session);
        let answer = match ask(request).await? {
            Ok(answer) => answer,
            Err(not_now) => return Ok(Err(not_now)),
        };
        let ticket = answer["ticket"].as_str();
        Ok(Ok(ticket.with_context(|| answer.to_string())?.to_owned()))
    }

    /// Reads the seats of a section, which the socket does not send when many have changed. Everybody who watches is
    /// told at the same moment to do that, so each waits for a time of their own.
    async fn fetch(&self, http: &reqwest::Client, section: &str) -> anyhow::Result<Result<Value, NotNow>> {
        tokio::time::sleep(shortened(Duration::from_secs(2))).await;
        let mut url = self.server.join(&format!("api/events/{}/sections/", self.event))?;
        url.path_segments_mut()
            .ok()
            .context("the address has no path")?
            .pop_if_empty()
            .push(section);
        let request = http.get(url);
        ask(match &self.proof {
            Proof::None => request,
            Proof::Ticket(session) | Proof::SessionId(session) => request.bearer_auth(session),
        })
        .await
    }
}

/// Sends a request and reads its answer. The outer error says that the server refuses.
async fn ask(request: reqwest::RequestBuilder) -> anyhow::Result<Result<Value, NotNow>> {
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(why) => return Ok(Err(NotNow::unreachable(why))),
    };
    let status = answer.status();
    if let Some(not_now) = NotNow::read(status.as_u16(), answer.headers().get("retry-after")) {
        return Ok(Err(not_now));
    }
    let text = match answer.text().await {
        Ok(text) => text,
        Err(why) => return Ok(Err(NotNow::unreachable(why))),
    };
    ensure!(status.is_success(), "the server refuses: {status} {text}");
    Ok(Ok(serde_json::from_str(&text)?))
}

/// Checks that nothing was missed before a message. Returns a line that shows the message.
fn take(message: &Value, seen: &mut Option<u64>) -> anyhow::Result<Option<String>> {
    let (kind, sequence) = (message["type"].as_str(), message["sequence"].as_u64());
    let Some(sequence) = sequence else { return Ok(None) };
    let before = seen.replace(sequence);
    match kind {
        Some("availability_update") => {
            ensure!(
                message["since"].as_u64() == before,
                "missed something: {before:?}, then {message}"
            );
        }
        // After a reconnection. If another server answers now, it may be a moment behind the one before.
        Some("availability_snapshot") => {}
        _ => return Ok(None),
    }
    let mut line = format!("{sequence:>7}");
    for (section, counts) in message["sections"].as_object().into_iter().flatten() {
        let [available, reserved, sold] = ["available", "reserved", "sold"].map(|count| &counts[count]);
        line += &format!("  {section}: {available} free, {reserved} held, {sold} sold");
    }
    for (_, seats) in message["seats"].as_object().into_iter().flatten() {
        for (state, seats) in seats.as_object().into_iter().flatten() {
            let names: Vec<_> = texts(seats).collect();
            if !names.is_empty() {
                line += &format!("  {state} {}", names.join(" "));
            }
        }
    }
    Ok(Some(line))
}

/// Returns the texts in a list.
fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Returns the next message of the server. `None` if the connection has ended, or is dead.
async fn next_message(socket: &mut Socket) -> Option<Value> {
    loop {
        match tokio::time::timeout(SILENT_FOR, socket.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => return serde_json::from_str(&text).ok(),
            // The library answers pings by itself.
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(_)) | None) | Err(_) => return None,
        }
    }
}

/// Returns a random part of a time.
fn shortened(time: Duration) -> Duration {
    let random = SystemIds::new().uuid().as_u128() % 1_000;
    time * u32::try_from(random).expect("a number below 1000 fits into 32 bits") / 1_000
}

#[test]
fn what_waiting_mends_is_tried_again_when_the_server_wants_it() {
    let wait = HeaderValue::from_static("7");
    let told = NotNow::read(429, Some(&wait)).map(|not_now| not_now.wait);
    assert_eq!(told, Some(Some(Duration::from_secs(7))));
    assert_eq!(NotNow::read(503, None).map(|not_now| not_now.wait), Some(None));
    assert!(NotNow::read(401, Some(&wait)).is_none());
}

#[test]
fn the_example_ends_well() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(demonstration::a_hold_is_seen()).unwrap();
}

/// A box office to watch, for the test.
#[cfg(test)]
mod demonstration {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use adapters_external::{SandboxGateway, SystemClock, SystemEntropy, SystemIds};
    use adapters_http::{BySession, HttpConfig, HttpState, LiveConnections, LiveSettings, router};
    use adapters_memory::{InMemory, InMemoryFollowerStore, RecordingMailer};
    use box_office_examples::{ALICE, put_on_sale, request};
    use ticketing_ports::people::stores::AccountStores;
    use ticketing_ports::vocabulary::email::EmailAddress;
    use ticketing_ports::vocabulary::roles::Role;
    use ticketing_runtime::{
        Desk, DeskPorts, Engine, EngineConfig, HoldSeats, Ports, ProjectionPorts, SignIn, SignInConfig, SignInPorts,
        finish_update,
    };
    use tokio::net::TcpListener;
    use tokio::sync::Notify;

    use super::{Proof, Url, Value, Watch};

    pub(super) async fn a_hold_is_seen() -> anyhow::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let server = Url::parse(&format!("http://{}", listener.local_addr()?))?;
        let accounts = InMemory::accounts();
        let sign_in = sign_in(&accounts);
        let (_engine, state) = box_office(&accounts, &sign_in).await?;
        let office = state.box_office.clone();
        let event_id = put_on_sale(&office).await?;
        tokio::spawn(axum::serve(listener, router(state)).into_future());

        let email = EmailAddress::parse("alice@example.com")?;
        let alice = sign_in.accounts.ensure(&email, Role::Customer).await?.into_user();
        let session = sign_in.sessions.open(&alice).await?.secret.expose();
        for (proof, seen) in [
            (Proof::Ticket(session.clone()), "2 held"),
            (Proof::SessionId(session), "4 held"),
        ] {
            let watch = Watch {
                server: server.clone(),
                event: event_id.to_string(),
                seats: Some("Floor".to_owned()),
                proof,
            };
            let (connected, shown) = (Notify::new(), Mutex::new(Vec::new()));
            let is_held = |message: &Value| {
                connected.notify_one();
                message["type"] == "availability_update"
            };
            let watching = watch.run(|line| shown.lock().unwrap().push(line), is_held);
            let holding = async {
                connected.notified().await;
                let hold = HoldSeats::best(event_id, "Floor", 2);
                office.hold(request(ALICE, hold)).await
            };
            let (watched, held) = tokio::join!(watching, holding);
            watched?;
            held?;
            let shown = shown.into_inner()?;
            // The snapshot has no seats, so they are fetched; then comes the hold.
            let last = shown.last().map(String::as_str).unwrap_or_default();
            anyhow::ensure!(shown.len() >= 3 && last.contains(seen), "{shown:?}");
        }
        Ok(())
    }

    fn sign_in(accounts: &AccountStores) -> SignIn {
        let ports = SignInPorts {
            accounts: accounts.clone(),
            stores: InMemory::sign_in(),
            relying_party: None,
            providers: BTreeMap::new(),
            mailer: Arc::new(RecordingMailer::new()),
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(SystemEntropy),
            ids: Arc::new(SystemIds::new()),
            elsewhere: Vec::new(),
        };
        let public_url = "http://localhost".to_owned();
        SignIn::new(ports, SignInConfig { public_url })
    }

    async fn box_office(accounts: &AccountStores, sign_in: &SignIn) -> anyhow::Result<(Engine, HttpState)> {
        let (log, read_models) = (InMemory::log(), InMemory::read_models());
        finish_update(log.events.as_ref()).await?;
        let (clock, ids) = (Arc::new(SystemClock::new()), Arc::new(SystemIds::new()));
        let gateway = Arc::new(SandboxGateway::new(clock.clone()));
        let engine = Engine::start(
            Ports::new(log.clone(), gateway, clock.clone(), ids.clone()),
            ProjectionPorts::new(&read_models, Arc::new(InMemoryFollowerStore::new()), None),
            EngineConfig::default(),
        );
        let desk_ports = DeskPorts::new(
            log.events,
            read_models,
            accounts,
            clock.clone(),
            Arc::new(SystemEntropy),
        );
        let state = HttpState {
            box_office: engine.box_office(),
            desk: Desk::new(engine.box_office(), desk_ports, engine.read_models_reached())
                .with_boards(engine.live_boards()),
            callers: Arc::new(BySession::new(sign_in.sessions.clone())),
            sign_in: Some(sign_in.clone()),
            live: LiveConnections::new(LiveSettings::default()),
            health: Vec::new(),
            clock,
            ids,
            config: HttpConfig::default(),
        };
        Ok((engine, state))
    }
}
