//! Runs the conformance suites of the ports against the adapters of this crate.

use std::sync::Arc;

use adapters_external::SandboxGateway;
use adapters_memory::ManualClock;
use chrono::TimeDelta;
use ticketing_testkit::conformance::gateway::Gateway;

mod sandbox_gateway {
    use super::*;

    ticketing_testkit::payment_gateway_conformance!(sandbox());

    fn sandbox() -> Gateway {
        let clock = Arc::new(ManualClock::default());
        let gateway = SandboxGateway::new(clock.clone());
        // The sandbox decides everything by the clock, so the suite only has to move the clock on when it waits for a
        // decision.
        Gateway::without_books(
            Arc::new(gateway),
            Arc::new(move |_| clock.advance(TimeDelta::minutes(1))),
        )
    }
}
