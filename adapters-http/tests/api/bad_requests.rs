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
            "sections[1].seating",
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
        (missing.to_string(), "body"),
        ("null".to_owned(), "body"),
        ("[]".to_owned(), "body"),
        ("{}{}".to_owned(), "body"),
        (String::new(), "body"),
    ];
    for (body, expected) in cases {
        let (field, reason) = field_and_reason(&olga, "/api/events", &body).await;
        let name = expected.rsplit('.').next().unwrap();
        assert!(
            field == expected || reason.contains(name),
            "{expected}: {field}: {reason}"
        );
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
async fn a_body_that_does_not_say_it_is_json_is_refused() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let body = event_request(&server.in_days(60));
    for content_type in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "multipart/form-data",
    ] {
        let refused = olga
            .post_with("/api/events", &[("content-type", content_type)], body.clone())
            .await;
        assert_eq!(
            refused.refused(400, "INVALID_REQUEST")["field"],
            "Content-Type",
            "{content_type}"
        );
    }
    let charset = [("content-type", "Application/JSON; charset=utf-8")];
    olga.post_with("/api/events", &charset, body).await.expect(201);
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
    let refused = alice.get("/api/events?status=cheap").await;
    assert_eq!(refused.refused(400, "INVALID_REQUEST")["field"], "status");
}

#[tokio::test(start_paused = true)]
async fn the_last_page_that_can_be_asked_for_is_empty() {
    let server = TestServer::start();
    let path = format!("/api/events?page={}&per_page=100", u32::MAX);
    assert_eq!(server.stranger().get(&path).await.expect(200).body["events"], json!([]));
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
