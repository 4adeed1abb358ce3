//! What is checked before a WebSocket is opened.

use std::sync::Arc;

use adapters_http::{ApiError, Authenticate};
use axum::Router;
use axum::http::HeaderValue;
use axum::http::request::Parts;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::{Actor as Who, Role};
use uuid::Uuid;

use super::{path, until_open};
use crate::support::{Actor, TestServer, Wire};

#[tokio::test(start_paused = true)]
async fn who_has_not_signed_in_opens_nothing_unless_visitors_are_let_in() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let refused = server.wire().try_open(&path(&event)).await.unwrap_err();
    refused.refused(401, "UNAUTHENTICATED");
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    assert_eq!(server.live.count(), 0);

    let server = TestServer::start_with(|setup| setup.live.visitors = true);
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let mut visitor = server.wire().open(&path(&event)).await;
    assert_eq!(visitor.message().await["type"], "availability_snapshot");
    let path = format!("{}?session_id=made-up", path(&event));
    let refused = server.wire().try_open(&path).await.unwrap_err();
    refused.refused(401, "UNAUTHENTICATED");
}

#[tokio::test(start_paused = true)]
async fn a_session_opens_sockets_by_its_id_by_its_header_and_by_a_ticket_that_works_once() {
    let server = TestServer::start();
    let (olga, alice) = (server.owner("olga").await, server.customer("alice").await);
    let event = server.event_on_sale(&olga).await;
    let session = alice.session_id();
    let mut by_id = server
        .wire()
        .open(&format!("{}?session_id={session}", path(&event)))
        .await;
    let bearer = format!("Bearer {session}");
    let mut by_header = server.wire().header("authorization", bearer).open(&path(&event)).await;
    let ticket = alice.post("/api/auth/ws-ticket", ()).await;
    assert_eq!(ticket.expect(200).body["expires_in_seconds"], 30);
    let with_ticket = format!("{}?ticket={}", path(&event), ticket.text("ticket"));
    let mut by_ticket = server.wire().open(&with_ticket).await;
    for socket in [&mut by_id, &mut by_header, &mut by_ticket] {
        assert_eq!(socket.message().await["event_id"], event);
    }
    let again = server.wire().try_open(&with_ticket).await.unwrap_err();
    again.refused(401, "UNAUTHENTICATED");
    let late = alice.post("/api/auth/ws-ticket", ()).await.text("ticket");
    server.pass(chrono::TimeDelta::seconds(30));
    let late = server.wire().try_open(&format!("{}?ticket={late}", path(&event))).await;
    late.unwrap_err().refused(401, "UNAUTHENTICATED");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_the_caller_may_not_see_is_not_found() {
    let server = TestServer::start_with(|setup| setup.live.visitors = true);
    let (olga, otto) = (server.owner("olga").await, server.owner("otto").await);
    let draft = server.draft(&olga).await;
    let unknown = Uuid::nil().to_string();
    for (who, event) in [(None, &unknown), (None, &draft), (Some(&otto), &draft)] {
        let query = who.map_or_else(String::new, |who: &Actor| format!("?session_id={}", who.session_id()));
        let refused = server.wire().try_open(&(path(event) + &query)).await.unwrap_err();
        refused.refused(404, "EVENT_NOT_FOUND");
    }
    let own = format!("{}?session_id={}", path(&draft), olga.session_id());
    assert_eq!(server.wire().open(&own).await.message().await["event_id"], draft);
    assert_eq!(server.live.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_told_before_anything_is_opened() {
    let server = TestServer::start_with(|setup| setup.live.visitors = true);
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    for (query, field) in [
        ("?session_id=a&ticket=b", "ticket"),
        ("?seat=A-1", "seat"),
        ("?seats=", "seats"),
        ("?seats=VIP,VIP", "seats"),
        ("?seats=VIP&seats=General", "seats"),
    ] {
        let refused = server.wire().try_open(&(path(&event) + query)).await.unwrap_err();
        assert_eq!(refused.refused(400, "INVALID_REQUEST")["field"], field, "{query}");
    }
    let unknown = server.wire().try_open(&(path(&event) + "?seats=VIP,Stalls")).await;
    let unknown = unknown.unwrap_err();
    assert_eq!(unknown.refused(404, "SECTION_NOT_FOUND")["section"], "Stalls");
    let plain = server.stranger().get(&path(&event)).await;
    assert_eq!(plain.refused(400, "INVALID_REQUEST")["field"], "Upgrade");
    assert_eq!(server.live.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn above_a_limit_nothing_is_opened_and_who_leaves_makes_room() {
    let server = TestServer::start_with(|setup| {
        setup.live.max_connections = 4;
        setup.live.max_per_user = 2;
        setup.live.max_per_network = 3;
    });
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let mut sessions = Vec::new();
    for name in ["alice", "bob", "carol"] {
        let person = server.customer(name).await;
        sessions.push(format!("{}?session_id={}", path(&event), person.session_id()));
    }
    let [alice, bob, carol] = &sessions[..] else {
        unreachable!()
    };
    let first = server.wire().open(alice).await;
    let _second = server.wire().open(alice).await;
    let by_user = server.wire().from("192.0.2.1").try_open(alice).await.unwrap_err();
    by_user.refused(429, "RATE_LIMITED");
    assert_eq!(by_user.header("retry-after"), "10");
    let _third = server.wire().open(bob).await;
    let by_network = server.wire().try_open(carol).await.unwrap_err();
    by_network.refused(429, "RATE_LIMITED");
    let _fourth = server.wire().from("192.0.2.1").open(carol).await;
    let in_all = server.wire().from("192.0.2.2").try_open(carol).await.unwrap_err();
    in_all.refused(429, "RATE_LIMITED");
    first.close().await;
    until_open(&server, 3).await;
    server.wire().open(alice).await;
}

/// Knows its people by a cookie, which a browser sends whichever page opens the socket.
#[derive(Debug)]
struct Theatre;

#[async_trait::async_trait]
impl Authenticate for Theatre {
    async fn authenticate(&self, request: &Parts) -> Result<Option<Who>, ApiError> {
        let cookie = request.headers.get("cookie").map(|cookie| cookie.to_str().unwrap());
        Ok((cookie == Some("member=olga")).then_some(OLGA))
    }

    fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static("Cookie")
    }
}

const OLGA: Who = Who {
    user_id: UserId::new(Uuid::from_u128(1)),
    role: Role::EventOwner,
};

#[tokio::test(start_paused = true)]
async fn a_host_says_who_opens_a_socket_and_a_page_of_another_site_opens_it_for_a_visitor() {
    let server = TestServer::start_with(|setup| {
        setup.host = Some(Arc::new(Theatre));
        setup.live.visitors = true;
    });
    let cookie = [("cookie", "member=olga")];
    let request = crate::support::event_request(&server.in_days(60));
    let created = server.stranger().post_with("/api/events", &cookie, request).await;
    let draft = created.expect(201).text("event_id");
    let api = Router::new().nest("/box-office", server.router.clone());
    let path = format!("/box-office{}", path(&draft));
    let of_olga = || Wire::to(api.clone()).header("cookie", "member=olga");
    let mut own = of_olga().header("origin", "https://tickets.example").open(&path).await;
    assert_eq!(own.message().await["event_id"], draft);
    let mut program = of_olga().open(&path).await;
    assert_eq!(program.message().await["event_id"], draft);
    for foreign in ["https://evil.example", "null"] {
        let refused = of_olga().header("origin", foreign).try_open(&path).await.unwrap_err();
        refused.refused(404, "EVENT_NOT_FOUND");
        // A browser sends the password of a site to that site, too, whichever page asks.
        let by_password = of_olga()
            .header("origin", foreign)
            .header("authorization", "basic b2xnYTox");
        let refused = by_password.try_open(&path).await.unwrap_err();
        refused.refused(404, "EVENT_NOT_FOUND");
        let by_key = of_olga().header("origin", foreign).header("authorization", "Theatre 7");
        assert_eq!(by_key.open(&path).await.message().await["event_id"], draft);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_with_users_of_its_own_need_not_let_visitors_in() {
    let server = TestServer::start_with(|setup| setup.host = Some(Arc::new(Theatre)));
    let cookie = [("cookie", "member=olga")];
    let request = crate::support::event_request(&server.in_days(60));
    let created = server.stranger().post_with("/api/events", &cookie, request).await;
    let draft = created.expect(201).text("event_id");
    let refused = server.wire().try_open(&path(&draft)).await.unwrap_err();
    refused.refused(401, "UNAUTHENTICATED");
    assert_eq!(refused.header("www-authenticate"), "Cookie");
    let mut own = server.wire().header("cookie", "member=olga").open(&path(&draft)).await;
    assert_eq!(own.message().await["event_id"], draft);
}

#[tokio::test(start_paused = true)]
async fn whoever_finds_no_place_makes_the_server_look_for_no_event() {
    let server = TestServer::start_with(|setup| {
        setup.live.visitors = true;
        setup.live.max_connections = 0;
    });
    let unknown = Uuid::nil().to_string();
    let refused = server.wire().try_open(&path(&unknown)).await.unwrap_err();
    refused.refused(429, "RATE_LIMITED");
    let stream = format!("/api/events/{unknown}/availability/stream");
    server.stranger().get(&stream).await.refused(429, "RATE_LIMITED");
}
