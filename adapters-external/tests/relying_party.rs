//! Tests of passkeys, from the challenge to the answer, with an authenticator written in software.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

use adapters_external::{InvalidRelyingParty, WebauthnRelyingParty};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use proptest::prelude::*;
use serde_json::{Value, json};
use ticketing_ports::people::passkeys::Passkey;
use ticketing_ports::people::relying_party::{BegunCeremony, RelyingParty, RelyingPartyError};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::UserId;
use url::Url;
use uuid::Uuid;
use webauthn_authenticator_rs::WebauthnAuthenticator;
use webauthn_authenticator_rs::softpasskey::SoftPasskey;

const SHOP: &str = "https://tickets.example:8443";

#[test]
fn a_registered_passkey_signs_in_again_and_again() {
    let (shop, mut browser) = (shop(), Browser::at(SHOP));
    let mut passkey = browser.register(&shop);
    for login in 1..=3 {
        let begun = shop.begin_login().unwrap();
        let answer = browser.login(&begun, &passkey);
        let used = shop.finish_login(&begun.state, &answer, &passkey).unwrap();
        assert_eq!(used.counter, login);
        passkey.counter = used.counter;
        passkey.credential = used.credential;
    }
}

#[test]
fn a_new_credential_is_discoverable() {
    let begun = begin_registration(&shop(), &[]);
    let options = options(&begun);
    let selection = &options["publicKey"]["authenticatorSelection"];
    assert_eq!(selection["residentKey"], "preferred");
    assert_eq!(selection["userVerification"], "required");
    assert_eq!(options["publicKey"]["rp"]["id"], "tickets.example");
    assert_eq!(
        options["publicKey"]["user"]["id"],
        URL_SAFE_NO_PAD.encode(ada().uuid().as_bytes())
    );
}

#[test]
fn a_login_asks_for_any_key_with_user_verification_and_leaves_the_dialog_to_the_page() {
    let begun = shop().begin_login().unwrap();
    let options = options(&begun);
    assert_eq!(options["publicKey"]["userVerification"], "required");
    assert_eq!(options["publicKey"]["allowCredentials"], json!([]));
    assert_eq!(options.get("mediation"), None);
}

#[test]
fn an_existing_credential_is_excluded() {
    let shop = shop();
    let passkey = Browser::at(SHOP).register(&shop);
    let begun = begin_registration(&shop, std::slice::from_ref(&passkey));
    let excluded = &options(&begun)["publicKey"]["excludeCredentials"];
    assert_eq!(excluded[0]["id"], URL_SAFE_NO_PAD.encode(&passkey.credential_id));
    assert_eq!(excluded[1], Value::Null, "only that one");
}

#[test]
fn an_answer_holds_only_for_its_own_challenge() {
    let (shop, mut browser) = (shop(), Browser::at(SHOP));
    let registration = begin_registration(&shop, &[]);
    let answer = browser.create(&registration.options);
    let another = begin_registration(&shop, &[]);
    assert_refused(&shop.finish_registration(&another.state, &answer));

    let passkey = browser.register(&shop);
    let login = shop.begin_login().unwrap();
    let answer = browser.login(&login, &passkey);
    let another = shop.begin_login().unwrap();
    assert_refused(&shop.finish_login(&another.state, &answer, &passkey));
}

#[test]
fn one_assertion_verifies_twice_so_the_store_has_to_take_the_challenge() {
    let (shop, mut browser) = (shop(), Browser::at(SHOP));
    let passkey = browser.register(&shop);
    let begun = shop.begin_login().unwrap();
    let answer = browser.login(&begun, &passkey);
    let first = shop.finish_login(&begun.state, &answer, &passkey).unwrap();
    let second = shop.finish_login(&begun.state, &answer, &passkey).unwrap();
    assert_eq!(first, second);
}

