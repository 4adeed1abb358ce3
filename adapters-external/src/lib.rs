//! Adapters for the world outside: the sandbox payment gateway, mail, identity providers, the relying party of
//! passkeys, and the machine's clock, ids and randomness.

mod console_mailer;
mod github;
mod openid_provider;
mod provider_http;
mod relying_party;
mod sandbox_gateway;
mod smtp_mailer;
mod system;

pub use console_mailer::ConsoleMailer;
pub use github::{GithubProvider, GithubSettings};
pub use openid_provider::{OpenIdProvider, OpenIdSettings};
pub use provider_http::{HttpLimits, InvalidIdentityProvider};
pub use relying_party::{InvalidRelyingParty, WebauthnRelyingParty};
pub use sandbox_gateway::SandboxGateway;
pub use smtp_mailer::{InvalidSmtpSettings, SmtpMailer, SmtpSettings};
pub use system::{SystemClock, SystemEntropy, SystemIds};
