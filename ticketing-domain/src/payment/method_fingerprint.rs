use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use ticketing_ports::vocabulary::ids::PaymentId;
use ticketing_ports::vocabulary::payment::PaymentMethod;

/// Tells whether a payment is asked for with the means of payment that it has, and nothing else of it.
///
/// A digest (SHA-256, its first 16 bytes) over the payment's id too, so that one means of payment looks different in each
/// payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MethodFingerprint(u128);

impl MethodFingerprint {
    pub fn of(payment_id: PaymentId, method: &PaymentMethod) -> Self {
        let mut digest = Sha256::new();
        digest.update(payment_id.uuid().as_bytes());
        digest.update(serde_json::to_vec(&method.kind).expect("a kind is a word"));
        digest.update(method.token.expose());
        let digest: [u8; 32] = digest.finalize().into();
        let (first, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
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
