//! Which versions of facts this process may write, by the floor of the log: asked at the start and from time to time.
//!
//! Until it has heard of it a process writes what every build reads. To hear late of a floor that was raised costs nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use thiserror::Error;
use ticketing_domain::generations;
use ticketing_ports::log::event_store::{Commit, EventStore};
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::vocabulary::errors::StoreError;
use tokio_util::sync::CancellationToken;
use tracing::warn;

#[derive(Debug)]
pub(crate) struct Floor(AtomicU32);

impl Default for Floor {
    fn default() -> Self {
        Self(AtomicU32::new(SchemaGeneration::FIRST.0))
    }
}

impl Floor {
    /// The generation of facts that every build on the log reads, as far as this process has heard.
    pub(crate) fn now(&self) -> SchemaGeneration {
        SchemaGeneration(self.0.load(Ordering::Relaxed))
    }

    /// Writes the facts of a commit as every build reads them that works on the log.
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

/// In which versions the facts of a commit are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    AsDecided,
    /// Some may be in a version that says less than what was decided.
    Lowered,
}

/// Keeps the floor as the log has it.
pub(crate) async fn run(floor: Arc<Floor>, log: Arc<dyn EventStore>, every: Duration, stop: CancellationToken) {
    if generations::newest() == SchemaGeneration::FIRST {
        // Every build reads all there is.
        return;
    }
    let work = async {
        loop {
            match floor_of(log.as_ref()).await {
                Ok(heard) => floor.0.store(heard.0, Ordering::Relaxed),
                Err(error) => warn!(
                    error = &error as &dyn std::error::Error,
                    "the schema floor of the log could not be read"
                ),
            }
            tokio::time::sleep(every).await;
        }
    };
    stop.run_until_cancelled(work).await;
}

/// A log that nobody else writes to is read by this build alone.
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
    #[error("the log has facts of generation {floor}, and this version reads up to {newest}: run a newer version")]
    Newer {
        floor: SchemaGeneration,
        newest: SchemaGeneration,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether this build reads all that others may write to the log.
///
/// # Errors
/// When it does not, or the log does not answer.
pub async fn check_schema_floor(log: &dyn EventStore) -> Result<(), LogNotReadable> {
    let (floor, newest) = (log.schema_floor().await?, generations::newest());
    if floor > newest {
        return Err(LogNotReadable::Newer { floor, newest });
    }
    Ok(())
}

/// Lets every process write what this build reads. Right once no older build works on the log any more, nor ever will.
///
/// # Errors
/// When the log does not answer, or has facts that this build cannot read.
pub async fn finish_update(log: &dyn EventStore) -> Result<SchemaGeneration, LogNotReadable> {
    check_schema_floor(log).await?;
    Ok(log.raise_schema_floor(generations::newest()).await?)
}
