//! Wakes lanes up when their deadlines are due.

use std::sync::Arc;

use ticketing_domain::book::Command;
use ticketing_ports::deadlines::CausedDeadline;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::engine::{EngineConfig, Ports};
use crate::job::Job;
use crate::lanes::Lanes;

/// How many deadlines are claimed at once.
const CHUNK: usize = 500;

pub(crate) async fn run(ports: Ports, config: EngineConfig, lanes: Arc<Lanes>, stop: CancellationToken) {
    let work = async {
        loop {
            match ports
                .deadlines
                .claim_due(ports.clock.now(), config.deadline_lease, CHUNK)
                .await
            {
                Ok(due) => {
                    let more = due.len() == CHUNK;
                    for CausedDeadline { deadline, cause } in due {
                        // There are lanes of no other kind yet.
                        let Some(event) = deadline.lane.event_id() else {
                            continue;
                        };
                        let job = Job {
                            metadata: cause,
                            ..Job::report(Command::DeadlineDue(deadline))
                        };
                        lanes.report(event, job).await;
                    }
                    if more {
                        continue;
                    }
                }
                Err(error) => {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        "due deadlines could not be read"
                    );
                }
            }
            tokio::time::sleep(config.deadline_poll).await;
        }
    };
    stop.run_until_cancelled(work).await;
}
