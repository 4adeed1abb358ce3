use serde_json::json;

use crate::support::{TestServer, event_request};

const ROLES: &str = "/api/auth/roles";

#[tokio::test(start_paused = true)]
async fn an_administrator_makes_a_customer_an_event_owner_who_creates_an_event() {
    let server = TestServer::start();
    let (ada, olga) = (server.admin("ada").await, server.customer("olga").await);
    let event = event_request(&server.in_days(60));
    olga.post("/api/events", event.clone()).await.refused(403, "FORBIDDEN");
    let given = ada
        .post(ROLES, json!({ "email": "Olga@example.com", "role": "event_owner" }))
        .await;
    assert_eq!(given.expect(200).body["role"], "event_owner");
    assert_eq!(given.body["id"], olga.id().to_string());
    olga.get("/api/auth/me").await.refused(401, "UNAUTHENTICATED");
    let olga = server.owner("olga").await;
    olga.post("/api/events", event).await.expect(201);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_somebody_has_already_ends_the_sessions_too_as_an_earlier_change_may_have_died_before() {
    let server = TestServer::start();
    let (ada, olga) = (server.admin("ada").await, server.owner("olga").await);
    let body = json!({ "email": "olga@example.com", "role": "event_owner" });
    ada.post(ROLES, body).await.expect(200);
    olga.get("/api/auth/me").await.refused(401, "UNAUTHENTICATED");
}

#[tokio::test(start_paused = true)]
async fn nobody_gives_a_role_to_oneself_or_to_nobody_and_no_role_that_does_not_exist() {
    let server = TestServer::start();
    let (ada, bob) = (server.admin("ada").await, server.customer("bob").await);
    let give = |email: &str, role: &str| json!({ "email": email, "role": role });
    let own = ada.post(ROLES, give("ada@example.com", "customer")).await;
    assert_eq!(own.refused(403, "FORBIDDEN")["reason"], "own_role");
    ada.post(ROLES, give("nobody@example.com", "admin"))
        .await
        .refused(404, "NOT_FOUND");
    let unknown = ada.post(ROLES, give("bob@example.com", "owner")).await;
    assert_eq!(unknown.refused(400, "INVALID_REQUEST")["field"], "role");
    // Somebody who is no administrator gets the same refusal whether the address has an account or not.
    for email in ["bob@example.com", "nobody@example.com"] {
        let refused = bob.post(ROLES, give(email, "admin")).await;
        assert_eq!(refused.refused(403, "FORBIDDEN")["reason"], "administrators_only");
    }
    ada.get("/api/auth/me").await.expect(200);
}
