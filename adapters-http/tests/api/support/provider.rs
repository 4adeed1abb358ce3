use std::sync::Mutex;

use async_trait::async_trait;
use ticketing_ports::outside::identity_providers::{
    AuthorizationAnswer, AuthorizationRequest, ClaimedAddress, Claims, IdentityProvider, IdentityProviderError,
};
use ticketing_ports::vocabulary::email::EmailAddress;

/// An identity provider that answers what a test has told it to answer.
#[derive(Debug, Default)]
pub(crate) struct ScriptedProvider(Mutex<Option<Script>>);

#[derive(Debug, Clone)]
pub(crate) enum Script {
    Claims {
        subject: &'static str,
        address: &'static str,
        vouched_for: bool,
    },
    ProvesNothing,
    Down,
    /// The provider is unavailable when the next sign-in begins, and available again afterwards.
    Away,
}

impl ScriptedProvider {
    pub(crate) fn says(&self, script: Script) {
        *self.0.lock().unwrap() = Some(script);
    }

    fn script(&self) -> Script {
        self.0.lock().unwrap().clone().unwrap_or(Script::ProvesNothing)
    }
}

#[async_trait]
impl IdentityProvider for ScriptedProvider {
    async fn authorization_url(&self, request: &AuthorizationRequest) -> Result<String, IdentityProviderError> {
        match self.script() {
            Script::Away => {
                self.says(Script::ProvesNothing);
                Err(IdentityProviderError::Unavailable("back in a moment".into()))
            }
            Script::Down => Err(IdentityProviderError::Unavailable("out to lunch".into())),
            _ => Ok(format!(
                "https://login.example/authorize?state={}",
                request.state.expose()
            )),
        }
    }

    async fn claims(&self, _: &AuthorizationAnswer) -> Result<Claims, IdentityProviderError> {
        match self.script() {
            Script::Claims {
                subject,
                address,
                vouched_for,
            } => Ok(Claims {
                issuer: "https://login.example".to_owned(),
                subject: subject.to_owned(),
                address: Some(ClaimedAddress {
                    address: EmailAddress::parse(address).unwrap(),
                    vouched_for,
                }),
            }),
            Script::ProvesNothing => Err(IdentityProviderError::Refused("a wrong signature".into())),
            Script::Down | Script::Away => Err(IdentityProviderError::Unavailable("out to lunch".into())),
        }
    }
}
