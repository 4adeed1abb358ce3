use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use ticketing_ports::vocabulary::ids::PaymentId;

use crate::support::{TestServer, event_request};

#[tokio::test(start_paused = true)]
async fn a_payment_is_authorised_first_and_captured_with_the_reservation() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let reservation = alice
        .reserve(&event, "General", 2)
        .await
        .expect(201)
        .text("reservation_id");

    let method = json!({ "type": "card", "token": "tok_visa" });
    let request = json!({ "reservation_id": reservation, "payment_method": method });
    let authorized = alice.post("/api/payments", request).await;
    let payment = authorized.expect(201).text("payment_id");
    assert_eq!(authorized.header("location"), format!("/api/payments/{payment}"));
    assert_eq!(authorized.body["status"], "authorized");
    assert_eq!(
        authorized.body["amount"],
        json!({ "amount": 10_000, "currency": "EUR" })
    );
    assert_eq!(
        authorized.body["payment_method"],
        json!({ "type": "card", "last_four": "4242" })
    );

    let path = format!("/api/reservations/{reservation}/payment");
    let paid = alice.post(&path, json!({ "payment_id": payment })).await;
    assert_eq!(paid.expect(200).body["status"], "completed");
    assert_eq!(paid.body["payment_id"], payment);
    let captured = alice.get(&format!("/api/payments/{payment}")).await;
    assert_eq!(captured.expect(200).body["status"], "captured");
    let mine = alice.get_after(&paid, "/api/payments").await;
    assert_eq!(mine.expect(200).body["payments"][0]["payment_id"], payment);
}

#[tokio::test(start_paused = true)]
async fn who_must_act_is_told_how_and_nobody_else_is() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let admin = server.admin("adam").await;
    let event = server.event_on_sale(&olga).await;
    for (token, kind, key, said) in [
        ("tok_must_act", "redirect", "url", "https://bank.test/agree"),
        ("tok_must_act_secret", "client_secret", "client_secret", "hush"),
    ] {
        let held = alice
            .reserve(&event, "General", 1)
            .await
            .expect(201)
            .text("reservation_id");
        let path = format!("/api/reservations/{held}/payment");
        let request = json!({ "payment_method": { "type": "card", "token": token } });
        let header = [("idempotency-key", token)];
        let pay = || alice.post_with(&path, &header, request.clone());
        let paying = pay().await;
        assert_eq!(paying.expect(202).body["status"], "payment_pending");
        let payment = &paying.body["payment"];
        assert_eq!(payment["status"], "pending");
        let action = &payment["next_action"];
        assert_eq!((&action["kind"], &action[key]), (&json!(kind), &json!(said)));
        assert_eq!(action["until"], paying.body["expires_at"]);
        assert_eq!(action.as_object().unwrap().len(), 3, "{action}");
        let own = format!("/api/payments/{}", paying.body["payment_id"].as_str().unwrap());
        assert_eq!(paying.header("location"), own);
        assert_eq!(
            pay().await.expect(202).body["payment"],
            *payment,
            "a repeated request with the same key gets the same payment"
        );

        let seen = alice.get(&own).await;
        assert_eq!(seen.expect(200).body["status"], "pending");
        assert_eq!(seen.body["next_action"], *action);
        let seen = admin.get(&own).await;
        assert_eq!(seen.expect(200).body["status"], "pending");
        assert!(seen.body.get("next_action").is_none(), "{}", seen.body);
        let list = alice.get_after(&paying, "/api/payments").await;
        assert!(list.expect(200).body["payments"][0].get("next_action").is_none());

        server.clock.advance(TimeDelta::seconds(301));
        let late = alice.get(&own).await;
        assert!(
            late.expect(200).body.get("next_action").is_none(),
            "the hold has ended, so there is nothing left to do"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_authorisation_that_waits_for_the_customer_is_accepted_and_decided_later() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let held = alice
        .reserve(&event, "General", 1)
        .await
        .expect(201)
        .text("reservation_id");
    let method = json!({ "type": "card", "token": "tok_must_act" });
    let request = json!({ "reservation_id": held, "payment_method": method });
    let pending = alice.post("/api/payments", request).await;
    assert_eq!(pending.expect(202).body["status"], "pending");
    assert_eq!(pending.body["next_action"]["kind"], "redirect");
    let payment = pending.text("payment_id");
    assert_eq!(pending.header("location"), format!("/api/payments/{payment}"));

    server.gateway.decide(PaymentId::new(payment.parse().unwrap())).unwrap();
    server.clock.advance(TimeDelta::seconds(10));
    tokio::time::sleep(Duration::from_secs(10)).await;
    let decided = alice.get(&format!("/api/payments/{payment}")).await;
    assert_eq!(decided.expect(200).body["status"], "authorized");
    assert!(decided.body.get("next_action").is_none());
}

fn pay_with(kind: &str, token: &str) -> Value {
    json!({ "payment_method": { "type": kind, "token": token } })
}

#[tokio::test(start_paused = true)]
async fn a_customer_changes_the_means_of_payment_and_keeps_the_seats() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let held = alice
        .reserve(&event, "General", 1)
        .await
        .expect(201)
        .text("reservation_id");
    let authorize = |kind: &str, token: &str| {
        let method = json!({ "type": kind, "token": token });
        json!({ "reservation_id": held, "payment_method": method })
    };
    let first = alice.post("/api/payments", authorize("card", "tok_visa")).await;
    let first = first.expect(201).text("payment_id");
    let again = alice.post("/api/payments", authorize("card", "tok_visa")).await;
    assert_eq!(
        again.expect(201).text("payment_id"),
        first,
        "a second identical request gets the same payment"
    );

    let path = format!("/api/reservations/{held}/payment");
    let declined = alice.post(&path, pay_with("paypal", "tok_declined")).await;
    assert_eq!(declined.refused(402, "PAYMENT_FAILED")["attempts_left"], 2);
    let void = alice.get(&format!("/api/payments/{first}")).await;
    assert_eq!(void.expect(200).body["status"], "failed");
    assert_eq!(alice.reservation(&held).await.body["status"], "held");
    assert!(server.gateway.captured().is_empty());

    let second = alice.post("/api/payments", authorize("card", "tok_visa")).await;
    let second = second.expect(201).text("payment_id");
    let third = alice.post("/api/payments", authorize("apple_pay", "tok_visa")).await;
    let third = third.expect(201).text("payment_id");
    assert_ne!(second, third);
    let contradiction = json!({ "payment_id": third, "payment_method": { "type": "card", "token": "tok_visa" } });
    let refused = alice.post(&path, contradiction).await;
    let errors = &refused.refused(422, "VALIDATION_FAILED")["errors"];
    assert_eq!(errors[0]["field"], "payment_method");
    let paid = alice.post(&path, pay_with("apple_pay", "tok_visa")).await;
    assert_eq!(paid.expect(200).text("payment_id"), third);
    assert_eq!(server.gateway.captured().len(), 1);
    assert!(
        server.gateway.set_aside().is_empty(),
        "payments that were given up must set no money aside"
    );
}

