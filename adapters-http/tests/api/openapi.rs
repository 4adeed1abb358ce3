use std::collections::{BTreeMap, BTreeSet};

use adapters_http::Code;
use serde_json::{Value, json};

use crate::support::{Actor, Answer, TestServer};

fn document() -> Value {
    adapters_http::document()
}

/// Each operation of the document with its method and path.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap();
        methods
            .iter()
            .map(|(method, operation)| (method.as_str(), path.as_str(), operation))
    });
    methods.collect()
}

#[tokio::test(start_paused = true)]
async fn the_document_that_is_served_describes_every_route_once() {
    let server = TestServer::start();
    let served = server.stranger().get("/api/openapi.json").await;
    assert_eq!(served.expect(200).body, document());
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&served.body) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} is there twice");
        assert!(
            operation["summary"].is_string() && operation["tags"].is_array(),
            "{method} {path}"
        );
        assert!(operation["description"].is_string(), "{method} {path} is not described");
    }
    assert_eq!(ids.len(), 49, "{ids:#?}");
}

#[test]
fn every_answer_in_the_document_is_described_and_every_error_has_its_codes() {
    let document = document();
    for (method, path, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap();
        for status in ["400", "500", "504"] {
            assert!(responses.contains_key(status), "{method} {path} lacks {status}");
        }
        for (status, answer) in responses {
            let place = format!("{method} {path} {status}");
            assert!(status.parse::<u16>().is_ok(), "{place}");
            assert!(
                answer["description"].as_str().is_some_and(|text| !text.is_empty()),
                "{place}"
            );
            assert!(answer["headers"]["X-Correlation-Id"].is_object(), "{place}");
            let json = &answer["content"]["application/json"];
            let has_body = !["303", "304"].contains(&status.as_str());
            assert_eq!(json["schema"]["$ref"].is_string(), has_body, "{place}");
            let codes = json["examples"].as_object();
            let is_error = json["schema"]["$ref"] == "#/components/schemas/ErrorBody";
            assert_eq!(codes.is_some(), is_error, "{place}");
            for code in codes.into_iter().flat_map(|codes| codes.keys()) {
                let code = Code::ALL.iter().find(|known| known.as_str() == code).unwrap();
                assert_eq!(code.status().as_str(), status, "{place}");
            }
        }
        let signed_in = operation["security"]
            .as_array()
            .unwrap()
            .iter()
            .any(|way| way["session"].is_array());
        let unauthenticated =
            &operation["responses"]["401"]["content"]["application/json"]["examples"]["UNAUTHENTICATED"];
        let by_proof = operation["operationId"] == "complete_login";
        assert_eq!(unauthenticated.is_object(), signed_in || by_proof, "{method} {path}");
    }
}

#[test]
fn every_parameter_and_every_body_in_the_document_is_described_or_shown() {
    let document = document();
    for (method, path, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let place = format!("{method} {path} {}", parameter["name"]);
            let limited = parameter["schema"]["minimum"].is_number() || parameter["schema"]["default"].is_number();
            assert!(parameter["description"].is_string() || limited, "{place}");
            assert!(parameter["in"] != "path" || !parameter["example"].is_null(), "{place}");
            assert!(!parameter["schema"]["type"].is_array(), "{place} cannot be null");
        }
        if operation["requestBody"].is_object() {
            let content = &operation["requestBody"]["content"]["application/json"];
            assert!(content["example"].is_object(), "{method} {path} has no example");
            let schema = content["schema"]["$ref"].as_str().unwrap().trim_start_matches('#');
            let schema = document.pointer(schema).unwrap();
            assert_eq!(schema["additionalProperties"], false, "{method} {path}");
            let needs_a_field = schema["required"].as_array().is_some_and(|fields| !fields.is_empty());
            assert_eq!(operation["requestBody"]["required"], needs_a_field, "{method} {path}");
        }
    }
}

/// Plays the examples of the document.
struct Player {
    document: Value,
    ids: BTreeMap<&'static str, String>,
    played: BTreeSet<String>,
}

impl Player {
    /// Sends the example of an operation, with ids of things that exist.
    async fn play(&mut self, who: &Actor, operation: &str) -> Answer {
        let (method, path, said) = operations(&self.document)
            .into_iter()
            .find(|(_, _, said)| said["operationId"] == operation)
            .unwrap();
        let mut path = path.to_owned();
        for parameter in said["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let example = parameter["example"].as_str();
            if parameter["in"] == "path" {
                let value = self.ids.get(name).map_or(example.unwrap(), String::as_str);
                path = path.replace(&format!("{{{name}}}"), value);
            }
        }
        let mut body = said["requestBody"]["content"]["application/json"]["example"].clone();
        for (name, id) in &self.ids {
            if body.get(*name).is_some() {
                body[*name] = json!(id);
            }
        }
        let method = method.to_uppercase().parse().unwrap();
        let answer = match body {
            Value::Null => who.send(method, &path, &[], ()).await,
            body => who.send(method, &path, &[], body).await,
        };
        assert!((200..300).contains(&answer.status), "{operation}: {answer:#?}");
        self.played.insert(operation.to_owned());
        answer
    }

    fn keep(&mut self, name: &'static str, answer: &Answer) {
        self.ids.insert(name, answer.text(name));
    }
}

