//! The answer to each refusal and failure of signing in.

use std::time::Duration;

use serde_json::json;
use ticketing_domain::sign_in::SignInRefusal;
use ticketing_runtime::{Failure, SignInFailure};
use tracing::error;

use super::{ApiError, Chain, Code};

impl From<SignInFailure> for ApiError {
    fn from(failure: SignInFailure) -> Self {
        match failure {
            SignInFailure::Refused(refusal) => refusal.into(),
            SignInFailure::TooManyFailures(decision) => Self::too_many(decision.reset_after),
            SignInFailure::NoSuchProvider => Self::new(Code::NotFound, "this server knows no such identity provider"),
            SignInFailure::NoPasskeys => Self::new(
                Code::NotFound,
                "this server has no passkeys: its public URL would need a host name",
            ),
            SignInFailure::ProviderUnavailable(source) => {
                error!(error = %Chain(source.as_ref()), "an identity provider is unavailable");
                Self {
                    message: "the identity provider is unavailable; try again soon, or sign in another way".to_owned(),
                    ..Self::unavailable()
                }
            }
            SignInFailure::Internal(source) => Failure::Internal(source).into(),
            SignInFailure::Store(error) => error.into(),
        }
    }
}

impl From<SignInRefusal> for ApiError {
    fn from(refusal: SignInRefusal) -> Self {
        let forbidden =
            |reason: &str| Self::new(Code::Forbidden, refusal.to_string()).with_details(json!({ "reason": reason }));
        match refusal {
            SignInRefusal::InvalidToken => Self::link_invalid(),
            SignInRefusal::InvalidChallenge => Self::invalid_request(
                "challenge",
                "is unknown, used or expired, or was begun in another browser or for another user; begin again",
            ),
            SignInRefusal::Malformed => Self::invalid_request("credential", refusal.to_string()),
            SignInRefusal::ProofRefused | SignInRefusal::UnknownCredential | SignInRefusal::PossiblyCopied => {
                let errors = json!([{ "field": "credential", "reason": refusal.to_string() }]);
                Self::new(Code::CredentialRefused, refusal.to_string()).with_details(json!({ "errors": errors }))
            }
            SignInRefusal::DeniedAtProvider => forbidden("denied_at_provider"),
            SignInRefusal::ProviderFailed => forbidden("provider_error"),
            SignInRefusal::UnprovenAddress => forbidden("address_not_verified"),
            SignInRefusal::SignInFirst => forbidden("sign_in_first"),
            SignInRefusal::StaleSession => forbidden("fresh_session_required"),
            SignInRefusal::NotAnAdministrator => forbidden("administrators_only"),
            SignInRefusal::OwnRole => forbidden("own_role"),
            SignInRefusal::NoSuchUser => Self::new(Code::NotFound, refusal.to_string()),
            SignInRefusal::IdentityTaken | SignInRefusal::CredentialTaken => {
                Self::new(Code::ResourceAlreadyExists, refusal.to_string())
            }
            SignInRefusal::TooManyPasskeys => Self::new(Code::ValidationFailed, refusal.to_string())
                .with_details(json!({ "errors": [{ "field": "passkeys", "reason": "at most 10" }] })),
            SignInRefusal::Contended => Self {
                retry_after: Some(Duration::from_secs(1)),
                ..Self::new(Code::Busy, refusal.to_string())
            },
            SignInRefusal::OutOfStep => Failure::Internal(refusal.into()).into(),
        }
    }
}
