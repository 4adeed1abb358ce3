//! A shop, and a browser that makes passkeys for it with an authenticator written in software.

use adapters_external::WebauthnRelyingParty;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use serde_json::{Value, json};
use ticketing_ports::people::passkeys::Passkey;
use ticketing_ports::people::relying_party::{BegunCeremony, RelyingParty};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::UserId;
use url::Url;
use uuid::Uuid;
use webauthn_authenticator_rs::WebauthnAuthenticator;
use webauthn_authenticator_rs::softpasskey::SoftPasskey;

pub(crate) const SHOP: &str = "https://tickets.example:8443";

/// A browser at one origin. Its software authenticator cannot find a passkey by itself, so each login has to name the
/// credential.
pub(crate) struct Browser {
    authenticator: SoftPasskey,
    pub(crate) origin: Url,
}

impl Browser {
    pub(crate) fn at(origin: &str) -> Self {
        Self {
            authenticator: SoftPasskey::new(true),
            origin: Url::parse(origin).unwrap(),
        }
    }

    pub(crate) fn register(&mut self, shop: &WebauthnRelyingParty) -> Passkey {
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

    pub(crate) fn login(&mut self, begun: &BegunCeremony, passkey: &Passkey) -> String {
        self.get(&begun.options, passkey)
    }

    pub(crate) fn create(&mut self, options: &str) -> String {
        let options = serde_json::from_str(options).unwrap();
        let answer = self
            .authenticator
            .do_registration(self.origin.clone(), options)
            .unwrap();
        serde_json::to_string(&answer).unwrap()
    }

    pub(crate) fn get(&mut self, options: &str, passkey: &Passkey) -> String {
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

pub(crate) fn shop() -> WebauthnRelyingParty {
    WebauthnRelyingParty::new(&Url::parse(SHOP).unwrap()).unwrap()
}

pub(crate) fn ada() -> UserId {
    UserId::new(Uuid::from_u128(1))
}

pub(crate) fn begin_registration(shop: &WebauthnRelyingParty, existing: &[Passkey]) -> BegunCeremony {
    let email = EmailAddress::parse("ada@example.com").unwrap();
    shop.begin_registration(ada(), &email, existing).unwrap()
}

pub(crate) fn options(begun: &BegunCeremony) -> Value {
    serde_json::from_str(&begun.options).unwrap()
}

pub(crate) fn options_of_login(shop: &WebauthnRelyingParty) -> Value {
    options(&shop.begin_login().unwrap())
}

pub(crate) fn with(json: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut value = serde_json::from_str(json).unwrap();
    change(&mut value);
    value.to_string()
}

pub(crate) fn with_handle(answer: &str, handle: &[u8]) -> String {
    with(answer, |answer| {
        answer["response"]["userHandle"] = json!(URL_SAFE_NO_PAD.encode(handle));
    })
}
