//! Settings that make no provider, and a secret that no debug output shows.

use std::sync::Arc;

use adapters_external::{InvalidIdentityProvider, OpenIdProvider, OpenIdSettings};
use adapters_memory::ManualClock;

use super::issuer::{CLIENT_ID, CLIENT_SECRET};
use super::shop::callback;

#[test]
fn an_issuer_that_is_no_address_is_no_provider() {
    for issuer in [
        "",
        "accounts.google.com",
        "ftp://issuer.example",
        "mailto:ada@example.com",
    ] {
        let settings = OpenIdSettings {
            issuer: issuer.to_owned(),
            ..OpenIdSettings::google(CLIENT_ID.to_owned(), CLIENT_SECRET.into(), callback())
        };
        let refused = OpenIdProvider::new(settings, Arc::new(ManualClock::default())).unwrap_err();
        assert!(
            matches!(refused, InvalidIdentityProvider::NotAWebAddress { .. }),
            "{refused:?}"
        );
    }
}

#[test]
fn debug_output_shows_no_client_secret() {
    let settings = OpenIdSettings::google(CLIENT_ID.to_owned(), CLIENT_SECRET.into(), callback());
    let provider = OpenIdProvider::new(settings, Arc::new(ManualClock::default())).unwrap();
    assert_eq!(provider.name(), "google");
    assert!(!format!("{provider:?}").contains(CLIENT_SECRET));
}
