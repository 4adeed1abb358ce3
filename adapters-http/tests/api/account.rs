use axum::http::Method;
use chrono::TimeDelta;

use crate::support::TestServer;

#[tokio::test(start_paused = true)]
async fn an_erased_account_takes_a_fresh_session_and_leaves_the_books() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let ada = server.customer("ada").await;
    let reservation = ada
        .reserve(&event, "General", 1)
        .await
        .expect(201)
        .text("reservation_id");
    server.passkey_of(&ada).await;
    let delete = || ada.send(Method::DELETE, "/api/auth/me", &[], ());
    server.pass(TimeDelta::minutes(15));
    assert_eq!(
        delete().await.refused(403, "FORBIDDEN")["reason"],
        "fresh_session_required"
    );

    let ada = server.customer("ada").await;
    ada.send(Method::DELETE, "/api/auth/me", &[], ()).await.expect(200);
    ada.get("/api/auth/me").await.refused(401, "UNAUTHENTICATED");
    assert_eq!(server.users.find(ada.id()).await.unwrap(), None);
    let passkeys = server.sign_in.accounts.passkeys_of(ada.id()).await.unwrap();
    assert_eq!(passkeys, []);
    let books = server.admin("root").await;
    let kept = books.reservation(&reservation).await;
    assert_eq!(kept.expect(200).body["customer_id"], ada.id().to_string());
}
