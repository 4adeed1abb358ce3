use thiserror::Error;
use ticketing_ports::vocabulary::seating::SeatId;

/// Why an inventory refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InventoryRefusal {
    /// The section is opened a second time.
    #[error("the section is open already")]
    AlreadyOpen,
    /// The section was never opened.
    #[error("the section does not exist")]
    NotOpen,
    /// Fewer seats are free than wanted.
    #[error("{requested} seats wanted, {available} available")]
    InsufficientInventory {
        /// How many seats were wanted.
        requested: u32,
        /// How many seats are free.
        available: u32,
    },
    /// Some wanted seats are not free; all of those are named.
    #[error("{} of the wanted seats are gone", .0.len())]
    SeatsUnavailable(Vec<SeatId>),
    /// The section does not have some wanted seats; all of those are named.
    #[error("{} of the wanted seats do not exist", .0.len())]
    UnknownSeats(Vec<SeatId>),
    /// A seat is named twice.
    #[error("a seat is wanted twice")]
    RepeatedSeat(SeatId),
    /// Seats are named, but the section is general admission.
    #[error("the section has no numbered seats")]
    NotNumbered,
    /// No seats are wanted, or not as many as are named or held.
    #[error("the number of seats is zero, or not that of the seats that are named or held")]
    QuantityMismatch,
    /// The reservation has seats here already.
    #[error("the reservation has seats here already")]
    AlreadyHeld,
    /// The reservation has no seats here.
    #[error("the reservation has no seats here")]
    NothingToRelease,
    /// The reservation has bought its seats already.
    #[error("the seats are sold to the reservation already")]
    AlreadySold,
    /// Not all of these seats are blocked.
    #[error("not all of these seats are blocked")]
    NotBlocked,
}
