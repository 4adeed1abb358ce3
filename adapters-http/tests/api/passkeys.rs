use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use futures::future::join_all;
use serde_json::{Value, json};
use ticketing_ports::people::passkeys::{Passkey, PasskeyStore as _};
use url::Url;
use webauthn_authenticator_rs::WebauthnAuthenticator;
use webauthn_authenticator_rs::softpasskey::SoftPasskey;

use crate::support::{Actor, Answer, TestServer};

const BEGIN: &str = "/api/auth/passkey/register/begin";
const COMPLETE: &str = "/api/auth/passkey/register/complete";
const LOGIN: &str = "/api/auth/passkey/login/complete";

/// A browser on our site, with an authenticator in software.
pub(crate) struct Browser(SoftPasskey);

impl Browser {
    pub(crate) fn new() -> Self {
        Self(SoftPasskey::new(true))
    }

    fn origin() -> Url {
        Url::parse("https://tickets.example").unwrap()
    }

    pub(crate) fn create(&mut self, begun: &Answer) -> Value {
        let options = serde_json::from_value(begun.body["options"].clone()).unwrap();
        let answer = self.0.do_registration(Self::origin(), options).unwrap();
        json!({ "challenge_id": begun.body["challenge_id"], "name": "Laptop", "credential": answer })
    }

    async fn register(&mut self, actor: &Actor) -> Answer {
        let begun = actor.post(BEGIN, json!({})).await;
        actor.post(COMPLETE, self.create(begun.expect(200))).await
    }

    /// Answers a sign-in challenge with the credential `id`, and claims that the credential belongs to `user`.
    pub(crate) fn get(&mut self, begun: &Answer, id: &str, user: uuid::Uuid) -> Value {
        let mut options = begun.body["options"].clone();
        options["publicKey"]["allowCredentials"] = json!([{ "type": "public-key", "id": id }]);
        let options = serde_json::from_value(options).unwrap();
        let answer = self.0.do_authentication(Self::origin(), options).unwrap();
        let mut credential = serde_json::to_value(answer).unwrap();
        credential["response"]["userHandle"] = json!(URL_SAFE_NO_PAD.encode(user.as_bytes()));
        // Adds a field that real browsers send and the WebAuthn library does not know: the server must accept it.
        credential["authenticatorAttachment"] = json!("platform");
        json!({ "challenge_id": begun.body["challenge_id"], "credential": credential })
    }
}

async fn begin_login(server: &TestServer) -> Answer {
    let begun = server.stranger().post("/api/auth/passkey/login/begin", json!({})).await;
    begun.expect(200);
    begun
}

