//! Payment gateways, mail, and the machine's own clock, ids and randomness.

mod console_mailer;
mod sandbox_gateway;
mod system;

pub use console_mailer::ConsoleMailer;
pub use sandbox_gateway::SandboxGateway;
pub use system::{SystemClock, SystemEntropy, SystemIds};
