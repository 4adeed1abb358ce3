//! The public address of the shop decides what a passkey is good for.

use adapters_external::{InvalidRelyingParty, WebauthnRelyingParty};
use url::Url;

use super::browser::{Browser, options_of_login};

#[test]
fn the_public_url_decides_relying_party_and_origin() {
    for (public_url, id, origin) in [
        ("http://localhost:8080", "localhost", "http://localhost:8080"),
        (
            "https://tickets.example/shop/",
            "tickets.example",
            "https://tickets.example",
        ),
        (
            "https://Tickets.Example:443",
            "tickets.example",
            "https://tickets.example/",
        ),
    ] {
        let shop = WebauthnRelyingParty::new(&Url::parse(public_url).unwrap()).unwrap();
        assert_eq!(options_of_login(&shop)["publicKey"]["rpId"], id);
        Browser::at(origin).register(&shop);
    }
}

#[test]
fn an_ip_address_is_no_relying_party_and_the_error_says_what_is() {
    for public_url in ["http://127.0.0.1:8080", "https://[::1]/", "https://10.1"] {
        let refused = WebauthnRelyingParty::new(&Url::parse(public_url).unwrap()).unwrap_err();
        assert!(matches!(refused, InvalidRelyingParty::IpAddress), "{refused:?}");
        assert!(refused.to_string().contains("http://localhost:PORT"), "{refused}");
    }
    for public_url in ["mailto:ada@example.com", "file:///tmp", "ftp://tickets.example"] {
        let refused = WebauthnRelyingParty::new(&Url::parse(public_url).unwrap()).unwrap_err();
        assert!(matches!(refused, InvalidRelyingParty::NotAWebAddress), "{refused:?}");
    }
}
