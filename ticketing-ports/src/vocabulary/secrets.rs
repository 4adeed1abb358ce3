//! Random secrets that give access, and the digests that stores keep in their place.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// 256 random bits, shown to their owner as 43 base64url characters. A secret is never stored, and `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

/// The SHA-256 digest of a [`Secret`]. Stores keep the digest and never the secret. As JSON it is 43 base64url characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretDigest([u8; 32]);

impl Secret {
    /// Makes a new secret from random bytes.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// Returns the secret that [`Secret::expose`] has written as `text`; `None` if the text is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// Returns the secret as 43 base64url characters, for its owner only.
    pub fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Returns the digest by which stores know the secret.
    pub fn digest(&self) -> SecretDigest {
        SecretDigest(Sha256::digest(self.0).into())
    }
}

impl SecretDigest {
    /// Makes a digest from its 32 bytes, as a store has kept them.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes of the digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<SecretDigest> for String {
    fn from(digest: SecretDigest) -> Self {
        URL_SAFE_NO_PAD.encode(digest.0)
    }
}

impl TryFrom<String> for SecretDigest {
    type Error = InvalidDigest;

    fn try_from(text: String) -> Result<Self, InvalidDigest> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidDigest)?;
        bytes.try_into().map(Self).map_err(|_| InvalidDigest)
    }
}

/// The text is not the digest of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not 43 base64url characters")]
pub struct InvalidDigest;

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl std::fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretDigest({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// A source of random bytes that nobody can predict.
///
/// ```
/// use adapters_memory::SeededEntropy;
/// use ticketing_ports::vocabulary::secrets::Secret;
///
/// // In a test; a server takes its entropy from the operating system.
/// let entropy = SeededEntropy::new(1);
/// let secret = Secret::generate(&entropy);
/// assert_eq!(Secret::parse(&secret.expose()), Some(secret));
/// ```
///
/// **Contract**
/// - `entropy_is_unpredictable`: every byte comes from a cryptographically secure generator. Tests may use
///   predictable bytes.
pub trait Entropy: std::fmt::Debug + Send + Sync {
    /// Overwrites `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn a_secret_survives_the_trip_through_its_text() {
        let secret = Secret::generate(&Fixed);
        assert_eq!(secret.expose().len(), 43);
        assert_eq!(Secret::parse(&secret.expose()), Some(secret));
    }

    #[test]
    fn text_of_another_length_or_alphabet_is_no_secret() {
        let text = Secret::generate(&Fixed).expose();
        for bad in ["", "abc", &text[1..], &format!("{text}A"), &text.replace('B', "+")] {
            assert_eq!(Secret::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_digest_survives_the_trip_through_json() {
        let digest = Secret::generate(&Fixed).digest();
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(json.len(), 45, "43 characters in quotes");
        assert_eq!(serde_json::from_str::<SecretDigest>(&json).unwrap(), digest);
        assert!(serde_json::from_str::<SecretDigest>(r#""short""#).is_err());
    }

    #[test]
    fn debug_output_shows_no_secret() {
        assert_eq!(format!("{:?}", Secret::generate(&Fixed)), "Secret(…)");
    }
}
