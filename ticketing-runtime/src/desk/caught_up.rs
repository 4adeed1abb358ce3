//! Waiting until the read models have seen a write.

use std::time::Duration;

use ticketing_ports::log::identity::{LogIdentity, Mark};
use ticketing_ports::log::streams::Position;
use tracing::debug;

use super::Desk;
use crate::failure::{Failure, UnavailableCause};
use crate::token::{ConsistencyToken, Seen};

/// How long a read waits for its read model to see the write it asks for.
pub const READ_YOUR_WRITES_PATIENCE: Duration = Duration::from_secs(2);

/// How often the read models are asked how far they are while somebody waits for them.
const LOOK_EVERY: Duration = Duration::from_millis(25);

impl Desk {
    /// Waits until the read models have seen everything the token stands for. What it says of another log, of an earlier
    /// life of this one, or of facts that this one does not have, nobody can wait for: it is as if it were not there.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] when they have not within [`READ_YOUR_WRITES_PATIENCE`].
    pub async fn catch_up(&self, token: &ConsistencyToken) -> Result<(), Failure> {
        let seen = self.seen(token);
        match tokio::time::timeout(READ_YOUR_WRITES_PATIENCE, seen).await {
            Ok(seen) => seen,
            Err(_) => Err(Failure::Unavailable(UnavailableCause::ReadModelsLag)),
        }
    }

    async fn seen(&self, token: &ConsistencyToken) -> Result<(), Failure> {
        let log = self.office.log().identity().await?;
        let Some(wanted) = token.of(log) else {
            return Ok(());
        };
        if wanted.incarnation == log.incarnation && self.projected.borrow().has(log, wanted.position) {
            return Ok(());
        }
        if let Some(log) = self.log_that_has(token, log, wanted).await {
            self.projected_up_to(log, wanted.position).await;
        }
        Ok(())
    }

    /// The log as it is now, if it has in its present life what was seen. If it does not answer, that is taken for granted.
    async fn log_that_has(&self, token: &ConsistencyToken, known: LogIdentity, wanted: Seen) -> Option<LogIdentity> {
        let (Ok(log), Ok(head)) = (self.office.log().look().await, self.ports.log.head().await) else {
            return Some(known);
        };
        let wanted = token.of(log).unwrap_or(wanted);
        let there = wanted.incarnation == log.incarnation && wanted.position <= head;
        if !there {
            debug!(
                %token, incarnation = %log.incarnation, %head,
                "a consistency token speaks of what the log does not have; its caller waits for nothing"
            );
        }
        there.then_some(log)
    }

    async fn projected_up_to(&self, log: LogIdentity, position: Position) {
        let mut projected = self.projected.clone();
        loop {
            let here = projected.wait_for(|reached| reached.has(log, position));
            let here = tokio::time::timeout(LOOK_EVERY, here).await;
            match here.map(|here| here.is_ok()) {
                Ok(true) => return,
                // They are kept elsewhere, and nobody says here how far they are.
                Ok(false) => tokio::time::sleep(LOOK_EVERY).await,
                Err(_) => {}
            }
            // An error here lasts or it does not; the caller's patience ends either way.
            if let Ok(rows) = self.ports.projections.checkpoint().await
                && rows.position >= position
                && self.are_of(log, rows).await
            {
                return;
            }
        }
    }

    /// Whether rows with that checkpoint are made of what the log has. If it does not answer, that is taken for granted.
    async fn are_of(&self, log: LogIdentity, rows: Mark) -> bool {
        if rows.log != log.log || rows.is_start() {
            return rows.log == log.log;
        }
        let there = self.ports.log.commit_at(rows.position).await;
        there.map_or(true, |commit| commit == Some(rows.commit))
    }
}
