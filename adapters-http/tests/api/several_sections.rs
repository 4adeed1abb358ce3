//! Orders over several sections, from holding them to what customers and organisers are shown.

use serde_json::{Value, json};

use crate::support::{Actor, Answer, TestServer};

async fn order(who: &Actor, event: &str, items: Value) -> Answer {
    let order = json!({ "event_id": event, "items": items });
    who.post("/api/reservations", order).await
}

/// Returns how many places of the sections `VIP` and `General` are available after a write.
async fn available(who: &Actor, write: &Answer, event: &str) -> [Value; 2] {
    let shown = who.get_after(write, &format!("/api/events/{event}/availability")).await;
    let sections = shown.expect(200).body["sections"].clone();
    ["VIP", "General"].map(|name| sections[name]["available"].clone())
}

#[tokio::test(start_paused = true)]
async fn an_order_of_two_sections_is_held_paid_shown_and_given_back_as_one() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;

    let items = json!([
        { "section": "General", "quantity": 2 },
        { "section": "VIP", "quantity": 1, "specific_seats": ["A-3"] },
    ]);
    let held = order(&alice, &event, items).await;
    let lines = held.expect(201).body["lines"].clone();
    let told = [&lines[0], &lines[1]].map(|line| (&line["section"], &line["quantity"], &line["kind"]));
    let ticket = json!("ticket");
    assert_eq!(
        told,
        [
            (&json!("General"), &json!(2), &ticket),
            (&json!("VIP"), &json!(1), &ticket)
        ]
    );
    assert_eq!(lines[1]["seats"][0]["seat_id"], "A-3");
    let price = |line: &Value| line["total_amount"]["amount"].as_i64().unwrap();
    assert_eq!(held.body["total_amount"]["amount"], price(&lines[0]) + price(&lines[1]));
    for field in ["section", "quantity", "seats", "allocation"] {
        assert!(held.body.get(field).is_none(), "{field} is of one section");
    }

    let reservation = held.text("reservation_id");
    assert_eq!(available(&alice, &held, &event).await, [19, 3]);
    let payment = alice.pay(&reservation, "tok_visa").await;
    payment.expect(200);
    let paid = alice.reservation(&reservation).await;
    let tickets = paid.expect(200).body["tickets"].clone();
    let of_lines: Vec<_> = tickets
        .as_array()
        .unwrap()
        .iter()
        .map(|ticket| &ticket["line_id"])
        .collect();
    let [general, vip] = [&lines[0]["line_id"], &lines[1]["line_id"]];
    assert_eq!(of_lines, [general, general, vip]);
    assert_eq!(tickets[2]["seat_id"], "A-3");

    let history = format!("/api/customers/{}/history", alice.id());
    let bought = alice.get_after(&payment, &history).await;
    let sold = bought.expect(200).body["purchases"][0]["lines"].clone();
    assert_eq!([&sold[0]["section"], &sold[1]["section"]], ["General", "VIP"]);
    let figures = olga
        .get_after(&payment, &format!("/api/events/{event}/analytics"))
        .await;
    let by_section = &figures.expect(200).body["by_section"];
    assert_eq!(figures.body["tickets_sold"], 3);
    assert_eq!(
        [
            &by_section["General"]["tickets_sold"],
            &by_section["VIP"]["tickets_sold"]
        ],
        [2, 1]
    );

    let cancelled = alice.cancel(&reservation).await;
    assert_eq!(available(&alice, cancelled.expect(200), &event).await, [20, 5]);
}

#[tokio::test(start_paused = true)]
async fn if_one_section_has_too_little_nothing_is_held_and_the_section_is_named() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let (alice, bob) = (server.customer("alice").await, server.customer("bob").await);
    let event = server.event_on_sale(&olga).await;
    let taken = bob.reserve_seats(&event, &["A-3"]).await;
    let before = available(&alice, taken.expect(201), &event).await;

    let items = json!([
        { "section": "General", "quantity": 2 },
        { "section": "VIP", "quantity": 2, "specific_seats": ["A-2", "A-3"] },
    ]);
    let refused = order(&alice, &event, items).await;
    let details = refused.refused(409, "SEATS_UNAVAILABLE");
    assert_eq!(*details, json!({ "seats": ["A-3"], "section": "VIP" }));

    let items = json!([
        { "section": "VIP", "quantity": 1 },
        { "section": "General", "quantity": 6 },
    ]);
    let refused = order(&alice, &event, items).await;
    assert_eq!(refused.refused(409, "INSUFFICIENT_INVENTORY")["section"], "General");
    assert_eq!(available(&alice, &taken, &event).await, before);
}

#[tokio::test(start_paused = true)]
async fn the_most_seats_of_an_order_counts_all_its_sections() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let items = json!([
        { "section": "General", "quantity": 5 },
        { "section": "VIP", "quantity": 4 },
    ]);
    let refused = order(&alice, &event, items).await;
    let details = refused.refused(400, "INVALID_QUANTITY");
    assert_eq!(*details, json!({ "requested": 9, "limit": 8 }));
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_an_order_names_the_field_as_the_request_has_it() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let line = json!({ "section": "General", "quantity": 1 });
    for (order, fields) in [
        (json!({}), &["section", "quantity"][..]),
        (json!({ "section": "General" }), &["quantity"]),
        (json!({ "section": "General", "quantity": null }), &["quantity"]),
        (json!({ "quantity": 1 }), &["section"]),
        (json!({ "items": [line], "section": "VIP" }), &["section"]),
        (
            json!({ "items": [line], "quantity": 1, "specific_seats": [] }),
            &["quantity", "specific_seats"],
        ),
        (json!({ "items": [] }), &["items"]),
        (json!({ "items": [line, line] }), &["items[1].section"]),
        (
            json!({ "items": [line, { "section": "VIP", "quantity": 1, "specific_seats": ["A"] }] }),
            &["items[1].specific_seats[0]"],
        ),
        (
            json!({ "items": [line, { "section": "VIP", "quantity": 1, "specific_seats": ["Z-1"] }] }),
            &["items[1].specific_seats"],
        ),
        (
            json!({ "section": "VIP", "quantity": 1, "specific_seats": ["Z-1"] }),
            &["specific_seats"],
        ),
    ] {
        let mut body = order.clone();
        body["event_id"] = json!(event);
        let refused = alice.post("/api/reservations", body).await;
        let errors = refused.refused(422, "VALIDATION_FAILED")["errors"].clone();
        let named = errors.as_array().unwrap().iter().map(|error| error["field"].clone());
        assert_eq!(named.collect::<Vec<_>>(), fields, "{order}");
    }
}
