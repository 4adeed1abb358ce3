use axum::http::Method;
use serde_json::json;
use uuid::Uuid;

use crate::support::{TestServer, event_request};

#[tokio::test(start_paused = true)]
async fn every_route_that_needs_a_session_refuses_strangers_and_forged_sessions() {
    let server = TestServer::start();
    let stranger = server.stranger();
    let id = Uuid::nil();
    let routes = [
        (Method::POST, "/api/events".to_owned()),
        (Method::POST, format!("/api/events/{id}/publish")),
        (Method::POST, format!("/api/events/{id}/sales/open")),
        (Method::POST, format!("/api/events/{id}/sales/close")),
        (Method::POST, format!("/api/events/{id}/cancel")),
        (Method::GET, format!("/api/events/{id}/analytics")),
        (Method::POST, "/api/reservations".to_owned()),
        (Method::GET, "/api/reservations".to_owned()),
        (Method::GET, format!("/api/reservations/{id}")),
        (Method::POST, format!("/api/reservations/{id}/payment")),
        (Method::POST, format!("/api/reservations/{id}/extend")),
        (Method::POST, format!("/api/reservations/{id}/cancel")),
        (Method::GET, format!("/api/reservations/{id}/history")),
        (Method::POST, "/api/payments".to_owned()),
        (Method::GET, "/api/payments".to_owned()),
        (Method::GET, format!("/api/payments/{id}")),
        (Method::POST, format!("/api/payments/{id}/refund")),
        (Method::GET, format!("/api/customers/{id}/history")),
        (Method::GET, format!("/api/customers/{id}/lifetime-value")),
        (Method::GET, "/api/auth/session".to_owned()),
        (Method::GET, "/api/auth/me".to_owned()),
        (Method::POST, "/api/auth/logout".to_owned()),
    ];
    let forged = format!("Bearer {}", "A".repeat(43));
    for (method, path) in routes {
        for authorization in ["", "Bearer", "Bearer x", "Basic YTpi", forged.as_str()] {
            let refused = stranger
                .send(method.clone(), &path, &[("authorization", authorization)], ())
                .await;
            refused.refused(401, "UNAUTHENTICATED");
            assert_eq!(refused.header("www-authenticate"), "Bearer", "{path}");
            assert_eq!(refused.header("cache-control"), "no-store", "{path}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_public_route_needs_no_session_but_refuses_a_wrong_one() {
    let server = TestServer::start();
    let stranger = server.stranger();
    stranger.get("/api/events").await.expect(200);
    for authorization in ["Bearer x", "Digest abc", &format!("Bearer {}", "A".repeat(43))] {
        let refused = stranger
            .get_with("/api/events", &[("authorization", authorization)])
            .await;
        refused.refused(401, "UNAUTHENTICATED");
    }
}

#[tokio::test(start_paused = true)]
async fn only_organisers_create_events() {
    let server = TestServer::start();
    let request = event_request(&server.in_days(60));
    let refused = server
        .customer("alice")
        .await
        .post("/api/events", request.clone())
        .await;
    refused.refused(403, "FORBIDDEN");
    server
        .owner("olga")
        .await
        .post("/api/events", request.clone())
        .await
        .expect(201);
    server.admin("ada").await.post("/api/events", request).await.expect(201);
}

#[tokio::test(start_paused = true)]
async fn a_draft_exists_only_for_who_may_manage_it() {
    let server = TestServer::start();
    let (olga, otto) = (server.owner("olga").await, server.owner("otto").await);
    let (ada, alice) = (server.admin("ada").await, server.customer("alice").await);
    let stranger = server.stranger();
    let event = server.draft(&olga).await;
    let pages = ["", "/availability", "/sections/VIP"].map(|page| format!("/api/events/{event}{page}"));

    for page in &pages {
        for person in [&stranger, &alice, &otto] {
            person.get(page).await.refused(404, "EVENT_NOT_FOUND");
        }
        for person in [&olga, &ada] {
            person.get(page).await.expect(200);
        }
    }
    for person in [&alice, &otto] {
        person
            .get(&format!("/api/events/{event}/analytics"))
            .await
            .refused(404, "EVENT_NOT_FOUND");
        let commands = ["publish", "sales/open", "sales/close", "cancel"];
        for command in commands {
            let refused = person.post(&format!("/api/events/{event}/{command}"), ()).await;
            refused.refused(404, "EVENT_NOT_FOUND");
        }
        person
            .reserve(&event, "General", 1)
            .await
            .refused(404, "EVENT_NOT_FOUND");
    }
    for (person, seen) in [(&stranger, 0), (&alice, 0), (&otto, 0), (&olga, 1), (&ada, 1)] {
        assert_eq!(
            person.get("/api/events?status=draft").await.expect(200).body["total"],
            seen
        );
        assert_eq!(person.get("/api/events").await.expect(200).body["total"], seen);
    }
}

#[tokio::test(start_paused = true)]
async fn a_public_event_is_managed_by_its_owner_and_admins_alone() {
    let server = TestServer::start();
    let (olga, otto) = (server.owner("olga").await, server.owner("otto").await);
    let (ada, alice) = (server.admin("ada").await, server.customer("alice").await);
    let event = server.event_on_sale(&olga).await;
    for person in [&otto, &alice] {
        for command in ["publish", "sales/open", "sales/close", "cancel"] {
            let refused = person.post(&format!("/api/events/{event}/{command}"), ()).await;
            refused.refused(403, "FORBIDDEN");
        }
        person
            .get(&format!("/api/events/{event}/analytics"))
            .await
            .refused(403, "FORBIDDEN");
    }
    ada.post(&format!("/api/events/{event}/sales/close"), ())
        .await
        .expect(200);
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_reservation_and_payment_cannot_be_told_from_none() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let (ada, alice, bob) = (
        server.admin("ada").await,
        server.customer("alice").await,
        server.customer("bob").await,
    );
    let event = server.event_on_sale(&olga).await;
    let reservation = alice
        .reserve(&event, "General", 1)
        .await
        .expect(201)
        .text("reservation_id");
    let payment = alice.pay(&reservation, "tok_visa").await.expect(200).text("payment_id");
    let history = format!("/api/reservations/{reservation}/history");
    let payment = format!("/api/payments/{payment}");

    for person in [&bob, &olga] {
        person
            .reservation(&reservation)
            .await
            .refused(404, "RESERVATION_NOT_FOUND");
        person.get(&history).await.refused(404, "RESERVATION_NOT_FOUND");
        person
            .pay(&reservation, "tok_visa")
            .await
            .refused(404, "RESERVATION_NOT_FOUND");
        person.cancel(&reservation).await.refused(404, "RESERVATION_NOT_FOUND");
        let method = json!({ "type": "card", "token": "tok_visa" });
        let request = json!({ "reservation_id": reservation, "payment_method": method });
        person
            .post("/api/payments", request)
            .await
            .refused(404, "RESERVATION_NOT_FOUND");
        person.get(&payment).await.refused(404, "PAYMENT_NOT_FOUND");
    }
    ada.reservation(&reservation).await.expect(200);
    ada.get(&history).await.expect(200);
    ada.get(&payment).await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_changes_counts_within_a_second() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let request = event_request(&server.in_days(60));
    olga.post("/api/events", request.clone()).await.expect(201);

    server
        .users
        .set_role(olga.id(), ticketing_ports::vocabulary::roles::Role::Customer)
        .await
        .unwrap();
    server.pass(chrono::TimeDelta::seconds(1));
    olga.post("/api/events", request).await.refused(403, "FORBIDDEN");
}
