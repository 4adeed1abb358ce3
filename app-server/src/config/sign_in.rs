//! The settings of signing in: trusted proxies, mail, and identity providers.

use adapters_external::{InvalidSmtpSettings, SmtpMailer};
use clap::Args;
use secrecy::SecretString;

use super::IpNet;
use super::mistake::Mistake;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Signing in")]
pub struct SignInSettings {
    /// Addresses or networks of the proxies in front of this server, separated by commas. Their X-Forwarded-For is
    /// believed
    #[arg(long, env, global = true, value_name = "NETWORKS", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// The mail server: smtps://USER:PASSWORD@HOST, smtp://… for STARTTLS, or smtp://…?tls=none on this machine. Mail
    /// is printed on standard output if this is not set
    #[arg(long, env, global = true, hide_env_values = true, value_name = "URL", value_parser = smtp_url)]
    pub smtp_url: Option<SecretString>,
    /// The sender of mails. If this is not set: Box office <no-reply@HOST>, with the host of the public URL
    #[arg(long, env, global = true, value_name = "SENDER", value_parser = sender)]
    pub mail_from: Option<String>,
    #[command(flatten)]
    pub google: GoogleSettings,
    #[command(flatten)]
    pub github: GithubSettings,
    #[command(flatten)]
    pub oidc: OidcSettings,
}

#[derive(Debug, Clone, Args)]
pub struct GoogleSettings {
    /// Sign in with Google: the id of the client that was registered there with
    /// PUBLIC_URL/api/auth/oauth/google/callback
    #[arg(
        long = "oauth-google-client-id",
        env = "OAUTH_GOOGLE_CLIENT_ID",
        global = true,
        value_name = "ID"
    )]
    pub google_client_id: Option<String>,
    #[arg(
        long = "oauth-google-client-secret",
        env = "OAUTH_GOOGLE_CLIENT_SECRET",
        global = true,
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub google_client_secret: Option<SecretString>,
}

#[derive(Debug, Clone, Args)]
pub struct GithubSettings {
    /// Sign in with GitHub: the id of the client that was registered there with
    /// PUBLIC_URL/api/auth/oauth/github/callback
    #[arg(
        long = "oauth-github-client-id",
        env = "OAUTH_GITHUB_CLIENT_ID",
        global = true,
        value_name = "ID"
    )]
    pub github_client_id: Option<String>,
    #[arg(
        long = "oauth-github-client-secret",
        env = "OAUTH_GITHUB_CLIENT_SECRET",
        global = true,
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub github_client_secret: Option<SecretString>,
    /// The URL of GitHub, or of the GitHub Enterprise Server at which people sign in
    #[arg(
        long = "oauth-github-url",
        env = "OAUTH_GITHUB_URL",
        global = true,
        value_name = "URL",
        default_value = "https://github.com"
    )]
    pub github_url: String,
    /// The URL of the API of GitHub, or of the GitHub Enterprise Server at which people sign in
    #[arg(
        long = "oauth-github-api-url",
        env = "OAUTH_GITHUB_API_URL",
        global = true,
        value_name = "URL",
        default_value = "https://api.github.com"
    )]
    pub github_api_url: String,
}

#[derive(Debug, Clone, Args)]
pub struct OidcSettings {
    /// Sign in with any OpenID Connect provider: its issuer identifier, exactly as the provider writes it
    #[arg(
        long = "oauth-oidc-issuer",
        env = "OAUTH_OIDC_ISSUER",
        global = true,
        value_name = "URL"
    )]
    pub oidc_issuer: Option<String>,
    /// The id of the client that was registered there with PUBLIC_URL/api/auth/oauth/oidc/callback
    #[arg(
        long = "oauth-oidc-client-id",
        env = "OAUTH_OIDC_CLIENT_ID",
        global = true,
        value_name = "ID"
    )]
    pub oidc_client_id: Option<String>,
    #[arg(
        long = "oauth-oidc-client-secret",
        env = "OAUTH_OIDC_CLIENT_SECRET",
        global = true,
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub oidc_client_secret: Option<SecretString>,
    /// Trust an e-mail address that the provider calls verified. Set this only if people cannot claim somebody
    /// else's address at the provider
    #[arg(
        long = "oauth-oidc-trust-email",
        env = "OAUTH_OIDC_TRUST_EMAIL",
        global = true,
        value_name = "BOOL",
        action = clap::ArgAction::Set,
        default_value = "false"
    )]
    pub oidc_trust_email: bool,
}

impl SignInSettings {
    /// Checks that settings that need each other, such as a client's id and its secret, are set together.
    pub(super) fn check(&self) -> Result<(), Mistake> {
        let both = "a client needs an id and a secret";
        let pairs = [
            (
                "OAUTH_GOOGLE_CLIENT_ID",
                self.google.google_client_id.is_some(),
                "OAUTH_GOOGLE_CLIENT_SECRET",
                self.google.google_client_secret.is_some(),
            ),
            (
                "OAUTH_GITHUB_CLIENT_ID",
                self.github.github_client_id.is_some(),
                "OAUTH_GITHUB_CLIENT_SECRET",
                self.github.github_client_secret.is_some(),
            ),
            (
                "OAUTH_OIDC_CLIENT_ID",
                self.oidc.oidc_client_id.is_some(),
                "OAUTH_OIDC_CLIENT_SECRET",
                self.oidc.oidc_client_secret.is_some(),
            ),
        ];
        for (id, has_id, secret, has_secret) in pairs {
            match (has_id, has_secret) {
                (true, false) => return Err(Mistake::Needed(secret, both)),
                (false, true) => return Err(Mistake::Needed(id, both)),
                _ => {}
            }
        }
        match (&self.oidc.oidc_issuer, &self.oidc.oidc_client_id) {
            (Some(_), None) => Err(Mistake::Needed(
                "OAUTH_OIDC_CLIENT_ID",
                "the issuer needs the client that was registered there",
            )),
            (None, Some(_)) => Err(Mistake::Needed(
                "OAUTH_OIDC_ISSUER",
                "the client needs the issuer at which it was registered",
            )),
            _ => Ok(()),
        }
    }
}

/// Parses the URL of a mail server. An empty text stands for no mail server.
fn smtp_url(text: &str) -> Result<SecretString, InvalidSmtpSettings> {
    if !text.is_empty() {
        SmtpMailer::check_url(text)?;
    }
    Ok(text.to_owned().into())
}

fn sender(text: &str) -> Result<String, InvalidSmtpSettings> {
    SmtpMailer::check_sender(text)?;
    Ok(text.to_owned())
}

/// Parses a network, or a single address.
pub(super) fn network(text: &str) -> Result<IpNet, &'static str> {
    let text = text.trim();
    text.parse()
        .or_else(|_| text.parse().map(|address: std::net::IpAddr| IpNet::from(address)))
        .map_err(|_| "must be an address such as 10.0.0.1 or a network such as 10.0.0.0/8")
}
