//! Fees and taxes, from the event that has them to the purchase that tells them.

use serde_json::{Value, json};

use crate::support::{Answer, TestServer, event_request};

fn eur(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

/// Returns the request for an event with a fee on each ticket, one on each order, and two taxes inside them. A ticket of
/// its section `General` costs 50.00.
fn with_fees_and_taxes(server: &TestServer) -> Value {
    let mut request = event_request(&server.in_days(60));
    request["fees"] = json!([
        { "name": "Booking fee", "amount": eur(200) },
        { "name": "Order fee", "percent": "1.5", "per": "order" },
    ]);
    request["taxes"] = json!([
        { "name": "VAT on tickets", "rate": "6.00", "included": true, "on": "tickets" },
        { "name": "VAT on fees", "rate": "21", "included": true, "on": "fees" },
    ]);
    request["tax_rounding"] = json!("per_tax");
    request
}

/// Returns what each part of a line is, whether it is inside others, and its amount.
fn parts(line: &Value) -> Vec<(&str, &str, bool, i64)> {
    let parts = line["price_parts"].as_array().unwrap().iter();
    let told = |part: &'_ Value| part["amount"]["amount"].as_i64().unwrap();
    parts
        .map(|part| {
            let name = part["name"].as_str().unwrap_or_default();
            let kind = part["part"].as_str().unwrap();
            (kind, name, part["included"].as_bool().unwrap(), told(part))
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn an_event_tells_its_fees_and_taxes_and_a_section_what_one_ticket_costs_with_them() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let event = server.put_on_sale(&olga, with_fees_and_taxes(&server)).await;
    let shown = server.stranger().get(&format!("/api/events/{event}")).await;
    let body = &shown.expect(200).body;
    let (fees, taxes) = (&body["fees"], &body["taxes"]);
    assert_eq!((&fees[0]["amount"], &fees[0]["per"]), (&eur(200), &json!("ticket")));
    assert_eq!((&fees[1]["percent"], &fees[1]["per"]), (&json!("1.5"), &json!("order")));
    assert_eq!((&taxes[0]["rate"], &taxes[0]["on"]), (&json!("6"), &json!("tickets")));
    assert_eq!(body["tax_rounding"], "per_tax");
    let ids = [
        &fees[0]["fee_id"],
        &fees[1]["fee_id"],
        &taxes[0]["tax_id"],
        &taxes[1]["tax_id"],
    ];
    assert!(ids.iter().all(|id| id.is_string()));

    let section = server
        .stranger()
        .get(&format!("/api/events/{event}/sections/General"))
        .await;
    let price = json!({ "total_amount": eur(5_275), "tier": "regular", "price": eur(5_000) });
    assert_eq!(section.expect(200).body["price"], price);
}

#[tokio::test(start_paused = true)]
async fn an_order_tells_the_parts_of_its_price_and_the_payment_is_of_all_of_them() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.put_on_sale(&olga, with_fees_and_taxes(&server)).await;

    let held = alice.reserve(&event, "General", 2).await;
    let body = &held.expect(201).body;
    assert_eq!(body["total_amount"], eur(10_550));
    let line = &body["lines"][0];
    assert_eq!(
        (&line["total_amount"], &line["unit_price"]),
        (&eur(10_550), &eur(5_000))
    );
    let wanted = vec![
        ("base", "", false, 10_000),
        ("fee", "Booking fee", false, 400),
        ("fee", "Order fee", false, 150),
        ("tax", "VAT on tickets", true, 566),
        ("tax", "VAT on fees", true, 95),
    ];
    assert_eq!(parts(line), wanted);

    let order = held.text("reservation_id");
    let paid = alice.pay(&order, "tok_visa").await;
    assert_eq!(parts(&paid.expect(200).body["lines"][0]), wanted);
    let payment = alice.get(&format!("/api/payments/{}", paid.text("payment_id"))).await;
    assert_eq!(payment.expect(200).body["amount"], eur(10_550));
    let listed = alice.get_after(&paid, "/api/reservations").await;
    assert_eq!(parts(&listed.expect(200).body["reservations"][0]["lines"][0]), wanted);
    let purchases = format!("/api/customers/{}/history", alice.id());
    let purchases = alice.get_after(&paid, &purchases).await;
    assert_eq!(parts(&purchases.expect(200).body["purchases"][0]["lines"][0]), wanted);
}

#[tokio::test(start_paused = true)]
async fn an_order_without_fees_and_taxes_has_only_the_price_of_its_tickets() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let held = alice.reserve(&event, "General", 2).await;
    assert_eq!(parts(&held.expect(201).body["lines"][0]), [("base", "", false, 10_000)]);
}

/// Returns why a field is refused.
fn reason_of(refused: &Answer, field: &str) -> String {
    let errors = refused.refused(422, "VALIDATION_FAILED")["errors"].as_array().unwrap();
    let error = errors.iter().find(|error| error["field"] == field);
    error.map_or_else(
        || panic!("{field}: {errors:?}"),
        |error| error["reason"].as_str().unwrap().to_owned(),
    )
}

#[tokio::test(start_paused = true)]
async fn all_that_is_wrong_with_fees_and_taxes_is_said_at_once() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let mut request = event_request(&server.in_days(60));
    request["fees"] = json!([
        { "name": "Fee", "amount": { "amount": 200, "currency": "USD" } },
        { "name": "fee", "amount": eur(-1) },
        { "name": "Order", "percent": "2", "per": "order", "included": true },
    ]);
    request["taxes"] = json!([
        { "name": "VAT", "rate": "21", "included": true },
        { "name": "vat", "rate": "6", "included": false },
    ]);
    let refused = olga.post("/api/events", request.clone()).await;
    let reason = |field: &str| reason_of(&refused, field);
    assert_eq!(reason("fees[0].amount.currency"), "must be the currency of the event");
    assert_eq!(reason("fees[1].name"), "is used by another fee");
    assert_eq!(reason("fees[1].amount.amount"), "must be between 0 and 1000000000");
    assert!(reason("fees[2].included").starts_with("must be false for a fee per order"));
    assert_eq!(reason("taxes[1].name"), "is used by another tax");

    request["fees"] = json!([
        { "name": "Neither" },
        { "name": "Both", "amount": eur(1), "percent": "1" },
        { "name": "Much", "percent": "100.1" },
    ]);
    request["taxes"] = json!([{ "name": "VAT", "rate": "6,5", "included": true }]);
    let refused = olga.post("/api/events", request.clone()).await;
    let reason = |field: &str| reason_of(&refused, field);
    assert!(reason("fees[0].amount").starts_with("is missing"));
    assert_eq!(reason("fees[1].amount"), "has no place beside `percent`");
    let percentage = "must be a number from 0 to 100 with at most four decimals, as a text such as \"8.875\"";
    assert_eq!(reason("fees[2].percent"), percentage);
    assert_eq!(reason("taxes[0].rate"), percentage);
}