#[test]
fn a_login_without_user_verification_is_refused() {
    let (shop, mut browser) = (shop(), Browser::at(SHOP));
    let registration = begin_registration(&shop, &[]);
    let lax = with(&registration.options, |options| {
        options["publicKey"]["authenticatorSelection"]["userVerification"] = json!("discouraged");
    });
    assert_refused(&shop.finish_registration(&registration.state, &browser.create(&lax)));

    let passkey = browser.register(&shop);
    let login = shop.begin_login().unwrap();
    let lax = with(&login.options, |options| {
        options["publicKey"]["userVerification"] = json!("discouraged");
    });
    let answer = browser.get(&lax, &passkey);
    assert_refused(&shop.finish_login(&login.state, &answer, &passkey));
}

#[test]
fn a_counter_that_went_back_is_possibly_copied() {
    let (shop, mut browser) = (shop(), Browser::at(SHOP));
    let passkey = browser.register(&shop);
    let begun = shop.begin_login().unwrap();
    let answer = browser.login(&begun, &passkey);

    let newer = shop.begin_login().unwrap();
    let newer_answer = browser.login(&newer, &passkey);
    let used = shop.finish_login(&newer.state, &newer_answer, &passkey).unwrap();
    let used_record = Passkey {
        credential: used.credential,
        ..passkey.clone()
    };
    let used_row = Passkey {
        counter: used.counter,
        ..passkey.clone()
    };
    for given in [&used_record, &used_row] {
        let late = shop.finish_login(&begun.state, &answer, given);
        assert!(matches!(late, Err(RelyingPartyError::PossiblyCopied)), "{late:?}");
    }
    shop.finish_login(&begun.state, &answer, &passkey)
        .expect("the answer is compared only with the passkey that the caller passes in");
}

#[test]
fn an_answer_from_another_origin_is_refused() {
    let shop = shop();
    for origin in [
        "https://tickets.example",
        "https://tickets.example:9443",
        "https://evil.tickets.example:8443",
    ] {
        let mut elsewhere = Browser::at(origin);
        let registration = begin_registration(&shop, &[]);
        let answer = elsewhere.create(&registration.options);
        assert_refused(&shop.finish_registration(&registration.state, &answer));

        let mut here = Browser::at(SHOP);
        let passkey = here.register(&shop);
        here.origin = Url::parse(origin).unwrap();
        let login = shop.begin_login().unwrap();
        let answer = here.login(&login, &passkey);
        assert_refused(&shop.finish_login(&login.state, &answer, &passkey));
    }
}

#[test]
fn a_passkey_of_another_relying_party_is_refused() {
    let elsewhere = WebauthnRelyingParty::new(&Url::parse("https://example:8443").unwrap()).unwrap();
    let shop = shop();
    let mut browser = Browser::at(SHOP);
    let passkey = browser.register(&shop);
    let login = shop.begin_login().unwrap();
    let theirs = with(&login.options, |options| {
        options["publicKey"]["rpId"] = options_of_login(&elsewhere)["publicKey"]["rpId"].clone();
    });
    let answer = browser.get(&theirs, &passkey);
    assert_refused(&shop.finish_login(&login.state, &answer, &passkey));
}

#[test]
fn an_assertion_of_another_key_is_refused() {
    let (shop, mut browser) = (shop(), Browser::at(SHOP));
    let (mine, other) = (browser.register(&shop), browser.register(&shop));
    let begun = shop.begin_login().unwrap();
    let answer = browser.login(&begun, &other);
    assert_refused(&shop.finish_login(&begun.state, &answer, &mine));

    let renamed = with(&answer, |answer| {
        answer["id"] = json!(URL_SAFE_NO_PAD.encode(&mine.credential_id));
        answer["rawId"] = answer["id"].clone();
    });
    assert_refused(&shop.finish_login(&begun.state, &renamed, &mine));
}

#[test]
fn the_handle_of_another_user_is_refused_though_nothing_signs_it() {
    let (shop, mut browser) = (shop(), Browser::at(SHOP));
    let passkey = browser.register(&shop);
    let begun = shop.begin_login().unwrap();
    let answer = browser.login(&begun, &passkey);

    let own = with_handle(&answer, ada().uuid().as_bytes());
    shop.finish_login(&begun.state, &own, &passkey).unwrap();
    for handle in [Uuid::from_u128(2).as_bytes().as_slice(), b"ada", b""] {
        let foreign = with_handle(&answer, handle);
        assert_refused(&shop.finish_login(&begun.state, &foreign, &passkey));
    }
}

