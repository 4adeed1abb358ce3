//! Writes commits, and finds out whether the store has written them.

use std::time::Duration;

use ticketing_ports::log::event_store::{Commit, CommitError, CommitReceipt, EventStore};
use tokio::time::Instant;
use tracing::warn;

use crate::observer::{Observed, Observer, SaleStep};
use crate::retry::RetryPolicy;

/// The pauses between two look-ups of a commit whose outcome is unknown.
const LOOKING_UP: RetryPolicy = RetryPolicy {
    first: Duration::from_millis(20),
    longest: Duration::from_secs(1),
    tries: None,
};
/// How long the outcome of a commit is looked up before its callers are told that the store is unavailable. It is a
/// time and not a number of tries, because one look-up of a store that is down takes seconds.
const PATIENCE: Duration = Duration::from_secs(7);

/// Writes a commit that `jobs` jobs share and that records these steps of sales. Reports both to the observer once the
/// commit is durable.
pub(crate) async fn commit_for(
    jobs: usize,
    steps: &[SaleStep],
    commit: &Commit,
    store: &dyn EventStore,
    observer: &dyn Observer,
) -> Result<CommitReceipt, CommitError> {
    let began = Instant::now();
    let receipt = commit_with_known_outcome(store, commit).await?;
    observer.observe(Observed::Committed {
        jobs,
        facts: commit.appends.iter().map(|append| append.events.len()).sum(),
        took: began.elapsed(),
    });
    for step in steps {
        observer.observe(Observed::Sale(*step));
    }
    Ok(receipt)
}

/// Writes a commit and returns once it is known whether the store has written the commit, or after [`PATIENCE`].
///
/// If the store's answer is lost, the commit is looked up by its id. If the store does not know the id, the same
/// commit is submitted again. If the first submission was written after all, the store answers the second one with
/// the receipt of the first.
async fn commit_with_known_outcome(store: &dyn EventStore, commit: &Commit) -> Result<CommitReceipt, CommitError> {
    let id = commit.id;
    let mut pauses = LOOKING_UP.pauses(id.uuid());
    let mut tries = 0;
    let began = Instant::now();
    loop {
        let source = match store.commit(commit.clone()).await {
            Err(CommitError::Unknown(source)) => source,
            known => return known,
        };
        loop {
            tries += 1;
            if began.elapsed() > PATIENCE {
                return Err(CommitError::Unknown(source));
            }
            warn!(commit_id = %id, tries, "the outcome of a commit is unknown; the lane looks it up");
            tokio::time::sleep(pauses.next().unwrap_or(LOOKING_UP.longest)).await;
            match store.find_commit(id).await {
                Ok(Some(receipt)) => return Ok(receipt),
                Ok(None) => break,
                Err(_) => {}
            }
        }
    }
}
