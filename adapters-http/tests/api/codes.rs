//! Codes, from the organiser who adds them to the customers who use them up.

use serde_json::{Value, json};

use crate::support::{TestServer, event_request};

fn order(event: &str, quantity: u32, code: &str) -> Value {
    json!({ "event_id": event, "section": "General", "quantity": quantity, "code": code })
}

#[tokio::test(start_paused = true)]
async fn customers_use_a_code_until_its_uses_are_gone_and_the_organiser_sees_how_often() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let (alice, bob) = (server.customer("alice").await, server.customer("bob").await);
    let event = server.event_on_sale(&olga).await;
    let codes = format!("/api/events/{event}/codes");
    let spring = json!({ "codes": ["SPRING"], "percent": "20", "max_uses": 3, "max_uses_per_customer": 2 });
    let added = olga.post(&codes, spring).await;
    let code = &added.expect(201).body["codes"][0];
    assert_eq!((&code["percent"], &code["ended"]), (&json!("20"), &json!(false)));

    let held = alice.post("/api/reservations", order(&event, 2, "spring")).await;
    let line = &held.expect(201).body["lines"][0];
    assert_eq!(
        (&line["code"], &line["total_amount"]["amount"]),
        (&json!("SPRING"), &json!(8_000))
    );
    let discount = &line["price_parts"][1];
    assert_eq!(
        (&discount["part"], &discount["amount"]["amount"]),
        (&json!("discount"), &json!(-2_000))
    );
    assert_eq!(
        (&discount["name"], &discount["id"]),
        (&json!("SPRING"), &code["code_id"])
    );
    let again = alice.post("/api/reservations", order(&event, 1, "SPRING")).await;
    let details = again.refused(409, "CUSTOMER_LIMIT_REACHED");
    assert_eq!(
        *details,
        json!({ "requested": 1, "has": 2, "limit": 2, "code": "SPRING" })
    );
    let many = bob.post("/api/reservations", order(&event, 2, "SPRING")).await;
    let details = many.refused(409, "NOT_ENOUGH_LEFT");
    assert_eq!(*details, json!({ "requested": 2, "available": 1, "code": "SPRING" }));

    let paid = alice.pay(&held.text("reservation_id"), "tok_visa").await;
    paid.expect(200);
    let bought = alice
        .get_after(&paid, &format!("/api/customers/{}/history", alice.id()))
        .await;
    assert_eq!(bought.expect(200).body["purchases"][0]["lines"][0]["code"], "SPRING");
    let listed = olga.get(&codes).await;
    assert_eq!(listed.expect(200).body["codes"][0]["uses"], 2);

    let end = format!("{codes}/{}/end", code["code_id"].as_str().unwrap());
    assert_eq!(olga.post(&end, ()).await.expect(200).body["ended"], true);
    let late = bob.post("/api/reservations", order(&event, 1, "SPRING")).await;
    let refused = &late.refused(422, "VALIDATION_FAILED")["errors"][0];
    assert_eq!(
        *refused,
        json!({ "field": "code", "reason": "SPRING is no longer valid" })
    );
}

#[tokio::test(start_paused = true)]
async fn the_server_makes_vouchers_that_open_a_ticket_type_each_once() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let mut request = event_request(&server.in_days(60));
    request["sections"][1]["ticket_types"] = json!([{ "name": "regular" }, { "name": "crew", "only_with_code": true }]);
    let vip = request["pricing_tiers"][0].clone();
    let of_type = |name: &str, amount: i64| {
        json!({ "section": "General", "ticket_type": name, "tier": "regular",
                "price": { "amount": amount, "currency": "EUR" } })
    };
    request["pricing_tiers"] = json!([vip, of_type("regular", 5_000), of_type("crew", 4_000)]);
    let event = server.put_on_sale(&olga, request).await;
    let batch = json!({ "count": 3, "prefix": "CREW-", "price": { "amount": 1_000, "currency": "EUR" }, "max_uses": 1,
                        "valid_for": [{ "section": "General", "ticket_type": "crew" }] });
    let added = olga.post(&format!("/api/events/{event}/codes"), batch).await;
    let codes = added.expect(201).body["codes"].as_array().unwrap();
    let texts: Vec<_> = codes.iter().map(|code| code["code"].as_str().unwrap()).collect();
    assert_eq!(texts.len(), 3);
    assert!(
        texts.iter().all(|text| text.starts_with("CREW-") && text.len() == 15),
        "{texts:?}"
    );

    let crew = |code: Option<&str>| json!({ "event_id": event, "section": "General", "ticket_type": "crew", "quantity": 1, "code": code });
    let closed = alice.post("/api/reservations", crew(None)).await;
    let refused = &closed.refused(422, "VALIDATION_FAILED")["errors"][0];
    assert_eq!(refused["reason"], "crew is sold only with a code for it");
    let held = alice.post("/api/reservations", crew(Some(texts[0]))).await;
    assert_eq!(held.expect(201).body["total_amount"]["amount"], 1_000);
    alice
        .post("/api/reservations", crew(Some(texts[0])))
        .await
        .refused(409, "NOT_ENOUGH_LEFT");
    alice.post("/api/reservations", crew(Some(texts[1]))).await.expect(201);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_codes_is_said_and_none_is_added() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let codes = format!("/api/events/{event}/codes");
    let price = json!({ "amount": 1, "currency": "EUR" });
    for (body, field) in [
        (json!({ "percent": "5" }), "codes"),
        (json!({ "codes": ["A"], "count": 2, "percent": "5" }), "codes"),
        (json!({ "codes": ["A"], "prefix": "B", "percent": "5" }), "prefix"),
        (json!({ "count": 0, "percent": "5" }), "count"),
        (json!({ "count": 1_001, "percent": "5" }), "count"),
        (
            json!({ "count": 1, "prefix": "x".repeat(41), "percent": "5" }),
            "prefix",
        ),
        (json!({ "codes": ["A"], "percent": "five" }), "percent"),
        (json!({ "codes": ["A"], "percent": "5", "price": price }), "price"),
        (json!({ "codes": ["A", "a"], "percent": "5" }), "codes[1]"),
        (json!({ "codes": ["A", " "], "percent": "5" }), "codes[1]"),
        (json!({ "codes": ["A"] }), "percent"),
    ] {
        let refused = olga.post(&codes, body.clone()).await;
        let errors = &refused.refused(422, "VALIDATION_FAILED")["errors"];
        assert_eq!(errors[0]["field"], field, "{body}: {errors}");
    }
    assert_eq!(olga.get(&codes).await.expect(200).body["codes"], json!([]));
    let unknown = format!("{codes}/0196c2a4-7b1e-7cc3-98c4-dc0c0c07398f/end");
    olga.post(&unknown, ()).await.refused(404, "CODE_NOT_FOUND");
    olga.post(&format!("{codes}/one/end"), ())
        .await
        .refused(400, "INVALID_REQUEST");
}

#[tokio::test(start_paused = true)]
async fn vouchers_that_are_asked_for_again_under_one_key_are_the_same_although_others_were_added_since() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let codes = format!("/api/events/{event}/codes");
    let key = [("idempotency-key", "vouchers-of-spring")];
    let batch = || json!({ "count": 3, "percent": "50", "max_uses": 1 });
    let first = olga.post_with(&codes, &key, batch()).await;
    olga.post(&codes, json!({ "codes": ["OTHER"], "percent": "5" }))
        .await
        .expect(201);
    let again = olga.post_with(&codes, &key, batch()).await;
    assert_eq!(again.expect(201).body, first.expect(201).body);
    assert_eq!(
        olga.get(&codes).await.expect(200).body["codes"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
}
