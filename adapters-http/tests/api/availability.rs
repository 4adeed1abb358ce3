use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{TestServer, event_request};

#[tokio::test(start_paused = true)]
async fn everybody_sees_what_is_held_and_what_is_sold() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let reservation = alice
        .reserve(&event, "General", 2)
        .await
        .expect(201)
        .text("reservation_id");
    alice.pay(&reservation, "tok_visa").await.expect(200);
    let held = alice.reserve(&event, "General", 1).await;

    let path = format!("/api/events/{event}/availability");
    let seen = server.stranger().get_after(&held, &path).await;
    let general = &seen.expect(200).body["sections"]["General"];
    let counts = ["total_capacity", "available", "reserved", "sold", "blocked"].map(|count| general[count].clone());
    assert_eq!(counts, [5, 2, 1, 2, 0]);
    assert_eq!(general["last_updated"], "2027-01-15T08:00:00Z");
    assert_eq!(seen.body["sections"]["VIP"]["available"], 20);
    assert_eq!(seen.body["event_id"], event);
}

#[tokio::test(start_paused = true)]
async fn who_has_the_latest_counts_is_not_sent_them_again() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let path = format!("/api/events/{event}/availability");
    let stranger = server.stranger();

    let first = stranger.get(&path).await;
    let etag = first.expect(200).header("etag");
    for tags in [
        etag.clone(),
        format!("W/{etag}"),
        format!("\"other\", {etag}"),
        "*".to_owned(),
    ] {
        let known = stranger.get_with(&path, &[("if-none-match", &tags)]).await;
        assert!(known.expect(304).bytes.is_empty());
        assert_eq!(known.header("etag"), etag);
    }
    let held = alice.reserve(&event, "General", 1).await;
    let token = held.expect(201).header("ticketing-consistency");
    let headers = [
        ("if-none-match", etag.as_str()),
        ("ticketing-consistency", token.as_str()),
    ];
    let changed = stranger.get_with(&path, &headers).await;
    assert_ne!(changed.expect(200).header("etag"), etag);
    assert!(changed.body["sequence"].as_u64() > first.body["sequence"].as_u64());
}

#[tokio::test(start_paused = true)]
async fn who_knows_of_a_hold_is_told_that_it_has_run_out_before_anybody_has_recorded_that() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let path = format!("/api/events/{event}/availability");
    let held = alice.reserve(&event, "General", 2).await;
    let before = server.stranger().get_after(&held, &path).await;
    let etag = before.expect(200).header("etag");
    let places = |seen: &Value| ["available", "reserved"].map(|count| seen["sections"]["General"][count].clone());
    assert_eq!(places(&before.body), [3, 2]);

    server.pass(TimeDelta::minutes(5));
    let after = server.stranger().get_with(&path, &[("if-none-match", &etag)]).await;
    assert_ne!(after.expect(200).header("etag"), etag);
    assert_eq!(places(&after.body), [5, 0]);
    assert_eq!(after.body["sequence"], before.body["sequence"]);
    assert_eq!([&before.body, &after.body].map(|seen| seen["lapsed"].clone()), [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_numbered_section_tells_its_price_and_the_state_of_each_seat() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    alice.reserve_seats(&event, &["A-3", "B-7"]).await.expect(201);

    let section = server
        .stranger()
        .get(&format!("/api/events/{event}/sections/VIP"))
        .await;
    let amount = json!({ "amount": 12_000, "currency": "EUR" });
    let price = json!({ "total_amount": amount, "tier": "regular", "price": amount });
    assert_eq!(section.expect(200).body["price"], price);
    let rows = json!({ "A": "ffhfffffff", "B": "ffffffhfff" });
    assert_eq!(section.body["rows"], rows);
    assert_eq!(
        (&section.body["available"], &section.body["reserved"]),
        (&json!(18), &json!(2))
    );
    let general = server
        .stranger()
        .get(&format!("/api/events/{event}/sections/General"))
        .await;
    assert_eq!(general.expect(200).body.get("rows"), None);
    let roof = server
        .stranger()
        .get(&format!("/api/events/{event}/sections/Roof"))
        .await;
    roof.refused(404, "SECTION_NOT_FOUND");
}

#[tokio::test(start_paused = true)]
async fn a_section_may_have_any_name_that_a_path_can_carry() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let mut request = event_request(&server.in_days(60));
    request["sections"][1]["name"] = json!("Rang 1/Süd ☂ 100%");
    request["pricing_tiers"][1]["section"] = json!("Rang 1/Süd ☂ 100%");
    let event = olga.post("/api/events", request).await.expect(201).text("event_id");

    let path = format!("/api/events/{event}/sections/Rang%201%2FS%C3%BCd%20%E2%98%82%20100%25");
    assert_eq!(olga.get(&path).await.expect(200).body["section"], "Rang 1/Süd ☂ 100%");
    let broken = olga.get(&format!("/api/events/{event}/sections/%FF")).await;
    broken.refused(400, "INVALID_REQUEST");
}
