use std::collections::BTreeMap;
use std::sync::Arc;

use adapters_external::WebauthnRelyingParty;
use adapters_http::{
    Authenticate, BySession, HealthCheck, HttpConfig, HttpState, LiveConnections, LiveSettings, limited, router_with,
};
use adapters_memory::faults::{FaultPolicy, FaultyEventStore};
use adapters_memory::{
    InMemory, InMemoryBuyerStore, InMemoryEventStore, InMemoryFollowerStore, InMemoryGateway, InMemoryPasskeyStore,
    InMemoryUserStore, ManualClock, RecordingMailer, SeededEntropy, SeededIds,
};
use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use futures::FutureExt as _;
use serde_json::{Value, json};
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::stores::LogStores;
use ticketing_ports::outside::clock::Clock as _;
use ticketing_ports::people::buyers::BuyerStore;
use ticketing_ports::people::passkeys::{Passkey, PasskeyStore as _};
use ticketing_ports::people::stores::AccountStores;
use ticketing_ports::people::users::UserStore;
use ticketing_ports::read_models::stores::ReadModelStores;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::roles::Role;
use ticketing_runtime::{
    Desk, DeskPorts, Engine, EngineConfig, Ports, ProjectionPorts, SignIn, SignInConfig, SignInPorts, finish_update,
};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Actor, ScriptedProvider};

const PUBLIC_URL: &str = "https://tickets.example";

/// The API with stores in memory and a clock that only tests move. Tests call its router directly, without a socket.
pub(crate) struct TestServer {
    pub(crate) router: Router,
    pub(crate) log: Arc<dyn EventStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) gateway: Arc<InMemoryGateway>,
    pub(crate) mailer: Arc<RecordingMailer>,
    pub(crate) users: Arc<dyn UserStore>,
    pub(crate) sign_in: SignIn,
    /// Signing in as another process does it, on the same stores.
    pub(crate) sign_in_elsewhere: SignIn,
    pub(crate) live: LiveConnections,
    /// Tells the server to stop.
    pub(crate) stopping: CancellationToken,
    pub(crate) passkeys: Arc<InMemoryPasskeyStore>,
    pub(crate) provider: Arc<ScriptedProvider>,
    // The engine stops working when this value is dropped.
    _engine: Engine,
}

