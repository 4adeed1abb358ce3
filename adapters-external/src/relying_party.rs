//! The relying party of WebAuthn, implemented with the library `webauthn-rs`.
//!
//! The library accepts the same answer to a challenge any number of times. The caller must therefore take the
//! challenge out of its store before it verifies an answer.

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use ticketing_ports::people::passkeys::Passkey;
use ticketing_ports::people::relying_party::{
    BegunCeremony, ClaimedCredential, NewCredential, RelyingParty, RelyingPartyError, UsedCredential,
};
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::BoxError;
use ticketing_ports::vocabulary::ids::UserId;
use url::{Host, Url};
use uuid::Uuid;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey as Credential, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Webauthn, WebauthnBuilder, WebauthnError,
};
use webauthn_rs_proto::ResidentKeyRequirement;

#[derive(Debug)]
pub struct WebauthnRelyingParty(Webauthn);

/// Why passkeys cannot be used under a public URL.
#[derive(Debug, Error)]
pub enum InvalidRelyingParty {
    #[error(
        "passkeys need a public URL with a host name, such as http://localhost:PORT, and this one has an IP address"
    )]
    IpAddress,
    #[error("passkeys need a public URL with http or https and a host name")]
    NotAWebAddress,
    #[error("no relying party can be made from the public URL")]
    Unsuitable(#[source] WebauthnError),
}

impl WebauthnRelyingParty {
    /// Makes the relying party of a public URL. The URL's host becomes the relying party id. Browsers bind passkeys
    /// to this id, so passkeys do not work under another host.
    ///
    /// # Errors
    /// See [`InvalidRelyingParty`].
    pub fn new(public_url: &Url) -> Result<Self, InvalidRelyingParty> {
        let id = match public_url.host() {
            Some(Host::Domain(name)) if matches!(public_url.scheme(), "http" | "https") => name,
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => return Err(InvalidRelyingParty::IpAddress),
            _ => return Err(InvalidRelyingParty::NotAWebAddress),
        };
        WebauthnBuilder::new(id, public_url)
            .and_then(WebauthnBuilder::build)
            .map(Self)
            .map_err(InvalidRelyingParty::Unsuitable)
    }
}

impl RelyingParty for WebauthnRelyingParty {
    fn begin_registration(
        &self,
        user: UserId,
        email: &EmailAddress,
        existing: &[Passkey],
    ) -> Result<BegunCeremony, RelyingPartyError> {
        let excluded = existing.iter().map(|key| key.credential_id.clone()).collect();
        let (mut options, state) = self
            .0
            .start_passkey_registration(user.uuid(), email.as_str(), email.as_str(), Some(excluded))
            .map_err(internal)?;
        // The library tells browsers that no resident key is needed. Chromium then makes a passkey that a login
        // without a user name cannot find, so a resident key is asked for here.
        if let Some(selection) = options.public_key.authenticator_selection.as_mut() {
            selection.resident_key = Some(ResidentKeyRequirement::Preferred);
        }
        begun(&options, &state)
    }

    fn finish_registration(&self, state: &[u8], answer: &str) -> Result<NewCredential, RelyingPartyError> {
        let state: PasskeyRegistration = kept(state)?;
        let answer: RegisterPublicKeyCredential = parsed(answer)?;
        let credential = self.0.finish_passkey_registration(&answer, &state).map_err(failure)?;
        let record = record_of(&credential)?;
        Ok(NewCredential {
            credential_id: credential.cred_id().to_vec(),
            counter: kept::<RecordedCounter>(&record)?.cred.counter,
            credential: record,
        })
    }

    fn begin_login(&self) -> Result<BegunCeremony, RelyingPartyError> {
        let (mut options, state) = self.0.start_discoverable_authentication().map_err(internal)?;
        // The library sets how the browser asks for a passkey. The value is cleared, because the page chooses between
        // a dialog and suggestions in an input field.
        options.mediation = None;
        begun(&options, &state)
    }

    fn identify(&self, answer: &str) -> Result<ClaimedCredential, RelyingPartyError> {
        let answer: PublicKeyCredential = parsed(answer)?;
        let handle = answer.get_user_unique_id();
        Ok(ClaimedCredential {
            credential_id: answer.get_credential_id().to_vec(),
            user_handle: handle.and_then(|bytes| Uuid::from_slice(bytes).ok()).map(UserId::new),
        })
    }

    fn finish_login(&self, state: &[u8], answer: &str, passkey: &Passkey) -> Result<UsedCredential, RelyingPartyError> {
        let state: DiscoverableAuthentication = kept(state)?;
        let answer: PublicKeyCredential = parsed(answer)?;
        let mut credential: Credential = kept(&passkey.credential)?;
        // The library does not check the user handle, and the authenticator's signature does not cover it, so it is
        // checked here.
        let handle = answer.get_user_unique_id();
        if handle.is_some_and(|bytes| bytes != passkey.user_id.uuid().as_bytes()) {
            return Err(RelyingPartyError::Refused(WebauthnError::InvalidUserUniqueId.into()));
        }
        let login = self
            .0
            .finish_discoverable_authentication_v2(&answer, state, &credential)
            .map_err(failure)?;
        // The library compares the signature counter only with the one inside the credential record. The store also
        // keeps a counter beside the record, which may be newer.
        if passkey.counter > 0 && login.counter() <= passkey.counter {
            return Err(RelyingPartyError::PossiblyCopied);
        }
        credential.update_credential(&login);
        Ok(UsedCredential {
            credential: record_of(&credential)?,
            counter: login.counter(),
        })
    }
}

/// The counter in the JSON of a stored credential. The library's own accessor needs a feature that also exposes its
/// internals.
#[derive(Deserialize)]
struct RecordedCounter {
    cred: Counter,
}

#[derive(Deserialize)]
struct Counter {
    counter: u32,
}

fn begun(options: &impl Serialize, state: &impl Serialize) -> Result<BegunCeremony, RelyingPartyError> {
    Ok(BegunCeremony {
        options: serde_json::to_string(options).map_err(internal)?,
        state: serde_json::to_vec(state).map_err(internal)?,
    })
}

fn record_of(credential: &Credential) -> Result<Vec<u8>, RelyingPartyError> {
    serde_json::to_vec(credential).map_err(internal)
}

fn kept<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RelyingPartyError> {
    serde_json::from_slice(bytes).map_err(internal)
}

fn parsed<T: DeserializeOwned>(answer: &str) -> Result<T, RelyingPartyError> {
    serde_json::from_str(answer).map_err(|error| RelyingPartyError::Malformed(error.into()))
}

fn internal(error: impl Into<BoxError>) -> RelyingPartyError {
    RelyingPartyError::Internal(error.into())
}

fn failure(error: WebauthnError) -> RelyingPartyError {
    match error {
        WebauthnError::CredentialPossibleCompromise => RelyingPartyError::PossiblyCopied,
        WebauthnError::ParseBase64Failure(_)
        | WebauthnError::ParseCBORFailure(_)
        | WebauthnError::ParseJSONFailure(_)
        | WebauthnError::ParseNOMFailure
        | WebauthnError::ParseInsufficientBytesAvailable => RelyingPartyError::Malformed(error.into()),
        _ => RelyingPartyError::Refused(error.into()),
    }
}
