//! A toy box office with one event and one endless row. It implements only what the load tool needs.
//!
//! It stores nothing on disk, has one lock for everything, and knows only the HTTP contract and no rule of the domain.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

const PRICE: u64 = 5_000;
const CAPACITY: u64 = 100_000;

/// Which promise the toy server breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    None,
    SellsSeatsTwice,
    ForgetsAHold,
    KeepsMoney,
    ExceedsAQuota,
}

pub(crate) struct ToyServer {
    address: std::net::SocketAddr,
    world: Shared,
    serving: JoinHandle<()>,
}

struct World {
    lie: Lie,
    ids: u128,
    next_seat: u64,
    reservations: BTreeMap<Uuid, Reservation>,
}

struct Reservation {
    owner: String,
    first_seat: u64,
    quantity: u64,
    status: &'static str,
    payment: Option<(Uuid, &'static str)>,
}

type Shared = Arc<Mutex<World>>;
type Answer = (StatusCode, Json<Value>);

impl ToyServer {
    pub(crate) async fn start(lie: Lie) -> Self {
        let world = Arc::new(Mutex::new(World {
            lie,
            ids: 0,
            next_seat: 1,
            reservations: BTreeMap::new(),
        }));
        let router = Router::new()
            .route("/api/events", post(event))
            .route("/api/events/{id}", get(event))
            .route("/api/events/{id}/publish", post(event))
            .route("/api/events/{id}/sales/open", post(event))
            .route("/api/events/{id}/availability", get(availability))
            .route("/api/events/{id}/analytics", get(analytics))
            .route("/api/reservations", post(hold).get(reservations))
            .route("/api/reservations/{id}", get(reservation))
            .route("/api/reservations/{id}/history", get(history))
            .route("/api/reservations/{id}/payment", post(pay))
            .route("/api/reservations/{id}/cancel", post(cancel))
            .route("/api/payments", get(payments))
            .route("/api/payments/{id}", get(payment))
            .with_state(Arc::clone(&world));
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port can be bound");
        let address = listener.local_addr().expect("a bound socket has an address");
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("serving does not end") });
        Self {
            address,
            world,
            serving,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn forget_everything(&self) {
        self.world
            .lock()
            .expect("no handler panics while it holds this lock")
            .reservations
            .clear();
    }
}

impl Drop for ToyServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl World {
    fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    fn seats(&self, statuses: &[&str]) -> u64 {
        let counted = self
            .reservations
            .values()
            .filter(|reservation| statuses.contains(&reservation.status));
        counted.map(|reservation| reservation.quantity).sum()
    }

    fn paid(&self, statuses: &[&str]) -> u64 {
        let counted = self.reservations.values().filter(|reservation| {
            reservation
                .payment
                .is_some_and(|(_, status)| statuses.contains(&status))
        });
        counted.map(|reservation| reservation.quantity * PRICE).sum()
    }
}

impl Reservation {
    fn json(&self, id: Uuid) -> Value {
        let seats: Vec<_> = (self.first_seat..self.first_seat + self.quantity)
            .map(|seat| json!({"seat_id": format!("R-{seat}")}))
            .collect();
        // Derives the id of a ticket from its seat, so that no two ids are equal.
        let tickets: Vec<_> = (self.first_seat..self.first_seat + self.quantity)
            .map(|seat| json!({"ticket_id": Uuid::from_u128(u128::from(seat))}))
            .collect();
        json!({
            "reservation_id": id, "event_id": Uuid::nil(), "lines": [{
                "section": "Section 1", "ticket_type": null, "tier": "regular", "seats": seats,
                "quantity": self.quantity, "code": null, "unit_price": euros(PRICE),
                "total_amount": euros(self.quantity * PRICE),
                "price_parts": [{"part": "base", "included": false, "amount": euros(self.quantity * PRICE)}] }],
            "total_amount": euros(self.quantity * PRICE), "status": self.status,
            "expires_at": "2030-01-01T01:00:00Z", "server_time": "2030-01-01T00:00:00Z",
            "completed_at": self.payment.map(|_| "2030-01-01T00:00:00Z"),
            "payment_id": self.payment.map(|(payment, _)| payment),
            "tickets": if self.payment.is_some() { tickets } else { vec![] },
        })
    }

