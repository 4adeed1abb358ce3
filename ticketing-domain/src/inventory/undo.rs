//! What a fact changed in a section, kept to take the fact back until it is known to be in the log.

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::ReservationId;

use super::section::{CompactClaim, Places};

/// What one fact changed in a section, kept to take the fact back. Its size depends on the fact, not on the section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryUndo(pub(super) Undone);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Undone {
    Nothing,
    Opened,
    /// The seats of a reservation changed. `before` is what the reservation had earlier; `None` if it had no seats.
    Claim {
        reservation: ReservationId,
        before: Option<CompactClaim>,
    },
    /// A hold became sold. `until` is when the hold would have run out.
    Sold {
        reservation: ReservationId,
        until: Timestamp,
    },
    /// The fact blocked these places.
    Blocked(Places),
    /// The fact unblocked these places.
    Unblocked(Places),
}
