//! Sends the example requests of the OpenAPI document to a server, and records the answers in a file.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use serde_json::{Map, Value, json};

use crate::openapi::{document, operations, request_examples};
use crate::passkeys::Browser;
use crate::providers::{ADA, Trip};
use crate::support::blessed::is_up_to_date;
use crate::support::{Actor, Answer, TestServer};

/// Challenges and authenticators' keys are random even in tests. This text replaces them in the recorded answers, so
/// that these are the same in every run.
const RANDOM: &str = "q8pGmZyDk2nC0o1b7VtX5sR4aWhLfEJuKiTzYvQxB3M";

struct Player {
    document: Value,
    /// The values to send in place of the examples in the document, by the name of the field or parameter.
    values: BTreeMap<&'static str, Value>,
    /// Texts that are new in every run, each with the example that replaces it in the recorded answers.
    stand_ins: Vec<(String, String)>,
    answers: BTreeMap<String, Map<String, Value>>,
    /// The operations, each with the names of its examples that were played.
    played: BTreeSet<(String, String)>,
}

impl Player {
    fn new() -> Self {
        Self {
            document: document(),
            values: BTreeMap::new(),
            stand_ins: Vec::new(),
            answers: BTreeMap::new(),
            played: BTreeSet::new(),
        }
    }

    /// Sends the first example request of an operation, with the ids in it replaced by ids of things that exist.
    async fn play(&mut self, who: &Actor, operation: &str) -> Answer {
        self.play_with(who, operation, &[]).await
    }

    async fn play_with(&mut self, who: &Actor, operation: &str, headers: &[(&str, &str)]) -> Answer {
        let answer = self.play_example(who, operation, None, headers).await;
        if !answer.body.is_null() {
            let answers = self.answers.entry(operation.to_owned()).or_default();
            answers.insert(answer.status.to_string(), answer.body.clone());
        }
        answer
    }

    /// Sends the example request with this name, or the first one, and does not record the answer.
    async fn play_example(
        &mut self,
        who: &Actor,
        operation: &str,
        name: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let (method, path, said) = operations(&self.document)
            .into_iter()
            .find(|(_, _, said)| said["operationId"] == operation)
            .unwrap();
        let method: Method = method.to_uppercase().parse().unwrap();
        let mut path = path.to_owned();
        let mut query = Vec::new();
        for parameter in said["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let value = self.values.get(name).unwrap_or(&parameter["example"]).as_str();
            match (parameter["in"].as_str().unwrap(), value) {
                ("path", Some(value)) => path = path.replace(&format!("{{{name}}}"), value),
                ("query", Some(value)) if self.values.contains_key(name) => query.push(format!("{name}={value}")),
                _ => {}
            }
        }
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        let examples = request_examples(said);
        let (example, body) = match name {
            Some(name) => examples.into_iter().find(|(other, _)| *other == name).unwrap(),
            None => examples[0],
        };
        self.played.insert((operation.to_owned(), example.to_owned()));
        let mut body = body.clone();
        for (name, value) in &self.values {
            if body.get(*name).is_some() {
                body[*name] = value.clone();
            }
        }
        let answer = match body {
            Value::Null => who.send(method, &path, headers, ()).await,
            body => who.send(method, &path, headers, body).await,
        };
        assert!((200..400).contains(&answer.status), "{operation}: {answer:#?}");
        answer
    }

    /// Keeps the value of a field of this answer, so that later requests send that value in the field of the same
    /// name.
    fn keep(&mut self, name: &'static str, answer: &Answer) {
        self.set(name, answer.text(name));
    }

    fn set(&mut self, name: &'static str, value: String) {
        let parameters = operations(&self.document)
            .into_iter()
            .filter_map(|(_, _, said)| said["parameters"].as_array())
            .flatten();
        if let Some(example) = parameters
            .filter(|parameter| parameter["name"] == name)
            .find_map(|parameter| parameter["example"].as_str())
        {
            self.stand_ins.push((value.clone(), example.to_owned()));
        }
        self.values.insert(name, value.into());
    }

