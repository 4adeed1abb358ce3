//! Envelopes for tokens of identity providers: stores see ciphertext and the name of its key.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use thiserror::Error;
use ticketing_ports::ids::UserId;
use ticketing_ports::secrets::Entropy;

const VERSION: &str = "v1";
const NONCE: usize = 24;

/// Seals with the first of its keys and opens with any: put a new key in front, and take an old one away once nothing is
/// sealed with it any more.
///
/// An envelope reads `v1.KEY.DATA`; the data is base64url of nonce and ciphertext of XChaCha20-Poly1305, whose 24 random
/// bytes of nonce never need counting. Provider, user and kind are authenticated with it, so an envelope is worth nothing
/// in another row.
pub struct TokenEnvelope {
    keys: TokenKeys,
    entropy: Arc<dyn Entropy>,
}

/// What a token belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenOwner<'a> {
    pub provider: &'a str,
    pub user: UserId,
    /// Such as `access` or `refresh`.
    pub kind: &'a str,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Opened {
    pub token: Vec<u8>,
    /// It was sealed with an older key: seal it again.
    pub is_stale: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EnvelopeError {
    #[error("not an envelope that this version knows")]
    Malformed,
    #[error("the envelope is sealed with a key that is not there any more")]
    UnknownKey,
    #[error("the envelope was changed, or belongs to something else")]
    Forged,
}

/// Keys by name, the first of which seals. Written `k2:KEY,k1:KEY`, each 32 bytes in base64.
#[derive(Clone)]
pub struct TokenKeys {
    first: String,
    by_name: BTreeMap<String, Key>,
}

/// Never repeats what was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("use NAME:KEY,NAME:KEY with names of letters and digits, each once, and keys of 32 bytes in base64")]
pub struct InvalidTokenKeys;

impl FromStr for TokenKeys {
    type Err = InvalidTokenKeys;

    fn from_str(text: &str) -> Result<Self, InvalidTokenKeys> {
        let mut first = None;
        let mut by_name = BTreeMap::new();
        for pair in text.split(',') {
            let (name, key) = pair.trim().split_once(':').ok_or(InvalidTokenKeys)?;
            let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let key: Option<[u8; 32]> = STANDARD.decode(key).ok().and_then(|key| key.try_into().ok());
            let key = key.filter(|_| plain).ok_or(InvalidTokenKeys)?;
            if by_name.insert(name.to_owned(), Key::from(key)).is_some() {
                return Err(InvalidTokenKeys);
            }
            first.get_or_insert_with(|| name.to_owned());
        }
        let first = first.ok_or(InvalidTokenKeys)?;
        Ok(Self { first, by_name })
    }
}

impl TokenEnvelope {
    pub fn new(keys: TokenKeys, entropy: Arc<dyn Entropy>) -> Self {
        Self { keys, entropy }
    }

    pub fn seal(&self, owner: TokenOwner<'_>, token: &[u8]) -> String {
        let mut nonce = [0; NONCE];
        self.entropy.fill(&mut nonce);
        let name = &self.keys.first;
        let aad = owner.authenticated();
        let payload = Payload { msg: token, aad: &aad };
        let sealed = XChaCha20Poly1305::new(&self.keys.by_name[name])
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a token is far shorter than the cipher's limit");
        let data = URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat());
        format!("{VERSION}.{name}.{data}")
    }

    /// # Errors
    /// See [`EnvelopeError`].
    pub fn open(&self, owner: TokenOwner<'_>, envelope: &str) -> Result<Opened, EnvelopeError> {
        let mut parts = envelope.splitn(3, '.');
        let (Some(VERSION), Some(name), Some(data)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(EnvelopeError::Malformed);
        };
        let key = self.keys.by_name.get(name).ok_or(EnvelopeError::UnknownKey)?;
        let data = URL_SAFE_NO_PAD.decode(data).map_err(|_| EnvelopeError::Malformed)?;
        let (nonce, sealed) = data.split_first_chunk::<NONCE>().ok_or(EnvelopeError::Malformed)?;
        let aad = owner.authenticated();
        let payload = Payload { msg: sealed, aad: &aad };
        let token = XChaCha20Poly1305::new(key)
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| EnvelopeError::Forged)?;
        let is_stale = *name != self.keys.first;
        Ok(Opened { token, is_stale })
    }
}

