//! The one place where questions are asked: who may see what, from which side it is answered, and how fresh the answer is.
//!
//! A question about one reservation, payment or section goes to the write side and is always up to date; lists and sums
//! come from the read models, which a caller's [`ConsistencyToken`](crate::ConsistencyToken) can wait for. Nothing here changes anything.

mod availability;
mod caught_up;
mod customers;
mod events;
mod paging;
mod payments;
mod reservations;

use std::sync::Arc;

use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::people::users::UserStore;
use ticketing_ports::read_models::availability::AvailabilityQueries;
use ticketing_ports::read_models::events::EventQueries;
use ticketing_ports::read_models::payments::PaymentQueries;
use ticketing_ports::read_models::reservations::ReservationQueries;
use ticketing_ports::read_models::sales::SalesQueries;
use ticketing_ports::read_models::store::ProjectionStore;
use tokio::sync::watch;

use crate::box_office::BoxOffice;
use crate::follow::Reached;

pub use caught_up::READ_YOUR_WRITES_PATIENCE;
pub use paging::PagedList;

/// What is read, beside the write side.
#[derive(Clone)]
pub struct DeskPorts {
    /// The log that the read models are made of.
    pub log: Arc<dyn EventStore>,
    pub events: Arc<dyn EventQueries>,
    pub availability: Arc<dyn AvailabilityQueries>,
    pub reservations: Arc<dyn ReservationQueries>,
    pub payments: Arc<dyn PaymentQueries>,
    pub sales: Arc<dyn SalesQueries>,
    /// How far the read models are, also when the projector of another process writes them.
    pub projections: Arc<dyn ProjectionStore>,
    pub users: Arc<dyn UserStore>,
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for DeskPorts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeskPorts").finish_non_exhaustive()
    }
}

/// Answers every question about the box office. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Desk {
    office: BoxOffice,
    ports: DeskPorts,
    /// Where the projector of this process is.
    projected: watch::Receiver<Reached>,
}

impl Desk {
    pub fn new(office: BoxOffice, ports: DeskPorts, projected: watch::Receiver<Reached>) -> Self {
        Self {
            office,
            ports,
            projected,
        }
    }
}
