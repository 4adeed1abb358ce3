//! A stored fact, read into the type that it has in the domain.

use ticketing_ports::streams::{Aggregate, RecordedEvent};

pub use crate::book::Fact;
use crate::stored::{StoredEvent, UnreadableEvent};

impl Fact {
    /// Reads a stored fact of any stream.
    ///
    /// # Errors
    /// When this build cannot read it.
    pub fn from_recorded(recorded: &RecordedEvent) -> Result<Self, UnreadableEvent> {
        Ok(match recorded.stream.aggregate {
            Aggregate::Catalog => Self::Catalog(StoredEvent::from_recorded(recorded)?),
            Aggregate::Inventory => Self::Inventory(StoredEvent::from_recorded(recorded)?),
            Aggregate::Reservation => Self::Reservation(StoredEvent::from_recorded(recorded)?),
            Aggregate::Payment => Self::Payment(StoredEvent::from_recorded(recorded)?),
        })
    }
}
