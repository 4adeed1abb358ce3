//! The desk answers every question about the box office. It decides who may ask a question, and how fresh the answer
//! is.
//!
//! Questions about one reservation or payment are answered from the write side and are always up to date. Questions
//! about seats are answered from the live boards, if the event has one. Lists and sums come from the read models;
//! [`Desk::catch_up`] waits until the read models show a caller's own writes. The desk changes nothing.

mod availability;
mod caught_up;
mod codes;
mod customers;
mod events;
mod guests;
mod paging;
mod payments;
mod reservations;

use std::sync::Arc;

use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::people::buyers::BuyerStore;
use ticketing_ports::people::stores::AccountStores;
use ticketing_ports::people::users::UserStore;
use ticketing_ports::read_models::availability::AvailabilityQueries;
use ticketing_ports::read_models::events::EventQueries;
use ticketing_ports::read_models::payments::PaymentQueries;
use ticketing_ports::read_models::reservations::ReservationQueries;
use ticketing_ports::read_models::sales::SalesQueries;
use ticketing_ports::read_models::store::ProjectionStore;
use ticketing_ports::read_models::stores::ReadModelStores;
use ticketing_ports::vocabulary::secrets::Entropy;
use tokio::sync::watch;

use crate::box_office::BoxOffice;
use crate::follow::Reached;
use crate::live::LiveBoards;

pub use availability::AvailabilityAnswer;
pub use caught_up::READ_YOUR_WRITES_PATIENCE;
pub use paging::PagedList;

/// What the desk reads from in addition to the write side: the log, the read models and the users.
#[derive(Clone)]
pub struct DeskPorts {
    /// The log from which the read models are made.
    pub log: Arc<dyn EventStore>,
    /// The read model of events.
    pub events: Arc<dyn EventQueries>,
    /// The read model of the seats that are available.
    pub availability: Arc<dyn AvailabilityQueries>,
    /// The read model of reservations.
    pub reservations: Arc<dyn ReservationQueries>,
    /// The read model of payments.
    pub payments: Arc<dyn PaymentQueries>,
    /// The read models of purchases and of sales.
    pub sales: Arc<dyn SalesQueries>,
    /// Tells up to which position of the log the read models have come, even if another process keeps them.
    pub projections: Arc<dyn ProjectionStore>,
    /// The store of users, which tells whether a customer exists.
    pub users: Arc<dyn UserStore>,
    /// The addresses of guests, and the people who have them.
    pub buyers: Arc<dyn BuyerStore>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes the secrets of guests' orders.
    pub entropy: Arc<dyn Entropy>,
}

impl DeskPorts {
    /// Returns the ports of a desk: the log, the read models that are made from it, the users, and the guests.
    pub fn new(
        log: Arc<dyn EventStore>,
        read_models: ReadModelStores,
        people: &AccountStores,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let ReadModelStores {
            projections,
            // The desk answers nothing from dead letters; they are for the follower of the read models and for
            // operators.
            dead_letters: _,
            events,
            availability,
            reservations,
            payments,
            sales,
        } = read_models;
        Self {
            log,
            events,
            availability,
            reservations,
            payments,
            sales,
            projections,
            users: people.users.clone(),
            buyers: people.buyers.clone(),
            clock,
            entropy,
        }
    }
}

impl std::fmt::Debug for DeskPorts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeskPorts").finish_non_exhaustive()
    }
}

/// Answers every question about the box office. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Desk {
    office: BoxOffice,
    ports: DeskPorts,
    /// The position of the log that the read models have reached, as far as this process knows.
    projected: watch::Receiver<Reached>,
    boards: Option<LiveBoards>,
}

impl Desk {
    /// Makes a desk for this box office. `projected` is what
    /// [`Engine::read_models_reached`](crate::Engine::read_models_reached) returns.
    pub fn new(office: BoxOffice, ports: DeskPorts, projected: watch::Receiver<Reached>) -> Self {
        Self {
            office,
            ports,
            projected,
            boards: None,
        }
    }

    /// Makes the desk answer questions about seats from these live boards, where it can. `boards` is what
    /// [`Engine::live_boards`](crate::Engine::live_boards) returns.
    #[must_use]
    pub fn with_boards(self, boards: Option<LiveBoards>) -> Self {
        Self { boards, ..self }
    }
}
