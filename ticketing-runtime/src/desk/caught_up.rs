//! Waiting until the read models have seen a write.

use std::time::Duration;

use ticketing_ports::streams::Position;
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
        let here = wanted.incarnation == log.incarnation && *self.projected.borrow() >= wanted.position;
        if here || !self.is_in_the_log(token, wanted).await {
            return Ok(());
        }
        self.projected_up_to(wanted.position).await;
        Ok(())
    }

    /// Whether the log has, in its present life, what was seen. If it does not answer, that is taken for granted.
    async fn is_in_the_log(&self, token: &ConsistencyToken, wanted: Seen) -> bool {
        let (Ok(log), Ok(head)) = (self.office.log().look().await, self.ports.log.head().await) else {
            return true;
        };
        let wanted = token.of(log).unwrap_or(wanted);
        let there = wanted.incarnation == log.incarnation && wanted.position <= head;
        if !there {
            debug!(
                %token, incarnation = %log.incarnation, %head,
                "a consistency token speaks of what the log does not have; its caller waits for nothing"
            );
        }
        there
    }

    async fn projected_up_to(&self, position: Position) {
        let mut projected = self.projected.clone();
        loop {
            let here = projected.wait_for(|projected| *projected >= position);
            if let Ok(Ok(_)) = tokio::time::timeout(LOOK_EVERY, here).await {
                return;
            }
            // An error here lasts or it does not; the caller's patience ends either way.
            if self
                .ports
                .projections
                .checkpoint()
                .await
                .is_ok_and(|checkpoint| checkpoint.position >= position)
            {
                return;
            }
        }
    }
}
