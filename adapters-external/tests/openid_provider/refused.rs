//! Answers that are refused: forged, made for somebody else, or none at all. No error shows a token.

use axum::http::StatusCode;
use serde_json::{Value, json};
use ticketing_ports::outside::identity_providers::{AuthorizationAnswer, IdentityProvider};

use super::issuer::{ACCESS_TOKEN, CLIENT_ID, CODE, Fault, Issuer, NOW, Place, Signing};
use super::shop::{Shop, secret};

#[tokio::test]
async fn an_answer_is_claims_only_when_everything_fits() {
    let wrong: [(&str, Value, &str); 11] = [
        ("nonce", json!("another"), "nonce"),
        ("aud", json!("another"), "audience"),
        ("aud", json!([CLIENT_ID, "another"]), "audience"),
        ("aud", json!([]), "audience"),
        ("azp", json!("another"), "made for another client"),
        ("iss", json!("https://another.example"), "issuer"),
        ("exp", json!(NOW), "expired"),
        ("exp", json!(NOW - 1), "expired"),
        ("exp", Value::Null, "has no tokens"),
        ("sub", Value::Null, "has no tokens"),
        ("iss", Value::Null, "has no tokens"),
    ];
    for (claim, value, reason) in wrong {
        let issuer = Issuer::open().await;
        issuer.claims(claim, value.clone());
        let shop = Shop::at(&issuer);
        shop.is_refused(shop.sign_in().await, reason, &format!("{claim} = {value}"));
    }
}

/// Lets a sign-in fail after the provider has issued all its tokens, and checks that the error prints no token and no
/// secret. The other tests check each error that they meet in the same way.
#[tokio::test]
async fn errors_show_no_token() {
    let issuer = Issuer::open().await;
    issuer.claims("nonce", json!("another"));
    let shop = Shop::at(&issuer);
    let error = shop.sign_in().await.unwrap_err();
    assert!(!issuer.last_id_token().is_empty());
    shop.shown_without_secrets(&error);
}

#[tokio::test]
async fn a_signature_that_only_the_provider_could_have_made_is_needed() {
    for (signing, name) in [
        (Signing::Forged, "another key under the same name"),
        (Signing::Unsigned, "alg: none"),
        (Signing::SharedSecret, "the client secret"),
    ] {
        let issuer = Issuer::open().await;
        issuer.signs(signing);
        let shop = Shop::at(&issuer);
        shop.is_refused(shop.sign_in().await, "signature of the ID token is wrong", name);
    }
}

#[tokio::test]
async fn a_wrong_code_or_verifier_is_refused_however_the_issuer_echoes_it() {
    let issuer = Issuer::open().await;
    let shop = Shop::at(&issuer);
    let answer = shop.visit().await;
    let wrong_code = AuthorizationAnswer {
        code: format!("{CODE}!"),
        ..answer.clone()
    };
    let wrong_verifier = AuthorizationAnswer {
        code_verifier: secret(9),
        ..answer
    };
    for answer in [wrong_code, wrong_verifier] {
        let refused = shop.provider.claims(&answer).await;
        shop.is_refused(refused, "refused the code", "");
    }
}

#[tokio::test]
async fn an_answer_that_names_another_issuer_trades_no_code() {
    let issuer = Issuer::open().await;
    let shop = Shop::at(&issuer);
    let mut answer = shop.visit().await;
    for other in ["https://another.example", "", &format!("{}/", issuer.address)] {
        answer.issuer = Some(other.to_owned());
        shop.is_refused(shop.provider.claims(&answer).await, "names another issuer", other);
    }
    assert_eq!(issuer.visits(Place::Token), 0);
    answer.issuer = Some(issuer.address.clone());
    shop.provider.claims(&answer).await.unwrap();
}

#[tokio::test]
async fn an_issuer_that_promises_to_name_itself_has_to() {
    let issuer = Issuer::open().await;
    issuer.configures("authorization_response_iss_parameter_supported", json!(true));
    let shop = Shop::at(&issuer);
    let mut answer = shop.visit().await;
    shop.is_refused(shop.provider.claims(&answer).await, "does not name its issuer", "");
    assert_eq!(issuer.visits(Place::Token), 0);
    answer.issuer = Some(issuer.address.clone());
    shop.provider.claims(&answer).await.unwrap();
}

#[tokio::test]
async fn what_is_told_about_another_user_is_refused() {
    let issuer = Issuer::open().await;
    issuer.claims("email", Value::Null);
    issuer.tells_about_the_user("sub", json!("eve"));
    let shop = Shop::at(&issuer);
    shop.is_refused(shop.sign_in().await, "names another user", "");
}

#[tokio::test]
async fn an_access_token_that_fits_into_no_header_is_refused_without_a_panic() {
    let issuer = Issuer::open().await;
    issuer.claims("email", Value::Null);
    issuer.gives_access_token(&format!("{ACCESS_TOKEN}\r\nx: y"));
    let shop = Shop::at(&issuer);
    shop.is_refused(
        shop.sign_in().await,
        "the provider's access token has characters that no token may have",
        "",
    );
}

#[tokio::test]
async fn tokens_that_are_none_are_refused() {
    for body in [
        "",
        "{}",
        "[]",
        r#"{"access_token": "the-access-token-of-ada", "token_type": 7}"#,
        r#"{"access_token": "the-access-token-of-ada", "token_type": "Bearer"}"#,
        r#"{"access_token": "the-access-token-of-ada", "token_type": "Bearer", "id_token": "the-code-of-ada"}"#,
        r#"{"access_token": "the-access-token-of-ada", "token_type": "Bearer", "id_token": "e30.e30."}"#,
        r#"{"error": "the-access-token-of-ada", "error_uri": "the-code-of-ada"}"#,
    ] {
        for status in [StatusCode::OK, StatusCode::BAD_REQUEST] {
            let issuer = Issuer::open().await;
            issuer.is_broken(Place::Token, Fault::Says(status, body));
            let shop = Shop::at(&issuer);
            shop.is_refused(shop.sign_in().await, "", body);
        }
    }
}
