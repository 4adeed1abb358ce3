//! Payment gateways, mail, and the machine's own clock, ids and randomness.

mod sandbox_gateway;
mod system;

pub use sandbox_gateway::SandboxGateway;
pub use system::{SystemClock, SystemEntropy, SystemIds};
