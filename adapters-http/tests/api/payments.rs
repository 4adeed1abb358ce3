use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use ticketing_ports::ids::PaymentId;

use crate::support::TestServer;

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
            "the same under the key"
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
            "it pays nothing now"
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
    let too_much = json!({ "amount": { "amount": 6_001, "currency": "EUR" }, "reason": "rain" });
    ada.post(&path, too_much).await.refused(422, "INVALID_STATE_TRANSITION");
    let rest = ada.post(&path, json!({ "reason": "more rain" })).await;
    assert_eq!(rest.expect(200).body["status"], "refunded");
    assert_eq!(rest.body["refunded_amount"]["amount"], 10_000);
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
        assert!(
            reason.starts_with("card numbers are never accepted"),
            "{body}: {reason}"
        );
        assert!(!String::from_utf8_lossy(&refused.bytes).contains("1111"), "{body}");
    }
    let payment = alice.pay(&reservation, "tok_visa").await.expect(200).text("payment_id");
    let refund = json!({ "reason": "card 4111111111111111" });
    let refused = ada.post(&format!("/api/payments/{payment}/refund"), refund).await;
    assert_eq!(refused.refused(400, "INVALID_REQUEST")["field"], "reason");
}