impl TokenOwner<'_> {
    /// With lengths, so that no two owners read the same.
    fn authenticated(&self) -> Vec<u8> {
        let mut bytes = self.user.uuid().as_bytes().to_vec();
        for text in [self.provider, self.kind] {
            bytes.extend((text.len() as u64).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes
    }
}

impl std::fmt::Debug for TokenEnvelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenEnvelope")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use adapters_memory::SeededEntropy;
    use uuid::Uuid;

    use super::*;

    const ADA: TokenOwner<'static> = TokenOwner {
        provider: "oidc",
        user: UserId::new(Uuid::from_u128(1)),
        kind: "refresh",
    };

    fn key(name: &str, byte: u8) -> String {
        format!("{name}:{}", STANDARD.encode([byte; 32]))
    }

    fn with(keys: &[String]) -> TokenEnvelope {
        TokenEnvelope::new(keys.join(",").parse().unwrap(), Arc::new(SeededEntropy::new(1)))
    }

    #[test]
    fn a_sealed_token_opens_for_its_owner_and_never_looks_the_same_twice() {
        let envelope = with(&[key("k1", 1)]);
        let [one, two] = [envelope.seal(ADA, b"token"), envelope.seal(ADA, b"token")];
        assert!(one.starts_with("v1.k1."));
        assert_ne!(one, two);
        let opened = envelope.open(ADA, &one).unwrap();
        assert_eq!((opened.token.as_slice(), opened.is_stale), (&b"token"[..], false));
    }

    #[test]
    fn an_envelope_is_worth_nothing_for_another_owner() {
        let envelope = with(&[key("k1", 1)]);
        let sealed = envelope.seal(ADA, b"token");
        for other in [
            TokenOwner {
                provider: "google",
                ..ADA
            },
            TokenOwner { kind: "access", ..ADA },
            TokenOwner {
                user: UserId::new(Uuid::from_u128(2)),
                ..ADA
            },
            TokenOwner {
                provider: "oidcr",
                kind: "efresh",
                ..ADA
            },
        ] {
            assert_eq!(envelope.open(other, &sealed), Err(EnvelopeError::Forged), "{other:?}");
        }
    }

    #[test]
    fn a_changed_envelope_does_not_open() {
        let envelope = with(&[key("k1", 1), key("k2", 2)]);
        let sealed = envelope.seal(ADA, b"token");
        for place in 6..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(envelope.open(ADA, &changed).is_err(), "{place}");
        }
        let under_another_key = sealed.replace("k1", "k2");
        assert_eq!(envelope.open(ADA, &under_another_key), Err(EnvelopeError::Forged));
        for malformed in ["", "v1", "v1.k1", "v2.k1.AAAA", "v1.k1.AAAA", "v1.k1.not base64"] {
            assert_eq!(
                envelope.open(ADA, malformed),
                Err(EnvelopeError::Malformed),
                "{malformed}"
            );
        }
    }

    #[test]
    fn a_new_key_seals_and_old_ones_open_until_they_are_taken_away() {
        let sealed = with(&[key("k1", 1)]).seal(ADA, b"token");
        let rotated = with(&[key("k2", 2), key("k1", 1)]);
        let opened = rotated.open(ADA, &sealed).unwrap();
        assert!(opened.is_stale);
        let again = rotated.seal(ADA, &opened.token);
        assert!(!rotated.open(ADA, &again).unwrap().is_stale);
        let later = with(&[key("k2", 2)]);
        assert_eq!(later.open(ADA, &sealed), Err(EnvelopeError::UnknownKey));
        assert_eq!(later.open(ADA, &again).unwrap().token, b"token");
    }

    #[test]
    fn keys_that_are_none_are_refused_and_shown_to_nobody() {
        let twice = format!("{},{}", key("k1", 1), key("k1", 2));
        for text in ["", "k1", "k1:short", ":AAAA", &twice, &key("k.1", 1)] {
            assert_eq!(text.parse::<TokenKeys>().err(), Some(InvalidTokenKeys), "{text}");
        }
        let shown = format!("{:?}", with(&[key("k1", 7)]));
        assert!(!shown.contains(&STANDARD.encode([7; 32])), "{shown}");
    }
}
