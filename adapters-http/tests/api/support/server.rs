use std::collections::BTreeMap;
use std::sync::Arc;

use adapters_external::WebauthnRelyingParty;
use adapters_http::{Authenticate, BySession, HealthCheck, HttpConfig, HttpState, router};
use adapters_memory::faults::{FaultPolicy, FaultyEventStore};
use adapters_memory::{
    InMemory, InMemoryDeadLetterStore, InMemoryEventStore, InMemoryFollowerStore, InMemoryGateway,
    InMemoryPasskeyStore, InMemoryReadModels, InMemoryUserStore, ManualClock, RecordingMailer, SeededEntropy,
    SeededIds,
};
use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use futures::FutureExt as _;
use serde_json::{Value, json};
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::outside::clock::Clock as _;
use ticketing_ports::people::passkeys::{Passkey, PasskeyStore as _};
use ticketing_ports::people::stores::AccountStores;
use ticketing_ports::people::users::UserStore;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::roles::Role;
use ticketing_runtime::{
    Desk, DeskPorts, Engine, EngineConfig, Ports, ProjectionPorts, SignIn, SignInConfig, SignInPorts, finish_update,
};

use url::Url;

use super::{Actor, ScriptedProvider};

/// The API on stores in memory, a clock that stands still, and no socket.
pub(crate) struct TestServer {
    pub(crate) router: Router,
    pub(crate) log: Arc<dyn EventStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) gateway: Arc<InMemoryGateway>,
    pub(crate) mailer: Arc<RecordingMailer>,
    pub(crate) users: Arc<dyn UserStore>,
    pub(crate) sign_in: SignIn,
    pub(crate) passkeys: Arc<InMemoryPasskeyStore>,
    pub(crate) provider: Arc<ScriptedProvider>,
    // Work goes on as long as somebody holds it.
    _engine: Engine,
}

/// What a test wants to be different.
pub(crate) struct Setup {
    pub(crate) http: HttpConfig,
    pub(crate) health: Vec<Arc<dyn HealthCheck>>,
    pub(crate) faults: Arc<dyn FaultPolicy>,
    /// Says who asks, in place of sessions and the routes of signing in.
    pub(crate) host: Option<Arc<dyn Authenticate>>,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup {
            http: HttpConfig::default(),
            health: Vec::new(),
            faults: Arc::new(|_| adapters_memory::faults::Fault::None),
            host: None,
        };
        change(&mut setup);
        let clock = Arc::new(ManualClock::default());
        let ids = Arc::new(SeededIds::new(1));
        let faults = setup.faults;
        let log = Arc::new(InMemoryEventStore::new());
        // No older build is about.
        finish_update(log.as_ref()).now_or_never().unwrap().unwrap();
        let gateway = Arc::new(InMemoryGateway::new());
        let log = Arc::new(FaultyEventStore::new(log, move |operation| faults.fault(operation)));
        let models = Arc::new(InMemoryReadModels::new());
        let engine = Engine::start(
            Ports {
                events: Arc::clone(&log) as _,
                snapshots: Arc::clone(&log) as _,
                deadlines: Arc::clone(&log) as _,
                idempotency: Arc::clone(&log) as _,
                gateway: Arc::clone(&gateway) as _,
                clock: Arc::clone(&clock) as _,
                ids: Arc::clone(&ids) as _,
            },
            ProjectionPorts {
                projections: Arc::clone(&models) as _,
                dead_letters: Arc::new(InMemoryDeadLetterStore::new()),
                followers: Arc::new(InMemoryFollowerStore::new()),
                bus: None,
            },
            EngineConfig::default(),
        );
        let users = Arc::new(InMemoryUserStore::new());
        let mailer = Arc::new(RecordingMailer::new());
        let passkeys = Arc::new(InMemoryPasskeyStore::new());
        let provider = Arc::new(ScriptedProvider::default());
        let ports = SignInPorts {
            accounts: AccountStores {
                users: Arc::clone(&users) as _,
                passkeys: Arc::clone(&passkeys) as _,
                ..InMemory::accounts()
            },
            stores: InMemory::sign_in(),
            relying_party: Some(Arc::new(relying_party())),
            providers: BTreeMap::from([("scripted".to_owned(), Arc::clone(&provider) as _)]),
            mailer: Arc::clone(&mailer) as _,
            clock: Arc::clone(&clock) as _,
            entropy: Arc::new(SeededEntropy::new(2)),
            ids: Arc::clone(&ids) as _,
            elsewhere: Vec::new(),
        };
        let config = SignInConfig {
            public_url: "https://tickets.example".to_owned(),
        };
        let sign_in = SignIn::new(ports, config);
        let (callers, own_sign_in): (Arc<dyn Authenticate>, _) = match setup.host {
            Some(host) => (host, None),
            None => (
                Arc::new(BySession::new(sign_in.sessions.clone())),
                Some(sign_in.clone()),
            ),
        };
        let router = router(HttpState {
            box_office: engine.box_office(),
            desk: Desk::new(
                engine.box_office(),
                DeskPorts {
                    log: Arc::clone(&log) as _,
                    events: Arc::clone(&models) as _,
                    availability: Arc::clone(&models) as _,
                    reservations: Arc::clone(&models) as _,
                    payments: Arc::clone(&models) as _,
                    sales: Arc::clone(&models) as _,
                    projections: models,
                    users: Arc::clone(&users) as _,
                    clock: Arc::clone(&clock) as _,
                },
                engine.read_models_reached(),
            ),
            callers,
            sign_in: own_sign_in,
            health: setup.health,
            clock: Arc::clone(&clock) as _,
            ids,
            config: setup.http,
        });
        Self {
            router,
            log,
            clock,
            gateway,
            mailer,
            users,
            sign_in,
            passkeys,
            provider,
            _engine: engine,
        }
    }

    /// Somebody who has not signed in.
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

    /// An event of `owner` with sales open: `VIP` has rows A and B of 10 seats for 120 €, `General` 5 places for 50 €.
    pub(crate) async fn event_on_sale(&self, owner: &Actor) -> String {
        let event = self.draft(owner).await;
        owner
            .post(&format!("/api/events/{event}/publish"), ())
            .await
            .expect(200);
        let opened = owner.post(&format!("/api/events/{event}/sales/open"), ()).await;
        opened.expect(200);
        // What is public shows in the read models.
        let seen = owner.get_after(&opened, &format!("/api/events/{event}")).await;
        assert_eq!(seen.expect(200).body["status"], "sales_open");
        event
    }

    pub(crate) async fn draft(&self, owner: &Actor) -> String {
        let created = owner.post("/api/events", event_request(&self.in_days(60))).await;
        let event = created.expect(201).text("event_id");
        let seen = owner.get_after(&created, &format!("/api/events/{event}")).await;
        seen.expect(200);
        event
    }

    /// Gives somebody a passkey that no authenticator has. Returns its id.
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

    /// Another session of somebody, by its id.
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

fn relying_party() -> WebauthnRelyingParty {
    WebauthnRelyingParty::new(&Url::parse("https://tickets.example").unwrap()).unwrap()
}

/// A request that is in order.
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
