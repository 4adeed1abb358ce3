//! The suites of the ports, run on the adapters of this crate.

use std::sync::Arc;

use adapters_external::{SandboxGateway, SystemClock};
use ticketing_testkit::conformance::gateway::Gateway;

mod sandbox_gateway {
    use super::*;

    ticketing_testkit::payment_gateway_conformance!(Gateway::without_books(Arc::new(SandboxGateway::new(Arc::new(
        SystemClock::default()
    )))));
}
