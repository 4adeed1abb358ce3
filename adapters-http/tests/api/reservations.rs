use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};

use crate::support::TestServer;

#[tokio::test(start_paused = true)]
async fn alice_holds_seats_pays_and_gets_tickets() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;

    let held = alice.reserve(&event, "VIP", 2).await;
    let reservation = held.expect(201).text("reservation_id");
    assert_eq!(held.header("location"), format!("/api/reservations/{reservation}"));
    assert_eq!(held.body["status"], "held");
    assert_eq!(held.body["customer_id"], alice.id().to_string());
    assert_eq!(held.body["allocation"], "adjacent");
    assert_eq!(
        held.body["total_amount"],
        json!({ "amount": 24_000, "currency": "EUR" })
    );
    let seat = &held.body["seats"][0];
    assert_eq!(
        seat["seat_id"],
        format!("{}-{}", seat["row"].as_str().unwrap(), seat["number"])
    );
    assert_eq!(seat["price"], json!({ "amount": 12_000, "currency": "EUR" }));
    assert_eq!(held.body["server_time"], "2027-01-15T08:00:00Z");
    assert_eq!(held.body["expires_at"], "2027-01-15T08:05:00Z");
    assert_eq!(held.body["tickets"], json!([]));

    let paid = alice.pay(&reservation, "tok_visa").await;
    assert_eq!(paid.expect(200).body["status"], "completed");
    assert_eq!(paid.body["completed_at"], "2027-01-15T08:00:00Z");
    assert_eq!(paid.body["tickets"].as_array().unwrap().len(), 2);
    let again = alice.reservation(&reservation).await;
    assert_eq!(again.expect(200).body, paid.body);
}

#[tokio::test(start_paused = true)]
async fn a_reservation_of_general_admission_has_places_and_no_seats() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;

    let held = alice.reserve(&event, "General", 3).await;
    assert_eq!(held.expect(201).body["seats"], json!([]));
    assert_eq!(
        (&held.body["quantity"], &held.body["allocation"]),
        (&json!(3), &json!("general_admission"))
    );
}

#[tokio::test(start_paused = true)]
async fn the_last_places_are_sold_once() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let (alice, bob) = (server.customer("alice").await, server.customer("bob").await);
    let event = server.event_on_sale(&olga).await;

    alice.reserve(&event, "General", 4).await.expect(201);
    let refused = bob.reserve(&event, "General", 2).await;
    let details = refused.refused(409, "INSUFFICIENT_INVENTORY");
    assert_eq!(
        *details,
        json!({ "requested": 2, "available": 1, "section": "General" })
    );
    bob.reserve(&event, "General", 1).await.expect(201);
}

#[tokio::test(start_paused = true)]
async fn bob_is_told_which_of_his_seats_are_gone() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let (alice, bob) = (server.customer("alice").await, server.customer("bob").await);
    let event = server.event_on_sale(&olga).await;

    alice.reserve_seats(&event, &["A-3", "A-4"]).await.expect(201);
    let refused = bob.reserve_seats(&event, &["A-4", "A-5"]).await;
    let details = refused.refused(409, "SEATS_UNAVAILABLE");
    assert_eq!(*details, json!({ "seats": ["A-4"], "section": "VIP" }));
}

#[tokio::test(start_paused = true)]
async fn a_payment_after_the_hold_ran_out_is_refused_and_the_connection_closed() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let reservation = alice
        .reserve(&event, "General", 5)
        .await
        .expect(201)
        .text("reservation_id");

    server.pass(TimeDelta::minutes(5));
    let late = alice.pay(&reservation, "tok_visa").await;
    assert_eq!(
        late.refused(408, "RESERVATION_EXPIRED")["expired_at"],
        "2027-01-15T08:05:00Z"
    );
    assert_eq!(late.header("connection"), "close");
    assert_eq!(
        alice.reservation(&reservation).await.expect(200).body["status"],
        "expired"
    );
    alice.reserve(&event, "General", 5).await.expect(201);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_a_hold_frees_its_places_and_cannot_do_so_twice() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let reservation = alice
        .reserve(&event, "General", 5)
        .await
        .expect(201)
        .text("reservation_id");

    assert_eq!(alice.cancel(&reservation).await.expect(200).body["status"], "cancelled");
    let again = alice.cancel(&reservation).await;
    let details = again.refused(422, "INVALID_STATE_TRANSITION");
    assert_eq!(details["from"], "cancelled");
    assert!(details["action"].is_string());
    let unpaid = alice.pay(&reservation, "tok_visa").await;
    unpaid.refused(422, "INVALID_STATE_TRANSITION");
    alice.reserve(&event, "General", 5).await.expect(201);
}

