//! Waits for what another process does: looks again and again, with a pause and a limit.

use std::fmt::Display;
use std::time::{Duration, Instant};

use anyhow::ensure;

/// How long something that must happen may take at most, on a machine that is busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How long a test pauses between two looks. Without a pause it would take a processor from the process that it waits
/// for.
const PAUSE: Duration = Duration::from_millis(20);

/// The patience of a test with one thing that must happen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    ends: Instant,
}

impl Patience {
    /// Begins to wait for at most [`PATIENCE`].
    pub(crate) fn new() -> Self {
        Self::of(PATIENCE)
    }

    /// Begins to wait for at most `limit`.
    pub(crate) fn of(limit: Duration) -> Self {
        Self {
            ends: Instant::now() + limit,
        }
    }

    /// Pauses before the next look. Fails with `otherwise` if the patience is at its end.
    pub(crate) async fn pause<D: Display>(&self, otherwise: impl FnOnce() -> D) -> anyhow::Result<()> {
        self.pause_for(PAUSE, otherwise).await
    }

    /// Pauses for as long as a server has asked for. Fails with `otherwise` if the patience is at its end.
    pub(crate) async fn pause_for<D: Display>(
        &self,
        pause: Duration,
        otherwise: impl FnOnce() -> D,
    ) -> anyhow::Result<()> {
        self.lasts(otherwise)?;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Pauses before the next look, and blocks the thread of the test meanwhile.
    pub(crate) fn block<D: Display>(&self, otherwise: impl FnOnce() -> D) -> anyhow::Result<()> {
        self.lasts(otherwise)?;
        std::thread::sleep(PAUSE);
        Ok(())
    }

    fn lasts<D: Display>(&self, otherwise: impl FnOnce() -> D) -> anyhow::Result<()> {
        ensure!(Instant::now() < self.ends, "{}", otherwise());
        Ok(())
    }
}
