//! The API nested in another service, the host: it works under any path, and the host says who its callers are.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use adapters_http::{ApiError, Authenticate, Code};
use axum::Router;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::routing::get;
use serde_json::json;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::{Actor as Who, Role};
use uuid::Uuid;

use crate::support::{Actor, Answer, TestServer, event_request};

/// Reads the caller from headers that only the host can set, because every request passes through the host.
#[derive(Debug)]
struct Theatre;

#[async_trait::async_trait]
impl Authenticate for Theatre {
    async fn authenticate(&self, request: &Parts) -> Result<Option<Who>, ApiError> {
        let said = |name: &str| request.headers.get(name).map(|value| value.to_str().unwrap());
        match (said("theatre-user"), said("theatre-role")) {
            (None, _) => Ok(None),
            (Some("somebody"), _) => Err(ApiError::new(Code::Unauthenticated, "the theatre does not know you")),
            (Some("anybody"), _) => Err(ApiError::new(Code::Unavailable, "the theatre is closed")),
            (Some(id), role) => Ok(Some(Who {
                user_id: UserId::new(id.parse().unwrap()),
                role: Role::parse(role.unwrap_or("customer")).unwrap(),
            })),
        }
    }

    fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static("Theatre")
    }
}

fn hosted() -> TestServer {
    TestServer::start_with(|setup| setup.host = Some(Arc::new(Theatre)))
}

#[tokio::test(start_paused = true)]
async fn a_host_says_who_asks_and_its_people_buy() {
    let server = hosted();
    let visitor = server.stranger();
    let owner = [
        ("theatre-user", "00000000-0000-0000-0000-000000000001"),
        ("theatre-role", "event_owner"),
    ];
    let alice = [("theatre-user", "00000000-0000-0000-0000-000000000002")];
    let bob = [("theatre-user", "00000000-0000-0000-0000-000000000003")];

    let draft = event_request(&server.in_days(60));
    visitor
        .post_with("/api/events", &alice, draft.clone())
        .await
        .refused(403, "FORBIDDEN");
    let created = visitor.post_with("/api/events", &owner, draft).await;
    assert_eq!(created.expect(201).body["owner_id"], owner[0].1);
    let event = created.text("event_id");
    for command in ["publish", "sales/open"] {
        let path = format!("/api/events/{event}/{command}");
        visitor.post_with(&path, &owner, ()).await.expect(200);
    }
    let request = json!({ "event_id": event, "section": "General", "quantity": 2 });
    let held = visitor.post_with("/api/reservations", &alice, request).await;
    assert_eq!(held.expect(201).body["customer_id"], alice[0].1);
    let path = held.header("location");
    let pay = json!({ "payment_method": { "type": "card", "token": "tok_visa" } });
    let paid = visitor.post_with(&format!("{path}/payment"), &alice, pay).await;
    assert_eq!(paid.expect(200).body["status"], "completed");
    visitor
        .get_with(&path, &bob)
        .await
        .refused(404, "RESERVATION_NOT_FOUND");
}

#[tokio::test(start_paused = true)]
async fn whom_the_host_does_not_know_is_told_in_its_words_and_a_session_counts_for_nothing() {
    let server = hosted();
    let ada = server.admin("ada").await;
    for path in [
        "/api/reservations",
        "/api/payments",
        &format!("/api/customers/{}/history", Uuid::nil()),
    ] {
        let refused = ada.get(path).await;
        refused.refused(401, "UNAUTHENTICATED");
        assert_eq!(refused.header("www-authenticate"), "Theatre");
        let refused = ada.get_with(path, &[("theatre-user", "somebody")]).await;
        refused.refused(401, "UNAUTHENTICATED");
        assert_eq!(refused.body["message"], "the theatre does not know you");
        let closed = ada.get_with(path, &[("theatre-user", "anybody")]).await;
        closed.refused(503, "UNAVAILABLE");
    }
    ada.get("/api/events").await.expect(200);
    let refused = ada.get_with("/api/events", &[("theatre-user", "somebody")]).await;
    refused.refused(401, "UNAUTHENTICATED");
}