#[tokio::test(start_paused = true)]
async fn another_means_of_payment_replaces_one_that_the_customer_has_not_agreed_to() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let held = alice
        .reserve(&event, "General", 1)
        .await
        .expect(201)
        .text("reservation_id");
    let path = format!("/api/reservations/{held}/payment");
    let stuck = alice.post(&path, pay_with("card", "tok_must_act")).await;
    let stuck = stuck.expect(202).text("payment_id");
    let paid = alice.post(&path, pay_with("paypal", "tok_visa")).await;
    assert_ne!(paid.expect(200).text("payment_id"), stuck);

    server.gateway.decide(PaymentId::new(stuck.parse().unwrap())).unwrap();
    server.clock.advance(TimeDelta::hours(1));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(server.gateway.captured().len(), 1);
    assert!(
        server.gateway.set_aside().is_empty(),
        "a payment that is approved too late must set no money aside"
    );
}

#[tokio::test(start_paused = true)]
async fn what_costs_nothing_is_taken_without_a_payment() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let mut request = event_request(&server.in_days(60));
    for tier in request["pricing_tiers"].as_array_mut().unwrap() {
        tier["price"]["amount"] = json!(0);
    }
    let event = olga.post("/api/events", request).await.expect(201).text("event_id");
    for step in ["publish", "sales/open"] {
        olga.post(&format!("/api/events/{event}/{step}"), ()).await.expect(200);
    }
    let mut taken = Vec::new();
    for body in [json!({}), pay_with("card", "tok_declined")] {
        let held = alice.reserve(&event, "General", 1).await;
        let held = held.expect(201).text("reservation_id");
        let method = json!({ "type": "card", "token": "tok_visa" });
        let authorize = json!({ "reservation_id": held, "payment_method": method });
        let refused = alice.post("/api/payments", authorize).await;
        let errors = &refused.refused(422, "VALIDATION_FAILED")["errors"];
        assert_eq!(errors[0]["field"], "reservation_id");
        let path = format!("/api/reservations/{held}/payment");
        let done = alice.post(&path, body.clone()).await;
        assert_eq!(done.expect(200).body["status"], "completed");
        assert_eq!(done.body["payment_id"], Value::Null);
        assert_eq!(done.body["tickets"].as_array().unwrap().len(), 1);
        let again = alice.post(&path, body).await;
        assert_eq!(again.expect(200).body["tickets"], done.body["tickets"]);
        taken.push((held, done));
    }
    let (last, done) = taken.pop().unwrap();
    let list = alice.get_after(&done, "/api/reservations").await;
    assert_eq!(list.expect(200).body["reservations"][0]["status"], "completed");
    let purchases = alice
        .get_after(&done, &format!("/api/customers/{}/history", alice.id()))
        .await;
    assert_eq!(purchases.expect(200).body["purchases"][0]["payment_id"], Value::Null);
    let payments = alice.get_after(&done, "/api/payments").await;
    assert_eq!(payments.expect(200).body["total"], 0);
    assert_eq!(alice.cancel(&last).await.expect(200).body["status"], "cancelled");
    alice
        .post(&format!("/api/reservations/{last}/payment"), json!({}))
        .await
        .refused(422, "INVALID_STATE_TRANSITION");
}

