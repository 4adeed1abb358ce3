//! A browser that signs in at an issuer, and what the tests check of each error that it meets.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use adapters_external::{HttpLimits, OpenIdProvider, OpenIdSettings};
use adapters_memory::ManualClock;
use ticketing_ports::outside::identity_providers::{
    AuthorizationAnswer, AuthorizationRequest, Claims, IdentityProvider, IdentityProviderError,
};
use ticketing_ports::vocabulary::secrets::{Entropy, Secret};
use url::Url;

use super::issuer::{ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, CODE, Issuer};

/// A browser that signs in through one provider, with the provider's settings and the request that the browser makes.
pub(crate) struct Shop<'a> {
    issuer: &'a Issuer,
    settings: OpenIdSettings,
    pub(crate) provider: OpenIdProvider,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) request: AuthorizationRequest,
}

impl<'a> Shop<'a> {
    pub(crate) fn at(issuer: &'a Issuer) -> Self {
        Self::with(issuer, |_| {})
    }

    pub(crate) fn with(issuer: &'a Issuer, change: impl FnOnce(&mut OpenIdSettings)) -> Self {
        let mut settings = OpenIdSettings {
            name: "issuer".to_owned(),
            issuer: issuer.address.clone(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.into(),
            redirect_url: callback(),
            scopes: vec!["email".to_owned()],
            trust_email: true,
            http: HttpLimits::default(),
        };
        change(&mut settings);
        let clock = Arc::new(ManualClock::default());
        Self {
            issuer,
            provider: OpenIdProvider::new(settings.clone(), Arc::<ManualClock>::clone(&clock)).unwrap(),
            settings,
            clock,
            request: AuthorizationRequest {
                state: secret(1),
                nonce: secret(2),
                code_verifier: secret(3),
            },
        }
    }

    /// Returns a copy with the usual time limits for requests. A test uses it when a request must succeed, because
    /// the request may be slow on a busy machine.
    pub(crate) fn with_patience(&self) -> Self {
        Self::with(self.issuer, |settings| {
            settings.clone_from(&self.settings);
            settings.http = HttpLimits::default();
        })
    }

    pub(crate) async fn visit(&self) -> AuthorizationAnswer {
        self.try_visit().await.unwrap()
    }

    async fn try_visit(&self) -> Result<AuthorizationAnswer, IdentityProviderError> {
        let url = self.provider.authorization_url(&self.request).await?;
        let back = self.issuer.authorize(&url);
        let given = |name: &str| back.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        assert_eq!(given("state"), self.request.state.expose());
        Ok(AuthorizationAnswer {
            code: given("code"),
            issuer: None,
            nonce: self.request.nonce.clone(),
            code_verifier: self.request.code_verifier.clone(),
        })
    }

    pub(crate) async fn sign_in(&self) -> Result<Claims, IdentityProviderError> {
        let answer = self.try_visit().await?;
        self.provider.claims(&answer).await
    }

    #[track_caller]
    pub(crate) fn is_refused<T: std::fmt::Debug>(
        &self,
        outcome: Result<T, IdentityProviderError>,
        reason: &str,
        case: &str,
    ) {
        let error = outcome.expect_err(case);
        assert!(matches!(error, IdentityProviderError::Refused(_)), "{case}: {error:?}");
        let shown = self.shown_without_secrets(&error);
        assert!(shown.contains(reason), "{case}: {shown}");
    }

    #[track_caller]
    pub(crate) fn is_unavailable<T: std::fmt::Debug>(&self, outcome: Result<T, IdentityProviderError>, case: &str) {
        let error = outcome.expect_err(case);
        assert!(
            matches!(error, IdentityProviderError::Unavailable(_)),
            "{case}: {error:?}"
        );
        self.shown_without_secrets(&error);
    }

    /// Returns everything that an error and its sources print. Panics if that contains a code, a token or another
    /// secret.
    #[track_caller]
    pub(crate) fn shown_without_secrets(&self, error: &IdentityProviderError) -> String {
        let mut shown = format!("{error:?} {error:#?}");
        let mut link: Option<&dyn Error> = Some(error);
        while let Some(error) = link {
            shown += &format!(" | {error} {error:?}");
            link = error.source();
        }
        let id_token = self.issuer.last_id_token();
        let secrets = [
            CODE.to_owned(),
            ACCESS_TOKEN.to_owned(),
            CLIENT_SECRET.to_owned(),
            self.request.state.expose(),
            self.request.nonce.expose(),
            self.request.code_verifier.expose(),
        ];
        for secret in secrets.iter().map(String::as_str).chain(id_token.split('.')) {
            assert!(secret.is_empty() || !shown.contains(secret), "{secret} in {shown}");
        }
        shown
    }
}

pub(crate) fn impatient(settings: &mut OpenIdSettings) {
    settings.http.total = Duration::from_millis(300);
}

pub(crate) fn callback() -> Url {
    Url::parse("https://tickets.example/api/auth/oauth/callback").unwrap()
}

pub(crate) fn secret(number: u8) -> Secret {
    #[derive(Debug)]
    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }
    Secret::generate(&Fixed(number))
}