#[tokio::test(start_paused = true)]
async fn the_example_of_every_operation_succeeds() {
    let server = TestServer::start();
    let (ada, alice) = (server.admin("ada").await, server.customer("alice").await);
    let mut player = Player {
        document: document(),
        ids: BTreeMap::from([("customer_id", alice.id().to_string())]),
        played: BTreeSet::new(),
    };
    let created = player.play(&ada, "create_event").await;
    player.keep("event_id", &created);
    for operation in ["publish", "open_sales", "block_seats", "unblock_seats"] {
        player.play(&ada, operation).await;
    }
    let held = player.play(&alice, "create_reservation").await;
    player.keep("reservation_id", &held);
    let payment = player.play(&alice, "create_payment").await;
    player.keep("payment_id", &payment);
    for operation in [
        "get_payment",
        "get_reservation",
        "reservation_history",
        "cancel_reservation",
    ] {
        player.play(&alice, operation).await;
    }
    let held = player.play(&alice, "create_reservation").await;
    player.keep("reservation_id", &held);
    let paid = player.play(&alice, "pay_reservation").await;
    player.keep("payment_id", &paid);
    let refunded = player.play(&ada, "refund_payment").await;
    let token = refunded.header("ticketing-consistency");
    alice
        .get_with("/api/payments", &[("ticketing-consistency", &token)])
        .await
        .expect(200);
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
        "list_passkeys",
        "providers",
        "begin_registration",
        "begin_login",
        "send_magic_link",
    ] {
        player.play(&alice, operation).await;
    }
    server.customer("olga").await;
    for operation in ["event_analytics", "close_sales", "cancel_event", "give_role"] {
        player.play(&ada, operation).await;
    }
    player.ids.insert("id", server.passkey_of(&alice).await);
    player.ids.insert("provider", "scripted".to_owned());
    for operation in ["rename_passkey", "remove_passkey", "link"] {
        player.play(&alice, operation).await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let mail = server.mailer.outbox().pop().unwrap();
    let token = mail.text.split_once("#token=").unwrap().1;
    player
        .ids
        .insert("token", token.split_whitespace().next().unwrap().to_owned());
    player.play(&alice, "verify_magic_link").await;
    let again = alice.with_session(&server.sign_in_again(&alice).await);
    player.play(&again, "logout").await;
    player.play(&alice, "logout_all").await;
    let last = alice.with_session(&server.sign_in_again(&alice).await);
    player.play(&last, "erase_me").await;

    let document = document();
    let all: BTreeSet<_> = operations(&document)
        .iter()
        .map(|(_, _, said)| said["operationId"].as_str().unwrap().to_owned())
        .collect();
    let left: Vec<_> = all.difference(&player.played).map(String::as_str).collect();
    // These take what a browser, an authenticator or a provider gives; they have stories of their own.
    let with_a_partner = [
        "authorize",
        "callback",
        "complete_login",
        "complete_registration",
        "exchange",
        "verify_magic_link_by_query",
    ];
    assert_eq!(left, with_a_partner);
}

#[tokio::test]
async fn the_document_says_which_answers_carry_a_token_and_which_questions_take_it() {
    let document = document();
    let (mut carry, mut take) = (0, 0);
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let takes = operation["parameters"]
                .as_array()
                .is_some_and(|all| all.iter().any(|parameter| parameter["name"] == "Ticketing-Consistency"));
            let mut answers = operation["responses"].as_object().unwrap().iter();
            let carries = answers.any(|(status, answer)| {
                status.starts_with('2') && answer["headers"]["Ticketing-Consistency"].is_object()
            });
            let writes = method == "post" && !path.starts_with("/api/auth/");
            assert_eq!(carries, writes, "{method} {path}");
            assert!(!takes || method == "get", "{method} {path}");
            carry += u32::from(carries);
            take += u32::from(takes);
        }
    }
    assert_eq!((carry, take), (12, 8));
}

#[tokio::test(start_paused = true)]
async fn every_reference_in_the_document_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    let references = text
        .split("\"$ref\":\"#")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap());
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
    assert!(document.pointer("/components/securitySchemes/session").is_some());
}

#[tokio::test(start_paused = true)]
async fn the_document_can_be_read_in_a_browser_without_anything_from_elsewhere() {
    let server = TestServer::start();
    let stranger = server.stranger();
    let page = stranger.get("/docs/").await;
    let html = String::from_utf8(page.expect(200).bytes.clone()).unwrap();
    assert!(!html.contains("https://") && !html.contains("http://"), "{html}");
    for file in ["swagger-ui-bundle.js", "swagger-ui.css"] {
        assert!(html.contains(&format!("=\"{file}\"")), "{html}");
        stranger.get(&format!("/docs/{file}")).await.expect(200);
    }
    for file in [
        "index.html",
        "swagger-initializer.js",
        "oauth2-redirect.html",
        "nothing.js",
        "a/b.js",
    ] {
        stranger.get(&format!("/docs/{file}")).await.refused(404, "NOT_FOUND");
    }
}

#[tokio::test(start_paused = true)]
async fn the_page_of_the_document_runs_and_asks_only_what_is_ours_and_cannot_be_framed() {
    let server = TestServer::start();
    let page = server.stranger().get("/docs/").await;
    let policy = page.expect(200).header("content-security-policy");
    for rule in [
        "default-src 'none'",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    let html = String::from_utf8(page.bytes.clone()).unwrap();
    assert_eq!(
        html.matches("<script").count(),
        policy.matches("'sha256-").count() + 1,
        "{html}"
    );
    assert!(
        html.contains("sessionStorage.getItem(\"session_id\")"),
        "who is signed in is so here too"
    );
}
