use axum::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Actor, TestServer, event_request};

async fn field_and_reason(who: &Actor, path: &str, body: &str) -> (String, String) {
    let refused = who.post(path, body).await;
    let details = refused.refused(400, "INVALID_REQUEST");
    let text = |name: &str| details[name].as_str().unwrap().to_owned();
    (text("field"), text("reason"))
}

#[tokio::test(start_paused = true)]
async fn a_malformed_body_is_refused_with_the_field_that_is_wrong() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let good = event_request(&server.in_days(60));
    let changed = |pointer: &str, value: Value| {
        let mut request = good.clone();
        *request.pointer_mut(pointer).unwrap() = value;
        request.to_string()
    };
    let mut unknown = good.clone();
    unknown["colour"] = json!("red");
    let mut nested = good.clone();
    nested["venue"]["colour"] = json!("red");
    let mut missing = good.clone();
    missing.as_object_mut().unwrap().remove("venue");
    let cases = [
        (
            changed("/sections/1/seating/capacity", json!("many")),
            "sections[1].seating.capacity",
        ),
        (
            changed("/pricing_tiers/0/price/amount", json!(12.5)),
            "pricing_tiers[0].price.amount",
        ),
        (
            changed("/pricing_tiers/0/price/amount", json!(u64::MAX)),
            "pricing_tiers[0].price.amount",
        ),
        (changed("/starts_at", json!("tomorrow")), "starts_at"),
        (changed("/starts_at", json!(1_800_000_000)), "starts_at"),
        (changed("/sections", json!({})), "sections"),
        (unknown.to_string(), "colour"),
        (nested.to_string(), "venue.colour"),
        (missing.to_string(), "venue"),
        ("null".to_owned(), "body"),
        ("[]".to_owned(), "body"),
        ("{}{}".to_owned(), "body"),
        (String::new(), "name"),
    ];
    for (body, expected) in cases {
        let (field, reason) = field_and_reason(&olga, "/api/events", &body).await;
        assert_eq!(field, expected, "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_cut_short_anywhere_is_refused() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let body = event_request(&server.in_days(60)).to_string();
    for end in (1..body.len()).step_by(7) {
        field_and_reason(&olga, "/api/events", &body[..end]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_no_text_and_nesting_without_end_are_refused() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let bodies = [
        b"\xff\xfe{}".to_vec(),
        b"{\"name\": \"\xff\"}".to_vec(),
        "[".repeat(200_000).into_bytes(),
        format!("{{\"name\": {}", "[".repeat(100_000)).into_bytes(),
        b"\0".to_vec(),
    ];
    for body in bodies {
        olga.post("/api/events", body).await.refused(400, "INVALID_REQUEST");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_of_another_media_type_or_compressed_is_unsupported() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let body = event_request(&server.in_days(60));
    let content_types = [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/json, text/plain",
        "multipart/form-data",
    ];
    let codings = ["gzip", "br", "identity, gzip", "aes128gcm"];
    let types = content_types.map(|value| ("content-type", value));
    for (header, value) in types
        .into_iter()
        .chain(codings.map(|value| ("content-encoding", value)))
    {
        let refused = olga.post_with("/api/events", &[(header, value)], body.clone()).await;
        let details = refused.refused(415, "UNSUPPORTED_MEDIA_TYPE");
        let field = details["field"].as_str().unwrap().to_ascii_lowercase();
        assert_eq!(field, header, "{value}");
        assert_eq!(refused.header("accept"), "application/json");
        assert_eq!(refused.header("accept-encoding"), "identity");
    }
    let plain = [
        ("content-type", "Application/JSON; charset=utf-8"),
        ("content-encoding", "Identity"),
    ];
    olga.post_with("/api/events", &plain, body).await.expect(201);
}

/// Returns every operation that reads a body. The ids in its path belong to nothing that exists.
fn operations_with_a_body() -> Vec<(Method, String)> {
    let document = adapters_http::document();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            if [Method::POST, Method::PATCH, Method::PUT].contains(&method) {
                let path = path.replace("{id}", "AAAA").replace("{section}", "VIP");
                let path = path.replace("{provider}", "scripted");
                let parts: Vec<_> = path.split('{').collect();
                let filled = parts.iter().map(|part| match part.split_once('}') {
                    Some((_, rest)) => format!("{}{rest}", Uuid::nil()),
                    None => (*part).to_owned(),
                });
                operations.push((method, filled.collect()));
            }
        }
    }
    operations
}

#[tokio::test(start_paused = true)]
async fn no_body_of_any_route_may_be_anything_but_an_object() {
    let server = TestServer::start();
    let ada = server.admin("ada").await;
    let operations = operations_with_a_body();
    assert!(operations.len() > 20, "{operations:?}");
    let id = Uuid::nil();
    for (method, path) in operations {
        let list = format!("[\"{id}\", \"General\", 1]");
        for body in [
            "[]",
            "[\"x\"]",
            "[[100, \"EUR\"], \"x\"]",
            &list,
            "\"x\"",
            "1",
            "null",
            "true",
        ] {
            let secret = "A".repeat(43);
            let headers = [("ticketing-order-secret", secret.as_str())];
            let headers = if path.ends_with("/contact") { &headers[..] } else { &[] };
            let refused = ada.send(method.clone(), &path, headers, body).await;
            let details = refused.refused(400, "INVALID_REQUEST");
            assert_eq!(details["field"], "body", "{method} {path} {body}");
            let reason = details["reason"].as_str().unwrap();
            assert!(
                reason.starts_with("must be an object, not "),
                "{method} {path} {body}: {reason}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_inside_a_body_may_be_an_array_where_an_object_belongs() {
    let server = TestServer::start();
    let (olga, ada) = (server.owner("olga").await, server.admin("ada").await);
    let good = event_request(&server.in_days(60));
    for (pointer, array) in [
        ("/venue", json!(["Sportpaleis", "Antwerp", "BE", "Europe/Brussels"])),
        (
            "/sections/1",
            json!(["General", { "kind": "general_admission", "capacity": 5 }]),
        ),
        ("/sections/1/seating", json!(["general_admission", 5])),
        ("/sections/0/seating", json!(["numbered", [["A", 10]]])),
        ("/sections/0/seating/rows/0", json!(["A", 10])),
        (
            "/pricing_tiers/0",
            json!(["VIP", "regular", { "amount": 1, "currency": "EUR" }]),
        ),
        ("/pricing_tiers/0/price", json!([12_000, "EUR"])),
    ] {
        let mut request = good.clone();
        *request.pointer_mut(pointer).unwrap() = array;
        let (field, reason) = field_and_reason(&olga, "/api/events", &request.to_string()).await;
        let place = field.replace(['.', '['], "/").replace(']', "");
        assert_eq!(
            (format!("/{place}").as_str(), reason.as_str()),
            (pointer, "must be an object, not an array")
        );
    }
    let mut request = good.clone();
    request["refund_policy"] = json!([[24, 50]]);
    let (field, _) = field_and_reason(&olga, "/api/events", &request.to_string()).await;
    assert_eq!(field, "refund_policy[0]");

    let pay = format!("/api/reservations/{}/payment", Uuid::nil());
    let (field, _) = field_and_reason(&olga, &pay, r#"{"payment_method": ["card", "tok_visa"]}"#).await;
    assert_eq!(field, "payment_method");
    let refund = format!("/api/payments/{}/refund", Uuid::nil());
    let (field, _) = field_and_reason(&ada, &refund, r#"{"amount": [100, "EUR"], "reason": "x"}"#).await;
    assert_eq!(field, "amount");
    let complete = "/api/auth/passkey/login/complete";
    let (field, _) = field_and_reason(&olga, complete, r#"{"challenge_id": "x", "credential": ["x"]}"#).await;
    assert_eq!(field, "credential");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_body_is_told_at_once_and_in_the_words_of_json() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let body = json!({
        "name": 7,
        "starts_at": "tomorrow",
        "venue": { "name": "Sportpaleis", "city": null, "country": "BE", "colour": "red" },
        "sections": [
            { "name": "VIP", "seating": { "kind": "numbered", "rows": "A" } },
            { "name": "General", "seating": { "kind": "standing", "capacity": 5 } },
            { "name": "Roof", "seating": { "kind": "general_admission", "capacity": 2.5 } },
        ],
        "pricing_tiers": [{ "section": "VIP", "tier": "regular", "price": { "amount": "25", "currency": "EUR" } }],
        "hold_seconds": "300",
        "max_seats_per_order": 4_294_967_296_u64,
        "refund_policy": {},
    });
    let refused = olga.post("/api/events", body).await;
    let details = refused.refused(400, "INVALID_REQUEST");
    let told: Vec<_> = details["errors"].as_array().unwrap().iter().collect();
    let told: Vec<_> = told
        .iter()
        .map(|error| {
            format!(
                "{} {}",
                error["field"].as_str().unwrap(),
                error["reason"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "name must be a string, not a number",
            "currency is missing",
            "starts_at must be a time with its offset, such as 2027-05-01T18:00:00Z",
            "venue.city must be a string, not null",
            "venue.timezone is missing",
            "venue.colour is unknown: the fields that are allowed here are name, city, country, timezone",
            "sections[0].seating.rows must be an array, not a string",
            "sections[1].seating.kind must be one of numbered, general_admission",
            "sections[2].seating.capacity must be a whole number from 0 to 2147483647",
            "pricing_tiers[0].price.amount must be a whole number of minor units, such as 2500 for 25.00, not a string",
            "hold_seconds must be a whole number from 0 to 2147483647, not a string",
            "max_seats_per_order must be a whole number from 0 to 2147483647",
            "refund_policy must be an array, not an object",
        ]
    );
    assert_eq!(
        (&details["field"], &details["reason"]),
        (&json!("name"), &json!("must be a string, not a number"))
    );
    assert!(
        refused.text("message").ends_with("(and 12 more)"),
        "{}",
        refused.text("message")
    );

    let many = json!({ "sections": vec![json!(1); 10_000] });
    let refused = olga.post("/api/events", many).await;
    assert_eq!(
        refused.refused(400, "INVALID_REQUEST")["errors"]
            .as_array()
            .unwrap()
            .len(),
        20
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_no_json_is_told_where_it_stops_being_it() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    for (body, told) in [
        ("{\"name\": \"x\",}", "is not JSON: trailing comma at line 1 column 14"),
        (
            "{\n  \"name\": 'x'}",
            "is not JSON: a value is expected at line 2 column 11",
        ),
        (
            "{\"name\": NaN}",
            "is not JSON: a value is expected at line 1 column 10",
        ),
    ] {
        let told = ("body".to_owned(), told.to_owned());
        assert_eq!(field_and_reason(&olga, "/api/events", body).await, told, "{body}");
    }
    let (_, reason) = field_and_reason(&olga, "/api/events", "{\"name\": \"x\", \"name\": \"y\"}").await;
    assert_eq!(reason, "is given twice");
    let credential = r#"{"challenge_id": "x", "credential": {"id": "a", "id": "b"}}"#;
    let (field, reason) = field_and_reason(&olga, "/api/auth/passkey/login/complete", credential).await;
    assert_eq!(
        (field.as_str(), reason.as_str()),
        ("credential", "has two fields of the same name")
    );
}

#[tokio::test(start_paused = true)]
async fn a_byte_order_mark_before_a_body_changes_nothing() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let marked = format!("\u{feff}{}", event_request(&server.in_days(60)));
    olga.post("/api/events", marked.as_str()).await.expect(201);
    let (_, reason) = field_and_reason(&olga, "/api/events", "\u{feff}\u{feff}{}").await;
    assert!(reason.starts_with("is not JSON"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn an_id_has_one_spelling_in_paths_bodies_and_headers() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let alice = server.customer("alice").await;
    let event = server.event_on_sale(&olga).await;
    let others = [
        format!("{{{event}}}"),
        format!("urn:uuid:{event}"),
        event.replace('-', ""),
        format!(" {event}"),
    ];
    for other in others {
        let in_path = other.replace('{', "%7B").replace('}', "%7D").replace(' ', "%20");
        for path in ["", "/availability", "/sections/VIP", "/analytics"] {
            let refused = olga.get(&format!("/api/events/{in_path}{path}")).await;
            assert_eq!(refused.refused(400, "INVALID_REQUEST")["field"], "id", "{other}{path}");
        }
        let refused = alice.reserve(&other, "General", 1).await;
        assert_eq!(refused.refused(400, "INVALID_REQUEST")["field"], "event_id", "{other}");
        let refused = alice.pay(&in_path, "tok_visa").await;
        assert_eq!(refused.refused(400, "INVALID_REQUEST")["field"], "id", "{other}");
        let customer = json!({ "event_id": event, "section": "VIP", "quantity": 1, "customer_id": other });
        let refused = alice.post("/api/reservations", customer).await;
        assert_eq!(
            refused.refused(400, "INVALID_REQUEST")["field"],
            "customer_id",
            "{other}"
        );
    }
    olga.get(&format!("/api/events/{}", event.to_uppercase()))
        .await
        .expect(200);
}

#[tokio::test(start_paused = true)]
async fn a_body_over_the_limit_is_too_large_and_one_at_the_limit_is_read() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let limit = 256 * 1024;
    let padded = |length: usize| {
        let body = event_request(&server.in_days(60)).to_string();
        let padding = " ".repeat(length - body.len());
        body + &padding
    };
    olga.post("/api/events", padded(limit).as_str()).await.expect(201);
    let refused = olga.post("/api/events", padded(limit + 1).as_str()).await;
    refused.refused(413, "PAYLOAD_TOO_LARGE");
    assert!(!refused.header("x-correlation-id").is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_no_uuid_is_a_malformed_request() {
    let server = TestServer::start();
    let alice = server.customer("alice").await;
    for path in [
        "/api/events/42",
        "/api/events/x/availability",
        "/api/events/x/sections/VIP",
        "/api/events/%FF",
        "/api/reservations/not-a-uuid",
        "/api/payments/00000000-0000-0000-0000-00000000000",
        "/api/customers/me/history",
    ] {
        alice.get(path).await.refused(400, "INVALID_REQUEST");
    }
    alice
        .pay("not-a-uuid", "tok_visa")
        .await
        .refused(400, "INVALID_REQUEST");
}

#[tokio::test(start_paused = true)]
async fn a_query_that_makes_no_sense_is_refused_by_name() {
    let server = TestServer::start();
    let alice = server.customer("alice").await;
    let cases = [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=99999999999", "page"),
        ("page=one", "page"),
        ("page=", "page"),
        ("per_page=0", "per_page"),
        ("per_page=101", "per_page"),
        ("per_page=100000", "per_page"),
        ("per_page=2.5", "per_page"),
    ];
    for list in ["/api/events", "/api/reservations", "/api/payments"] {
        for (query, field) in cases {
            let refused = alice.get(&format!("{list}?{query}")).await;
            assert_eq!(
                refused.refused(400, "INVALID_REQUEST")["field"],
                field,
                "{list}?{query}"
            );
        }
        for query in ["sort=name", "page=1&page=2"] {
            alice
                .get(&format!("{list}?{query}"))
                .await
                .refused(400, "INVALID_REQUEST");
        }
    }
    let cases = [
        ("status=cheap", "status"),
        ("status=", "status"),
        ("status=published,", "status"),
        ("status=published,cheap", "status"),
        ("status=published&status=draft", "status"),
        ("when=", "when"),
        ("when=tomorrow", "when"),
        ("from=2027-05-01", "from"),
        ("to=2027-05-01T18:00:60Z", "to"),
    ];
    for (query, field) in cases {
        let refused = alice.get(&format!("/api/events?{query}")).await;
        assert_eq!(refused.refused(400, "INVALID_REQUEST")["field"], field, "{query}");
    }
    for from in ["2027-05-01T18:00:00Z", "2027-05-02T18:00:00Z"] {
        let refused = alice
            .get(&format!("/api/events?from={from}&to=2027-05-01T18:00:00Z"))
            .await;
        let errors = refused.refused(422, "VALIDATION_FAILED")["errors"].clone();
        assert_eq!(errors, json!([{ "field": "to", "reason": "must be later than from" }]));
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_page_that_can_be_asked_for_is_empty() {
    let server = TestServer::start();
    let path = format!("/api/events?page={}&per_page=100", i32::MAX);
    assert_eq!(server.stranger().get(&path).await.expect(200).body["events"], json!([]));
    let refused = server.stranger().get("/api/events?page=2147483648").await;
    assert_eq!(refused.refused(400, "INVALID_REQUEST")["field"], "page");
}

#[tokio::test(start_paused = true)]
async fn a_consistency_token_is_one_that_a_write_has_answered_with() {
    let server = TestServer::start();
    let alice = server.customer("alice").await;
    for token in ["x", "42", "p1.", "p1.-1", "p2.1", "c1.", "c1.AAAA", "c2.AAAA"] {
        let headers = [("ticketing-consistency", token)];
        let read = alice.get_with("/api/events", &headers).await;
        assert_eq!(read.refused(400, "INVALID_REQUEST")["field"], "Ticketing-Consistency");
        let write = alice.post_with("/api/reservations", &headers, json!({})).await;
        assert_eq!(write.refused(400, "INVALID_REQUEST")["field"], "Ticketing-Consistency");
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_without_content_takes_an_empty_body_or_an_empty_object() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let event = server.draft(&olga).await;
    olga.post(&format!("/api/events/{event}/publish"), json!({}))
        .await
        .expect(200);
    olga.post(&format!("/api/events/{event}/sales/open"), ())
        .await
        .expect(200);
    let unknown = olga
        .post(&format!("/api/events/{event}/sales/close"), json!({ "when": "now" }))
        .await;
    unknown.refused(400, "INVALID_REQUEST");
    let nobody = format!("/api/reservations/{}/payment", Uuid::nil());
    olga.post(&nobody, json!({ "payment_id": 5 }))
        .await
        .refused(400, "INVALID_REQUEST");
}