    /// Returns the recorded answers, with the ids of this run replaced by those of the document's examples.
    fn written_down(&self) -> String {
        let mut text = format!("{:#}\n", json!(self.answers));
        for (found, stand_in) in &self.stand_ins {
            text = text.replace(found, stand_in);
        }
        text
    }
}

#[tokio::test(start_paused = true)]
async fn the_example_of_every_operation_succeeds_and_is_answered_as_recorded() {
    let server = TestServer::start_with(|setup| setup.http.guests = true);
    let (root, ada) = (server.admin("root").await, server.customer("ada").await);
    let mut player = Player::new();
    player.set("customer_id", ada.id().to_string());
    sells(&mut player, &root, &ada).await;
    sells_to_a_guest(&mut player, &server).await;
    tells_what_was_sold(&mut player, &root, &ada).await;
    signs_in_with_a_passkey(&mut player, &server, &ada).await;
    signs_in_at_a_provider(&mut player, &server, &ada).await;
    signs_in_by_mail(&mut player, &server, &ada).await;
    player.play(&root, "give_role").await;
    let last = ada.with_session(&server.sign_in_again(&ada).await);
    player.play(&last, "logout").await;
    let last = ada.with_session(&server.sign_in_again(&ada).await);
    player.play(&last, "logout_all").await;
    let last = ada.with_session(&server.sign_in_again(&ada).await);
    player.play(&last, "erase_me").await;

    let all: BTreeSet<_> = operations(&player.document)
        .iter()
        .flat_map(|(_, _, said)| {
            let id = said["operationId"].as_str().unwrap();
            let examples = request_examples(said).into_iter();
            examples.map(|(name, _)| (id.to_owned(), name.to_owned()))
        })
        .collect();
    let left: Vec<_> = all.difference(&player.played).collect();
    assert!(left.is_empty(), "no example of {left:?} was played");
    is_up_to_date("src/openapi/answers.json", &player.written_down());
}

async fn sells(player: &mut Player, root: &Actor, ada: &Actor) {
    let created = player.play(root, "create_event").await;
    player.keep("event_id", &created);
    for operation in ["publish", "open_sales", "block_seats", "unblock_seats", "list_codes"] {
        player.play(root, operation).await;
    }
    let added = player.play(root, "add_codes").await;
    player.set(
        "code_id",
        added.body["codes"][0]["code_id"].as_str().unwrap().to_owned(),
    );
    let held = player.play(ada, "create_reservation").await;
    player.keep("reservation_id", &held);
    player.play(ada, "extend_hold").await;
    let payment = player.play(ada, "create_payment").await;
    player.keep("payment_id", &payment);
    for operation in [
        "get_payment",
        "get_reservation",
        "reservation_history",
        "cancel_reservation",
    ] {
        player.play(ada, operation).await;
    }
    let held = player.play(ada, "create_reservation").await;
    player.keep("reservation_id", &held);
    let paid = player.play(ada, "pay_reservation").await;
    player.keep("payment_id", &paid);
    player.play(ada, "show_cancellation").await;
    for name in ["several_sections", "ticket_types"] {
        let several = player.play_example(ada, "create_reservation", Some(name), &[]).await;
        assert_eq!(several.body["lines"].as_array().unwrap().len(), 2);
        ada.cancel(&several.text("reservation_id")).await.expect(200);
    }
    let cheaper = player
        .play_example(ada, "create_reservation", Some("with_a_code"), &[])
        .await;
    assert_eq!(cheaper.body["lines"][0]["code"], "SPRING");
    ada.cancel(&cheaper.text("reservation_id")).await.expect(200);
    player.play(root, "end_code").await;
    let refunded = player.play(root, "refund_payment").await;
    let token = refunded.header("ticketing-consistency");
    let seen = [("ticketing-consistency", token.as_str())];
    ada.get_with("/api/payments", &seen).await.expect(200);
}

