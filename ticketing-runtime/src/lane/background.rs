//! The results of a lane's background tasks: it goes on deciding while streams are read, idempotency keys are looked up
//! and recorded answers are repeated.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use ticketing_domain::book::FromSnapshot;
use ticketing_ports::log::identity::Landmark;
use ticketing_ports::log::streams::{RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;

use super::job::{Job, JobOutcome};
use super::lookups::Found;
use crate::failure::Failure;

/// At most how many facts one read of the log returns.
pub(super) const PAGE: usize = 2_000;

/// The result of a background task of a lane.
#[derive(Debug)]
pub(super) enum BackgroundResult {
    StreamsRead {
        /// The snapshots that were read for some of the streams. The facts of such a stream are those after its
        /// snapshot.
        snapshots: Vec<FromSnapshot>,
        /// For each snapshot, where in the log the last fact is that the snapshot includes.
        landmarks: Vec<Landmark>,
        asked: Vec<(StreamId, Version)>,
        facts: Result<Vec<RecordedEvent>, Failure>,
    },
    KeysLookedUp {
        jobs: Vec<Job>,
        found: Result<Found, Failure>,
    },
    /// The payments that jobs wait for and that another process has written to.
    PaymentsMoved(Result<Vec<StreamId>, Failure>),
    JobEnded {
        job: Box<Job>,
        end: JobOutcome,
    },
}

/// Awaits a store's answer. A panic of the store becomes a [`Failure`], so that the callers who wait are answered.
pub(super) async fn answered<T>(read: impl Future<Output = Result<T, StoreError>>) -> Result<T, Failure> {
    match AssertUnwindSafe(read).catch_unwind().await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::Internal("a call to a store panicked".into())),
    }
}