#[tokio::test(start_paused = true)]
async fn a_customer_sees_what_a_cancellation_pays_back_and_is_not_given_less() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let (alice, bob) = (server.customer("alice").await, server.customer("bob").await);
    let event = server.event_on_sale(&olga).await;
    let held = alice.reserve(&event, "General", 2).await;
    let reservation = held.expect(201).text("reservation_id");
    let path = format!("/api/reservations/{reservation}");
    let shown = format!("{path}/cancellation");
    let euros = |amount: i64| json!({ "amount": amount, "currency": "EUR" });

    let unpaid = alice.get(&shown).await;
    assert_eq!(unpaid.expect(200).body["refund_amount"], euros(0));
    assert_eq!(unpaid.body["next_change"], Value::Null);
    alice.pay(&reservation, "tok_visa").await.expect(200);
    bob.get(&shown).await.refused(404, "RESERVATION_NOT_FOUND");
    let paid = alice.get(&shown).await;
    let whole = paid.expect(200).body["refund_amount"].clone();
    assert_eq!(whole, held.body["total_amount"]);
    let half = paid.body["next_change"]["refund_amount"].clone();
    assert_eq!(half, euros(whole["amount"].as_i64().unwrap() / 2));

    let last_moment = paid.body["next_change"]["after"].as_str().unwrap();
    let last_moment = DateTime::parse_from_rfc3339(last_moment).unwrap();
    let now = DateTime::parse_from_rfc3339(&paid.text("server_time")).unwrap();
    server.pass(last_moment - now + TimeDelta::seconds(1));
    let alice = alice.with_session(&server.sign_in_again(&alice).await);
    let cancel = format!("{path}/cancel");
    let too_late = alice.post(&cancel, json!({ "refund_amount": whole })).await;
    assert_eq!(too_late.refused(409, "REFUND_CHANGED")["refund_amount"], half);
    let unknown = alice
        .post(&cancel, json!({ "refund_amount": { "amount": 1, "currency": "eur" } }))
        .await;
    assert_eq!(
        unknown.refused(422, "VALIDATION_FAILED")["errors"][0]["field"],
        "refund_amount.currency"
    );
    let cancelled = alice.post(&cancel, json!({ "refund_amount": half })).await;
    assert_eq!(cancelled.expect(200).body["status"], "refunded");
    alice.get(&shown).await.refused(422, "INVALID_STATE_TRANSITION");
}