#[tokio::test(start_paused = true)]
async fn a_declined_card_leaves_the_hold_and_says_how_often_one_may_try_again() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let reservation = alice
        .reserve(&event, "General", 1)
        .await
        .expect(201)
        .text("reservation_id");

    let declined = alice.pay(&reservation, "tok_insufficient_funds").await;
    let details = declined.refused(402, "PAYMENT_FAILED");
    assert_eq!(*details, json!({ "reason": "insufficient_funds", "attempts_left": 2 }));
    assert_eq!(alice.reservation(&reservation).await.body["status"], "held");
    alice.pay(&reservation, "tok_visa").await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn an_admin_gives_a_part_back_and_then_the_rest_and_never_more() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let (ada, alice) = (server.admin("ada").await, server.customer("alice").await);
    let event = server.event_on_sale(&olga).await;
    let reservation = alice
        .reserve(&event, "General", 2)
        .await
        .expect(201)
        .text("reservation_id");
    let payment = alice.pay(&reservation, "tok_visa").await.expect(200).text("payment_id");
    let path = format!("/api/payments/{payment}/refund");

    let part = json!({ "amount": { "amount": 4_000, "currency": "EUR" }, "reason": "rain" });
    alice.post(&path, part.clone()).await.refused(403, "FORBIDDEN");
    let refunded = ada.post(&path, part).await;
    assert_eq!(refunded.expect(200).body["status"], "partially_refunded");
    assert_eq!(refunded.body["refunded_amount"]["amount"], 4_000);
    let order = alice.reservation(&reservation).await;
    let told = (
        &order.expect(200).body["status"],
        &order.body["refunded_amount"]["amount"],
    );
    assert_eq!(told, (&json!("completed"), &json!(4_000)), "the order says it too");
    let listed = alice.get_after(&refunded, "/api/reservations").await;
    assert_eq!(
        listed.expect(200).body["reservations"][0]["refunded_amount"]["amount"],
        4_000
    );
    let history = alice.get(&format!("/api/reservations/{reservation}/history")).await;
    let last = history.expect(200).body["events"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(last["type"], "ReservationMoneyReturned", "{last}");
    for (amount, currency, reason) in [
        (
            6_001,
            "EUR",
            "must be at most 6000, which is what is left of the payment",
        ),
        (0, "EUR", "must be at least 1"),
        (-1, "EUR", "must be at least 1"),
        (1, "USD", "must be in EUR, the currency of the payment"),
    ] {
        let amount = json!({ "amount": amount, "currency": currency });
        let wrong = ada.post(&path, json!({ "amount": amount, "reason": "rain" })).await;
        let errors = &wrong.refused(422, "VALIDATION_FAILED")["errors"];
        assert_eq!(*errors, json!([{ "field": "amount", "reason": reason }]));
    }
    let rest = ada.post(&path, json!({ "reason": "more rain" })).await;
    assert_eq!(rest.expect(200).body["status"], "refunded");
    assert_eq!(rest.body["refunded_amount"]["amount"], 10_000);
    let order = alice.reservation(&reservation).await;
    let told = (
        &order.expect(200).body["status"],
        &order.body["refunded_amount"]["amount"],
    );
    assert_eq!(told, (&json!("refunded"), &json!(10_000)));
}

#[tokio::test(start_paused = true)]
async fn a_card_number_is_refused_wherever_it_stands_and_never_sent_back() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let (ada, alice) = (server.admin("ada").await, server.customer("alice").await);
    let event = server.event_on_sale(&olga).await;
    let reservation = alice
        .reserve(&event, "General", 1)
        .await
        .expect(201)
        .text("reservation_id");
    let pay = format!("/api/reservations/{reservation}/payment");
    let bodies = [
        r#"{"payment_method": {"type": "card", "token": "4111 1111 1111 1111"}}"#,
        r#"{"payment_method": {"type": "card", "token": 4111111111111111}}"#,
        r#"{"payment_method": {"type": "4111-1111-1111-1111", "token": "tok_visa"}}"#,
        r#"{"payment_method": {"type": "card", "token": "tok_visa"}, "card": {"pan": ["4111111111111111"]}}"#,
        r#"{"payment_method": {"type": "card", "token": "tok_visa"}, "4111111111111111": 1}"#,
        r#"{"payment_id": "4111111111111111"}"#,
        r#"{"payment_id": "4111111111111111"#,
    ];
    for body in bodies {
        let refused = alice.post(&pay, body).await;
        let reason = refused.refused(400, "INVALID_REQUEST")["reason"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(reason.starts_with("contains a card number"), "{body}: {reason}");
        assert!(!String::from_utf8_lossy(&refused.bytes).contains("1111"), "{body}");
    }
    let payment = alice.pay(&reservation, "tok_visa").await.expect(200).text("payment_id");
    let refund = json!({ "reason": "card 4111111111111111" });
    let refused = ada.post(&format!("/api/payments/{payment}/refund"), refund).await;
    assert_eq!(refused.refused(400, "INVALID_REQUEST")["field"], "reason");
}
