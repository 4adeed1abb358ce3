//! Puts the use cases of signing in together from the settings: the mailer, passkeys and the identity providers.

use std::collections::BTreeMap;
use std::sync::Arc;

use adapters_external::{
    ConsoleMailer, GithubProvider, GithubSettings, HttpLimits, OpenIdProvider, OpenIdSettings, SmtpMailer,
    SmtpSettings, SystemClock, SystemEntropy, SystemIds, WebauthnRelyingParty,
};
use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::outside::identity_providers::IdentityProvider;
use ticketing_ports::outside::mailer::Mailer;
use ticketing_ports::people::relying_party::RelyingParty;
use ticketing_runtime::{SignIn, SignInConfig, SignInPorts};
use tracing::info;
use url::Url;

use crate::config::{Settings, SignInSettings};
use crate::storage::Storage;

/// Puts the use cases of signing in together from the settings. No identity provider is contacted yet, so that a
/// server can start while a provider is down.
///
/// # Errors
/// When the settings of a provider or of mail cannot be used, with a reason for an operator.
pub fn sign_in(
    settings: &SignInSettings,
    storage: &Storage,
    public_url: &str,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<SignIn> {
    let ports = SignInPorts {
        accounts: storage.accounts.clone(),
        stores: storage.sign_in.clone(),
        relying_party: relying_party(public_url)?,
        providers: providers(settings, public_url, &clock)?,
        mailer: mailer(settings, public_url)?,
        clock,
        entropy: Arc::new(SystemEntropy),
        ids: Arc::new(SystemIds::new()),
        elsewhere: Vec::new(),
    };
    let config = SignInConfig {
        public_url: public_url.to_owned(),
    };
    Ok(SignIn::new(ports, config))
}

/// Puts the use cases of signing in together for a command that does one thing and ends, so without a server.
///
/// # Errors
/// When [`sign_in`] fails.
pub fn sign_in_alone(settings: &Settings, storage: &Storage) -> anyhow::Result<SignIn> {
    let public_url = settings.http.public_url.as_str();
    sign_in(&settings.sign_in, storage, public_url, Arc::new(SystemClock::new()))
}

/// Returns a mailer that uses the mail server of the settings, or one that prints mails if the settings name none.
fn mailer(settings: &SignInSettings, public_url: &str) -> anyhow::Result<Arc<dyn Mailer>> {
    let Some(url) = settings.smtp_url.as_ref().filter(|url| !url.expose_secret().is_empty()) else {
        return Ok(Arc::new(ConsoleMailer::stdout()));
    };
    let public_url = Url::parse(public_url).context("--public-url (PUBLIC_URL)")?;
    let host = public_url.host_str().unwrap_or("localhost");
    let from = settings.mail_from.clone();
    let mailer = SmtpMailer::new(&SmtpSettings {
        url: url.expose_secret().to_owned(),
        from: from.unwrap_or_else(|| format!("Box office <no-reply@{host}>")),
        root_certificate: None,
    });
    Ok(Arc::new(
        mailer.context("--smtp-url (SMTP_URL) and --mail-from (MAIL_FROM)")?,
    ))
}

fn relying_party(public_url: &str) -> anyhow::Result<Option<Arc<dyn RelyingParty>>> {
    let url = Url::parse(public_url).context("--public-url (PUBLIC_URL)")?;
    match WebauthnRelyingParty::new(&url) {
        Ok(relying_party) => Ok(Some(Arc::new(relying_party))),
        Err(reason) => {
            info!(%reason, "passkeys are switched off");
            Ok(None)
        }
    }
}

fn providers(
    settings: &SignInSettings,
    public_url: &str,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<BTreeMap<String, Arc<dyn IdentityProvider>>> {
    let callback = |name: &str| {
        let url = format!("{public_url}/api/auth/oauth/{name}/callback");
        Url::parse(&url).context("--public-url (PUBLIC_URL)")
    };
    let mut providers: BTreeMap<String, Arc<dyn IdentityProvider>> = BTreeMap::new();
    let google = &settings.google;
    if let Some((id, secret)) = google.google_client_id.clone().zip(google.google_client_secret.clone()) {
        let provider = OpenIdProvider::new(OpenIdSettings::google(id, secret, callback("google")?), clock.clone())?;
        providers.insert("google".to_owned(), Arc::new(provider));
    }
    let github = &settings.github;
    if let Some((id, secret)) = github.github_client_id.clone().zip(github.github_client_secret.clone()) {
        let provider = GithubProvider::new(GithubSettings {
            web: github.github_url.clone(),
            api: github.github_api_url.clone(),
            ..GithubSettings::new(id, secret, callback("github")?)
        })?;
        providers.insert("github".to_owned(), Arc::new(provider));
    }
    let oidc = &settings.oidc;
    let client = oidc.oidc_client_id.clone().zip(oidc.oidc_client_secret.clone());
    if let Some((issuer, (client_id, client_secret))) = oidc.oidc_issuer.clone().zip(client) {
        let settings = OpenIdSettings {
            name: "oidc".to_owned(),
            issuer,
            client_id,
            client_secret,
            redirect_url: callback("oidc")?,
            scopes: vec!["email".to_owned()],
            trust_email: oidc.oidc_trust_email,
            http: HttpLimits::default(),
        };
        let provider =
            OpenIdProvider::new(settings, clock.clone()).context("--oauth-oidc-issuer (OAUTH_OIDC_ISSUER)")?;
        providers.insert("oidc".to_owned(), Arc::new(provider));
    }
    Ok(providers)
}
