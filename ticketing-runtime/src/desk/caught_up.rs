//! Lets a read wait until the read models show an earlier write.

use std::time::Duration;

use ticketing_ports::log::identity::{LogIdentity, Mark};
use ticketing_ports::log::streams::Position;
use tracing::debug;

use super::Desk;
use crate::failure::{Failure, UnavailableCause};
use crate::token::{ConsistencyToken, Seen};

/// How long a read waits at most until the read models show the write that its consistency token stands for.
pub const READ_YOUR_WRITES_PATIENCE: Duration = Duration::from_secs(2);

/// How often a waiting read looks at the checkpoint of the read models.
const LOOK_EVERY: Duration = Duration::from_millis(25);

impl Desk {
    /// Waits until the read models show everything that the consistency token stands for.
    ///
    /// Does not wait for facts that the log does not have: those of another log or of an earlier incarnation, and
    /// those that the log has lost.
    ///
    /// # Errors
    /// Fails with [`Failure::Unavailable`] if the read models have not caught up within [`READ_YOUR_WRITES_PATIENCE`].
    pub async fn catch_up(&self, token: &ConsistencyToken) -> Result<(), Failure> {
        let seen = self.wait_for_token(token);
        match tokio::time::timeout(READ_YOUR_WRITES_PATIENCE, seen).await {
            Ok(seen) => seen,
            Err(_) => Err(Failure::Unavailable(UnavailableCause::ReadModelsLag)),
        }
    }

    /// Waits, without a time limit, until the read models show what the consistency token stands for.
    async fn wait_for_token(&self, token: &ConsistencyToken) -> Result<(), Failure> {
        let log = self.office.log().identity().await?;
        let Some(wanted) = token.of(log) else {
            return Ok(());
        };
        if wanted.incarnation == log.incarnation && self.projected.borrow().has(log, wanted.position) {
            return Ok(());
        }
        if let Some(log) = self.log_containing(token, log, wanted).await {
            self.wait_for_rows(log, wanted.position).await;
        }
        Ok(())
    }

    /// Returns the log's current identity if the log has the facts that the token stands for, and `None` if it has
    /// not. If the log does not answer, assumes that it has them.
    async fn log_containing(&self, token: &ConsistencyToken, known: LogIdentity, wanted: Seen) -> Option<LogIdentity> {
        let (Ok(log), Ok(head)) = (self.office.log().refresh().await, self.ports.log.head().await) else {
            return Some(known);
        };
        let wanted = token.of(log).unwrap_or(wanted);
        let there = wanted.incarnation == log.incarnation && wanted.position <= head;
        if !there {
            debug!(
                %token, incarnation = %log.incarnation, %head,
                "a consistency token stands for facts that the log does not have; the read does not wait for them"
            );
        }
        there.then_some(log)
    }

    /// Waits until the read models contain all facts up to this position, whether this process or another one keeps
    /// their rows.
    async fn wait_for_rows(&self, log: LogIdentity, position: Position) {
        let mut projected = self.projected.clone();
        loop {
            let here = projected.wait_for(|reached| reached.has(log, position));
            let here = tokio::time::timeout(LOOK_EVERY, here).await;
            match here.map(|here| here.is_ok()) {
                Ok(true) => return,
                // The channel is closed, because another process keeps the rows. Only the checkpoint, which is read
                // below, tells how far the rows are.
                Ok(false) => tokio::time::sleep(LOOK_EVERY).await,
                Err(_) => {}
            }
            // If the checkpoint cannot be read, the loop tries again until the caller's time limit ends the wait.
            if let Ok(rows) = self.ports.projections.checkpoint().await
                && rows.position >= position
                && self.rows_are_of(log, rows).await
            {
                return;
            }
        }
    }

    /// Whether rows with this checkpoint were made from facts that the log still has. If the log does not answer,
    /// assumes that they were.
    async fn rows_are_of(&self, log: LogIdentity, rows: Mark) -> bool {
        if rows.log != log.log || rows.is_start() {
            return rows.log == log.log;
        }
        let there = self.ports.log.commit_at(rows.position).await;
        there.map_or(true, |commit| commit == Some(rows.commit))
    }
}