#[test]
fn an_answer_is_identified_by_its_credential_and_by_a_handle_that_could_be_ours() {
    let (shop, mut browser) = (shop(), Browser::at(SHOP));
    let passkey = browser.register(&shop);
    let begun = shop.begin_login().unwrap();
    let answer = browser.login(&begun, &passkey);
    let handles = [
        (answer.clone(), None),
        (with_handle(&answer, ada().uuid().as_bytes()), Some(ada())),
        (with_handle(&answer, b"not one of ours"), None),
    ];
    for (answer, user_handle) in handles {
        let claimed = shop.identify(&answer).unwrap();
        assert_eq!(claimed.credential_id, passkey.credential_id);
        assert_eq!(claimed.user_handle, user_handle);
    }
}

#[test]
fn what_a_browser_sends_besides_is_no_harm() {
    let (shop, mut browser) = (shop(), Browser::at(SHOP));
    let registration = begin_registration(&shop, &[]);
    let answer = with(&browser.create(&registration.options), |answer| {
        answer["authenticatorAttachment"] = json!("platform");
        answer["clientExtensionResults"] = json!({"credProps": {"rk": true}, "newer": 1});
        answer["response"]["publicKeyAlgorithm"] = json!(-7);
        answer["response"]["transports"] = json!(["internal", "hybrid", "from the future"]);
        answer.as_object_mut().unwrap().remove("extensions");
    });
    shop.finish_registration(&registration.state, &answer).unwrap();
}

#[test]
fn a_malformed_answer_is_malformed() {
    let (shop, mut browser) = (shop(), Browser::at(SHOP));
    let registration = begin_registration(&shop, &[]);
    let login = shop.begin_login().unwrap();
    let passkey = browser.register(&shop);
    let garbled = with(&browser.create(&registration.options), |answer| {
        answer["response"]["attestationObject"] = json!("AAAA");
    });
    for answer in [
        "",
        "null",
        "[]",
        "{}",
        "{\"id\":1}",
        "\u{0}",
        &"[".repeat(10_000),
        &garbled,
    ] {
        assert_malformed(&shop.finish_registration(&registration.state, answer));
        assert_malformed(&shop.finish_login(&login.state, answer, &passkey));
        assert_malformed(&shop.identify(answer));
    }
}

#[test]
fn a_record_or_a_state_that_cannot_be_read_is_our_own_fault() {
    let (shop, mut browser) = (shop(), Browser::at(SHOP));
    let passkey = browser.register(&shop);
    let registration = begin_registration(&shop, &[]);
    let login = shop.begin_login().unwrap();
    let answer = browser.login(&login, &passkey);
    let spoiled = Passkey {
        credential: b"{}".to_vec(),
        ..passkey.clone()
    };
    for failed in [
        shop.finish_login(b"", &answer, &passkey),
        shop.finish_login(&registration.state, &answer, &passkey),
        shop.finish_login(&login.state, &answer, &spoiled),
    ] {
        assert!(matches!(failed, Err(RelyingPartyError::Internal(_))), "{failed:?}");
    }
}

proptest! {
    #![proptest_config(ticketing_testkit::property::costing(200))]

    #[test]
    fn bytes_changed_anywhere_make_no_panic_and_no_login(at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let (shop, mut browser) = (shop(), Browser::at(SHOP));
        let passkey = browser.register(&shop);
        let begun = shop.begin_login().unwrap();
        let login: Value = serde_json::from_str(&browser.login(&begun, &passkey)).unwrap();
        for field in ["authenticatorData", "clientDataJSON", "signature"] {
            let spoiled = flipped(&login, field, at, flip);
            prop_assert!(shop.finish_login(&begun.state, &spoiled, &passkey).is_err(), "{spoiled}");
        }
        let begun = begin_registration(&shop, &[]);
        let creation: Value = serde_json::from_str(&browser.create(&begun.options)).unwrap();
        for field in ["attestationObject", "clientDataJSON"] {
            let spoiled = flipped(&creation, field, at, flip);
            let _no_panic = shop.finish_registration(&begun.state, &spoiled);
        }
    }
}

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

