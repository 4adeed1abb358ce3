//! Ticket types, from the event that has them to the tickets of each that were sold.

use serde_json::{Value, json};

use crate::support::{Actor, TestServer, event_request};

/// Returns the request for an event whose section `General` has the types `regular` at 50.00 and `student` at 20.00.
fn with_students(server: &TestServer) -> Value {
    let mut request = event_request(&server.in_days(60));
    request["sections"][1]["ticket_types"] = json!([
        { "name": "regular" },
        { "name": "student", "min_per_order": 1, "max_per_order": 2, "available_until": server.in_days(30) },
    ]);
    let general = json!({ "section": "General", "tier": "regular" });
    let tiers = [("regular", 5_000), ("student", 2_000)].map(|(name, amount)| {
        let mut tier = general.clone();
        tier["ticket_type"] = name.into();
        tier["price"] = json!({ "amount": amount, "currency": "EUR" });
        tier
    });
    let vip = request["pricing_tiers"][0].clone();
    request["pricing_tiers"] = [vip].into_iter().chain(tiers).collect();
    request
}

async fn on_sale(server: &TestServer, olga: &Actor) -> String {
    let created = olga.post("/api/events", with_students(server)).await;
    let event = created.expect(201).text("event_id");
    for step in ["publish", "sales/open"] {
        olga.post(&format!("/api/events/{event}/{step}"), ()).await.expect(200);
    }
    event
}

fn order(event: &str, items: &Value) -> Value {
    json!({ "event_id": event, "items": items })
}

#[tokio::test(start_paused = true)]
async fn an_event_tells_its_types_with_their_ids_and_a_section_tells_their_prices_now() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let event = on_sale(&server, &olga).await;
    let shown = olga.get(&format!("/api/events/{event}")).await;
    let sections = &shown.expect(200).body["sections"];
    assert_eq!(sections[0]["ticket_types"], json!([]));
    let student = &sections[1]["ticket_types"][1];
    let told = [&student["name"], &student["min_per_order"], &student["max_per_order"]];
    assert_eq!(told, [&json!("student"), &json!(1), &json!(2)]);
    let tiers = shown.body["pricing_tiers"].as_array().unwrap();
    assert_eq!(tiers[0]["ticket_type"], Value::Null);
    assert_eq!(tiers[2]["ticket_type"], "student");
    assert!(tiers.iter().all(|tier| tier["tier_id"].is_string()));

    let path = format!("/api/events/{event}/sections/General");
    let prices = async || {
        let section = server.stranger().get(&path).await;
        let section = section.expect(200).body.clone();
        let types = section["ticket_types"].as_array().unwrap().clone();
        assert_eq!(types[1]["ticket_type_id"], student["ticket_type_id"]);
        assert_eq!(section["price"], types[0]["price"]);
        types.iter().map(|of| of["price"].clone()).collect::<Vec<_>>()
    };
    let price = |amount: i64| {
        let amount = json!({ "amount": amount, "currency": "EUR" });
        json!({ "total_amount": amount, "tier": "regular", "price": amount })
    };
    assert_eq!(prices().await, [price(5_000), price(2_000)]);
    server.pass(chrono::TimeDelta::days(31));
    assert_eq!(prices().await, [price(5_000), Value::Null]);
}

#[tokio::test(start_paused = true)]
async fn tickets_of_several_types_are_bought_in_one_order_and_counted_by_type() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = on_sale(&server, &olga).await;
    let items = json!([
        { "section": "General", "ticket_type": "student", "quantity": 2 },
        { "section": "General", "quantity": 1 },
    ]);
    let held = alice.post("/api/reservations", order(&event, &items)).await;
    let lines = held.expect(201).body["lines"].as_array().unwrap().clone();
    let told = lines
        .iter()
        .map(|line| (&line["ticket_type"], &line["total_amount"]["amount"]));
    let expected = [(json!("student"), json!(4_000)), (json!("regular"), json!(5_000))];
    assert!(
        told.eq(expected.iter().map(|(name, amount)| (name, amount))),
        "{lines:?}"
    );
    assert!(lines.iter().all(|line| line["ticket_type_id"].is_string()));
    let together = [
        &held.body["section"],
        &held.body["quantity"],
        &held.body["total_amount"]["amount"],
    ];
    assert_eq!(
        together,
        [&json!("General"), &json!(3), &json!(9_000)],
        "all lines are of one section"
    );

    let reservation = held.text("reservation_id");
    let paid = alice.pay(&reservation, "tok_visa").await;
    paid.expect(200);
    let history = format!("/api/customers/{}/history", alice.id());
    let bought = alice.get_after(&paid, &history).await;
    let purchase = &bought.expect(200).body["purchases"][0];
    assert_eq!(
        (&purchase["section"], &purchase["quantity"]),
        (&json!("General"), &json!(3))
    );
    assert_eq!(purchase["lines"][0]["ticket_type"], "student");
    assert_eq!(purchase["lines"][0]["ticket_type_id"], lines[0]["ticket_type_id"]);
    assert!(purchase["lines"][0]["tier_id"].is_string());
    let analytics = format!("/api/events/{event}/analytics");
    let figures = olga.get_after(&paid, &analytics).await;
    assert_eq!(
        figures.expect(200).body["by_ticket_type"],
        json!({ "regular": 1, "student": 2 })
    );
    let facts = alice.get(&format!("/api/reservations/{reservation}/history")).await;
    let first = &facts.expect(200).body["events"][0]["data"]["lines"][0];
    assert_eq!(first["ticket_type"]["name"], "student");
}

