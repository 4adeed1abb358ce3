//! The schema floor of the log: in which versions this process may write facts.
//!
//! The floor is read at the start and again from time to time. The first commands wait a moment for the first read. If
//! that fails, facts are written in their oldest versions, which every build can read. A process that has not yet read a raised floor goes on so: it refuses
//! what no older version can tell, and writes everything else in an older version.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use thiserror::Error;
use ticketing_domain::generations;
use ticketing_ports::log::event_store::{Commit, EventStore};
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::vocabulary::errors::StoreError;
use tokio::sync::SetOnce;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Holds the schema floor of the log as this process last read it: the generation of facts that every build on the
/// log can read.
#[derive(Debug)]
pub(crate) struct SchemaFloor {
    generation: AtomicU32,
    /// Set once the first read has succeeded or failed.
    tried: SetOnce<()>,
}

impl Default for SchemaFloor {
    fn default() -> Self {
        Self {
            generation: AtomicU32::new(SchemaGeneration::FIRST.0),
            tried: SetOnce::new(),
        }
    }
}

impl SchemaFloor {
    /// The newest generation of facts that every build working on the log can read, as far as this process knows.
    pub(crate) fn now(&self) -> SchemaGeneration {
        SchemaGeneration(self.generation.load(Ordering::Relaxed))
    }

    /// Waits a moment until this process has tried to read the floor once.
    pub(crate) async fn tried(&self) {
        drop(tokio::time::timeout(PATIENCE, self.tried.wait()).await);
    }

    fn set_tried(&self) {
        drop(self.tried.set(()));
    }

    /// Converts the facts of a commit to versions that every build on the log can read.
    pub(crate) fn write_for_all(&self, commit: &mut Commit) -> Written {
        let floor = self.now();
        let events = commit.appends.iter_mut().flat_map(|append| &mut append.events);
        events.for_each(|event| generations::write_for_all(floor, event));
        if floor < generations::newest() {
            Written::Lowered
        } else {
            Written::AsDecided
        }
    }
}

/// Whether the facts of a commit were converted to older versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// The facts are written as they were decided.
    AsDecided,
    /// Some facts may be written in an older version, which says less than what was decided.
    Lowered,
}

/// How long the first commands wait at most until the floor is read.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long to wait at most before the floor is read again, if it could not be read: at the start, what only the newest
/// builds read is refused until then.
const PAUSE_AFTER_A_FAILURE: Duration = Duration::from_secs(1);

/// Reads the floor from the log again and again until `stop` is cancelled.
pub(crate) async fn run(floor: Arc<SchemaFloor>, log: Arc<dyn EventStore>, every: Duration, stop: CancellationToken) {
    if generations::newest() == SchemaGeneration::FIRST {
        // Facts have only one generation so far, so the floor cannot have risen.
        floor.set_tried();
        return;
    }
    let work = async {
        loop {
            let pause = match floor_of(log.as_ref()).await {
                Ok(heard) => {
                    floor.generation.store(heard.0, Ordering::Relaxed);
                    every
                }
                Err(error) => {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        "the schema floor of the log could not be read; this process goes on with the last one it knows"
                    );
                    every.min(PAUSE_AFTER_A_FAILURE)
                }
            };
            floor.set_tried();
            tokio::time::sleep(pause).await;
        }
    };
    stop.run_until_cancelled(work).await;
    floor.set_tried();
}

/// Returns the schema floor of the log. If no other process can write to the log, first raises the floor to the
/// newest generation that this build reads.
async fn floor_of(log: &dyn EventStore) -> Result<SchemaGeneration, StoreError> {
    if log.has_other_writers() {
        log.schema_floor().await
    } else {
        log.raise_schema_floor(generations::newest()).await
    }
}

/// Why this build must not work on a log.
#[derive(Debug, Error)]
pub enum LogNotReadable {
    /// The log may contain facts that only newer builds can read.
    #[error(
        "the log has facts of generation {floor}, but this version reads only up to generation {newest}: run a newer version"
    )]
    Newer {
        /// The generation up to which the log may contain facts (its schema floor).
        floor: SchemaGeneration,
        /// The newest generation that this build reads.
        newest: SchemaGeneration,
    },
    /// The log could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Checks that this build can read all facts of the log. Call this before an engine starts.
///
/// # Errors
/// Fails if the schema floor is above the newest generation that this build reads, or if the log does not answer.
pub async fn check_schema_floor(log: &dyn EventStore) -> Result<(), LogNotReadable> {
    let (floor, newest) = (log.schema_floor().await?, generations::newest());
    if floor > newest {
        return Err(LogNotReadable::Newer { floor, newest });
    }
    Ok(())
}

/// Raises the schema floor to the newest generation that this build reads, so that every process may write facts of
/// that generation. Call this when no older build will work on the log again. Returns the new floor.
///
/// # Errors
/// Fails if this build cannot read all facts of the log, or if the log does not answer.
pub async fn finish_update(log: &dyn EventStore) -> Result<SchemaGeneration, LogNotReadable> {
    check_schema_floor(log).await?;
    Ok(log.raise_schema_floor(generations::newest()).await?)
}