/// A browser at one origin. Its software authenticator cannot find a passkey by itself, so each login has to name the
/// credential.
struct Browser {
    authenticator: SoftPasskey,
    origin: Url,
}

impl Browser {
    fn at(origin: &str) -> Self {
        Self {
            authenticator: SoftPasskey::new(true),
            origin: Url::parse(origin).unwrap(),
        }
    }

    fn register(&mut self, shop: &WebauthnRelyingParty) -> Passkey {
        let begun = begin_registration(shop, &[]);
        let answer = self.create(&begun.options);
        let new = shop.finish_registration(&begun.state, &answer).unwrap();
        Passkey {
            credential_id: new.credential_id,
            user_id: ada(),
            name: "laptop".to_owned(),
            credential: new.credential,
            counter: new.counter,
            created_at: DateTime::UNIX_EPOCH,
            last_used_at: None,
            suspect: false,
        }
    }

    fn login(&mut self, begun: &BegunCeremony, passkey: &Passkey) -> String {
        self.get(&begun.options, passkey)
    }

    fn create(&mut self, options: &str) -> String {
        let options = serde_json::from_str(options).unwrap();
        let answer = self
            .authenticator
            .do_registration(self.origin.clone(), options)
            .unwrap();
        serde_json::to_string(&answer).unwrap()
    }

    fn get(&mut self, options: &str, passkey: &Passkey) -> String {
        let options = with(options, |options| {
            let id = URL_SAFE_NO_PAD.encode(&passkey.credential_id);
            options["publicKey"]["allowCredentials"] = json!([{"type": "public-key", "id": id}]);
        });
        let options = serde_json::from_str(&options).unwrap();
        let answer = self
            .authenticator
            .do_authentication(self.origin.clone(), options)
            .unwrap();
        serde_json::to_string(&answer).unwrap()
    }
}

fn shop() -> WebauthnRelyingParty {
    WebauthnRelyingParty::new(&Url::parse(SHOP).unwrap()).unwrap()
}

fn ada() -> UserId {
    UserId::new(Uuid::from_u128(1))
}

fn begin_registration(shop: &WebauthnRelyingParty, existing: &[Passkey]) -> BegunCeremony {
    let email = EmailAddress::parse("ada@example.com").unwrap();
    shop.begin_registration(ada(), &email, existing).unwrap()
}

fn options(begun: &BegunCeremony) -> Value {
    serde_json::from_str(&begun.options).unwrap()
}

fn options_of_login(shop: &WebauthnRelyingParty) -> Value {
    options(&shop.begin_login().unwrap())
}

fn with(json: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut value = serde_json::from_str(json).unwrap();
    change(&mut value);
    value.to_string()
}

fn with_handle(answer: &str, handle: &[u8]) -> String {
    with(answer, |answer| {
        answer["response"]["userHandle"] = json!(URL_SAFE_NO_PAD.encode(handle));
    })
}

fn flipped(answer: &Value, field: &str, at: prop::sample::Index, flip: u8) -> String {
    let mut answer = answer.clone();
    let mut bytes = URL_SAFE_NO_PAD
        .decode(answer["response"][field].as_str().unwrap())
        .unwrap();
    let at = at.index(bytes.len());
    bytes[at] ^= flip;
    answer["response"][field] = json!(URL_SAFE_NO_PAD.encode(bytes));
    answer.to_string()
}

fn assert_refused<T: std::fmt::Debug>(result: &Result<T, RelyingPartyError>) {
    assert!(matches!(result, Err(RelyingPartyError::Refused(_))), "{result:?}");
}

fn assert_malformed<T: std::fmt::Debug>(result: &Result<T, RelyingPartyError>) {
    assert!(matches!(result, Err(RelyingPartyError::Malformed(_))), "{result:?}");
}
