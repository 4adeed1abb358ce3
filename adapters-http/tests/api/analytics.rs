use serde_json::json;
use uuid::Uuid;

use crate::support::TestServer;

#[tokio::test(start_paused = true)]
async fn the_sales_of_an_event_add_up() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let (ada, alice) = (server.admin("ada").await, server.customer("alice").await);
    let event = server.event_on_sale(&olga).await;
    let general = alice
        .reserve(&event, "General", 2)
        .await
        .expect(201)
        .text("reservation_id");
    let payment = alice.pay(&general, "tok_visa").await.expect(200).text("payment_id");
    let vip = alice.reserve(&event, "VIP", 3).await.expect(201).text("reservation_id");
    alice.pay(&vip, "tok_visa").await.expect(200);
    let part = json!({ "amount": { "amount": 1_000, "currency": "EUR" }, "reason": "a bad view" });
    let last = ada.post(&format!("/api/payments/{payment}/refund"), part).await;

    let sales = olga.get_after(&last, &format!("/api/events/{event}/analytics")).await;
    let euros = |amount: i64| json!({ "amount": amount, "currency": "EUR" });
    let expected = json!({
        "event_id": event,
        "total_revenue": euros(46_000),
        "refunded": euros(1_000),
        "tickets_sold": 5,
        "average_price": euros(9_000),
        "by_ticket_type": {},
        "by_tier": { "regular": 5 },
        "by_section": {
            "General": { "tickets_sold": 2, "revenue": euros(10_000) },
            "VIP": { "tickets_sold": 3, "revenue": euros(36_000) },
        },
        "capacity_utilization": 0.2,
    });
    assert_eq!(sales.expect(200).body, expected);
}

#[tokio::test(start_paused = true)]
async fn a_customer_sees_what_it_bought_and_nobody_else_does() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let (ada, alice, bob) = (
        server.admin("ada").await,
        server.customer("alice").await,
        server.customer("bob").await,
    );
    let event = server.event_on_sale(&olga).await;
    let reservation = alice
        .reserve(&event, "General", 2)
        .await
        .expect(201)
        .text("reservation_id");
    let paid = alice.pay(&reservation, "tok_visa").await;
    let history = format!("/api/customers/{}/history", alice.id());
    let value = format!("/api/customers/{}/lifetime-value", alice.id());

    let bought = alice.get_after(&paid, &history).await;
    let purchase = &bought.expect(200).body["purchases"][0];
    assert_eq!(
        (&purchase["reservation_id"], &purchase["quantity"]),
        (&json!(reservation), &json!(2))
    );
    assert_eq!(
        (&purchase["event_name"], &purchase["returned"]),
        (&json!("Night of the Proms"), &json!(false))
    );
    let worth = ada.get_after(&paid, &value).await;
    let values = &worth.expect(200).body["values"];
    assert_eq!(values[0]["total_spent"], json!({ "amount": 10_000, "currency": "EUR" }));
    assert_eq!((&values[0]["orders"], &values[0]["tickets"]), (&json!(1), &json!(2)));
    for path in [&history, &value] {
        for person in [&bob, &olga] {
            person.get(path).await.refused(404, "CUSTOMER_NOT_FOUND");
        }
    }
    let unknown = format!("/api/customers/{}/lifetime-value", Uuid::nil());
    ada.get(&unknown).await.refused(404, "CUSTOMER_NOT_FOUND");
    assert_eq!(
        bob.get(&format!("/api/customers/{}/lifetime-value", bob.id()))
            .await
            .expect(200)
            .body["values"],
        json!([])
    );
}
