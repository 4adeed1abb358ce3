//! Readers see what they have written themselves. A token of facts that this log does not have counts as absent.

use std::time::Duration;

use axum::http::Method;
use ticketing_ports::log::identity::{Incarnation, LogIdentity};
use ticketing_ports::log::streams::Position;
use ticketing_ports::vocabulary::ids::LogId;
use ticketing_runtime::ConsistencyToken;
use tokio::time::Instant;
use uuid::Uuid;

use crate::support::TestServer;

const HEADER: &str = "ticketing-consistency";

fn of_another_log() -> ConsistencyToken {
    let log = LogIdentity {
        log: LogId::new(Uuid::from_u128(77)),
        incarnation: Incarnation(3),
    };
    ConsistencyToken::new(log, Position(123_456))
}

#[tokio::test(start_paused = true)]
async fn a_token_of_what_the_log_does_not_have_is_as_if_it_were_not_there() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let log = server.log.identity().await.unwrap();
    let beyond = ConsistencyToken::new(log, Position(99_999_999));
    let later = LogIdentity {
        incarnation: Incarnation(log.incarnation.0 + 1),
        ..log
    };
    for token in [
        "p1.99999999".to_owned(),
        beyond.to_string(),
        ConsistencyToken::new(later, Position(1)).to_string(),
        of_another_log().to_string(),
    ] {
        let asked = Instant::now();
        let listed = server.stranger().get_with("/api/events", &[(HEADER, &token)]).await;
        assert_eq!(listed.expect(200).body["events"][0]["event_id"], event, "{token}");
        assert!(
            asked.elapsed() < Duration::from_millis(25),
            "{token} took {:?}",
            asked.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_says_what_the_request_said_and_what_was_written_since() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let before = of_another_log().to_string();
    let path = format!("/api/events/{event}/sales/close");
    let closed = olga.post_with(&path, &[(HEADER, &before)], ()).await;
    let log = server.log.identity().await.unwrap();
    let own = ConsistencyToken::new(log, server.log.head().await.unwrap());
    assert_eq!(
        closed.expect(200).header(HEADER),
        own.merge(&of_another_log()).to_string()
    );
    // The answer's token also has the position in the other log that the request named. A read with this token must
    // still include the write to this server's own log.
    let seen = olga.get_after(&closed, &format!("/api/events/{event}")).await;
    assert_eq!(seen.expect(200).body["status"], "sales_closed");
}

#[tokio::test(start_paused = true)]
async fn a_token_of_the_former_text_still_shows_the_write() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    olga.post(&format!("/api/events/{event}/sales/close"), ())
        .await
        .expect(200);
    let token = format!("p1.{}", server.log.head().await.unwrap());
    let seen = olga
        .get_with(&format!("/api/events/{event}"), &[(HEADER, &token)])
        .await;
    assert_eq!(seen.expect(200).body["status"], "sales_closed");
}

#[tokio::test(start_paused = true)]
async fn every_question_takes_a_token_also_one_that_is_always_up_to_date() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let held = alice.reserve(&event, "General", 1).await;
    let reservation = held.expect(201).text("reservation_id");
    for path in [
        format!("/api/reservations/{reservation}"),
        format!("/api/reservations/{reservation}/history"),
        "/api/reservations".to_owned(),
        format!("/api/events/{event}/sections/General"),
        format!("/api/events/{event}/availability"),
        "/api/auth/session".to_owned(),
    ] {
        alice.get_after(&held, &path).await.expect(200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_cannot_be_read_does_not_hide_that_there_is_no_such_route_or_method() {
    let server = TestServer::start();
    let alice = server.customer("alice").await;
    let unreadable = [(HEADER, "nonsense")];
    let known = alice.get_with("/api/events", &unreadable).await;
    assert_eq!(known.refused(400, "INVALID_REQUEST")["field"], "Ticketing-Consistency");
    let nowhere = alice.get_with("/api/nowhere", &unreadable).await;
    nowhere.refused(404, "NOT_FOUND");
    let method = alice.send(Method::TRACE, "/api/events", &unreadable, ()).await;
    method.refused(405, "METHOD_NOT_ALLOWED");
}