#[tokio::test(start_paused = true)]
async fn the_one_section_form_names_a_type_too_and_what_is_wrong_with_it_is_said() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = on_sale(&server, &olga).await;
    let one = |ticket_type: &str, quantity: u32| json!({ "event_id": event, "section": "General", "ticket_type": ticket_type, "quantity": quantity });
    let held = alice.post("/api/reservations", one("student", 1)).await;
    assert_eq!(held.expect(201).body["lines"][0]["ticket_type"], "student");
    for (request, field) in [
        (one("child", 1), "ticket_type"),
        (one("student", 3), "quantity"),
        (
            json!({ "event_id": event, "section": "VIP", "ticket_type": "student", "quantity": 1 }),
            "ticket_type",
        ),
        (
            order(
                &event,
                &json!([{ "section": "General", "ticket_type": "child", "quantity": 1 }]),
            ),
            "items[0].ticket_type",
        ),
        (
            json!({ "event_id": event, "ticket_type": "student", "items": [{ "section": "VIP", "quantity": 1 }] }),
            "ticket_type",
        ),
    ] {
        let refused = alice.post("/api/reservations", request.clone()).await;
        let details = refused.refused(422, "VALIDATION_FAILED");
        assert_eq!(details["errors"][0]["field"], field, "{request}");
    }
    server.pass(chrono::TimeDelta::days(31));
    let bob = server.customer("bob").await;
    let refused = bob.post("/api/reservations", one("student", 1)).await;
    let reason = refused.refused(422, "VALIDATION_FAILED")["errors"][0]["reason"].clone();
    assert!(
        reason.as_str().unwrap().starts_with("student was sold until "),
        "{reason}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_the_types_of_an_event_is_named() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let mut request = with_students(&server);
    request["sections"][1]["ticket_types"][0]["color"] = "red".into();
    let refused = olga.post("/api/events", request).await;
    let details = refused.refused(400, "INVALID_REQUEST").to_string();
    assert!(details.contains("sections[1].ticket_types[0].color"), "{details}");

    let mut request = with_students(&server);
    request["pricing_tiers"][1]["ticket_type"] = "child".into();
    let refused = olga.post("/api/events", request).await;
    let details = refused.refused(422, "VALIDATION_FAILED");
    assert_eq!(details["errors"][0]["field"], "pricing_tiers[1].ticket_type");
    let reason = details["errors"][1]["reason"].as_str().unwrap();
    assert_eq!(reason, "ticket type regular of section General has no price");
}

#[tokio::test(start_paused = true)]
async fn the_first_tickets_are_cheaper_and_a_section_tells_how_many_of_them_are_left() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let mut request = event_request(&server.in_days(60));
    let mut early = request["pricing_tiers"][1].clone();
    early["tier"] = "early bird".into();
    early["price"]["amount"] = 4_000.into();
    early["quantity"] = 2.into();
    request["pricing_tiers"].as_array_mut().unwrap().insert(1, early);
    request["pools"] = json!([{ "name": "the house", "quantity": 6,
        "members": [{ "section": "VIP" }, { "section": "General" }] }]);
    let created = olga.post("/api/events", request.clone()).await;
    let event = created.expect(201).text("event_id");
    assert_eq!(created.body["pricing_tiers"][1]["quantity"], 2);
    let pool = &created.body["pools"][0];
    assert!(pool["pool_id"].is_string());
    for field in ["name", "quantity", "members"] {
        assert_eq!(pool[field], request["pools"][0][field], "{field}");
    }
    for step in ["publish", "sales/open"] {
        olga.post(&format!("/api/events/{event}/{step}"), ()).await.expect(200);
    }

    let path = format!("/api/events/{event}/sections/General");
    let shown = async || {
        let section = alice.get(&path).await;
        let body = &section.expect(200).body;
        (body["price"]["tier"].clone(), body["left"].clone())
    };
    assert_eq!(shown().await, (json!("early bird"), json!(6)));
    let held = alice.reserve(&event, "General", 3).await;
    let lines = held.expect(201).body["lines"].as_array().unwrap();
    let told: Vec<_> = lines
        .iter()
        .map(|line| (&line["tier"], &line["quantity"], &line["total_amount"]["amount"]))
        .collect();
    let (early, regular) = (json!("early bird"), json!("regular"));
    assert_eq!(
        told,
        [(&early, &json!(2), &json!(8_000)), (&regular, &json!(1), &json!(5_000))]
    );
    assert_eq!(
        (&held.body["section"], &held.body["quantity"]),
        (&json!("General"), &json!(3))
    );
    assert_eq!(shown().await, (json!("regular"), json!(3)));
    let refused = alice.reserve(&event, "VIP", 4).await;
    let details = refused.refused(409, "NOT_ENOUGH_LEFT");
    assert_eq!(*details, json!({ "requested": 4, "available": 3, "pool": "the house" }));

    alice.cancel(&held.text("reservation_id")).await.expect(200);
    assert_eq!(shown().await, (json!("early bird"), json!(6)));
}
