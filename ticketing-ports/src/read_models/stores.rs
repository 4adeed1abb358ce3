//! The stores of the read side in one bundle: the read models, and the facts that they could not apply.

use std::fmt;
use std::sync::Arc;

use crate::log::dead_letters::DeadLetterStore;
use crate::read_models::availability::AvailabilityQueries;
use crate::read_models::events::EventQueries;
use crate::read_models::payments::PaymentQueries;
use crate::read_models::reservations::ReservationQueries;
use crate::read_models::sales::SalesQueries;
use crate::read_models::store::ProjectionStore;

/// The read models: the store that writes them, the questions that they answer, and the facts that they could not apply. All
/// are of the same rows.
#[derive(Clone)]
pub struct ReadModelStores {
    /// Writes the read models and knows how far they are.
    pub projections: Arc<dyn ProjectionStore>,
    /// Keeps the facts that the read models could not apply.
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
    /// Returns the bundle of one adapter that is all of the read models, with a store of dead letters.
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
