//! Customers who need more time to pay get it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::support::{Answer, TestServer, event_request};

fn end(reservation: &Answer) -> DateTime<Utc> {
    reservation.text("expires_at").parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_extended_twice_and_every_reader_sees_its_new_end() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let (alice, bob) = (server.customer("alice").await, server.customer("bob").await);
    let event = server.event_on_sale(&olga).await;
    let held = alice.reserve(&event, "General", 2).await;
    let reservation = held.expect(201).text("reservation_id");
    let path = format!("/api/reservations/{reservation}");
    let extend = format!("{path}/extend");
    server.pass(TimeDelta::seconds(299));
    let once = alice.post(&extend, ()).await;
    assert_eq!(end(once.expect(200)) - end(&held), TimeDelta::seconds(300));
    assert_eq!(once.text("status"), "held");
    bob.post(&extend, ()).await.refused(404, "RESERVATION_NOT_FOUND");
    let twice = alice.post(&extend, json!({})).await;
    assert_eq!(end(twice.expect(200)) - end(&held), TimeDelta::seconds(600));
    let refused = alice.post(&extend, ()).await;
    let details = refused.refused(409, "NO_MORE_EXTENSIONS");
    assert_eq!(details["extensions"], 2);
    assert_eq!(details["expires_at"], twice.body["expires_at"]);

    let read = alice.get_after(&twice, &path).await;
    assert_eq!(end(read.expect(200)), end(&twice));
    let list = alice.get_after(&twice, "/api/reservations").await;
    assert_eq!(
        list.expect(200).body["reservations"][0]["expires_at"],
        twice.body["expires_at"]
    );
    server.pass(TimeDelta::seconds(500));
    let availability = bob.get(&format!("/api/events/{event}/availability")).await;
    assert_eq!(availability.expect(200).body["sections"]["General"]["reserved"], 2);
    let history = alice.get_after(&twice, &format!("{path}/history")).await;
    let facts: Vec<_> = history.expect(200).body["events"].as_array().unwrap().iter().collect();
    let extended = facts.iter().filter(|fact| fact["type"] == "ReservationExtended");
    assert_eq!(extended.count(), 2, "{facts:?}");

    alice.pay(&reservation, "tok_visa").await.expect(200);
    alice.post(&extend, ()).await.refused(422, "INVALID_STATE_TRANSITION");
}

#[tokio::test(start_paused = true)]
async fn an_organiser_says_how_often_and_how_long_holds_may_be_extended() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let mut draft = event_request(&server.in_days(60));
    draft["hold_seconds"] = 300.into();
    let created = olga.post("/api/events", draft.clone()).await;
    let shown = |created: &Answer| {
        (
            created.body["max_extensions"].clone(),
            created.body["max_hold_seconds"].clone(),
        )
    };
    assert_eq!(shown(created.expect(201)), (json!(2), json!(900)));
    draft["max_extensions"] = 0.into();
    let created = olga.post("/api/events", draft.clone()).await;
    assert_eq!(shown(created.expect(201)), (json!(0), json!(300)));
    draft["max_extensions"] = 10.into();
    draft["max_hold_seconds"] = 1_000.into();
    let created = olga.post("/api/events", draft.clone()).await;
    assert_eq!(shown(created.expect(201)), (json!(10), json!(1_000)));
    let mut contradicts_itself = draft.clone();
    contradicts_itself["max_extensions"] = 0.into();
    let refused = olga.post("/api/events", contradicts_itself).await;
    let details = refused.refused(422, "VALIDATION_FAILED");
    assert_eq!(details["errors"][0]["field"], "max_hold_seconds");
    for (field, value) in [
        ("max_extensions", 11),
        ("max_hold_seconds", 300),
        ("max_hold_seconds", 14_401),
    ] {
        let mut wrong = draft.clone();
        wrong[field] = value.into();
        let refused = olga.post("/api/events", wrong).await;
        let details = refused.refused(422, "VALIDATION_FAILED");
        assert_eq!(details["errors"][0]["field"], field);
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_extension_sent_twice_under_one_key_extends_once() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let held = alice.reserve(&event, "General", 1).await;
    let extend = format!("/api/reservations/{}/extend", held.expect(201).text("reservation_id"));
    let key = [("idempotency-key", "more-time")];
    let first = alice.post_with(&extend, &key, ()).await;
    let second = alice.post_with(&extend, &key, ()).await;
    assert_eq!(end(first.expect(200)), end(second.expect(200)));
    assert_eq!(end(&first) - end(&held), TimeDelta::seconds(300));
}
