//! Waiting until the read models have seen a write.

use std::time::Duration;

use ticketing_ports::streams::Position;

use super::{ConsistencyToken, Desk};
use crate::failure::{Failure, UnavailableCause};

/// How long a read waits for its read model to see the write it asks for.
pub const READ_YOUR_WRITES_PATIENCE: Duration = Duration::from_secs(2);

/// How often the read models are asked how far they are while somebody waits for them.
const LOOK_EVERY: Duration = Duration::from_millis(25);

impl Desk {
    /// Waits until the read models have seen everything the token stands for.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] when they have not within [`READ_YOUR_WRITES_PATIENCE`].
    pub async fn catch_up(&self, token: ConsistencyToken) -> Result<(), Failure> {
        match tokio::time::timeout(READ_YOUR_WRITES_PATIENCE, self.seen(token.position())).await {
            Ok(()) => Ok(()),
            Err(_) => Err(Failure::Unavailable(UnavailableCause::ReadModelsLag)),
        }
    }

    async fn seen(&self, position: Position) {
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
                .is_ok_and(|checkpoint| checkpoint >= position)
            {
                return;
            }
        }
    }
}
