//! A provider that is silent, broken or not there is unavailable, and may come back at any time.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use futures::future::join_all;
use serde_json::{Value, json};
use ticketing_ports::outside::identity_providers::IdentityProvider;

use super::issuer::{Fault, Issuer, Place};
use super::shop::{Shop, impatient};

#[tokio::test]
async fn a_crowd_at_a_silent_provider_waits_once_and_not_one_after_another() {
    let issuer = Issuer::open().await;
    issuer.is_broken(Place::Configuration, Fault::Silent);
    let shop = Shop::with(&issuer, impatient);
    let began = Instant::now();
    let outcomes = join_all((0..100).map(|_| shop.provider.authorization_url(&shop.request))).await;
    for outcome in outcomes {
        shop.is_unavailable(outcome, "silent");
    }
    assert_eq!(issuer.visits(Place::Configuration), 1);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    issuer.is_repaired();
    shop.with_patience().sign_in().await.unwrap();
}

#[tokio::test]
async fn a_slow_or_huge_answer_is_unavailable() {
    for place in [Place::Configuration, Place::Keys, Place::Token, Place::UserInfo] {
        for (fault, name) in [
            (Fault::Silent, "silent"),
            (Fault::Huge, "huge"),
            (Fault::HugeWithoutLength, "huge without a length"),
            (Fault::Status(500), "status 500"),
            (Fault::Status(503), "status 503"),
            (Fault::Status(429), "status 429"),
            (Fault::Redirect, "a redirection"),
        ] {
            let issuer = Issuer::open().await;
            issuer.claims("email", Value::Null);
            let silent = matches!(fault, Fault::Silent);
            issuer.is_broken(place, fault);
            let shop = if silent {
                Shop::with(&issuer, impatient)
            } else {
                Shop::at(&issuer)
            };
            shop.is_unavailable(shop.sign_in().await, name);
        }
    }
}

#[tokio::test]
async fn a_configuration_that_is_none_is_unavailable_and_that_of_another_is_refused() {
    for body in ["", "{}", "[]", "<html>", "{\"issuer\": 1}"] {
        let issuer = Issuer::open().await;
        issuer.is_broken(Place::Configuration, Fault::Says(StatusCode::OK, body));
        let shop = Shop::at(&issuer);
        shop.is_unavailable(shop.sign_in().await, body);
    }
    let issuer = Issuer::open().await;
    issuer.configures("token_endpoint", Value::Null);
    let shop = Shop::at(&issuer);
    shop.is_unavailable(shop.sign_in().await, "no token endpoint");

    issuer.configures("issuer", json!("https://another.example"));
    shop.is_refused(shop.sign_in().await, "names another issuer", "");
}

#[tokio::test]
async fn a_provider_that_is_down_stops_nobodys_start_and_may_come_later() {
    let (issuer, listener) = Issuer::closed().await;
    let shop = Shop::with(&issuer, impatient);
    shop.is_unavailable(shop.sign_in().await, "not yet there");
    issuer.serve(listener);
    shop.with_patience().sign_in().await.unwrap();
}

#[tokio::test]
async fn a_provider_where_nobody_listens_is_unavailable() {
    let issuer = Issuer::open().await;
    let shop = Shop::with(&issuer, |settings| settings.issuer = "http://127.0.0.1:1".to_owned());
    shop.is_unavailable(shop.sign_in().await, "nobody listens");
}

#[tokio::test]
async fn a_provider_that_was_down_is_asked_again_at_once() {
    let issuer = Issuer::open().await;
    issuer.is_broken(Place::Keys, Fault::Status(503));
    let shop = Shop::at(&issuer);
    shop.is_unavailable(shop.sign_in().await, "down");
    issuer.is_repaired();
    shop.sign_in().await.unwrap();
}
