//! The read side: queries of the read models, and waiting until they have seen a write.

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::read_models::{
    AvailabilityQueries, EventQueries, PaymentQueries, ReservationQueries, SalesQueries,
};
use ticketing_ports::streams::Position;
use tokio::sync::watch;

use crate::consistency::ConsistencyToken;
use crate::failure::{Failure, UnavailableCause};

/// How long a read waits for its read model to see the write it asks for.
pub const READ_YOUR_WRITES_PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub struct Reads {
    pub events: Arc<dyn EventQueries>,
    pub availability: Arc<dyn AvailabilityQueries>,
    pub reservations: Arc<dyn ReservationQueries>,
    pub payments: Arc<dyn PaymentQueries>,
    pub sales: Arc<dyn SalesQueries>,
    /// Where the projector is.
    pub projected: watch::Receiver<Position>,
}

impl std::fmt::Debug for Reads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reads")
            .field("projected", &*self.projected.borrow())
            .finish_non_exhaustive()
    }
}

impl Reads {
    /// Waits until the read models have seen everything the token stands for.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] when they have not within [`READ_YOUR_WRITES_PATIENCE`].
    pub async fn catch_up(&self, token: ConsistencyToken) -> Result<(), Failure> {
        let mut projected = self.projected.clone();
        let caught_up = projected.wait_for(|position| *position >= token.position());
        match tokio::time::timeout(READ_YOUR_WRITES_PATIENCE, caught_up).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Failure::Unavailable(UnavailableCause::ReadModelsLag)),
        }
    }
}