#[tokio::test(start_paused = true)]
async fn without_sign_in_nothing_of_its_routes_is_left() {
    let server = hosted();
    let document = server.stranger().get("/api/openapi.json").await;
    let served: BTreeSet<_> = document.expect(200).body["paths"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let all = adapters_http::document();
    let all: BTreeSet<_> = all["paths"].as_object().unwrap().keys().cloned().collect();
    let left_out: Vec<_> = all.difference(&served).collect();
    assert!(
        left_out.iter().all(|path| path.starts_with("/api/auth/")),
        "{left_out:?}"
    );
    assert!(!served.iter().any(|path| path.starts_with("/api/auth/")), "{served:?}");
    for path in left_out.into_iter().map(String::as_str).chain(["/auth/verify"]) {
        for method in [Method::GET, Method::POST] {
            server
                .stranger()
                .send(method, path, &[], ())
                .await
                .refused(404, "NOT_FOUND");
        }
    }
}

/// Returns the API of `server`, nested under the path `prefix`.
fn nested(prefix: &str, server: &TestServer) -> Router {
    Router::new().nest(prefix, server.router.clone())
}

/// Resolves the `Location` of an answer against the URL of the request, as a client does, and returns its path.
fn resolved(base: &str, answer: &Answer) -> String {
    let base = url::Url::parse("http://theatre.example").unwrap().join(base).unwrap();
    let target = base.join(&answer.header("location")).unwrap();
    assert_eq!(target.origin(), base.origin());
    target.path().to_owned()
}

#[tokio::test(start_paused = true)]
async fn what_a_nested_router_says_of_its_paths_begins_with_the_prefix() {
    for prefix in ["/box-office", "/a/b/c"] {
        let server = TestServer::start();
        let api = nested(prefix, &server);
        let (olga, alice) = (
            server.owner("olga").await.at(&api),
            server.customer("alice").await.at(&api),
        );
        let path = |path: &str| format!("{prefix}{path}");

        let created = olga
            .post(&path("/api/events"), event_request(&server.in_days(60)))
            .await;
        let event = created.expect(201).text("event_id");
        let location = resolved(&path("/api/events"), &created);
        assert_eq!(location, path(&format!("/api/events/{event}")));
        olga.get_after(&created, &location).await.expect(200);
        olga.post(&format!("{location}/publish"), ()).await.expect(200);
        olga.post(&format!("{location}/sales/open"), ()).await.expect(200);

        let request = json!({ "event_id": event, "section": "General", "quantity": 1 });
        let held = alice.post(&path("/api/reservations"), request).await;
        let reservation = held.expect(201).text("reservation_id");
        alice
            .get(&resolved(&path("/api/reservations"), &held))
            .await
            .expect(200);
        let request = json!({
            "reservation_id": reservation, "payment_method": { "type": "card", "token": "tok_visa" } });
        let authorized = alice.post(&path("/api/payments"), request).await;
        authorized.expect(201);
        alice
            .get(&resolved(&path("/api/payments"), &authorized))
            .await
            .expect(200);

        alice.get(&path("/api/nothing")).await.refused(404, "NOT_FOUND");
        for outside in [
            "/api/events",
            "/docs",
            "/docs/",
            "/api/openapi.json",
            "/health",
            "/elsewhere",
        ] {
            assert_eq!(alice.get(outside).await.status, 404, "{outside}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_page_and_the_document_of_a_nested_router_stay_under_the_prefix() {
    let server = TestServer::start();
    let visitor = Actor::of_stranger(nested("/box-office", &server));
    let to_page = visitor.get("/box-office/docs").await;
    let page_path = resolved("/box-office/docs", to_page.expect(308));
    assert_eq!(page_path, "/box-office/docs/");
    let base = url::Url::parse("http://theatre.example")
        .unwrap()
        .join(&page_path)
        .unwrap();
    let page = visitor.get(&page_path).await;
    let html = String::from_utf8(page.expect(200).bytes.clone()).unwrap();
    let addresses = ["src=\"", "href=\"", "url: \""]
        .into_iter()
        .flat_map(|before| html.split(before).skip(1));
    let addresses: Vec<_> = addresses.map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(addresses.len() >= 4, "{addresses:?}");
    for address in addresses {
        let path = base.join(address).unwrap().path().to_owned();
        assert!(path.starts_with("/box-office/"), "{address}");
        visitor.get(&path).await.expect(200);
    }
    let nested = visitor.get("/box-office/api/openapi.json").await;
    assert_eq!(nested.expect(200).body["servers"], json!([{ "url": "/box-office" }]));
    let verify = visitor.get("/box-office/auth/verify").await;
    let html = String::from_utf8(verify.expect(200).bytes.clone()).unwrap();
    assert!(!html.contains("\"/api") && html.contains("\"../api/auth/"), "{html}");
}

/// Routes of a theatre that show its programme and ask a partner who is too slow.
fn of_the_theatre() -> Router {
    Router::new().route("/programme", get(async || "an evening")).route(
        "/partner",
        get(async || (StatusCode::GATEWAY_TIMEOUT, "the partner is slow")),
    )
}

#[tokio::test(start_paused = true)]
async fn routes_of_the_host_answer_in_their_own_words_within_the_limits_of_the_api() {
    let server = TestServer::start_with(|setup| {
        setup.routes = of_the_theatre();
        setup.http.rates.network = NonZeroU32::new(3);
    });
    let visitor = server.stranger();
    let headers = [("ticketing-consistency", "what the host makes of it")];
    let programme = visitor.get_with("/programme", &headers).await;
    assert_eq!(programme.expect(200).bytes, b"an evening");
    assert_eq!(programme.header("x-content-type-options"), "nosniff");
    let partner = visitor.get("/partner").await;
    assert_eq!(partner.expect(504).bytes, b"the partner is slow");
    visitor.post("/programme", ()).await.refused(405, "METHOD_NOT_ALLOWED");
    visitor.get("/programme").await.refused(429, "RATE_LIMITED");
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "Cannot merge two `Router`s that both have a fallback")]
async fn a_fallback_of_the_host_beside_the_api_is_refused_at_the_start() {
    TestServer::start_with(|setup| setup.routes = of_the_theatre().fallback(async || "anything"));
}

#[tokio::test(start_paused = true)]
async fn without_the_api_routes_of_the_host_are_limited_and_named_alike() {
    let server = TestServer::start_with(|setup| {
        setup.routes = of_the_theatre();
        setup.without_api = true;
        setup.http.rates.network = NonZeroU32::new(1);
    });
    let visitor = server.stranger();
    assert_eq!(visitor.get("/programme").await.expect(200).bytes, b"an evening");
    let refused = visitor.get("/programme").await;
    refused.refused(429, "RATE_LIMITED");
    assert_ne!(refused.header("x-correlation-id"), "");
    assert_eq!(refused.header("x-content-type-options"), "nosniff");
}
