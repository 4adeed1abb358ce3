//! Reports deadlines to their lanes when they are due.

use std::sync::Arc;
use std::time::Duration;

use ticketing_domain::book::Caller;
use ticketing_domain::command::Command;
use ticketing_domain::commands::{CompleteEvent, ExpireHold, RetryPayment, SettleCancellation};
use ticketing_ports::log::deadlines::{CausedDeadline, Deadline, DeadlineKind};
use ticketing_ports::log::streams::Metadata;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::lane::{CommandJob, Job, Lanes};
use crate::retry::{Pauses, RetryPolicy};
use crate::setup::{EngineConfig, Ports};

/// At most how many due deadlines this process leases with one call to the store.
const CHUNK: usize = 500;

/// The pauses between tries to read the due deadlines, after a try has failed.
const READING: RetryPolicy = RetryPolicy {
    first: Duration::from_millis(500),
    longest: Duration::from_secs(2),
    tries: None,
};

pub(crate) async fn run(ports: Ports, config: EngineConfig, lanes: Arc<Lanes>, stop: CancellationToken) {
    let mut pauses: Option<Pauses> = None;
    let work = async {
        loop {
            let mut pause = config.deadline_poll;
            match ports
                .deadlines
                .lease_due(ports.clock.now(), config.deadline_lease, CHUNK)
                .await
            {
                Ok(due) => {
                    pauses = None;
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
                        "due deadlines could not be read; they are read again after a pause"
                    );
                    let pauses = pauses.get_or_insert_with(|| READING.pauses(ports.ids.uuid()));
                    pause = pauses.next().unwrap_or(pause);
                }
            }
            tokio::time::sleep(pause).await;
        }
    };
    stop.run_until_cancelled(work).await;
}

/// Makes the job that handles a due deadline. Its facts carry the metadata of the request that has set the deadline.
fn job_for(deadline: Deadline, cause: Metadata) -> Job {
    match deadline.key.kind {
        DeadlineKind::HoldExpiry => job(ExpireHold { deadline }, cause),
        DeadlineKind::GatewayRetry => job(RetryPayment { deadline }, cause),
        DeadlineKind::CancellationChunk => job(SettleCancellation { deadline }, cause),
        DeadlineKind::EventStart => job(CompleteEvent { deadline }, cause),
    }
}

fn job(command: impl Command, cause: Metadata) -> Job {
    Job::new(CommandJob::new(command, None), Caller::World, cause)
}