#[tokio::test(start_paused = true)]
async fn ada_makes_a_passkey_and_signs_in_with_it_without_saying_who_she_is() {
    let server = TestServer::start();
    let (ada, mut browser) = (server.customer("ada").await, Browser::new());
    let made = browser.register(&ada).await;
    let id = made.expect(201).text("id");
    assert_eq!(made.header("location"), format!("/api/auth/passkeys/{id}"));
    assert_eq!(made.body["name"], "Laptop");

    server.pass(TimeDelta::seconds(1));
    let begun = begin_login(&server).await;
    let session = server
        .stranger()
        .post(LOGIN, browser.get(&begun, &id, ada.id().uuid()))
        .await;
    assert_eq!(session.expect(200).body["email"], "ada@example.com");
    let again = server.stranger().with_session(&session.text("session_id"));
    let sessions = again.get("/api/auth/sessions").await;
    assert_eq!(sessions.expect(200).body["sessions"][0]["method"], "passkey");
    assert_eq!(sessions.body["sessions"][0]["current"], true);
    let listed = again.get("/api/auth/passkeys").await;
    assert!(listed.expect(200).body["passkeys"][0]["last_used_at"].is_string());
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_good_once() {
    let server = TestServer::start();
    let (ada, mut browser) = (server.customer("ada").await, Browser::new());
    let id = browser.register(&ada).await.expect(201).text("id");
    let begun = begin_login(&server).await;
    let answer = browser.get(&begun, &id, ada.id().uuid());
    server.stranger().post(LOGIN, answer.clone()).await.expect(200);
    server
        .stranger()
        .post(LOGIN, answer)
        .await
        .refused(401, "UNAUTHENTICATED");

    let begun = ada.post(BEGIN, json!({})).await;
    let answer = Browser::new().create(begun.expect(200));
    ada.post(COMPLETE, answer.clone()).await.expect(201);
    ada.post(COMPLETE, answer).await.refused(400, "INVALID_REQUEST");
}

#[tokio::test(start_paused = true)]
async fn a_handle_of_somebody_else_signs_nobody_in() {
    let server = TestServer::start();
    let (ada, bob) = (server.customer("ada").await, server.customer("bob").await);
    let mut browser = Browser::new();
    let id = browser.register(&ada).await.expect(201).text("id");
    let begun = begin_login(&server).await;
    let answer = browser.get(&begun, &id, bob.id().uuid());
    server
        .stranger()
        .post(LOGIN, answer)
        .await
        .refused(401, "UNAUTHENTICATED");
}

#[tokio::test(start_paused = true)]
async fn every_answer_that_does_not_hold_is_refused_in_the_same_words() {
    let server = TestServer::start();
    let (ada, mut browser) = (server.customer("ada").await, Browser::new());
    let id = browser.register(&ada).await.expect(201).text("id");
    let mut told = Vec::new();
    let mut unknown = {
        let begun = begin_login(&server).await;
        browser.get(&begun, &id, ada.id().uuid())
    };
    unknown["credential"]["rawId"] = json!("AAAA");
    unknown["credential"]["id"] = json!("AAAA");
    let other_challenge = {
        let answer = browser.get(&begin_login(&server).await, &id, ada.id().uuid());
        let mut other = answer;
        other["challenge_id"] = begin_login(&server).await.body["challenge_id"].clone();
        other
    };
    let late = browser.get(&begin_login(&server).await, &id, ada.id().uuid());
    for answer in [unknown, other_challenge] {
        told.push(server.stranger().post(LOGIN, answer).await);
    }
    server.pass(TimeDelta::minutes(5));
    told.push(server.stranger().post(LOGIN, late).await);
    for answer in &told {
        answer.refused(401, "UNAUTHENTICATED");
        assert_eq!(answer.body, told[0].body);
    }
}

#[tokio::test(start_paused = true)]
async fn beginning_a_login_tells_nothing_about_an_address() {
    let server = TestServer::start();
    server.customer("known").await;
    let begin = |body: Value| {
        let stranger = server.stranger();
        async move { stranger.post("/api/auth/passkey/login/begin", body).await }
    };
    for body in [
        json!({}),
        json!({ "email": "known@example.com" }),
        json!({ "email": "nobody@example.com" }),
    ] {
        let begun = begin(body).await;
        assert_eq!(
            begun.expect(200).body["options"]["publicKey"]["allowCredentials"],
            json!([])
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_passkey_takes_a_fresh_session_and_an_account_has_at_most_ten() {
    let server = TestServer::start();
    let ada = server.customer("ada").await;
    for _ in 0..10 {
        Browser::new().register(&ada).await.expect(201);
    }
    ada.post(BEGIN, json!({})).await.refused(422, "VALIDATION_FAILED");
    let bob = server.customer("bob").await;
    server.pass(TimeDelta::minutes(15));
    let refused = bob.post(BEGIN, json!({})).await;
    assert_eq!(refused.refused(403, "FORBIDDEN")["reason"], "fresh_session_required");
}

#[tokio::test(start_paused = true)]
async fn of_fourteen_registrations_that_end_at_once_ten_make_a_passkey() {
    let server = TestServer::start();
    let ada = server.customer("ada").await;
    let mut answers = Vec::new();
    for _ in 0..14 {
        let begun = ada.post(BEGIN, json!({})).await;
        answers.push(Browser::new().create(begun.expect(200)));
    }
    let made = join_all(answers.into_iter().map(|answer| ada.post(COMPLETE, answer))).await;
    assert_eq!(made.iter().filter(|answer| answer.status == 201).count(), 10);
    for answer in made.iter().filter(|answer| answer.status != 201) {
        answer.refused(422, "VALIDATION_FAILED");
    }
    let listed = ada.get("/api/auth/passkeys").await;
    assert_eq!(listed.expect(200).body["passkeys"].as_array().unwrap().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_does_not_hold_in_a_live_session_is_no_end_of_the_session() {
    let server = TestServer::start();
    let (ada, mut browser) = (server.customer("ada").await, Browser::new());
    let of_another_site = {
        let begun = ada.post(BEGIN, json!({})).await;
        let mut answer = browser.create(begun.expect(200));
        let data = json!({
            "type": "webauthn.create",
            "challenge": begun.body["options"]["publicKey"]["challenge"],
            "origin": "https://evil.example",
        });
        answer["credential"]["response"]["clientDataJSON"] = json!(URL_SAFE_NO_PAD.encode(data.to_string()));
        answer
    };
    let of_another_ceremony = {
        let begun = ada.post(BEGIN, json!({})).await;
        let mut answer = browser.create(begun.expect(200));
        answer["challenge_id"] = ada.post(BEGIN, json!({})).await.body["challenge_id"].clone();
        answer
    };
    for answer in [of_another_site, of_another_ceremony] {
        let refused = ada.post(COMPLETE, answer).await;
        let details = refused.refused(422, "CREDENTIAL_REFUSED");
        assert_eq!(details["errors"][0]["field"], "credential");
    }
    ada.get("/api/auth/me").await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn a_credential_is_registered_for_one_account_only() {
    let server = TestServer::start();
    let (ada, bob, mut browser) = (
        server.customer("ada").await,
        server.customer("bob").await,
        Browser::new(),
    );
    browser.register(&ada).await.expect(201);
    let begun = bob.post(BEGIN, json!({})).await;
    let fresh = browser.create(begun.expect(200));
    let id = fresh["credential"]["rawId"].as_str().unwrap();
    let taken = Passkey {
        credential_id: URL_SAFE_NO_PAD.decode(id).unwrap(),
        user_id: ada.id(),
        name: "the same".to_owned(),
        credential: Vec::new(),
        counter: 0,
        created_at: chrono::DateTime::UNIX_EPOCH,
        last_used_at: None,
        suspect: false,
    };
    server.passkeys.add(taken, 10).await.unwrap();
    bob.post(COMPLETE, fresh).await.refused(409, "RESOURCE_ALREADY_EXISTS");
}

#[tokio::test(start_paused = true)]
async fn a_challenge_of_one_account_makes_no_passkey_for_another() {
    let server = TestServer::start();
    let (ada, bob) = (server.customer("ada").await, server.customer("bob").await);
    let begun = ada.post(BEGIN, json!({})).await;
    let answer = Browser::new().create(begun.expect(200));
    bob.post(COMPLETE, answer).await.refused(400, "INVALID_REQUEST");
}

#[tokio::test(start_paused = true)]
async fn a_removed_passkey_signs_nobody_in_and_ends_the_other_sessions() {
    let server = TestServer::start();
    let (ada, mut browser) = (server.customer("ada").await, Browser::new());
    let id = browser.register(&ada).await.expect(201).text("id");
    let begun = begin_login(&server).await;
    let session = server
        .stranger()
        .post(LOGIN, browser.get(&begun, &id, ada.id().uuid()))
        .await;
    let thief = server.stranger().with_session(&session.expect(200).text("session_id"));
    thief.get("/api/auth/me").await.expect(200);

    let path = format!("/api/auth/passkeys/{id}");
    let renamed = ada.send(Method::PATCH, &path, &[], json!({ "name": "Lost" })).await;
    assert_eq!(renamed.expect(200).body["name"], "Lost");
    let card = json!({ "name": "4111 1111 1111 1111" });
    let refused = ada.send(Method::PATCH, &path, &[], card).await;
    refused.refused(400, "INVALID_REQUEST");
    assert!(!String::from_utf8_lossy(&refused.bytes).contains("1111"));
    ada.send(Method::DELETE, &path, &[], ()).await.expect(200);
    thief.get("/api/auth/me").await.refused(401, "UNAUTHENTICATED");
    ada.get("/api/auth/me").await.expect(200);
    let begun = begin_login(&server).await;
    let answer = browser.get(&begun, &id, ada.id().uuid());
    server
        .stranger()
        .post(LOGIN, answer)
        .await
        .refused(401, "UNAUTHENTICATED");
    ada.send(Method::DELETE, &path, &[], ()).await.refused(404, "NOT_FOUND");
}

#[tokio::test(start_paused = true)]
async fn a_passkey_whose_counter_went_back_is_refused_from_then_on_and_shown_as_suspect() {
    let server = TestServer::start();
    let (ada, mut browser) = (server.customer("ada").await, Browser::new());
    let id = browser.register(&ada).await.expect(201).text("id");
    let credential_id = URL_SAFE_NO_PAD.decode(&id).unwrap();
    let store = server.passkeys.as_ref();
    let known = store.find(&credential_id).await.unwrap().unwrap();
    let seen = known.counter;
    let ahead = Passkey {
        counter: 1_000,
        ..known
    };
    assert!(store.update(ahead, seen).await.unwrap());
    for _ in 0..2 {
        let begun = begin_login(&server).await;
        let answer = browser.get(&begun, &id, ada.id().uuid());
        server
            .stranger()
            .post(LOGIN, answer)
            .await
            .refused(401, "UNAUTHENTICATED");
    }
    let listed = ada.get("/api/auth/passkeys").await;
    assert_eq!(listed.expect(200).body["passkeys"][0]["suspect"], true);
}
