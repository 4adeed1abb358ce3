//! What closes a WebSocket.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use ticketing_ports::vocabulary::roles::Role;
use tokio::io::AsyncWriteExt as _;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::{path, until_open};
use crate::support::TestServer;

/// Much shorter than the time between two looks at the sessions. The clock stands still while something happens.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The time between two looks at the sessions, and a bit more.
const HALF_A_MINUTE: Duration = Duration::from_secs(31);

#[tokio::test(start_paused = true)]
async fn every_30_seconds_a_client_is_pinged_and_one_that_answers_stays() {
    let server = TestServer::start_with(|setup| setup.live.visitors = true);
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let mut socket = server.wire().open(&path(&event)).await;
    socket.message().await;
    let began = Instant::now();
    for ping in 1..=5 {
        let frame = socket.frame().await.unwrap();
        assert!(frame.is_ping(), "{frame:?}");
        assert_eq!(began.elapsed().as_secs(), 30 * ping);
        let text = socket.frame().await.unwrap().into_text().unwrap();
        assert_eq!(text.as_str(), r#"{"type":"ping"}"#);
    }
    assert_eq!(server.live.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_gives_no_sign_of_life_for_a_minute_is_dropped() {
    let server = TestServer::start_with(|setup| setup.live.visitors = true);
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let mut socket = server.wire().open(&path(&event)).await;
    socket.message().await;
    let began = Instant::now();
    // Nobody reads the socket, so nobody answers a ping.
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert_eq!(server.live.count(), 1);
    server.live.closed().await;
    assert_eq!(began.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_reading_is_dropped_and_holds_nobody_up() {
    let server = TestServer::start_with(|setup| setup.live.visitors = true);
    let (olga, alice) = (server.owner("olga").await, server.customer("alice").await);
    let event = server.event_on_sale(&olga).await;
    let _stuck = server.wire().narrow(700).open(&path(&event)).await;
    let mut reading = server.wire().open(&path(&event)).await;
    let mut sequence = reading.message().await["sequence"].as_u64().unwrap();
    let began = Instant::now();
    for _ in 0..3 {
        alice.reserve(&event, "General", 1).await.expect(201);
        let update = reading.message().await;
        assert_eq!(update["since"], sequence);
        sequence = update["sequence"].as_u64().unwrap();
    }
    until_open(&server, 1).await;
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_logs_out_has_the_sockets_of_that_session_closed_at_once() {
    let server = TestServer::start();
    let (olga, alice) = (server.owner("olga").await, server.customer("alice").await);
    let event = server.event_on_sale(&olga).await;
    let other = alice.with_session(&server.sign_in_again(&alice).await);
    let of = |session: &str| format!("{}?session_id={session}", path(&event));
    let mut first = server.wire().open(&of(alice.session_id())).await;
    let mut second = server.wire().open(&of(alice.session_id())).await;
    let mut stays = server.wire().open(&of(other.session_id())).await;
    for socket in [&mut first, &mut second, &mut stays] {
        socket.message().await;
    }
    let began = Instant::now();
    alice.post("/api/auth/logout", ()).await.expect(200);
    for socket in [&mut first, &mut second] {
        let (error, frame) = socket.closed().await;
        assert_eq!(error["code"], "UNAUTHENTICATED");
        assert_eq!(u16::from(frame.code), 1008);
    }
    until_open(&server, 1).await;
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    let began = Instant::now();
    other.post("/api/auth/logout-all", ()).await.expect(200);
    assert_eq!(stays.closed().await.0["code"], "UNAUTHENTICATED");
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn another_role_and_an_erased_account_close_sockets_at_once() {
    let server = TestServer::start();
    let (olga, ada) = (server.owner("olga").await, server.admin("ada").await);
    let event = server.event_on_sale(&olga).await;
    for name in ["alice", "bob"] {
        let person = server.customer(name).await;
        let path = format!("{}?session_id={}", path(&event), person.session_id());
        let mut socket = server.wire().open(&path).await;
        socket.message().await;
        let began = Instant::now();
        if name == "alice" {
            let role = json!({ "email": "alice@example.com", "role": "event_owner" });
            ada.post("/api/auth/roles", role).await.expect(200);
        } else {
            person
                .send(axum::http::Method::DELETE, "/api/auth/me", &[], ())
                .await
                .expect(200);
        }
        assert_eq!(socket.closed().await.0["code"], "UNAUTHENTICATED", "{name}");
        assert!(began.elapsed() < AT_ONCE, "{name}: {:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_by_itself_or_in_another_process_closes_its_sockets_within_half_a_minute() {
    let server = TestServer::start();
    let (olga, alice) = (server.owner("olga").await, server.customer("alice").await);
    let event = server.event_on_sale(&olga).await;
    let of = |session: &str| format!("{}?session_id={session}", path(&event));
    let mut socket = server.wire().open(&of(alice.session_id())).await;
    socket.message().await;
    let began = Instant::now();
    let elsewhere = &server.sign_in_elsewhere;
    assert_eq!(elsewhere.sessions.end_all_of(alice.id()).await.unwrap(), 1);
    assert_eq!(socket.closed().await.0["code"], "UNAUTHENTICATED");
    assert!(began.elapsed() <= HALF_A_MINUTE, "{:?}", began.elapsed());

    let session = server.sign_in_again(&alice).await;
    let mut socket = server.wire().open(&of(&session)).await;
    socket.message().await;
    // An open socket is no use of its session: the session ends a day after its last use.
    let began = Instant::now();
    server.pass(TimeDelta::hours(24));
    assert_eq!(socket.closed().await.0["code"], "UNAUTHENTICATED");
    assert!(began.elapsed() <= HALF_A_MINUTE, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_demotion_by_another_process_closes_sockets_within_half_a_minute() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let draft = server.draft(&olga).await;
    let path = format!("{}?session_id={}", path(&draft), olga.session_id());
    let mut socket = server.wire().open(&path).await;
    socket.message().await;
    let elsewhere = &server.sign_in_elsewhere;
    let began = Instant::now();
    assert!(elsewhere.accounts.set_role(olga.id(), Role::Customer).await.unwrap());
    let (error, _) = socket.closed().await;
    assert_eq!(error["code"], "UNAUTHENTICATED");
    assert!(began.elapsed() <= HALF_A_MINUTE, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_tells_everybody_to_come_back_at_different_times() {
    let server = TestServer::start_with(|setup| setup.live.visitors = true);
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let mut sockets = Vec::new();
    for _ in 0..5 {
        let mut socket = server.wire().open(&path(&event)).await;
        socket.message().await;
        sockets.push(socket);
    }
    server.stopping.cancel();
    let began = Instant::now();
    let mut times = Vec::new();
    for socket in &mut sockets {
        let (error, frame) = socket.closed().await;
        assert_eq!(
            (u16::from(frame.code), error["code"].as_str()),
            (1001, Some("UNAVAILABLE"))
        );
        let time = error["reconnect_after_ms"].as_u64().unwrap();
        assert!((500..5_500).contains(&time), "{time}");
        assert_eq!(frame.reason.as_str(), format!("connect again in {time} ms"));
        times.push(time);
    }
    server.live.closed().await;
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    times.dedup();
    assert!(times.len() > 1, "all clients come back at the same time: {times:?}");
    let refused = server.wire().try_open(&path(&event)).await.unwrap_err();
    refused.refused(503, "UNAVAILABLE");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_talks_too_much_or_too_long_is_told_so() {
    let server = TestServer::start_with(|setup| setup.live.visitors = true);
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let mut socket = server.wire().open(&path(&event)).await;
    socket.message().await;
    for _ in 0..101 {
        socket.say("hello").await.unwrap();
    }
    let (error, frame) = socket.closed().await;
    assert_eq!(
        (u16::from(frame.code), error["code"].as_str()),
        (1008, Some("RATE_LIMITED"))
    );

    let mut socket = server.wire().open(&path(&event)).await;
    socket.message().await;
    drop(socket.say(&"a".repeat(5_000)).await);
    let (error, frame) = socket.closed().await;
    assert_eq!(
        (u16::from(frame.code), error["code"].as_str()),
        (1002, Some("INVALID_REQUEST"))
    );
    server.live.closed().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_gives_its_place_back_whenever_it_goes() {
    let server = TestServer::start_with(|setup| setup.live.visitors = true);
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let asking = format!(
        "GET {} HTTP/1.1\r\nHost: tickets.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        path(&event)
    );
    // It goes away before it has seen the answer, or a part of it.
    for yields in 0..60 {
        let mut io = server.wire().narrow(100).connect();
        io.write_all(asking.as_bytes()).await.unwrap();
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        drop(io);
    }
    // It goes away after the answer, and before or after the first message.
    for read in 0..2 {
        let mut socket = server.wire().open(&path(&event)).await;
        for _ in 0..read {
            let first = socket.frame().await.unwrap();
            assert!(matches!(first, Message::Text(_)), "{first:?}");
        }
        drop(socket);
    }
    server.live.closed().await;
    let _again = server.wire().open(&path(&event)).await;
    assert_eq!(server.live.count(), 1);
}
