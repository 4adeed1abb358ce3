use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;

use crate::support::{Actor, Answer, TestServer};

const SEND: &str = "/api/auth/magic-link/send";
const VERIFY: &str = "/api/auth/magic-link/verify";

pub(crate) async fn ask_for_a_link(server: &TestServer, email: &str) -> Answer {
    let answer = server.stranger().post(SEND, json!({ "email": email })).await;
    // The server sends the mail in a task of its own, so this lets that task run.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    answer
}

pub(crate) fn last_token(server: &TestServer) -> String {
    let mail = server.mailer.outbox().pop().expect("the server has sent a mail");
    let (_, rest) = mail
        .text
        .split_once("https://tickets.example/auth/verify#token=")
        .unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

pub(crate) async fn verify(server: &TestServer, token: &str) -> Answer {
    server.stranger().post(VERIFY, json!({ "token": token })).await
}

#[tokio::test(start_paused = true)]
async fn ada_signs_in_by_mail_looks_around_and_leaves() {
    let server = TestServer::start();
    let sent = ask_for_a_link(&server, "Ada@Example.com").await;
    assert_eq!(sent.expect(202).body["expires_in_seconds"], 900);

    let begun = verify(&server, &last_token(&server)).await;
    assert_eq!(begun.expect(200).body["email"], "ada@example.com");
    assert_eq!(begun.body["expires_at"], "2027-01-16T08:00:00Z");
    assert_eq!(begun.body["last_active"], "2027-01-15T08:00:00Z");
    assert_eq!(begun.body["user"]["role"], "customer");
    assert_eq!(begun.header("cache-control"), "no-store");

    let ada: Actor = server.stranger().with_session(&begun.text("session_id"));
    assert_eq!(ada.get("/api/auth/session").await.expect(200).body, begun.body);
    assert_eq!(ada.get("/api/auth/me").await.expect(200).body, begun.body["user"]);
    assert_eq!(
        ada.post("/api/auth/logout", ()).await.expect(200).body["message"],
        "Logged out"
    );
    ada.get("/api/auth/me").await.refused(401, "UNAUTHENTICATED");
    ada.post("/api/auth/logout", ()).await.refused(401, "UNAUTHENTICATED");
}

#[tokio::test(start_paused = true)]
async fn nobody_learns_from_the_answer_whether_an_address_is_known() {
    let server = TestServer::start();
    server.customer("known").await;
    let known = ask_for_a_link(&server, "known@example.com").await;
    let unknown = ask_for_a_link(&server, "unknown@example.com").await;
    assert_eq!(
        (known.expect(202).bytes.clone(), known.status),
        (unknown.expect(202).bytes.clone(), unknown.status)
    );
    assert_eq!(server.mailer.outbox().len(), 2);
    let nobody = ticketing_ports::vocabulary::email::EmailAddress::parse("unknown@example.com").unwrap();
    assert_eq!(
        server.users.find_by_email(&nobody).await.unwrap(),
        None,
        "an account was made before the address was proven"
    );
}

#[tokio::test(start_paused = true)]
async fn a_link_works_once_and_for_fifteen_minutes() {
    let server = TestServer::start();
    ask_for_a_link(&server, "ada@example.com").await;
    let token = last_token(&server);
    server.pass(TimeDelta::minutes(15) - TimeDelta::milliseconds(1));
    verify(&server, &token).await.expect(200);
    verify(&server, &token).await.refused(401, "LINK_INVALID");

    ask_for_a_link(&server, "ada@example.com").await;
    let late = last_token(&server);
    server.pass(TimeDelta::minutes(15));
    verify(&server, &late).await.refused(401, "LINK_INVALID");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_never_sent_opens_nothing() {
    let server = TestServer::start();
    for token in ["", "x", &"A".repeat(43), &"A".repeat(1_000)] {
        verify(&server, token).await.refused(401, "LINK_INVALID");
    }
}

#[tokio::test(start_paused = true)]
async fn the_fourth_live_link_to_an_address_is_silently_not_sent() {
    let server = TestServer::start();
    for _ in 0..4 {
        ask_for_a_link(&server, "ada@example.com").await.expect(202);
    }
    assert_eq!(server.mailer.outbox().len(), 3);
    ask_for_a_link(&server, "bob@example.com").await.expect(202);
    assert_eq!(server.mailer.outbox().len(), 4);
    server.pass(TimeDelta::minutes(15));
    ask_for_a_link(&server, "ada@example.com").await.expect(202);
    assert_eq!(server.mailer.outbox().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn who_gets_no_further_mail_is_told_that_the_link_in_an_earlier_one_still_works() {
    let server = TestServer::start();
    for _ in 0..3 {
        ask_for_a_link(&server, "ada@example.com").await.expect(202);
    }
    let fourth = ask_for_a_link(&server, "ada@example.com").await;
    fourth.expect(202);
    assert_eq!(server.mailer.outbox().len(), 3);
    let message = fourth.text("message");
    assert!(message.contains("the link in an earlier one still works"), "{message}");
    verify(&server, &last_token(&server)).await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_could_smuggle_something_is_refused() {
    let server = TestServer::start();
    for email in ["", "ada", "a@b\r\nBcc: c@d.e", "a@b.c,d@e.f"] {
        let refused = ask_for_a_link(&server, email).await;
        assert_eq!(refused.refused(400, "INVALID_REQUEST")["field"], "email");
    }
    assert!(server.mailer.outbox().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_mail_scanner_that_asks_for_the_head_or_the_page_leaves_the_link_whole() {
    let server = TestServer::start();
    ask_for_a_link(&server, "ada@example.com").await;
    let token = last_token(&server);
    let path = format!("{VERIFY}?token={token}");

    let head = server.stranger().send(Method::HEAD, &path, &[], ()).await;
    assert_eq!(
        (head.expect(405).header("allow"), head.bytes.len()),
        ("GET,POST".to_owned(), 0)
    );
    server.stranger().get("/auth/verify").await.expect(200);
    assert_eq!(
        server.stranger().get(&path).await.expect(200).body["email"],
        "ada@example.com"
    );
    server.stranger().get(&path).await.refused(401, "LINK_INVALID");
}

#[tokio::test(start_paused = true)]
async fn the_page_behind_the_link_runs_its_own_script_and_nothing_else() {
    let server = TestServer::start();
    let page = server.stranger().get("/auth/verify").await;
    let policy = page.expect(200).header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none';") && policy.contains("script-src 'sha256-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let html = String::from_utf8(page.bytes.clone()).unwrap();
    for outside in ["http://", "https://", "src=", "href=", "onclick", "style="] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_lasts_a_day_without_use_and_a_week_with_it() {
    let server = TestServer::start();
    let idle = server.customer("idle").await;
    server.pass(TimeDelta::hours(24));
    idle.get("/api/auth/me").await.refused(401, "UNAUTHENTICATED");

    let busy = server.customer("busy").await;
    for _ in 0..13 {
        server.pass(TimeDelta::hours(12));
        busy.get("/api/auth/me").await.expect(200);
    }
    server.pass(TimeDelta::hours(12));
    busy.get("/api/auth/me").await.refused(401, "UNAUTHENTICATED");
}

#[tokio::test(start_paused = true)]
async fn a_used_or_unknown_link_is_told_as_such_and_not_as_a_session_that_is_missing() {
    let server = TestServer::start();
    ask_for_a_link(&server, "ada@example.com").await;
    let used = last_token(&server);
    verify(&server, &used).await.expect(200);
    for token in [used.as_str(), "x", &"A".repeat(43)] {
        let by_query = server.stranger().get(&format!("{VERIFY}?token={token}")).await;
        for refused in [verify(&server, token).await, by_query] {
            refused.refused(401, "LINK_INVALID");
            let message = refused.text("message");
            assert!(message.contains("link") && !message.contains("session"), "{message}");
            assert_eq!(refused.header("www-authenticate"), "Bearer");
        }
    }
    for code in ["x", &"A".repeat(43)] {
        let exchange = server
            .stranger()
            .post("/api/auth/oauth/exchange", json!({ "code": code }))
            .await;
        exchange.refused(401, "LINK_INVALID");
    }
    let nobody = server.stranger().get("/api/auth/me").await;
    let over = server
        .stranger()
        .with_session(&"A".repeat(43))
        .get("/api/auth/me")
        .await;
    nobody.refused(401, "UNAUTHENTICATED");
    over.refused(401, "UNAUTHENTICATED");
    assert_ne!(nobody.text("message"), over.text("message"));
}
