//! Everything about one event on sale, put together: its catalog entry, its sections, and the reservations and payments
//! that are being talked about.
//!
//! [`EventBook::handle`] takes one command through the reducers and the saga and stages what follows from it, still
//! without any I/O: facts, deadlines and gateway calls as plain data. The engine's lane owns one book and commits what
//! it stages; a test can own one just as well.

mod command;
mod handle;
mod load;
mod queries;
mod shared;
mod unit;

use std::collections::BTreeMap;

use ticketing_ports::ids::{EventId, PaymentId, ReservationId, SectionId};
use ticketing_ports::streams::Version;

pub use command::{Command, Fact, GatewayAnswer, Outcome, Question, Reply, StagedFact, Unanswered, Work};
pub use shared::About;
use shared::Confirmed;

use crate::catalog::CatalogState;
use crate::inventory::InventoryState;
use crate::payment::PaymentState;
use crate::reservation::ReservationState;

/// So many reservations of a cancelled event are settled in one commit.
pub const CANCELLATION_CHUNK: usize = 100;

/// The state of one stream and how many facts it has seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Loaded<S> {
    state: S,
    version: Version,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventBook {
    event_id: EventId,
    catalog: Option<Loaded<CatalogState>>,
    sections: BTreeMap<SectionId, Loaded<InventoryState>>,
    /// Boxed: a node of the map has room for eleven, and there are many of these.
    reservations: BTreeMap<ReservationId, Box<Loaded<ReservationState>>>,
    payments: BTreeMap<PaymentId, Loaded<PaymentState>>,
    /// See [`EventBook::of_shared_log`].
    confirmed: Option<Confirmed>,
}

impl EventBook {
    /// A book that knows nothing yet; see [`EventBook::missing`].
    pub fn new(event_id: EventId) -> Self {
        Self {
            event_id,
            catalog: None,
            sections: BTreeMap::new(),
            reservations: BTreeMap::new(),
            payments: BTreeMap::new(),
            confirmed: None,
        }
    }

    /// A book whose assumptions are likely to be disappointed, because others write to the same log: it keeps its
    /// sections twice, so that [`EventBook::rewind`] need not read a whole section again.
    #[must_use]
    pub fn of_shared_log(event_id: EventId) -> Self {
        Self {
            confirmed: Some(Confirmed::default()),
            ..Self::new(event_id)
        }
    }

    pub fn event_id(&self) -> EventId {
        self.event_id
    }
}
