//! Waiting until the read models show a write.

use std::time::Duration;

use ticketing_ports::log::identity::{LogIdentity, Mark};
use ticketing_ports::log::streams::Position;
use tracing::debug;

use super::Desk;
use crate::failure::{Failure, UnavailableCause};
use crate::token::{ConsistencyToken, Seen};

/// At most how long a read waits for the read models to show the write that its token stands for.
pub const READ_YOUR_WRITES_PATIENCE: Duration = Duration::from_secs(2);

/// How often the checkpoint of the read models is read while a request waits.
const LOOK_EVERY: Duration = Duration::from_millis(25);

impl Desk {
    /// Waits until the read models show everything that the token stands for.
    ///
    /// What the log does not have is not waited for: positions of another log or of an earlier incarnation, and facts
    /// that the log has lost.
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

    /// Waits, without a time limit, until the read models show what the token stands for.
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

    /// The log's current identity, if the log has what the token stands for. If the log does not answer, it is taken to
    /// have it.
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

    /// Waits until the rows have reached this position, in this process or in the one that keeps them.
    async fn wait_for_rows(&self, log: LogIdentity, position: Position) {
        let mut projected = self.projected.clone();
        loop {
            let here = projected.wait_for(|reached| reached.has(log, position));
            let here = tokio::time::timeout(LOOK_EVERY, here).await;
            match here.map(|here| here.is_ok()) {
                Ok(true) => return,
                // The channel is closed, so another process keeps the rows. Only their checkpoint tells how far they
                // are.
                Ok(false) => tokio::time::sleep(LOOK_EVERY).await,
                Err(_) => {}
            }
            // A read error is ignored: the caller waits on, for at most its patience.
            if let Ok(rows) = self.ports.projections.checkpoint().await
                && rows.position >= position
                && self.rows_are_of(log, rows).await
            {
                return;
            }
        }
    }

    /// Whether rows with this checkpoint were made of facts that the log has. If the log does not answer, they are
    /// taken to be.
    async fn rows_are_of(&self, log: LogIdentity, rows: Mark) -> bool {
        if rows.log != log.log || rows.is_start() {
            return rows.log == log.log;
        }
        let there = self.ports.log.commit_at(rows.position).await;
        there.map_or(true, |commit| commit == Some(rows.commit))
    }
}