/// What a test can change before the server starts.
pub(crate) struct Setup {
    pub(crate) http: HttpConfig,
    pub(crate) live: LiveSettings,
    pub(crate) engine: EngineConfig,
    pub(crate) health: Vec<Arc<dyn HealthCheck>>,
    pub(crate) faults: Arc<dyn FaultPolicy>,
    pub(crate) buyers: Arc<dyn BuyerStore>,
    /// The host's own way to find out who the caller is. If this is set, the server has no sessions and no routes of
    /// signing in.
    pub(crate) host: Option<Arc<dyn Authenticate>>,
    /// Routes of the host within the limits of the API.
    pub(crate) routes: Router,
    /// Whether the server has only the routes of the host.
    pub(crate) without_api: bool,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup {
            http: HttpConfig::default(),
            live: LiveSettings::default(),
            engine: EngineConfig::default(),
            health: Vec::new(),
            faults: Arc::new(|_| adapters_memory::faults::Fault::None),
            buyers: Arc::new(InMemoryBuyerStore::new()),
            host: None,
            routes: Router::new(),
            without_api: false,
        };
        change(&mut setup);
        let parts = Parts::new(setup.faults, setup.buyers);
        let engine = parts.start_engine(setup.engine);
        let config = SignInConfig {
            public_url: PUBLIC_URL.to_owned(),
        };
        let ports = parts.sign_in_ports();
        let sign_in_elsewhere = SignIn::new(ports.clone(), config.clone());
        let sign_in = SignIn::new(ports, config);
        let live = LiveConnections::new(setup.live);
        let stopping = setup.http.stopping.clone();
        let (callers, own_sign_in): (Arc<dyn Authenticate>, _) = match setup.host {
            Some(host) => (host, None),
            None => (
                Arc::new(BySession::new(sign_in.sessions.clone())),
                Some(sign_in.clone()),
            ),
        };
        let state = HttpState {
            box_office: engine.box_office(),
            desk: Desk::new(engine.box_office(), parts.desk_ports(), engine.read_models_reached())
                .with_boards(engine.live_boards()),
            callers,
            sign_in: own_sign_in,
            live: live.clone(),
            health: setup.health,
            clock: Arc::clone(&parts.clock) as _,
            ids: Arc::clone(&parts.ids) as _,
            config: setup.http,
        };
        let router = if setup.without_api {
            limited(state, setup.routes)
        } else {
            router_with(state, setup.routes)
        };
        Self {
            router,
            log: parts.log,
            clock: parts.clock,
            gateway: parts.gateway,
            mailer: parts.mailer,
            users: parts.users,
            sign_in,
            sign_in_elsewhere,
            live,
            stopping,
            passkeys: parts.passkeys,
            provider: parts.provider,
            _engine: engine,
        }
    }

    /// Returns somebody who has not signed in.
    pub(crate) fn stranger(&self) -> Actor {
        Actor::new(self.router.clone(), None)
    }

    pub(crate) async fn customer(&self, name: &str) -> Actor {
        self.signed_in(name, Role::Customer).await
    }

    pub(crate) async fn owner(&self, name: &str) -> Actor {
        self.signed_in(name, Role::EventOwner).await
    }

    pub(crate) async fn admin(&self, name: &str) -> Actor {
        self.signed_in(name, Role::Admin).await
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
    }

    pub(crate) fn in_days(&self, days: i64) -> String {
        (self.clock.now() + TimeDelta::days(days)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    }

    /// Makes an event of `owner` with open sales: `VIP` has rows A and B of 10 seats each for 120 €, `General` has 5
    /// places for 50 €.
    pub(crate) async fn event_on_sale(&self, owner: &Actor) -> String {
        self.put_on_sale(owner, event_request(&self.in_days(60))).await
    }

    /// Makes the requested event of `owner` with open sales.
    pub(crate) async fn put_on_sale(&self, owner: &Actor, request: Value) -> String {
        let event = self.draft_of(owner, request).await;
        owner
            .post(&format!("/api/events/{event}/publish"), ())
            .await
            .expect(200);
        let opened = owner.post(&format!("/api/events/{event}/sales/open"), ()).await;
        opened.expect(200);
        // Public reads come from the read models, so this waits until these show that sales are open.
        let seen = owner.get_after(&opened, &format!("/api/events/{event}")).await;
        assert_eq!(seen.expect(200).body["status"], "sales_open");
        event
    }

    pub(crate) async fn draft(&self, owner: &Actor) -> String {
        self.draft_of(owner, event_request(&self.in_days(60))).await
    }

    async fn draft_of(&self, owner: &Actor, request: Value) -> String {
        let created = owner.post("/api/events", request).await;
        let event = created.expect(201).text("event_id");
        let seen = owner.get_after(&created, &format!("/api/events/{event}")).await;
        seen.expect(200);
        event
    }

    /// Stores a made-up passkey for somebody. No authenticator has its key, so nobody can sign in with it. Returns
    /// the id of the passkey.
    pub(crate) async fn passkey_of(&self, actor: &Actor) -> String {
        let passkey = Passkey {
            credential_id: vec![7; 16],
            user_id: actor.id(),
            name: "Key".to_owned(),
            credential: Vec::new(),
            counter: 0,
            created_at: self.clock.now(),
            last_used_at: None,
            suspect: false,
        };
        let id = URL_SAFE_NO_PAD.encode(&passkey.credential_id);
        self.passkeys.add(passkey, 10).await.unwrap();
        id
    }

    /// Signs somebody in once more. Returns the id of the new session.
    pub(crate) async fn sign_in_again(&self, actor: &Actor) -> String {
        let user = self.users.find(actor.id()).await.unwrap().unwrap();
        self.sign_in.sessions.open(&user).await.unwrap().secret.expose()
    }

    async fn signed_in(&self, name: &str, role: Role) -> Actor {
        let email = EmailAddress::parse(&format!("{name}@example.com")).unwrap();
        let user = self.sign_in.accounts.ensure(&email, role).await.unwrap().into_user();
        let id = user.id;
        let begun = self.sign_in.sessions.open(&user).await.unwrap();
        Actor::new(self.router.clone(), Some((begun.secret.expose(), id)))
    }
}

