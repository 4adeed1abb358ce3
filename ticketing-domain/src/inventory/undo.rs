//! How a fact is taken back: what it changed in a section, kept until the fact is known to be in the log.

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::ReservationId;

use super::section::{CompactClaim, Places};

/// What one fact changed. Its size depends on the fact, not on the section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryUndo(pub(super) Undone);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Undone {
    Nothing,
    Opened,
    /// The reservation's seats changed. `before` is what it had; `None` if it had none.
    Claim {
        reservation: ReservationId,
        before: Option<CompactClaim>,
    },
    /// A hold was sold that would have run out at `until`.
    Sold {
        reservation: ReservationId,
        until: Timestamp,
    },
    /// Places that became blocked.
    Blocked(Places),
    /// Places that became free.
    Unblocked(Places),
}
