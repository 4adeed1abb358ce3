//! The box office inside another service: its routes nested beside the service's own, and the same box office asked in
//! process, without HTTP, by a handler of the service. A customer buys two tickets over a real socket; then the house
//! closes without losing the request that is under way.
//!
//! Paths in answers and on pages (`Location`, `/docs`, the page that a magic link opens) start at the root. A service
//! whose visitors follow them takes the routes in with `merge` instead of `nest`.
//!
//! `cargo run -p box-office-examples --example embed_the_router`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adapters_external::{ConsoleMailer, SandboxGateway, SystemClock, SystemEntropy, SystemIds};
use adapters_http::{HttpConfig, HttpState};
use adapters_memory::{
    InMemoryChallengeStore, InMemoryDeadLetterStore, InMemoryEventStore, InMemoryFollowerStore, InMemoryIdentityStore,
    InMemoryOneTimeTokenStore, InMemoryPasskeyStore, InMemoryRateLimiter, InMemoryReadModels, InMemorySessionStore,
    InMemoryUserStore,
};
use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::routing::{get, post};
use box_office_examples::put_on_sale;
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use ticketing_ports::email::EmailAddress;
use ticketing_ports::ids::EventId;
use ticketing_ports::roles::Role;
use ticketing_runtime::{
    BoxOffice, Desk, DeskPorts, Engine, EngineConfig, Ports, ProjectionPorts, SignIn, SignInConfig, SignInPorts,
};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// Longer than anything here takes; a host that hangs is an error.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (engine, box_office) = open_box_office(address);
    let event_id = put_on_sale(&box_office.box_office).await?;
    let sign_in = box_office.sign_in.clone();

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
    // The connect info tells the box office who asks.
    let site = site.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, site).with_graceful_shutdown(async move { closing.notified().await });
    let server = tokio::spawn(server.into_future());

    let alice = Visitor::signed_in(address, &sign_in).await?;
    println!("tonight  {}", alice.ask("GET", "/tonight", None).await?);
    let hold = json!({ "event_id": event_id, "section": "Floor", "quantity": 2 });
    let held = alice.ask("POST", "/tickets/api/reservations", Some(hold)).await?;
    println!("held     {} until {}", held["reservation_id"], held["expires_at"]);

    let reservation = held["reservation_id"].as_str().context("a hold has an id")?;
    let path = format!("/tickets/api/reservations/{reservation}/payment");
    let pay = json!({ "payment_method": { "type": "card", "token": "tok_visa" } });
    let paid = alice.ask("POST", &path, Some(pay)).await?;
    let tickets = paid["tickets"].as_array().context("what is paid for has tickets")?;
    for ticket in tickets {
        println!("ticket   {}", ticket["ticket_id"]);
    }

    // Answered although the server has been told to stop: it finishes what it has accepted.
    let sold = alice.ask("POST", "/close", None).await?;
    println!("closing  {sold}");
    tokio::time::timeout(PATIENCE, server)
        .await
        .context("a connection stays open")???;
    anyhow::ensure!(engine.shut_down(PATIENCE).await, "the engine left work undone");
    println!("closed");

    anyhow::ensure!(tickets.len() == 2, "two tickets were paid for");
    anyhow::ensure!(sold == json!({ "sold": 2, "left": 8 }), "the house sees what was sold");
    Ok(())
}

/// What the service's own handlers share. The box office is cheap to clone and the same for everybody.
#[derive(Clone)]
struct Theatre {
    office: BoxOffice,
    event_id: EventId,
    closing: Arc<Notify>,
}

async fn tonight(State(theatre): State<Theatre>) -> Result<axum::Json<Value>, StatusCode> {
    // A question to the write side: exact to the moment, not as old as the read models.
    let section = theatre.office.section(None, theatre.event_id, "Floor").await;
    let counts = section
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?
        .availability
        .counts;
    Ok(axum::Json(json!({ "sold": counts.sold, "left": counts.available })))
}

