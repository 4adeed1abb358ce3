use serde_json::{Value, json};

use crate::support::{TestServer, event_request};

#[tokio::test(start_paused = true)]
async fn an_event_goes_from_draft_to_sale_and_back() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;

    let created = olga.post("/api/events", event_request(&server.in_days(60))).await;
    let event = created.expect(201).text("event_id");
    assert_eq!(created.header("location"), format!("/api/events/{event}"));
    assert_eq!(
        (&created.body["status"], &created.body["version"]),
        (&json!("draft"), &json!(1))
    );
    assert_eq!(created.body["owner_id"], olga.id().to_string());
    assert_eq!(
        (&created.body["hold_seconds"], &created.body["max_seats_per_order"]),
        (&json!(300), &json!(8))
    );
    assert_eq!(created.body["refund_policy"].as_array().unwrap().len(), 2);
    assert_eq!(created.body["category"], Value::Null);

    for (command, status) in [
        ("publish", "published"),
        ("sales/open", "sales_open"),
        ("sales/close", "sales_closed"),
        ("sales/open", "sales_open"),
    ] {
        let done = olga.post(&format!("/api/events/{event}/{command}"), ()).await;
        assert_eq!(done.expect(200).body["status"], status);
        assert!(done.header("ticketing-consistency").starts_with("c1."));
    }
    let again = olga.post(&format!("/api/events/{event}/publish"), ()).await;
    assert_eq!(again.refused(422, "INVALID_STATE_TRANSITION")["from"], "sales_open");
}

#[tokio::test(start_paused = true)]
async fn a_draft_whose_start_has_passed_cannot_be_published() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let created = olga.post("/api/events", event_request("2027-01-15T09:00:00Z")).await;
    let event = created.expect(201).text("event_id");
    server.pass(chrono::TimeDelta::hours(1));
    let late = olga.post(&format!("/api/events/{event}/publish"), ()).await;
    assert_eq!(
        late.refused(422, "VALIDATION_FAILED")["errors"],
        json!([{ "field": "starts_at", "reason": "must be in the future" }])
    );
    let cancelled = olga.post(&format!("/api/events/{event}/cancel"), ()).await;
    assert_eq!(cancelled.expect(200).body["status"], "cancelled");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_has_begun_is_completed_alone_and_in_every_list() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let listed = async |status: &str| {
        let listed = server.stranger().get(&format!("/api/events?status={status}")).await;
        let events = listed.expect(200).body["events"].as_array().unwrap().clone();
        events
            .into_iter()
            .map(|event| event["status"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed("sales_open").await, ["sales_open"]);
    assert!(listed("completed").await.is_empty());
    // No background work runs between the start of the event and the next requests: that the event is completed is
    // worked out from the time when somebody asks.
    server.pass(chrono::TimeDelta::days(60));
    assert!(listed("sales_open").await.is_empty());
    assert_eq!(listed("completed").await, ["completed"]);
    let alone = server.stranger().get(&format!("/api/events/{event}")).await;
    assert_eq!(alone.expect(200).body["status"], "completed");
}

#[tokio::test(start_paused = true)]
async fn what_is_posted_is_what_is_read() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let mut request = event_request("2027-05-01T20:00:00+02:00");
    request["category"] = json!("concert");
    request["hold_seconds"] = json!(120);
    request["refund_policy"] = json!([{ "hours_before": 24, "percent": 80 }]);
    let created = olga.post("/api/events", request.clone()).await;
    let event = created.expect(201).text("event_id");

    let read = olga.get_after(&created, &format!("/api/events/{event}")).await;
    assert_eq!(read.expect(200).body, created.body);
    assert_eq!(read.body["starts_at"], "2027-05-01T18:00:00Z");
    for field in ["name", "currency", "venue", "category", "hold_seconds", "refund_policy"] {
        assert_eq!(read.body[field], request[field], "{field}");
    }
    let told = read.body["sections"].as_array().unwrap();
    let asked = request["sections"].as_array().unwrap();
    assert_eq!(told.len(), asked.len());
    for (told, asked) in told.iter().zip(asked) {
        assert_eq!([&told["name"], &told["seating"]], [&asked["name"], &asked["seating"]]);
        assert!(told["section_id"].is_string());
    }
}

