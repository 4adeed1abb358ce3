use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;
use ticketing_ports::vocabulary::roles::Role;

use crate::support::{Actor, Answer, Script, TestServer};

const AUTHORIZE: &str = "/api/auth/oauth/scripted/authorize";

pub(crate) const ADA: Script = Script::Claims {
    subject: "4711",
    address: "ada@example.com",
    vouched_for: true,
};

/// What a browser that was sent to the provider has to bring back to the server.
pub(crate) struct Trip {
    pub(crate) state: String,
    pub(crate) cookie: String,
}

impl Trip {
    pub(crate) async fn begun(server: &TestServer, path: &str) -> Self {
        Self::of(server.stranger().get(path).await.expect(303))
    }

    pub(crate) fn of(answer: &Answer) -> Self {
        let location = if answer.status == 303 {
            answer.header("location")
        } else {
            answer.text("authorization_url")
        };
        let cookie = answer.header("set-cookie");
        Self {
            state: location.split_once("state=").unwrap().1.to_owned(),
            cookie: cookie.split(';').next().unwrap().to_owned(),
        }
    }

    pub(crate) async fn back(&self, actor: &Actor, accept: &str) -> Answer {
        let path = format!("/api/auth/oauth/scripted/callback?code=x&state={}", self.state);
        let headers = [("cookie", self.cookie.as_str()), ("accept", accept)];
        actor.send(Method::GET, &path, &headers, ()).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_browser_comes_back_with_a_code_in_the_fragment_and_trades_it_once() {
    let server = TestServer::start();
    server.provider.says(ADA);
    let begun = server.stranger().get(&format!("{AUTHORIZE}?next=/account")).await;
    let cookie = begun.expect(303).header("set-cookie");
    for word in [
        "__Host-oauth=",
        "HttpOnly",
        "SameSite=Lax",
        "Secure",
        "Path=/",
        "Max-Age=600",
    ] {
        assert!(cookie.contains(word), "{cookie}");
    }
    let trip = Trip::of(&begun);
    let back = trip.back(&server.stranger(), "text/html").await;
    let location = back.expect(303).header("location");
    let code = location.strip_prefix("https://tickets.example/account#code=").unwrap();

    let trade = |cookie: &str| {
        let (stranger, cookie, body) = (server.stranger(), cookie.to_owned(), json!({ "code": code }));
        async move {
            let headers = [("cookie", cookie.as_str())];
            stranger.post_with("/api/auth/oauth/exchange", &headers, body).await
        }
    };
    let session = trade(&trip.cookie).await;
    assert_eq!(session.expect(200).body["email"], "ada@example.com");
    trade(&trip.cookie).await.refused(401, "LINK_INVALID");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_json_gets_the_session_itself() {
    let server = TestServer::start();
    server.provider.says(ADA);
    let trip = Trip::begun(&server, AUTHORIZE).await;
    let session = trip.back(&server.stranger(), "application/json").await;
    let ada = server.stranger().with_session(&session.expect(200).text("session_id"));
    assert_eq!(ada.get("/api/auth/me").await.expect(200).body["role"], "customer");
}

#[tokio::test(start_paused = true)]
async fn a_state_is_good_once_for_ten_minutes_in_the_browser_that_began() {
    let server = TestServer::start();
    server.provider.says(ADA);
    let other = Trip::begun(&server, AUTHORIZE).await;

    let stolen = Trip::begun(&server, AUTHORIZE).await;
    let elsewhere = Trip {
        state: stolen.state.clone(),
        cookie: other.cookie.clone(),
    };
    let refused = elsewhere.back(&server.stranger(), "application/json").await;
    refused.refused(400, "INVALID_REQUEST");
    let used_up = stolen.back(&server.stranger(), "application/json").await;
    used_up.refused(400, "INVALID_REQUEST");

    server.pass(TimeDelta::minutes(10));
    let late = other.back(&server.stranger(), "application/json").await;
    late.refused(400, "INVALID_REQUEST");
}

#[tokio::test(start_paused = true)]
async fn an_unproven_address_makes_no_account_and_a_known_identity_needs_none() {
    let server = TestServer::start();
    server.provider.says(Script::Claims {
        subject: "4711",
        address: "ada@example.com",
        vouched_for: false,
    });
    let trip = Trip::begun(&server, AUTHORIZE).await;
    let refused = trip.back(&server.stranger(), "application/json").await;
    assert_eq!(refused.refused(403, "FORBIDDEN")["reason"], "address_not_verified");

    let ada = server.customer("ada").await;
    let linked = ada.post("/api/auth/oauth/scripted/link", json!({})).await;
    let answer = Trip::of(linked.expect(200))
        .back(&server.stranger(), "application/json")
        .await;
    assert_eq!(answer.expect(200).body["linked"], "scripted");
    let trip = Trip::begun(&server, AUTHORIZE).await;
    let session = trip.back(&server.stranger(), "application/json").await;
    assert_eq!(session.expect(200).body["user"]["id"], ada.id().to_string());
}

#[tokio::test(start_paused = true)]
async fn a_provider_opens_no_account_of_more_than_a_customer_until_it_is_linked_from_there() {
    let server = TestServer::start();
    server.provider.says(ADA);
    for (name, role) in [("ada", Role::Admin), ("olga", Role::EventOwner)] {
        let person = match role {
            Role::Admin => server.admin(name).await,
            _ => server.owner(name).await,
        };
        server.provider.says(Script::Claims {
            subject: name,
            address: if name == "ada" {
                "ada@example.com"
            } else {
                "olga@example.com"
            },
            vouched_for: true,
        });
        let trip = Trip::begun(&server, AUTHORIZE).await;
        let refused = trip.back(&server.stranger(), "application/json").await;
        assert_eq!(refused.refused(403, "FORBIDDEN")["reason"], "sign_in_first");

        let linked = person.post("/api/auth/oauth/scripted/link", json!({})).await;
        Trip::of(linked.expect(200))
            .back(&server.stranger(), "application/json")
            .await
            .expect(200);
        let trip = Trip::begun(&server, AUTHORIZE).await;
        let session = trip.back(&server.stranger(), "application/json").await;
        assert_eq!(session.expect(200).body["user"]["role"], role.as_str());
    }
}

#[tokio::test(start_paused = true)]
async fn linking_takes_a_fresh_session_that_still_lives_and_an_identity_of_nobody_else() {
    let server = TestServer::start();
    server.provider.says(ADA);
    let (ada, bob) = (server.customer("ada").await, server.customer("bob").await);
    let begun = bob.post("/api/auth/oauth/scripted/link", json!({})).await;
    let ended = Trip::of(begun.expect(200));
    bob.post("/api/auth/logout-all", ()).await.expect(200);
    let refused = ended.back(&server.stranger(), "application/json").await;
    refused.refused(400, "INVALID_REQUEST");

    let begun = ada.post("/api/auth/oauth/scripted/link", json!({})).await;
    Trip::of(begun.expect(200))
        .back(&server.stranger(), "application/json")
        .await
        .expect(200);
    let carol = server.customer("carol").await;
    let begun = carol.post("/api/auth/oauth/scripted/link", json!({})).await;
    let taken = Trip::of(begun.expect(200))
        .back(&server.stranger(), "application/json")
        .await;
    taken.refused(409, "RESOURCE_ALREADY_EXISTS");

    server.pass(TimeDelta::minutes(15));
    let stale = ada.post("/api/auth/oauth/scripted/link", json!({})).await;
    assert_eq!(stale.refused(403, "FORBIDDEN")["reason"], "fresh_session_required");
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_at_the_provider_is_told_on_a_page_or_as_json() {
    let server = TestServer::start();
    server.provider.says(Script::ProvesNothing);
    let trip = Trip::begun(&server, AUTHORIZE).await;
    let page = trip.back(&server.stranger(), "text/html,*/*").await;
    assert_eq!(
        page.status, 422,
        "the status must not be 401, which means a missing session"
    );
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").contains("script-src 'none'"));
    assert!(String::from_utf8(page.bytes).unwrap().contains("You are not signed in"));

    let trip = Trip::begun(&server, AUTHORIZE).await;
    let path = format!(
        "/api/auth/oauth/scripted/callback?error=access_denied&state={}",
        trip.state
    );
    let headers = [("cookie", trip.cookie.as_str()), ("accept", "application/json")];
    let denied = server.stranger().send(Method::GET, &path, &headers, ()).await;
    assert_eq!(denied.refused(403, "FORBIDDEN")["reason"], "denied_at_provider");

    server.provider.says(Script::Down);
    let down = server
        .stranger()
        .get_with(AUTHORIZE, &[("accept", "application/json")])
        .await;
    down.refused(503, "UNAVAILABLE");
    let unknown = server
        .stranger()
        .get_with("/api/auth/oauth/nobody/authorize", &[("accept", "application/json")])
        .await;
    unknown.refused(404, "NOT_FOUND");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_away_for_a_moment_is_asked_again() {
    let server = TestServer::start();
    server.provider.says(Script::Away);
    server.stranger().get(AUTHORIZE).await.expect(303);
}

#[tokio::test(start_paused = true)]
async fn a_subject_that_names_nobody_is_nobody() {
    const LONG: &str = concat!(
        "0123456789012345678901234567890123456789012345678901234567890123",
        "0123456789012345678901234567890123456789012345678901234567890123",
        "0123456789012345678901234567890123456789012345678901234567890123",
        "0123456789012345678901234567890123456789012345678901234567890123",
    );
    let server = TestServer::start();
    for (subject, address) in [
        ("", "ada@example.com"),
        ("", "bob@example.com"),
        ("  ", "ada@example.com"),
        ("a\0b", "ada@example.com"),
        (LONG, "ada@example.com"),
    ] {
        server.provider.says(Script::Claims {
            subject,
            address,
            vouched_for: true,
        });
        let trip = Trip::begun(&server, AUTHORIZE).await;
        let refused = trip.back(&server.stranger(), "application/json").await;
        refused.refused(422, "CREDENTIAL_REFUSED");
    }
    server.provider.says(Script::Claims {
        subject: &LONG[..255],
        address: "ada@example.com",
        vouched_for: true,
    });
    let trip = Trip::begun(&server, AUTHORIZE).await;
    trip.back(&server.stranger(), "application/json").await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn after_signing_in_a_browser_goes_only_to_a_page_of_this_site() {
    let server = TestServer::start();
    for next in [
        "https://evil.example",
        "//evil.example",
        "%2F%5Cevil.example",
        "/a%0d%0aSet-Cookie:x",
    ] {
        let refused = server.stranger().get(&format!("{AUTHORIZE}?next={next}")).await;
        assert_eq!(refused.refused(400, "INVALID_REQUEST")["field"], "next");
    }
    server.provider.says(ADA);
    let trip = Trip::begun(&server, AUTHORIZE).await;
    let path = format!("/api/auth/oauth/scripted/callback?code=x&state={}", trip.state);
    let headers = [("cookie", trip.cookie.as_str()), ("host", "evil.example")];
    let back = server.stranger().send(Method::GET, &path, &headers, ()).await;
    let location = back.expect(303).header("location");
    assert!(
        location.starts_with("https://tickets.example/auth/verify#code="),
        "{location}"
    );
}

#[tokio::test(start_paused = true)]
async fn somebody_who_only_looks_uses_nothing_up() {
    let server = TestServer::start();
    server.provider.says(ADA);
    let trip = Trip::begun(&server, AUTHORIZE).await;
    let path = format!("/api/auth/oauth/scripted/callback?code=x&state={}", trip.state);
    let headers = [("cookie", trip.cookie.as_str())];
    let looked = server.stranger().send(Method::HEAD, &path, &headers, ()).await;
    assert_eq!(looked.status, 405);
    trip.back(&server.stranger(), "application/json").await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn only_who_asks_for_a_page_is_answered_with_one() {
    let server = TestServer::start();
    let paths = [
        ("/api/auth/oauth/google/authorize", 404, "NOT_FOUND"),
        ("/api/auth/oauth/scripted/callback", 400, "INVALID_REQUEST"),
    ];
    for (path, status, code) in paths {
        for accept in [
            "",
            "*/*",
            "application/json",
            "text/plain",
            "application/problem+json",
            "text/html, application/json",
        ] {
            let told = server.stranger().get_with(path, &[("accept", accept)]).await;
            told.refused(status, code);
        }
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let page = server.stranger().get_with(path, &[("accept", browser)]).await;
        assert_eq!(page.expect(status).header("content-type"), "text/html; charset=utf-8");
    }
}
