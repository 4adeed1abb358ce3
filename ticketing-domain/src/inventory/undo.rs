//! What a fact changed in a section, kept until the fact is known to be in the log.

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::ReservationId;

use super::section::{CompactClaim, Places};

/// What one fact changed. It names no more than the fact did, however large the section is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryUndo(pub(super) Undone);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Undone {
    Nothing,
    Opened,
    /// What the reservation had before, if anything.
    Claim {
        reservation: ReservationId,
        before: Option<CompactClaim>,
    },
    /// A hold that would have lasted until then was sold.
    Sold {
        reservation: ReservationId,
        until: Timestamp,
    },
    /// Places that became blocked.
    Blocked(Places),
    /// Places that became free.
    Unblocked(Places),
}