/// The adapters that a [`TestServer`] uses.
struct Parts {
    log: Arc<FaultyEventStore<InMemoryEventStore>>,
    models: ReadModelStores,
    gateway: Arc<InMemoryGateway>,
    users: Arc<InMemoryUserStore>,
    buyers: Arc<dyn BuyerStore>,
    mailer: Arc<RecordingMailer>,
    passkeys: Arc<InMemoryPasskeyStore>,
    provider: Arc<ScriptedProvider>,
    clock: Arc<ManualClock>,
    ids: Arc<SeededIds>,
}

impl Parts {
    fn new(faults: Arc<dyn FaultPolicy>, buyers: Arc<dyn BuyerStore>) -> Self {
        let log = Arc::new(InMemoryEventStore::new());
        // No older build reads this log, so this build may write facts in their newest versions at once.
        finish_update(log.as_ref()).now_or_never().unwrap().unwrap();
        Self {
            log: Arc::new(FaultyEventStore::new(log, move |operation| faults.fault(operation))),
            models: InMemory::read_models(),
            gateway: Arc::new(InMemoryGateway::new()),
            users: Arc::new(InMemoryUserStore::new()),
            buyers,
            mailer: Arc::new(RecordingMailer::new()),
            passkeys: Arc::new(InMemoryPasskeyStore::new()),
            provider: Arc::new(ScriptedProvider::default()),
            clock: Arc::new(ManualClock::default()),
            ids: Arc::new(SeededIds::new(1)),
        }
    }

    fn start_engine(&self, config: EngineConfig) -> Engine {
        let write_side = Ports::new(
            LogStores::of(Arc::clone(&self.log)),
            Arc::clone(&self.gateway) as _,
            Arc::clone(&self.clock) as _,
            Arc::clone(&self.ids) as _,
        );
        let read_side = ProjectionPorts::new(&self.models, Arc::new(InMemoryFollowerStore::new()), None);
        Engine::start(write_side, read_side, config)
    }

    fn sign_in_ports(&self) -> SignInPorts {
        SignInPorts {
            accounts: AccountStores {
                users: Arc::clone(&self.users) as _,
                passkeys: Arc::clone(&self.passkeys) as _,
                buyers: Arc::clone(&self.buyers),
                ..InMemory::accounts()
            },
            stores: InMemory::sign_in(),
            relying_party: Some(Arc::new(relying_party())),
            providers: BTreeMap::from([("scripted".to_owned(), Arc::clone(&self.provider) as _)]),
            mailer: Arc::clone(&self.mailer) as _,
            clock: Arc::clone(&self.clock) as _,
            entropy: Arc::new(SeededEntropy::new(2)),
            ids: Arc::clone(&self.ids) as _,
            elsewhere: Vec::new(),
        }
    }

    fn desk_ports(&self) -> DeskPorts {
        DeskPorts::new(
            Arc::clone(&self.log) as _,
            self.models.clone(),
            &self.sign_in_ports().accounts,
            Arc::clone(&self.clock) as _,
            Arc::new(SeededEntropy::new(3)),
        )
    }
}

fn relying_party() -> WebauthnRelyingParty {
    WebauthnRelyingParty::new(&Url::parse(PUBLIC_URL).unwrap()).unwrap()
}

/// Returns a valid request for a new event.
pub(crate) fn event_request(starts_at: &str) -> Value {
    let price = |amount: i64| json!({ "amount": amount, "currency": "EUR" });
    json!({
        "name": "Night of the Proms",
        "currency": "EUR",
        "starts_at": starts_at,
        "venue": { "name": "Sportpaleis", "city": "Antwerp", "country": "BE", "timezone": "Europe/Brussels" },
        "sections": [
            { "name": "VIP", "seating": { "kind": "numbered", "rows": [
                { "row": "A", "seats": 10 }, { "row": "B", "seats": 10 }] } },
            { "name": "General", "seating": { "kind": "general_admission", "capacity": 5 } },
        ],
        "pricing_tiers": [
            { "section": "VIP", "tier": "regular", "price": price(12_000), "available_from": null,
              "available_until": null },
            { "section": "General", "tier": "regular", "price": price(5_000) },
        ],
    })
}