#[tokio::test(start_paused = true)]
async fn the_history_of_a_reservation_tells_everything_in_order() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let reservation = alice
        .reserve(&event, "General", 1)
        .await
        .expect(201)
        .text("reservation_id");
    alice.pay(&reservation, "tok_visa").await.expect(200);

    let history = alice.get(&format!("/api/reservations/{reservation}/history")).await;
    let events = history.expect(200).body["events"].as_array().unwrap().clone();
    let sequence: Vec<_> = events.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequence, (1..=events.len() as u64).collect::<Vec<_>>());
    assert_eq!(events[0]["type"], "ReservationHeld");
    assert_eq!(events.last().unwrap()["type"], "ReservationCompleted");
    for event in &events {
        assert_eq!(event["at"], "2027-01-15T08:00:00Z");
        assert!(
            event["version"].as_u64().unwrap() >= 1 && event["data"].is_object(),
            "{event}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn my_list_is_mine_alone_newest_first_and_in_pages() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let (alice, bob) = (server.customer("alice").await, server.customer("bob").await);
    let event = server.event_on_sale(&olga).await;
    let first = alice
        .reserve(&event, "General", 1)
        .await
        .expect(201)
        .text("reservation_id");
    bob.reserve(&event, "General", 1).await.expect(201);
    server.pass(TimeDelta::seconds(1));
    let second = alice.reserve(&event, "General", 1).await;

    let list = alice.get_after(&second, "/api/reservations").await;
    let ids: Vec<_> = list.expect(200).body["reservations"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0]["reservation_id"], second.body["reservation_id"]);
    assert_eq!(ids[1]["reservation_id"], first);
    assert_eq!(
        (&list.body["page"], &list.body["per_page"], &list.body["total"]),
        (&json!(1), &json!(20), &json!(2))
    );
    let page = alice.get("/api/reservations?page=2&per_page=1").await;
    assert_eq!(page.expect(200).body["reservations"][0]["reservation_id"], first);
    assert_eq!(page.body["total"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_quantity_that_no_order_can_have_is_an_invalid_quantity_whatever_its_size() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let request =
        |quantity: &str| format!(r#"{{"event_id": "{event}", "section": "General", "quantity": {quantity}}}"#);
    let googol = "1".to_owned() + &"0".repeat(100);
    for quantity in [
        "0",
        "-0",
        "-1",
        "9",
        "9.0",
        "1e2",
        "4294967297",
        "-9223372036854775809",
        "18446744073709551616",
        &googol,
    ] {
        let refused = alice.post("/api/reservations", request(quantity).as_str()).await;
        assert_eq!(refused.refused(400, "INVALID_QUANTITY")["limit"], 8, "{quantity}");
    }
    for quantity in ["1.5", "1e-2", "\"1\"", "true", "[]"] {
        let refused = alice.post("/api/reservations", request(quantity).as_str()).await;
        assert_eq!(
            refused.refused(400, "INVALID_REQUEST")["field"],
            "quantity",
            "{quantity}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn seats_that_are_written_wrongly_are_all_named() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;

    let refused = alice.reserve_seats(&event, &["A", "A-1", "A-01"]).await;
    let errors = refused.refused(422, "VALIDATION_FAILED")["errors"].clone();
    let fields: Vec<_> = errors
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].clone())
        .collect();
    assert_eq!(fields, ["specific_seats[0]", "specific_seats[2]"]);
}

#[tokio::test(start_paused = true)]
async fn an_admin_buys_for_somebody_else_and_nobody_else_may() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let (ada, alice, bob) = (
        server.admin("ada").await,
        server.customer("alice").await,
        server.customer("bob").await,
    );
    let event = server.event_on_sale(&olga).await;
    let request = json!({
        "event_id": event, "section": "General", "quantity": 1, "customer_id": alice.id().to_string() });

    let held = ada.post("/api/reservations", request.clone()).await;
    assert_eq!(held.expect(201).body["customer_id"], alice.id().to_string());
    alice.reservation(&held.text("reservation_id")).await.expect(200);
    bob.post("/api/reservations", request).await.refused(403, "FORBIDDEN");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sold_to_a_customer_who_does_not_exist_or_was_erased() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let (ada, alice) = (server.admin("ada").await, server.customer("alice").await);
    let erased = server.customer("erased").await;
    let event = server.event_on_sale(&olga).await;
    let order =
        |customer: &str| json!({ "event_id": event, "section": "General", "quantity": 1, "customer_id": customer });
    let key = [("idempotency-key", "before")];
    let before = || ada.post_with("/api/reservations", &key, order(&erased.id().to_string()));
    let held = before().await;
    held.expect(201);
    server.sign_in.accounts.erase(erased.id()).await.unwrap();
    for nobody in [uuid::Uuid::from_u128(77).to_string(), erased.id().to_string()] {
        let refused = ada.post("/api/reservations", order(&nobody)).await;
        refused.refused(404, "CUSTOMER_NOT_FOUND");
        let refused = alice.post("/api/reservations", order(&nobody)).await;
        refused.refused(403, "FORBIDDEN");
    }
    assert_eq!(
        before().await.expect(201).body,
        held.body,
        "a repeated request gets the first answer again"
    );
    ada.post("/api/reservations", order(&ada.id().to_string()))
        .await
        .expect(201);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_exist_is_not_found() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let nobody = uuid::Uuid::nil().to_string();

    alice
        .reserve(&nobody, "General", 1)
        .await
        .refused(404, "EVENT_NOT_FOUND");
    alice.reserve(&event, "Roof", 1).await.refused(404, "SECTION_NOT_FOUND");
    alice.reservation(&nobody).await.refused(404, "RESERVATION_NOT_FOUND");
    alice
        .pay(&nobody, "tok_visa")
        .await
        .refused(404, "RESERVATION_NOT_FOUND");
    alice
        .get(&format!("/api/payments/{nobody}"))
        .await
        .refused(404, "PAYMENT_NOT_FOUND");
}
