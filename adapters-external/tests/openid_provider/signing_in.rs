//! A sign-in that succeeds: what the browser carries, who the provider says it is, and whose address is vouched for.

use serde_json::{Value, json};
use ticketing_ports::outside::identity_providers::IdentityProvider;
use url::Url;

use super::issuer::Issuer;
use super::shop::Shop;

#[tokio::test]
async fn a_right_answer_is_claims() {
    let issuer = Issuer::open().await;
    let claims = Shop::at(&issuer).sign_in().await.unwrap();
    assert_eq!(claims.issuer, issuer.address);
    assert_eq!(claims.subject, "ada");
    let address = claims.address.unwrap();
    assert_eq!(address.address.as_str(), "ada@example.com");
    assert!(address.vouched_for);
}

#[tokio::test]
async fn the_browser_carries_state_nonce_and_challenge_and_never_the_verifier() {
    let issuer = Issuer::open().await;
    let shop = Shop::at(&issuer);
    let url = shop.provider.authorization_url(&shop.request).await.unwrap();
    let url = Url::parse(&url).unwrap();
    let asked = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    assert_eq!(asked("state"), shop.request.state.expose());
    assert_eq!(asked("nonce"), shop.request.nonce.expose());
    assert_eq!(asked("scope"), "openid email");
    assert_eq!(asked("redirect_uri"), "https://tickets.example/api/auth/oauth/callback");
    assert!(!url.as_str().contains(&shop.request.code_verifier.expose()));
    assert!(!url.as_str().contains("secret"));
}

#[tokio::test]
async fn the_secret_goes_where_the_issuer_wants_it() {
    for methods in [
        json!(["client_secret_post"]),
        json!(["client_secret_basic", "client_secret_post"]),
        json!(["private_key_jwt", "client_secret_post"]),
    ] {
        let issuer = Issuer::open().await;
        issuer.configures("token_endpoint_auth_methods_supported", methods);
        Shop::at(&issuer).sign_in().await.unwrap();
    }
}

#[tokio::test]
async fn an_address_is_vouched_for_only_when_the_provider_says_so() {
    for (verified, trust_email, vouched_for) in [
        (Value::Null, true, false),
        (json!(false), true, false),
        (json!("false"), true, false),
        (json!(true), true, true),
        (json!("true"), true, true),
        (json!(true), false, false),
        (json!(false), false, false),
        (Value::Null, false, false),
    ] {
        for in_the_token in [true, false] {
            let issuer = Issuer::open().await;
            if in_the_token {
                issuer.claims("email_verified", verified.clone());
            } else {
                issuer.claims("email", Value::Null);
                issuer.tells_about_the_user("email", json!("ada@example.com"));
                issuer.tells_about_the_user("email_verified", verified.clone());
            }
            let shop = Shop::with(&issuer, |settings| settings.trust_email = trust_email);
            let address = shop.sign_in().await.unwrap().address.unwrap();
            assert_eq!(address.address.as_str(), "ada@example.com");
            assert_eq!(
                address.vouched_for, vouched_for,
                "{verified} {trust_email} {in_the_token}"
            );
        }
    }
}

#[tokio::test]
async fn somebody_without_an_address_that_we_can_write_to_has_none() {
    let issuer = Issuer::open().await;
    issuer.claims("email", Value::Null);
    assert_eq!(Shop::at(&issuer).sign_in().await.unwrap().address, None);
    issuer.configures("userinfo_endpoint", Value::Null);
    assert_eq!(Shop::at(&issuer).sign_in().await.unwrap().address, None);
    issuer.claims("email", json!("ada@example.com\r\nBcc: eve@example.com"));
    assert_eq!(Shop::at(&issuer).sign_in().await.unwrap().address, None);
}
