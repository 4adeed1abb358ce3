//! Embeds the box office in another service. The routes of the box office are nested beside those of the service,
//! and a handler of the service uses the same box office in process, without HTTP. A customer buys two tickets over
//! a real socket. Then the service stops without losing the request that is under way.
//!
//! The service has its own users: the service tells the box office who sends a request, and the routes for signing
//! in are left out. Paths in answers and on pages (`Location`, `/docs`) begin with the prefix under which the
//! routes are nested.
//!
//! `cargo run -p box-office-examples --example embed_the_router`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adapters_external::{SandboxGateway, SystemClock, SystemEntropy, SystemIds};
use adapters_http::{ApiError, Authenticate, HttpConfig, HttpState, LiveConnections, LiveSettings};
use adapters_memory::{InMemory, InMemoryFollowerStore};
use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::routing::{get, post};
use box_office_examples::put_on_sale;
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use ticketing_ports::vocabulary::ids::{EventId, UserId};
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_runtime::{BoxOffice, Desk, DeskPorts, Engine, EngineConfig, Ports, ProjectionPorts, finish_update};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use uuid::Uuid;

/// How long each request and each shutdown may take. If one takes longer, something hangs, and the example fails.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let alice = Person::at(address, "seat-map-and-coffee");
    let members = Members(BTreeMap::from([(
        alice.cookie.clone(),
        Actor {
            user_id: UserId::new(Uuid::from_u128(0xA11CE)),
            role: Role::Customer,
        },
    )]));
    let (engine, box_office) = open_box_office(members).await?;
    let event_id = put_on_sale(&box_office.box_office).await?;

    let theatre = Theatre {
        office: box_office.box_office.clone(),
        event_id,
        closing: Arc::new(Notify::new()),
    };
    let closing = Arc::clone(&theatre.closing);
    let site = Router::new()
        .route("/tonight", get(tonight))
        .route("/close", post(close))
        .with_state(theatre)
        .nest("/tickets", adapters_http::router(box_office));
    let server = axum::serve(listener, site).with_graceful_shutdown(async move { closing.notified().await });
    let server = tokio::spawn(server.into_future());

    println!("tonight  {}", alice.ask("GET", "/tonight", None).await?.body);
    let hold = json!({ "event_id": event_id, "section": "Floor", "quantity": 2 });
    let stranger = Person::at(address, "a-guess");
    let refused = stranger
        .ask("POST", "/tickets/api/reservations", Some(hold.clone()))
        .await?;
    println!("stranger {} {}", refused.status, refused.body["message"]);

    let held = alice.ask("POST", "/tickets/api/reservations", Some(hold)).await?;
    let path = held.location.context("the answer to the hold has no Location header")?;
    println!("held     {path} until {}", held.body["expires_at"]);
    let pay = json!({ "payment_method": { "type": "card", "token": "tok_visa" } });
    let paid = alice.ask("POST", &format!("{path}/payment"), Some(pay)).await?.body;
    let tickets = paid["tickets"]
        .as_array()
        .context("the answer to the payment has no tickets")?;
    for ticket in tickets {
        println!("ticket   {}", ticket["ticket_id"]);
    }

    // This request tells the server to stop, and is answered even so, because the server finishes the requests that
    // it has accepted.
    let sold = alice.ask("POST", "/close", None).await?.body;
    println!("closing  {sold}");
    tokio::time::timeout(PATIENCE, server)
        .await
        .context("the server did not stop in time: a connection stays open")???;
    anyhow::ensure!(
        engine.shut_down(PATIENCE).await,
        "the engine did not finish its work in time"
    );
    println!("closed");

    anyhow::ensure!(
        refused.status == StatusCode::UNAUTHORIZED,
        "somebody with an unknown cookie was not refused"
    );
    anyhow::ensure!(
        path.starts_with("/tickets/api/"),
        "the path of the reservation does not begin with the prefix of the routes"
    );
    anyhow::ensure!(tickets.len() == 2, "the paid reservation does not have two tickets");
    anyhow::ensure!(
        sold == json!({ "sold": 2, "left": 8 }),
        "the service does not see two places sold and eight left"
    );
    Ok(())
}

/// The state of the service's handlers. A `BoxOffice` is a handle: it is cheap to clone, and all clones lead to the
/// same engine.
#[derive(Clone)]
struct Theatre {
    office: BoxOffice,
    event_id: EventId,
    closing: Arc<Notify>,
}