async fn sells_to_a_guest(player: &mut Player, server: &TestServer) {
    let guest = server.stranger();
    let of_the_customer = player.values["reservation_id"].clone();
    let held = player
        .play_example(&guest, "create_reservation", Some("without_an_account"), &[])
        .await;
    player.keep("reservation_id", &held);
    let secret = held.text("order_secret");
    let secret = [("ticketing-order-secret", secret.as_str())];
    player.play_with(&guest, "give_contact", &secret).await;
    player.play_example(&guest, "pay_reservation", None, &secret).await;
    player.values.insert("reservation_id", of_the_customer);
}

async fn tells_what_was_sold(player: &mut Player, root: &Actor, ada: &Actor) {
    for operation in [
        "list_events",
        "get_event",
        "get_availability",
        "get_section",
        "list_reservations",
        "list_payments",
        "customer_history",
        "lifetime_value",
        "live",
        "ready",
        "get_session",
        "list_sessions",
        "me",
        "ws_ticket",
    ] {
        player.play(ada, operation).await;
    }
    for operation in ["event_analytics", "close_sales", "cancel_event"] {
        player.play(root, operation).await;
    }
}

async fn signs_in_with_a_passkey(player: &mut Player, server: &TestServer, ada: &Actor) {
    let mut browser = Browser::new();
    let begun = player.play(ada, "begin_registration").await;
    player.stands_for_challenge_of(&begun);
    let answer = browser.create(&begun);
    player.values.insert("challenge_id", answer["challenge_id"].clone());
    player.values.insert("credential", answer["credential"].clone());
    let made = player.play(ada, "complete_registration").await;
    player.keep("id", &made);
    player.play(ada, "list_passkeys").await;
    let stranger = server.stranger();
    let begun = player.play(&stranger, "begin_login").await;
    player.stands_for_challenge_of(&begun);
    let answer = browser.get(&begun, &made.text("id"), ada.id().uuid());
    player.values.insert("challenge_id", answer["challenge_id"].clone());
    player.values.insert("credential", answer["credential"].clone());
    player.play(&stranger, "complete_login").await;
    for operation in ["rename_passkey", "remove_passkey"] {
        player.play(ada, operation).await;
    }
}

async fn signs_in_at_a_provider(player: &mut Player, server: &TestServer, ada: &Actor) {
    player.set("provider", "scripted".to_owned());
    server.provider.says(ADA);
    player.play(ada, "providers").await;
    player.play(ada, "link").await;
    let stranger = server.stranger();
    for accept in ["application/json", "text/html"] {
        let trip = Trip::of(&player.play(&stranger, "authorize").await);
        player.values.insert("code", "x".into());
        player.values.insert("state", trip.state.clone().into());
        let headers = [("cookie", trip.cookie.as_str()), ("accept", accept)];
        let back = player.play_with(&stranger, "callback", &headers).await;
        if back.status == 303 {
            let code = back.header("location").split_once("#code=").unwrap().1.to_owned();
            player.values.insert("code", code.into());
            player.play_with(&stranger, "exchange", &headers[..1]).await;
        }
    }
}

async fn signs_in_by_mail(player: &mut Player, server: &TestServer, ada: &Actor) {
    for operation in ["verify_magic_link", "verify_magic_link_by_query"] {
        player.play(&server.stranger(), "send_magic_link").await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let mail = server.mailer.outbox().pop().unwrap();
        let token = mail.text.split_once("#token=").unwrap().1;
        let token = token.split_whitespace().next().unwrap().to_owned();
        player.values.insert("token", token.into());
        player.play(ada, operation).await;
    }
}

impl Player {
    fn stands_for_challenge_of(&mut self, begun: &Answer) {
        let challenge = begun.body["options"]["publicKey"]["challenge"].as_str().unwrap();
        self.stand_ins.push((challenge.to_owned(), RANDOM.to_owned()));
    }
}
