//! What the shop asks of a browser, and answers that are right.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use ticketing_ports::people::relying_party::RelyingParty;

use super::browser::{Browser, SHOP, ada, begin_registration, options, shop, with, with_handle};

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