    fn payment_json(&self, id: Uuid) -> Option<Value> {
        let (payment, status) = self.payment?;
        let amount = self.quantity * PRICE;
        Some(json!({
            "payment_id": payment, "reservation_id": id, "status": status, "amount": euros(amount),
            "refunded_amount": euros(if status == "refunded" { amount } else { 0 }),
        }))
    }
}

fn euros(cents: u64) -> Value {
    json!({"amount": cents, "currency": "EUR"})
}

fn ok(body: Value) -> Answer {
    (StatusCode::OK, Json(body))
}

fn refused(status: StatusCode, code: &str) -> Answer {
    (status, Json(json!({"code": code, "message": "no"})))
}

fn caller(headers: &HeaderMap) -> String {
    headers["authorization"]
        .to_str()
        .expect("the tool sends ASCII")
        .to_owned()
}

async fn event(State(world): State<Shared>) -> Answer {
    let world = world.lock().expect("no handler panics while it holds this lock");
    let quantity = (world.lie == Lie::ExceedsAQuota).then_some(10);
    ok(json!({
        "event_id": Uuid::nil(), "starts_at": "2100-01-01T00:00:00Z",
        "refund_policy": [{"hours_before": 168, "percent": 100}],
        "sections": [{"name": "Section 1", "ticket_types": []}], "pools": [],
        "pricing_tiers": [{"section": "Section 1", "ticket_type": null, "tier": "regular", "price": euros(PRICE),
            "quantity": quantity}],
    }))
}

async fn availability(State(world): State<Shared>) -> Answer {
    let world = world.lock().expect("no handler panics while it holds this lock");
    let (reserved, sold) = (world.seats(&["held"]), world.seats(&["completed"]));
    ok(json!({"sequence": 1, "sections": {"Section 1": {
        "total_capacity": CAPACITY, "available": CAPACITY - reserved - sold, "reserved": reserved, "sold": sold,
        "blocked": 0,
    }}}))
}

async fn analytics(State(world): State<Shared>) -> Answer {
    let world = world.lock().expect("no handler panics while it holds this lock");
    ok(json!({
        "total_revenue": euros(world.paid(&["captured", "refunded"])), "refunded": euros(world.paid(&["refunded"])),
        "tickets_sold": world.seats(&["completed"]),
    }))
}

async fn hold(State(world): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Answer {
    let mut world = world.lock().expect("no handler panics while it holds this lock");
    let quantity = body["quantity"].as_u64().expect("the tool asks for a quantity");
    let id = world.id();
    let reservation = Reservation {
        owner: caller(&headers),
        first_seat: world.next_seat,
        quantity,
        status: "held",
        payment: None,
    };
    let answer = reservation.json(id);
    if world.lie != Lie::SellsSeatsTwice || !world.ids.is_multiple_of(50) {
        world.next_seat += quantity;
    }
    if world.lie != Lie::ForgetsAHold || world.ids != 10 {
        world.reservations.insert(id, reservation);
    }
    (StatusCode::CREATED, Json(answer))
}

async fn pay(State(world): State<Shared>, Path(id): Path<Uuid>, Json(body): Json<Value>) -> Answer {
    let mut world = world.lock().expect("no handler panics while it holds this lock");
    if body["payment_method"]["token"] == "tok_declined" {
        return refused(StatusCode::PAYMENT_REQUIRED, "PAYMENT_FAILED");
    }
    let payment = world.id();
    let Some(reservation) = world.reservations.get_mut(&id) else {
        return refused(StatusCode::NOT_FOUND, "RESERVATION_NOT_FOUND");
    };
    reservation.status = "completed";
    reservation.payment = Some((payment, "captured"));
    ok(reservation.json(id))
}

async fn cancel(State(world): State<Shared>, Path(id): Path<Uuid>) -> Answer {
    let mut world = world.lock().expect("no handler panics while it holds this lock");
    let refunds = world.lie != Lie::KeepsMoney;
    let Some(reservation) = world.reservations.get_mut(&id) else {
        return refused(StatusCode::NOT_FOUND, "RESERVATION_NOT_FOUND");
    };
    reservation.status = if reservation.payment.is_some() {
        "refunded"
    } else {
        "cancelled"
    };
    if let Some((_, status)) = &mut reservation.payment
        && refunds
    {
        *status = "refunded";
    }
    ok(reservation.json(id))
}

async fn reservation(State(world): State<Shared>, Path(id): Path<Uuid>) -> Answer {
    match world
        .lock()
        .expect("no handler panics while it holds this lock")
        .reservations
        .get(&id)
    {
        Some(reservation) => ok(reservation.json(id)),
        None => refused(StatusCode::NOT_FOUND, "RESERVATION_NOT_FOUND"),
    }
}

async fn history() -> Answer {
    ok(json!({"events": [{"sequence": 1}, {"sequence": 2}]}))
}

async fn payment(State(world): State<Shared>, Path(wanted): Path<Uuid>) -> Answer {
    let world = world.lock().expect("no handler panics while it holds this lock");
    let found = world
        .reservations
        .iter()
        .find(|(_, reservation)| reservation.payment.is_some_and(|(payment, _)| payment == wanted))
        .and_then(|(&id, reservation)| reservation.payment_json(id));
    found.map_or_else(|| refused(StatusCode::NOT_FOUND, "PAYMENT_NOT_FOUND"), ok)
}

/// Lists the reservations of the caller, all on one page whatever page size is asked for.
async fn reservations(State(world): State<Shared>, headers: HeaderMap) -> Answer {
    let world = world.lock().expect("no handler panics while it holds this lock");
    let own = world
        .reservations
        .iter()
        .filter(|(_, reservation)| reservation.owner == caller(&headers));
    let rows: Vec<_> = own.map(|(&id, reservation)| reservation.json(id)).collect();
    ok(json!({"reservations": rows, "total": 1}))
}

async fn payments(State(world): State<Shared>, headers: HeaderMap) -> Answer {
    let world = world.lock().expect("no handler panics while it holds this lock");
    let own = world
        .reservations
        .iter()
        .filter(|(_, reservation)| reservation.owner == caller(&headers));
    let rows: Vec<_> = own
        .filter_map(|(&id, reservation)| reservation.payment_json(id))
        .collect();
    ok(json!({"payments": rows, "total": 1}))
}
