//! Who may do what: everybody calls every operation of the OpenAPI document and must get exactly the status in the
//! table.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Actor, TestServer, event_request};

/// In this order: nobody (not signed in), the customer who has the reservation, another customer, the owner of the
/// event, another event owner, and an administrator.
const PEOPLE: [&str; 6] = ["nobody", "alice", "bob", "olga", "otto", "ada"];

/// The id of each operation, and the status that each of the six people gets for a valid request.
#[rustfmt::skip]
const TABLE: &[(&str, [u16; 6])] = &[
    // Events: `olga` owns the event that the requests are about.
    ("create_event",               [401, 403, 403, 201, 201, 201]),
    ("list_events",                [200, 200, 200, 200, 200, 200]),
    ("get_event",                  [200, 200, 200, 200, 200, 200]),
    ("publish",                    [401, 404, 404, 200, 404, 200]),
    ("open_sales",                 [401, 403, 403, 200, 403, 200]),
    ("close_sales",                [401, 403, 403, 200, 403, 200]),
    ("cancel_event",               [401, 403, 403, 200, 403, 200]),
    ("block_seats",                [401, 403, 403, 200, 403, 200]),
    ("unblock_seats",              [401, 403, 403, 200, 403, 200]),
    ("add_codes",                  [401, 403, 403, 201, 403, 201]),
    ("list_codes",                 [401, 403, 403, 200, 403, 200]),
    ("end_code",                   [401, 403, 403, 200, 403, 200]),
    ("get_availability",           [200, 200, 200, 200, 200, 200]),
    ("get_section",                [200, 200, 200, 200, 200, 200]),
    ("event_analytics",            [401, 403, 403, 200, 403, 200]),
    // Reservations and payments: they belong to `alice`.
    ("create_reservation",         [401, 201, 201, 201, 201, 201]),
    ("list_reservations",          [401, 200, 200, 200, 200, 200]),
    ("get_reservation",            [401, 200, 404, 404, 404, 200]),
    ("pay_reservation",            [401, 200, 404, 404, 404, 200]),
    ("show_cancellation",          [401, 200, 404, 404, 404, 200]),
    ("extend_hold",                [401, 200, 404, 404, 404, 200]),
    // This needs the secret of a guest's order. No session is enough, not even an administrator's.
    ("give_contact",               [401, 401, 401, 401, 401, 401]),
    ("cancel_reservation",         [401, 200, 404, 404, 404, 200]),
    ("reservation_history",        [401, 200, 404, 404, 404, 200]),
    ("create_payment",             [401, 201, 404, 404, 404, 201]),
    ("list_payments",              [401, 200, 200, 200, 200, 200]),
    ("get_payment",                [401, 200, 404, 404, 404, 200]),
    ("refund_payment",             [401, 403, 403, 403, 403, 200]),
    ("customer_history",           [401, 200, 404, 404, 404, 200]),
    ("lifetime_value",             [401, 200, 404, 404, 404, 200]),
    // Signing in: people without a session may do this, and each signs in to an account of their own.
    ("send_magic_link",            [202, 202, 202, 202, 202, 202]),
    ("verify_magic_link",          [401, 401, 401, 401, 401, 401]),
    ("verify_magic_link_by_query", [401, 401, 401, 401, 401, 401]),
    ("providers",                  [200, 200, 200, 200, 200, 200]),
    ("authorize",                  [303, 303, 303, 303, 303, 303]),
    ("callback",                   [400, 400, 400, 400, 400, 400]),
    ("exchange",                   [401, 401, 401, 401, 401, 401]),
    ("link",                       [401, 200, 200, 200, 200, 200]),
    ("begin_login",                [200, 200, 200, 200, 200, 200]),
    ("complete_login",             [401, 401, 401, 401, 401, 401]),
    ("begin_registration",         [401, 200, 200, 200, 200, 200]),
    ("complete_registration",      [401, 400, 400, 400, 400, 400]),
    ("list_passkeys",              [401, 200, 200, 200, 200, 200]),
    ("rename_passkey",             [401, 200, 404, 404, 404, 404]),
    ("remove_passkey",             [401, 200, 404, 404, 404, 404]),
    ("get_session",                [401, 200, 200, 200, 200, 200]),
    ("list_sessions",              [401, 200, 200, 200, 200, 200]),
    ("me",                         [401, 200, 200, 200, 200, 200]),
    ("give_role",                  [401, 403, 403, 403, 403, 200]),
    ("erase_me",                   [401, 200, 200, 200, 200, 200]),
    ("logout",                     [401, 200, 200, 200, 200, 200]),
    ("logout_all",                 [401, 200, 200, 200, 200, 200]),
    ("ws_ticket",                  [401, 200, 200, 200, 200, 200]),
    // Health checks.
    ("live",                       [200, 200, 200, 200, 200, 200]),
    ("ready",                      [200, 200, 200, 200, 200, 200]),
];

