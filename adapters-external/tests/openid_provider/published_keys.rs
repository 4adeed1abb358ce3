//! What a provider publishes, its configuration and its keys: how long it is kept, and when it is looked up again.

use chrono::TimeDelta;
use futures::future::join_all;
use ticketing_ports::outside::identity_providers::IdentityProvider;

use super::issuer::{Issuer, Place, Signing};
use super::shop::Shop;

#[tokio::test]
async fn keys_may_rotate() {
    let issuer = Issuer::open().await;
    let shop = Shop::at(&issuer);
    shop.sign_in().await.unwrap();
    issuer.rotates_keys();
    shop.sign_in().await.unwrap();
    assert_eq!(issuer.visits(Place::Configuration), 2);

    issuer.rotates_keys();
    shop.clock.advance(TimeDelta::seconds(59));
    shop.is_refused(shop.sign_in().await, "does not publish", "a minute has not passed");
    assert_eq!(issuer.visits(Place::Configuration), 2);
    shop.clock.advance(TimeDelta::seconds(1));
    shop.sign_in().await.unwrap();
    assert_eq!(issuer.visits(Place::Configuration), 3);
}

#[tokio::test]
async fn a_crowd_that_meets_a_new_key_looks_for_it_once() {
    let issuer = Issuer::open().await;
    let shop = Shop::at(&issuer);
    let answer = shop.visit().await;
    issuer.rotates_keys();
    for claims in join_all((0..10).map(|_| shop.provider.claims(&answer))).await {
        claims.unwrap();
    }
    assert_eq!(issuer.visits(Place::Configuration), 2);
}

#[tokio::test]
async fn a_forged_signature_makes_nobody_look_for_keys() {
    let issuer = Issuer::open().await;
    issuer.signs(Signing::Forged);
    let shop = Shop::at(&issuer);
    shop.is_refused(shop.sign_in().await, "signature of the ID token is wrong", "");
    assert_eq!(issuer.visits(Place::Configuration), 1);
}

#[tokio::test]
async fn what_the_provider_publishes_is_kept_for_an_hour_and_looked_up_by_one_of_a_crowd() {
    let issuer = Issuer::open().await;
    let shop = Shop::at(&issuer);
    let crowd = || join_all((0..20).map(|_| shop.provider.authorization_url(&shop.request)));
    assert!(crowd().await.iter().all(Result::is_ok));
    assert_eq!(issuer.visits(Place::Configuration), 1);
    shop.clock.advance(TimeDelta::minutes(59));
    assert!(crowd().await.iter().all(Result::is_ok));
    assert_eq!(issuer.visits(Place::Configuration), 1);
    shop.clock.advance(TimeDelta::minutes(1));
    assert!(crowd().await.iter().all(Result::is_ok));
    assert_eq!(issuer.visits(Place::Configuration), 2);
}
