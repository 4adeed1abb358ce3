//! Deletes idempotency records that are older than the retention in the settings.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::setup::{EngineConfig, Ports};

/// How often old idempotency records are deleted.
const EVERY: Duration = Duration::from_secs(600);

pub(crate) async fn run(ports: Ports, config: EngineConfig, stop: CancellationToken) {
    let work = async {
        loop {
            tokio::time::sleep(EVERY).await;
            let before = ports.clock.now() - config.idempotency_retention;
            if let Err(error) = ports.idempotency.forget_answers(before).await {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "old idempotency records could not be deleted; the next try is in ten minutes"
                );
            }
        }
    };
    stop.run_until_cancelled(work).await;
}
