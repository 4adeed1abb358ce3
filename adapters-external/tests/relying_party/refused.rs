//! Answers that are wrong: to another challenge, from elsewhere, of another key, copied, malformed or damaged.

use adapters_external::WebauthnRelyingParty;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};
use ticketing_ports::people::passkeys::Passkey;
use ticketing_ports::people::relying_party::{RelyingParty, RelyingPartyError};
use url::Url;
use uuid::Uuid;

use super::browser::{Browser, SHOP, ada, begin_registration, options_of_login, shop, with, with_handle};

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
