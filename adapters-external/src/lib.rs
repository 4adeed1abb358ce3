//! Payment gateways, mail, the relying party of passkeys, and the machine's own clock, ids and randomness.

mod console_mailer;
mod relying_party;
mod sandbox_gateway;
mod system;

pub use console_mailer::ConsoleMailer;
pub use relying_party::{InvalidRelyingParty, WebauthnRelyingParty};
pub use sandbox_gateway::SandboxGateway;
pub use system::{SystemClock, SystemEntropy, SystemIds};
