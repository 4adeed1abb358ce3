//! Halls whose rows have labels of their own and gaps, as an organiser describes them and customers see them.

use serde_json::{Value, json};

use crate::support::{TestServer, event_request};

fn request(server: &TestServer, rows: Value) -> Value {
    let mut request = event_request(&server.in_days(60));
    request["sections"][0]["seating"]["rows"] = rows;
    request
}

#[tokio::test(start_paused = true)]
async fn a_hall_with_an_aisle_and_a_12a_is_described_sold_and_shown_by_what_is_printed_on_its_seats() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let rows = json!([
        { "row": "A", "places": ["5", "3", "1", "_", "2", "4", "12A"] },
        { "row": "B", "seats": 2 },
        { "row": "C", "places": ["1", "2", "3"] },
    ]);
    let created = olga.post("/api/events", request(&server, rows.clone())).await;
    let event = created.expect(201).text("event_id");
    let mut shown = rows;
    shown[2] = json!({ "row": "C", "seats": 3 });
    assert_eq!(created.body["sections"][0]["seating"]["rows"], shown);
    for step in ["publish", "sales/open"] {
        olga.post(&format!("/api/events/{event}/{step}"), ()).await.expect(200);
    }

    let seats = async |wanted: Value| {
        let held = alice.post("/api/reservations", wanted).await;
        let seats = held.expect(201).body["seats"].clone();
        let told = seats
            .as_array()
            .unwrap()
            .iter()
            .map(|seat| seat["seat_id"].clone())
            .collect::<Vec<_>>();
        (held, told)
    };
    let (_, three) = seats(json!({ "event_id": event, "section": "VIP", "quantity": 3 })).await;
    assert_eq!(three, ["A-5", "A-3", "A-1"], "1 and 2 are divided by the aisle");
    let (held, named) =
        seats(json!({ "event_id": event, "section": "VIP", "quantity": 1, "specific_seats": ["A-12A"] })).await;
    assert_eq!(named, ["A-12A"]);
    assert_eq!(
        held.body["seats"][0],
        json!({ "seat_id": "A-12A", "row": "A", "label": "12A", "number": null, "price": { "amount": 12_000, "currency": "EUR" } })
    );
    let refused = alice.reserve_seats(&event, &["A-12A"]).await;
    assert_eq!(refused.refused(409, "SEATS_UNAVAILABLE")["seats"], json!(["A-12A"]));
    let section = alice
        .get_after(&held, &format!("/api/events/{event}/sections/VIP"))
        .await;
    assert_eq!(
        section.expect(200).body["rows"],
        json!({ "A": "hhh_ffh", "B": "ff", "C": "fff" })
    );
    assert_eq!(section.body["total_capacity"], 11, "a gap is no place to sell");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_row_names_its_field() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    for (row, field) in [
        (json!({ "row": "A" }), "seats"),
        (json!({ "row": "A", "seats": 2, "places": ["1"] }), "seats"),
        (json!({ "row": "A", "seats": 0 }), "seats"),
        (json!({ "row": "A", "places": [] }), "places"),
        (json!({ "row": "A", "places": ["_"] }), "places"),
        (json!({ "row": "A", "places": ["1", "2", "1"] }), "places[2]"),
        (json!({ "row": "A", "places": ["1a", "1A"] }), "places[1]"),
        (json!({ "row": "A", "places": ["1", "01"] }), "places[1]"),
        (json!({ "row": "A", "places": ["1", "2-3"] }), "places[1]"),
        (json!({ "row": "A", "places": ["1", ""] }), "places[1]"),
        (json!({ "row": "A", "places": ["123456789B"] }), "places[0]"),
    ] {
        let refused = olga.post("/api/events", request(&server, json!([row]))).await;
        let errors = refused.refused(422, "VALIDATION_FAILED")["errors"].clone();
        assert_eq!(
            errors[0]["field"],
            format!("sections[0].seating.rows[0].{field}"),
            "{row}"
        );
        assert_eq!(errors.as_array().unwrap().len(), 1, "{row}");
    }
}
