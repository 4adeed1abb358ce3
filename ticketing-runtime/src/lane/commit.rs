//! Commits with a known outcome.

use std::time::Duration;

use ticketing_ports::log::event_store::{Commit, CommitError, CommitReceipt, EventStore};
use tokio::time::Instant;
use tracing::warn;

use crate::observer::{Observed, Observer};
use crate::retry::RetryPolicy;

const LOOKING_UP: RetryPolicy = RetryPolicy {
    first: Duration::from_millis(20),
    longest: Duration::from_secs(1),
    tries: None,
};
/// After so long without learning an outcome the callers are told that the store is unavailable. A look-up of a store
/// that is down takes seconds, so it is the time that counts: nobody should wait until the request itself runs out.
const PATIENCE: Duration = Duration::from_secs(7);

/// Writes a commit that so many jobs share, and tells the observer when the log has taken it.
pub(crate) async fn commit_for(
    jobs: usize,
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
    Ok(receipt)
}

/// Writes a commit and does not return before it knows whether it was written, as far as that can be known.
///
/// A lost answer is looked up by the commit's id. When the store does not know the id, the very same commit is handed in
/// again: if the first one lands after all, the store answers the second with the receipt of the first.
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
            warn!(commit_id = %id, tries, "the outcome of a commit is unknown, looking it up");
            tokio::time::sleep(pauses.next().unwrap_or(LOOKING_UP.longest)).await;
            match store.find_commit(id).await {
                Ok(Some(receipt)) => return Ok(receipt),
                Ok(None) => break,
                Err(_) => {}
            }
        }
    }
}
