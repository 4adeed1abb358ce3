//! What a fact changed in a section. This is kept until the fact is known to be in the log, so that the fact can be
//! undone if it does not get there.

use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CustomerId, ReservationId};

use super::claim::{NamedClaim, Places};

/// What one fact changed in a section, kept so that the fact can be undone. Its size depends on the fact, not on the
/// section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryUndo(pub(super) Undone);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Undone {
    Nothing,
    Opened,
    /// The seats of a reservation changed. `before` is what the reservation had earlier; `None` if it had no seats.
    Claim {
        reservation: ReservationId,
        before: Option<NamedClaim>,
    },
    /// Held seats became sold. `until` is when their hold would have run out, and `held_for` whose hold it was.
    Sold {
        reservation: ReservationId,
        until: Timestamp,
        held_for: Option<CustomerId>,
    },
    /// A hold lasts longer. `until` is when it would have run out before.
    Extended {
        reservation: ReservationId,
        until: Timestamp,
    },
    /// The fact blocked these places.
    Blocked(Places),
    /// The fact unblocked these places.
    Unblocked(Places),
}
