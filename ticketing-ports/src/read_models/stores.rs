//! The stores of the read side in one bundle: the read models, and the facts that could not be applied to them.

use std::fmt;
use std::sync::Arc;

use crate::log::dead_letters::DeadLetterStore;
use crate::read_models::availability::AvailabilityQueries;
use crate::read_models::events::EventQueries;
use crate::read_models::payments::PaymentQueries;
use crate::read_models::reservations::ReservationQueries;
use crate::read_models::sales::SalesQueries;
use crate::read_models::store::ProjectionStore;

/// The read models: the store that writes them, the ports that answer questions from them, and the facts that could
/// not be applied to them. All fields must be about the same read models.
#[derive(Clone)]
pub struct ReadModelStores {
    /// Writes the read models and knows up to which fact they are written.
    pub projections: Arc<dyn ProjectionStore>,
    /// Keeps the facts that could not be applied to the read models.
    pub dead_letters: Arc<dyn DeadLetterStore>,
    /// Answers questions about events on sale.
    pub events: Arc<dyn EventQueries>,
    /// Answers questions about availability.
    pub availability: Arc<dyn AvailabilityQueries>,
    /// Answers questions about reservations.
    pub reservations: Arc<dyn ReservationQueries>,
    /// Answers questions about payments.
    pub payments: Arc<dyn PaymentQueries>,
    /// Answers questions about sales.
    pub sales: Arc<dyn SalesQueries>,
}

impl ReadModelStores {
    /// Makes the bundle from one adapter that implements all ports of the read models, and from a store of dead
    /// letters.
    pub fn of<S>(read_models: Arc<S>, dead_letters: Arc<dyn DeadLetterStore>) -> Self
    where
        S: ProjectionStore
            + EventQueries
            + AvailabilityQueries
            + ReservationQueries
            + PaymentQueries
            + SalesQueries
            + 'static,
    {
        Self {
            projections: read_models.clone(),
            dead_letters,
            events: read_models.clone(),
            availability: read_models.clone(),
            reservations: read_models.clone(),
            payments: read_models.clone(),
            sales: read_models,
        }
    }
}

impl fmt::Debug for ReadModelStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadModelStores").finish_non_exhaustive()
    }
}
