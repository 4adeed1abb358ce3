use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use ticketing_ports::vocabulary::ids::PaymentId;
use ticketing_ports::vocabulary::payment::PaymentMethod;

/// A fingerprint of a means of payment. It shows whether two requests for one payment name the same means, and
/// reveals nothing else about it.
///
/// The fingerprint is a digest (the first 16 bytes of a SHA-256) of the payment's id together with the means of
/// payment, so that one card has another fingerprint in each payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MethodFingerprint(u128);

impl MethodFingerprint {
    /// Returns the fingerprint that a means of payment has in the payment with this id.
    pub fn of(payment_id: PaymentId, method: &PaymentMethod) -> Self {
        let mut digest = Sha256::new();
        digest.update(payment_id.uuid().as_bytes());
        digest.update(serde_json::to_vec(&method.kind).expect("the kind of a means of payment is written as a string"));
        digest.update(method.token.expose());
        let digest: [u8; 32] = digest.finalize().into();
        let (first, _) = digest
            .split_first_chunk()
            .expect("the 32 bytes of a digest begin with 16 bytes");
        Self(u128::from_be_bytes(*first))
    }
}

impl From<MethodFingerprint> for String {
    fn from(fingerprint: MethodFingerprint) -> Self {
        format!("{:032x}", fingerprint.0)
    }
}

impl TryFrom<String> for MethodFingerprint {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u128::from_str_radix(&text, 16).map(Self)
    }
}