#[tokio::test(start_paused = true)]
async fn everything_that_is_wrong_with_an_event_is_said_at_once() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let mut request = event_request(&server.in_days(60));
    request["name"] = json!("x".repeat(101));
    request["genre"] = json!("bell\u{7}");
    request["currency"] = json!("eur");
    request["venue"]["country"] = json!("be");
    request["sections"][0]["seating"]["rows"][1]["row"] = json!("");
    request["pricing_tiers"][1]["price"]["currency"] = json!("EURO");

    let refused = olga.post("/api/events", request).await;
    let errors = refused.refused(422, "VALIDATION_FAILED")["errors"].clone();
    let fields: Vec<_> = errors
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].clone())
        .collect();
    assert_eq!(
        fields,
        [
            "name",
            "genre",
            "currency",
            "venue.country",
            "sections[0].seating.rows[1].row",
            "pricing_tiers[1].price.currency",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_that_makes_no_sense_is_refused_by_the_house() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let good = event_request(&server.in_days(60));
    let changed = |pointer: &str, value: Value| {
        let mut request = good.clone();
        *request.pointer_mut(pointer).unwrap() = value;
        request
    };
    for request in [
        changed("/starts_at", json!("2020-01-01T00:00:00Z")),
        changed("/sections", json!([])),
        changed("/pricing_tiers/1/section", json!("Roof")),
        changed("/pricing_tiers/1/price/amount", json!(-1)),
        changed("/pricing_tiers/1/price/currency", json!("USD")),
        changed("/sections/1/seating/capacity", json!(0)),
        changed("/sections/1/name", json!("VIP")),
    ] {
        let refused = olga.post("/api/events", request.clone()).await;
        let details = refused.refused(422, "VALIDATION_FAILED");
        let error = &details["errors"][0];
        assert!(
            error["field"].is_string() && error["reason"].is_string(),
            "{request}: {details}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_event_is_gone_and_its_holds_with_it() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;

    let cancelled = olga
        .post(&format!("/api/events/{event}/cancel"), json!({ "reason": "storm" }))
        .await;
    assert_eq!(cancelled.expect(200).body["status"], "cancelled");
    alice
        .reserve(&event, "General", 1)
        .await
        .refused(410, "EVENT_CANCELLED");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_reserved_while_sales_are_closed() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    olga.post(&format!("/api/events/{event}/sales/close"), ())
        .await
        .expect(200);

    let refused = alice.reserve(&event, "General", 1).await;
    assert_eq!(refused.refused(422, "INVALID_STATE_TRANSITION")["from"], "sales_closed");
}

#[tokio::test(start_paused = true)]
async fn an_event_is_at_a_place_and_a_time_that_there_are_and_in_money_that_people_pay_with() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let mut request = event_request(&server.in_days(60));
    request["currency"] = json!("XXX");
    request["venue"]["country"] = json!("ZZ");
    request["venue"]["timezone"] = json!("../../etc/passwd");
    let refused = olga.post("/api/events", request).await;
    let errors = refused.refused(422, "VALIDATION_FAILED")["errors"].clone();
    let fields: Vec<_> = errors
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].clone())
        .collect();
    assert_eq!(fields, ["currency", "venue.country", "venue.timezone"]);

    for pointer in [
        "/starts_at",
        "/pricing_tiers/0/available_from",
        "/pricing_tiers/0/available_until",
    ] {
        let mut request = event_request(&server.in_days(60));
        *request.pointer_mut(pointer).unwrap() = json!("2027-02-01T18:00:60Z");
        let refused = olga.post("/api/events", request).await;
        refused.refused(400, "INVALID_REQUEST");
    }
}

#[tokio::test(start_paused = true)]
async fn names_are_told_apart_by_what_people_see() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let named = |first: &str, second: &str| {
        let mut request = event_request(&server.in_days(60));
        for (index, name) in [first, second].into_iter().enumerate() {
            request["sections"][index]["name"] = json!(name);
            request["pricing_tiers"][index]["section"] = json!(name);
        }
        request
    };
    for (first, second) in [
        ("Caf\u{e9}", "Cafe\u{301}"),
        ("VIP", "vip"),
        ("VIP", "VIP\u{200b}"),
        ("VIP", "\u{202e}VIP"),
        ("VIP", "\u{feff}VIP"),
    ] {
        let refused = olga.post("/api/events", named(first, second)).await;
        let errors = &refused.refused(422, "VALIDATION_FAILED")["errors"];
        assert_eq!(errors[0]["field"], "sections[1].name", "{first:?} {second:?}");
    }
    let mut request = named("Cafe\u{301}", "General");
    request["sections"][0]["seating"]["rows"][0]["row"] = json!("e\u{301}");
    let event = olga.post("/api/events", request).await.expect(201).text("event_id");
    for step in ["publish", "sales/open"] {
        olga.post(&format!("/api/events/{event}/{step}"), ()).await.expect(200);
    }
    for (section, seat) in [("Caf\u{e9}", "e\u{301}-1"), ("Cafe\u{301}", "\u{e9}-2")] {
        let order = json!({ "event_id": event, "section": section, "quantity": 1, "specific_seats": [seat] });
        let held = alice.post("/api/reservations", order).await;
        assert_eq!(held.expect(201).body["section"], "Caf\u{e9}");
        assert_eq!(held.body["seats"][0]["row"], "\u{e9}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_card_number_is_kept_nowhere_in_an_event_and_sent_back_nowhere() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let card = "my card 4111 1111 1111 1111";
    for pointer in [
        "/name",
        "/venue/name",
        "/venue/city",
        "/sections/0/name",
        "/sections/0/seating/rows/0/row",
    ] {
        let mut request = event_request(&server.in_days(60));
        *request.pointer_mut(pointer).unwrap() = json!(card);
        let refused = olga.post("/api/events", request).await;
        let errors = &refused.refused(422, "VALIDATION_FAILED")["errors"];
        assert_eq!(errors[0]["reason"], "card numbers are never accepted", "{pointer}");
        assert!(!String::from_utf8_lossy(&refused.bytes).contains("1111"), "{pointer}");
    }
    for field in ["category", "genre"] {
        let mut request = event_request(&server.in_days(60));
        request[field] = json!(card);
        let refused = olga.post("/api/events", request).await;
        let errors = &refused.refused(422, "VALIDATION_FAILED")["errors"];
        assert_eq!(errors[0]["field"], field);
    }
    let event = server.event_on_sale(&olga).await;
    let refused = olga
        .post(&format!("/api/events/{event}/cancel"), json!({ "reason": card }))
        .await;
    let errors = &refused.refused(422, "VALIDATION_FAILED")["errors"];
    assert_eq!(errors[0]["field"], "reason");
    let nowhere = alice.reserve(&event, card, 1).await;
    nowhere.refused(404, "SECTION_NOT_FOUND");
    assert!(!String::from_utf8_lossy(&nowhere.bytes).contains("1111"));
}
