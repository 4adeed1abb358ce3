//! Wakes lanes up when their deadlines are due.

use std::sync::Arc;

use ticketing_domain::book::Caller;
use ticketing_domain::command::Command;
use ticketing_domain::commands::{CompleteEvent, ExpireHold, RetryPayment, SettleCancellation};
use ticketing_ports::deadlines::{CausedDeadline, Deadline, DeadlineKind};
use ticketing_ports::streams::Metadata;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::lane::{Asked, Job, Lanes};
use crate::setup::{EngineConfig, Ports};

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
                        lanes.report(deadline.lane, job_for(deadline, cause)).await;
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

/// What a deadline asks for, on behalf of whoever caused it.
fn job_for(deadline: Deadline, cause: Metadata) -> Job {
    match deadline.key.kind {
        DeadlineKind::HoldExpiry => job(ExpireHold { deadline }, cause),
        DeadlineKind::GatewayRetry => job(RetryPayment { deadline }, cause),
        DeadlineKind::CancellationChunk => job(SettleCancellation { deadline }, cause),
        DeadlineKind::EventStart => job(CompleteEvent { deadline }, cause),
    }
}

fn job(command: impl Command, cause: Metadata) -> Job {
    Job::new(Asked::new(command, None), Caller::World, cause)
}