/// Tells the server to stop and only then looks at the books.
async fn close(theatre: State<Theatre>) -> Result<axum::Json<Value>, StatusCode> {
    theatre.closing.notify_one();
    tonight(theatre).await
}

/// Everything in memory. Another adapter behind one of these ports changes nothing else.
fn open_box_office(address: SocketAddr) -> (Engine, HttpState) {
    let log = Arc::new(InMemoryEventStore::new());
    let read_models = Arc::new(InMemoryReadModels::new());
    let users = Arc::new(InMemoryUserStore::new());
    let clock = Arc::new(SystemClock::new());
    let ids = Arc::new(SystemIds::new());
    let engine = Engine::start(
        Ports {
            events: log.clone(),
            snapshots: log.clone(),
            deadlines: log.clone(),
            idempotency: log.clone(),
            gateway: Arc::new(SandboxGateway::new(clock.clone())),
            clock: clock.clone(),
            ids: ids.clone(),
        },
        ProjectionPorts {
            projections: read_models.clone(),
            dead_letters: Arc::new(InMemoryDeadLetterStore::new()),
            followers: Arc::new(InMemoryFollowerStore::new()),
            bus: None,
        },
        EngineConfig::default(),
    );
    let sign_in = SignInPorts {
        users: users.clone(),
        sessions: Arc::new(InMemorySessionStore::new()),
        tokens: Arc::new(InMemoryOneTimeTokenStore::new()),
        challenges: Arc::new(InMemoryChallengeStore::new()),
        passkeys: Arc::new(InMemoryPasskeyStore::new()),
        identities: Arc::new(InMemoryIdentityStore::new()),
        limiter: Arc::new(InMemoryRateLimiter::new()),
        relying_party: None,
        providers: BTreeMap::new(),
        mailer: Arc::new(ConsoleMailer::stdout()),
        clock: clock.clone(),
        entropy: Arc::new(SystemEntropy),
        ids: ids.clone(),
        elsewhere: Vec::new(),
    };
    let config = SignInConfig {
        public_url: format!("http://{address}/tickets"),
    };
    let state = HttpState {
        box_office: engine.box_office(),
        desk: Desk::new(
            engine.box_office(),
            DeskPorts {
                log,
                events: read_models.clone(),
                availability: read_models.clone(),
                reservations: read_models.clone(),
                payments: read_models.clone(),
                sales: read_models.clone(),
                projections: read_models,
                users,
                clock: clock.clone(),
            },
            engine.projected(),
        ),
        sign_in: SignIn::new(sign_in, config),
        health: Vec::new(),
        clock,
        ids,
        config: HttpConfig::default(),
    };
    (engine, state)
}

/// Somebody with a browser.
struct Visitor {
    client: Client<HttpConnector, Body>,
    address: SocketAddr,
    session: String,
}

impl Visitor {
    /// The service has its own way to know who she is, so it opens the session itself and sends no magic link.
    async fn signed_in(address: SocketAddr, sign_in: &SignIn) -> anyhow::Result<Self> {
        let email = EmailAddress::parse("alice@example.com")?;
        let user = sign_in.ensure_user(&email, Role::Customer).await?.into_user();
        let session = sign_in.open_session(&user).await?.secret.expose();
        let client = Client::builder(TokioExecutor::new()).build_http();
        Ok(Self {
            client,
            address,
            session,
        })
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("authorization", format!("Bearer {}", self.session))
            .header("content-type", "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))?;
        let answer = tokio::time::timeout(PATIENCE, self.client.request(request))
            .await
            .with_context(|| format!("no answer to {method} {path}"))??;
        let status = answer.status();
        let bytes = answer.into_body().collect().await?.to_bytes();
        let text = String::from_utf8_lossy(&bytes);
        anyhow::ensure!(status.is_success(), "{method} {path}: {status} {text}");
        Ok(serde_json::from_slice(&bytes)?)
    }
}

#[test]
fn the_example_ends_well() {
    main().unwrap();
}
