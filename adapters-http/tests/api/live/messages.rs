//! What a WebSocket sends.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use ticketing_runtime::{Observed, SocketStep};
use ticketing_testkit::observing::KeepingObserver;

use super::path;
use crate::support::{Actor, TestServer, event_request};

/// A server that lets visitors in, with an event on sale, and somebody who buys.
async fn on_sale() -> (TestServer, String, Actor) {
    let server = TestServer::start_with(|setup| {
        setup.live.visitors = true;
        setup.engine.max_live_holds = None;
    });
    let (olga, alice) = (server.owner("olga").await, server.customer("alice").await);
    let event = server.event_on_sale(&olga).await;
    (server, event, alice)
}

fn counts(message: &Value, section: &str) -> [u64; 3] {
    ["available", "reserved", "sold"].map(|count| message["sections"][section][count].as_u64().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_comes_first_and_then_only_what_has_changed_each_since_the_one_before() {
    let (server, event, alice) = on_sale().await;
    let mut socket = server.wire().open(&path(&event)).await;
    let snapshot = socket.message().await;
    assert_eq!(snapshot["type"], "availability_snapshot");
    assert_eq!(counts(&snapshot, "General"), [5, 0, 0]);
    assert_eq!(counts(&snapshot, "VIP"), [20, 0, 0]);
    assert_eq!(snapshot["timestamp"], "2027-01-15T08:00:00Z");
    assert_eq!(snapshot["sections"]["VIP"]["total_capacity"], 20);

    let held = alice.reserve(&event, "General", 2).await;
    let update = socket.message().await;
    assert_eq!(update["type"], "availability_update");
    assert_eq!(update["event_id"], event);
    assert_eq!(update["since"], snapshot["sequence"]);
    assert_eq!(counts(&update, "General"), [3, 2, 0]);
    assert_eq!(update["sections"]["VIP"], Value::Null, "VIP has not changed");
    assert_eq!(update["seats"], Value::Null, "nobody has asked for seats");

    alice.pay(&held.text("reservation_id"), "tok_visa").await.expect(200);
    let mut last = update;
    while counts(&last, "General") != [3, 0, 2] {
        let update = socket.message().await;
        assert_eq!(update["since"], last["sequence"]);
        last = update;
    }
    let polled = server
        .stranger()
        .get(&format!("/api/events/{event}/availability"))
        .await;
    assert_eq!(polled.expect(200).body["sequence"], last["sequence"]);
    assert_eq!(polled.body["sections"]["General"], last["sections"]["General"]);
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_the_seats_of_a_section_is_told_which_seats_have_changed() {
    let (server, event, alice) = on_sale().await;
    let mut with_seats = server.wire().open(&(path(&event) + "?seats=VIP,General")).await;
    let mut without = server.wire().open(&path(&event)).await;
    assert_eq!(
        with_seats.message().await["stale"],
        json!(["General", "VIP"]),
        "a snapshot has no seats"
    );
    assert_eq!(without.message().await["stale"], Value::Null);

    let held = alice.reserve_seats(&event, &["A-3", "B-4"]).await;
    let update = with_seats.message().await;
    let seats = json!({ "VIP": { "free": [], "held": ["A-3", "B-4"], "sold": [], "blocked": [] } });
    assert_eq!(update["seats"], seats);
    let plain = without.message().await;
    assert_eq!(plain["seats"], Value::Null);
    assert_eq!(
        (&plain["sections"], &plain["sequence"]),
        (&update["sections"], &update["sequence"])
    );

    alice.cancel(&held.expect(201).text("reservation_id")).await.expect(200);
    let update = with_seats.message().await;
    assert_eq!(update["seats"]["VIP"]["free"], json!(["A-3", "B-4"]));
    alice.reserve(&event, "General", 1).await.expect(201);
    let update = with_seats.message().await;
    assert_eq!(
        update["seats"],
        Value::Null,
        "places of general admission have no seats"
    );
    assert_eq!(counts(&update, "General"), [4, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_section_of_which_more_than_200_seats_change_at_once_is_stale() {
    let server = TestServer::start_with(|setup| setup.live.visitors = true);
    let olga = server.owner("olga").await;
    let mut draft = event_request(&server.in_days(60));
    draft["sections"][0]["seating"]["rows"] = json!([{ "row": "A", "seats": 300 }]);
    let created = olga.post("/api/events", draft).await;
    let event = created.expect(201).text("event_id");
    let published = olga.post(&format!("/api/events/{event}/publish"), ()).await;
    olga.get_after(&published, &format!("/api/events/{event}"))
        .await
        .expect(200);
    let mut socket = server.wire().open(&(path(&event) + "?seats=VIP")).await;
    socket.message().await;
    let block = async |from: u32, to: u32| {
        let seats: Vec<_> = (from..=to).map(|number| format!("A-{number}")).collect();
        let path = format!("/api/events/{event}/sections/VIP/block");
        olga.post(&path, json!({ "seats": seats })).await.expect(200);
    };
    block(1, 1).await;
    assert_eq!(socket.message().await["seats"]["VIP"]["blocked"], json!(["A-1"]));
    block(2, 202).await;
    let update = socket.message().await;
    assert_eq!(update["type"], "availability_update");
    assert_eq!((&update["stale"], &update["seats"]), (&json!(["VIP"]), &Value::Null));
    assert_eq!(update["sections"]["VIP"]["blocked"], 202);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_has_missed_something_gets_a_snapshot_instead_of_a_backlog() {
    let (server, event, alice) = on_sale().await;
    let mut slow = server.wire().narrow(700).open(&path(&event)).await;
    let mut quick = server.wire().open(&path(&event)).await;
    quick.message().await;
    let mut last = Value::Null;
    for _ in 0..5 {
        alice.reserve(&event, "General", 1).await.expect(201);
        last = quick.message().await;
    }
    let mut read = vec![slow.message().await];
    while read.last().unwrap()["sequence"] != last["sequence"] {
        read.push(slow.message().await);
    }
    assert!(read.len() < 6, "the slow reader has got every update: {read:#?}");
    let newest = read.last().unwrap();
    assert_eq!(newest["type"], "availability_snapshot", "{read:#?}");
    assert_eq!(counts(newest, "General"), [0, 5, 0]);
    for pair in read.windows(2) {
        assert!(
            pair[1]["type"] == "availability_snapshot" || pair[1]["since"] == pair[0]["sequence"],
            "{read:#?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn at_most_ten_messages_a_second_are_sent_however_much_is_sold() {
    let server = TestServer::start_with(|setup| {
        setup.live.visitors = true;
        setup.engine.max_live_holds = None;
    });
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let mut draft = event_request(&server.in_days(60));
    draft["sections"][1]["seating"]["capacity"] = 500.into();
    let event = olga.post("/api/events", draft).await.expect(201).text("event_id");
    olga.post(&format!("/api/events/{event}/publish"), ()).await.expect(200);
    let opened = olga.post(&format!("/api/events/{event}/sales/open"), ()).await;
    olga.get_after(&opened, &format!("/api/events/{event}"))
        .await
        .expect(200);
    let mut socket = server.wire().open(&path(&event)).await;
    let mut sequence = socket.message().await["sequence"].clone();
    for _ in 0..100 {
        alice.reserve(&event, "General", 1).await.expect(201);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut messages = 0;
    loop {
        let update = socket.message().await;
        assert_eq!(update["since"], sequence);
        sequence = update["sequence"].clone();
        messages += 1;
        if counts(&update, "General") == [400, 100, 0] {
            break;
        }
    }
    assert!(messages <= 12, "{messages} messages in a second");
}

#[tokio::test(start_paused = true)]
async fn seats_whose_hold_runs_out_come_back_without_anybody_asking() {
    let (server, event, alice) = on_sale().await;
    let mut socket = server.wire().open(&(path(&event) + "?seats=VIP")).await;
    socket.message().await;
    alice.reserve_seats(&event, &["A-1"]).await.expect(201);
    let held = socket.message().await;
    assert_eq!(held["seats"]["VIP"]["held"], json!(["A-1"]));
    server.pass(TimeDelta::minutes(6));
    let mut last = held;
    while counts(&last, "VIP") != [20, 0, 0] {
        let update = socket.message().await;
        assert_eq!(update["since"], last["sequence"]);
        last = update;
    }
    assert_eq!(last["seats"]["VIP"]["free"], json!(["A-1"]));
}

#[tokio::test(start_paused = true)]
async fn the_observer_is_told_of_sockets_and_of_how_much_goes_over_them() {
    let observer = Arc::new(KeepingObserver::default());
    let server = TestServer::start_with(|setup| {
        setup.live.visitors = true;
        setup.http.observer = Arc::clone(&observer) as _;
    });
    let (olga, alice) = (server.owner("olga").await, server.customer("alice").await);
    let event = server.event_on_sale(&olga).await;
    let mut socket = server.wire().open(&path(&event)).await;
    socket.message().await;
    alice.reserve(&event, "General", 1).await.expect(201);
    socket.message().await;
    socket.close().await;
    server.live.closed().await;
    let steps = observer.all().into_iter().filter_map(|seen| match seen {
        Observed::Socket(step) => Some(step),
        _ => None,
    });
    let steps: Vec<_> = steps.collect();
    let [
        SocketStep::Opened,
        SocketStep::Sent { messages: 2 },
        SocketStep::Received { messages: 1 },
        closed,
    ] = steps[..]
    else {
        panic!("{steps:?}");
    };
    assert!(matches!(closed, SocketStep::Closed { .. }), "{closed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_lost_is_not_counted_as_a_message() {
    let observer = Arc::new(KeepingObserver::default());
    let server = TestServer::start_with(|setup| {
        setup.live.visitors = true;
        setup.http.observer = Arc::clone(&observer) as _;
    });
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let mut socket = server.wire().open(&path(&event)).await;
    socket.message().await;
    drop(socket);
    server.live.closed().await;
    let received = |seen: &Observed| matches!(seen, Observed::Socket(SocketStep::Received { .. }));
    assert!(!observer.all().iter().any(received), "{:?}", observer.all());
}

/// Returns the message of a type that `docs/LIVE.md` shows.
fn in_the_guide(kind: &str) -> Value {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/LIVE.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let shown = guide
        .split("```json\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    let mut shown = shown.map(|text| serde_json::from_str::<Value>(text).unwrap());
    shown
        .find(|message| message["type"] == kind)
        .unwrap_or_else(|| panic!("the guide shows no {kind}"))
}

/// Demands that two messages have the same fields, however deep, with values of the same kinds.
fn have_the_same_shape(place: &str, one: &Value, other: &Value) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            assert_eq!(
                one.keys().collect::<Vec<_>>(),
                other.keys().collect::<Vec<_>>(),
                "{place}"
            );
            for (name, value) in one {
                have_the_same_shape(&format!("{place}.{name}"), value, &other[name]);
            }
        }
        (one, other) => assert_eq!(
            std::mem::discriminant(one),
            std::mem::discriminant(other),
            "{place}: {one} and {other}"
        ),
    }
}

#[tokio::test(start_paused = true)]
async fn messages_have_the_fields_that_the_guide_shows() {
    let (server, event, alice) = on_sale().await;
    let mut socket = server.wire().open(&(path(&event) + "?seats=VIP")).await;
    let mut snapshot = socket.message().await;
    snapshot["sections"].as_object_mut().unwrap().remove("General");
    have_the_same_shape("snapshot", &in_the_guide("availability_snapshot"), &snapshot);
    alice.reserve_seats(&event, &["A-1"]).await.expect(201);
    let update = socket.message().await;
    have_the_same_shape("update", &in_the_guide("availability_update"), &update);
    server.stopping.cancel();
    let (error, _) = socket.closed().await;
    have_the_same_shape("error", &in_the_guide("error"), &error);
}