async fn tonight(State(theatre): State<Theatre>) -> Result<axum::Json<Value>, StatusCode> {
    // This asks the write side, whose answer is up to date. The read models may be behind the log.
    let section = theatre.office.section(None, theatre.event_id, "Floor").await;
    let counts = section
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?
        .availability
        .counts;
    Ok(axum::Json(json!({ "sold": counts.sold, "left": counts.available })))
}

/// Tells the server to stop, and answers with what was sold. So the request to this handler is under way while the
/// server stops.
async fn close(theatre: State<Theatre>) -> Result<axum::Json<Value>, StatusCode> {
    theatre.closing.notify_one();
    tonight(theatre).await
}

/// The members of the theatre, by their cookies: tells the box office which member has sent a request.
#[derive(Debug)]
struct Members(BTreeMap<String, Actor>);

#[async_trait::async_trait]
impl Authenticate for Members {
    async fn authenticate(&self, request: &Parts) -> Result<Option<Actor>, ApiError> {
        let cookies = request.headers.get("cookie").and_then(|value| value.to_str().ok());
        let Some(member) = cookies.and_then(|cookies| cookies.strip_prefix("member=")) else {
            return Ok(None);
        };
        // A request with an unknown cookie is refused, even on routes that need no cookie.
        let known = self.0.get(member).copied();
        known.map(Some).ok_or_else(ApiError::unauthenticated)
    }

    fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static("Cookie")
    }
}

/// Starts a box office that keeps everything in memory. To keep some of it elsewhere, replace the adapter of one port
/// here; nothing else needs to change.
async fn open_box_office(members: Members) -> anyhow::Result<(Engine, HttpState)> {
    let log = InMemory::log();
    // No older build will ever read this log, so the box office may write the newest version of every fact at once.
    finish_update(log.events.as_ref()).await?;
    let read_models = InMemory::read_models();
    let clock = Arc::new(SystemClock::new());
    let ids = Arc::new(SystemIds::new());
    let engine = Engine::start(
        Ports::new(
            log.clone(),
            Arc::new(SandboxGateway::new(clock.clone())),
            clock.clone(),
            ids.clone(),
        ),
        ProjectionPorts::new(&read_models, Arc::new(InMemoryFollowerStore::new()), None),
        EngineConfig::default(),
    );
    let state = HttpState {
        box_office: engine.box_office(),
        desk: Desk::new(
            engine.box_office(),
            DeskPorts::new(
                log.events,
                read_models,
                &InMemory::accounts(),
                clock.clone(),
                Arc::new(SystemEntropy),
            ),
            engine.read_models_reached(),
        )
        .with_boards(engine.live_boards()),
        callers: Arc::new(members),
        sign_in: None,
        live: LiveConnections::new(LiveSettings::default()),
        health: Vec::new(),
        clock,
        ids,
        config: HttpConfig::default(),
    };
    Ok((engine, state))
}

/// A person who uses the service, with an HTTP client that sends their cookie.
struct Person {
    client: Client<HttpConnector, Body>,
    address: SocketAddr,
    cookie: String,
}

/// The parts of an HTTP answer that the example looks at.
struct Answer {
    status: StatusCode,
    location: Option<String>,
    body: Value,
}

impl Person {
    fn at(address: SocketAddr, cookie: &str) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            address,
            cookie: cookie.to_owned(),
        }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> anyhow::Result<Answer> {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("cookie", format!("member={}", self.cookie))
            .header("content-type", "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))?;
        let answer = tokio::time::timeout(PATIENCE, self.client.request(request))
            .await
            .with_context(|| format!("no answer to {method} {path} in time"))??;
        let status = answer.status();
        let location = location(answer.headers());
        let bytes = answer.into_body().collect().await?.to_bytes();
        let body = serde_json::from_slice(&bytes)
            .with_context(|| format!("the answer to {method} {path} is not JSON; its status is {status}"))?;
        Ok(Answer { status, location, body })
    }
}

fn location(headers: &HeaderMap) -> Option<String> {
    let location = headers.get("location")?.to_str().ok()?;
    Some(location.to_owned())
}

#[test]
fn the_example_ends_well() {
    main().unwrap();
}