#[tokio::test(start_paused = true)]
async fn every_operation_answers_everybody_as_the_table_says() {
    let operations = operations();
    let mut told: Vec<&str> = TABLE.iter().map(|(operation, _)| *operation).collect();
    let mut known: Vec<&str> = operations.iter().map(|operation| operation.id.as_str()).collect();
    told.sort_unstable();
    known.sort_unstable();
    assert_eq!(told, known, "the table and the document name the same operations");

    let mut wrong = Vec::new();
    for operation in &operations {
        let (_, expected) = TABLE.iter().find(|(id, _)| *id == operation.id).unwrap();
        for (person, status) in PEOPLE.into_iter().zip(expected) {
            let world = World::new(&operation.id).await;
            let answer = world.ask(operation, person).await;
            if answer != *status {
                wrong.push(format!("{} by {person}: {answer} instead of {status}", operation.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

struct Operation {
    id: String,
    method: Method,
    path: String,
}

fn operations() -> Vec<Operation> {
    let document = serde_json::to_value(adapters_http::document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let methods = |(path, methods): (&String, &Value)| {
        let path = path.clone();
        let methods: Vec<_> = methods.as_object().unwrap().clone().into_iter().collect();
        methods.into_iter().map(move |(method, operation)| Operation {
            id: operation["operationId"].as_str().unwrap().to_owned(),
            method: method.to_uppercase().parse().unwrap(),
            path: path.clone(),
        })
    };
    paths.iter().flat_map(methods).collect()
}

/// Everything that the requests name: an event of `olga`, and a reservation, a payment and a passkey of `alice`.
struct World {
    server: TestServer,
    people: Vec<(&'static str, Actor)>,
    event: String,
    reservation: String,
    code: String,
    payment: String,
    passkey: String,
}

impl World {
    async fn new(operation: &str) -> Self {
        let server = TestServer::start();
        let olga = server.owner("olga").await;
        let alice = server.customer("alice").await;
        let people = vec![
            ("nobody", server.stranger()),
            ("bob", server.customer("bob").await),
            ("otto", server.owner("otto").await),
            ("ada", server.admin("ada").await),
        ];
        let event = if operation == "publish" {
            server.draft(&olga).await
        } else {
            server.event_on_sale(&olga).await
        };
        let (mut reservation, mut payment) = (String::new(), String::new());
        if operation != "publish" {
            let held = alice.reserve(&event, "General", 1).await;
            reservation = held.expect(201).text("reservation_id");
        }
        if operation == "open_sales" {
            olga.post(&format!("/api/events/{event}/sales/close"), ())
                .await
                .expect(200);
        }
        if operation == "unblock_seats" {
            let path = format!("/api/events/{event}/sections/General/block");
            olga.post(&path, json!({ "quantity": 1 })).await.expect(200);
        }
        let mut code = String::new();
        if operation == "end_code" {
            let body = json!({ "codes": ["AUTUMN"], "percent": "20" });
            let added = olga.post(&format!("/api/events/{event}/codes"), body).await;
            added.expect(201).body["codes"][0]["code_id"]
                .as_str()
                .unwrap()
                .clone_into(&mut code);
        }
        if ["get_payment", "refund_payment"].contains(&operation) {
            payment = alice.pay(&reservation, "tok_visa").await.expect(200).text("payment_id");
        }
        let passkey = server.passkey_of(&alice).await;
        let people = people.into_iter().chain([("olga", olga), ("alice", alice)]).collect();
        Self {
            server,
            people,
            event,
            reservation,
            code,
            payment,
            passkey,
        }
    }

    async fn ask(&self, operation: &Operation, person: &str) -> u16 {
        let (_, actor) = self.people.iter().find(|(name, _)| *name == person).unwrap();
        let id = match operation.path.split('/').nth(2) {
            Some("reservations") => self.reservation.clone(),
            Some("payments") => self.payment.clone(),
            Some("auth") => self.passkey.clone(),
            _ => String::new(),
        };
        let (_, alice) = self.people.iter().find(|(name, _)| *name == "alice").unwrap();
        let path = operation
            .path
            .replace("{event_id}", &self.event)
            .replace("{section}", "General")
            .replace("{code_id}", &self.code)
            .replace("{customer_id}", &alice.id().to_string())
            .replace("{reservation_id}", &self.reservation)
            .replace("{payment_id}", &self.payment)
            .replace("{provider}", "scripted")
            .replace("{id}", &id);
        let query = match operation.id.as_str() {
            "verify_magic_link_by_query" => format!("?token={}", unknown_secret()),
            "callback" => format!("?code=x&state={}", unknown_secret()),
            _ => String::new(),
        };
        let payload = self.payload(&operation.id);
        let answer = actor
            .send(operation.method.clone(), &format!("{path}{query}"), &[], payload)
            .await;
        answer.status
    }

    fn payload(&self, operation: &str) -> Vec<u8> {
        let method = json!({ "type": "card", "token": "tok_visa" });
        let body = match operation {
            "create_event" => event_request(&self.server.in_days(60)),
            "block_seats" | "unblock_seats" => json!({ "quantity": 1 }),
            "add_codes" => json!({ "codes": ["SPRING"], "percent": "20" }),
            "cancel_event" | "refund_payment" => json!({ "reason": "a test" }),
            "create_reservation" => json!({ "event_id": self.event, "section": "General", "quantity": 1 }),
            "pay_reservation" => json!({ "payment_method": method }),
            "create_payment" => json!({ "reservation_id": self.reservation, "payment_method": method }),
            "send_magic_link" => json!({ "email": "somebody@example.com" }),
            "verify_magic_link" => json!({ "token": unknown_secret() }),
            "exchange" => json!({ "code": unknown_secret() }),
            "complete_login" | "complete_registration" => {
                json!({ "challenge_id": unknown_secret(), "credential": {} })
            }
            "give_contact" => json!({ "email": "grace@example.com" }),
            "give_role" => json!({ "email": "bob@example.com", "role": "event_owner" }),
            "rename_passkey" => json!({ "name": "Blue" }),
            _ => return Vec::new(),
        };
        body.to_string().into_bytes()
    }
}

fn unknown_secret() -> String {
    "A".repeat(43)
}
