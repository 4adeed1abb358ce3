use thiserror::Error;
use ticketing_ports::vocabulary::seating::SeatId;

/// Why an inventory refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InventoryRefusal {
    /// The section is opened a second time.
    #[error("the section has been opened already")]
    AlreadyOpen,
    /// The section was never opened.
    #[error("the section has not been opened")]
    NotOpen,
    /// Fewer seats are free than wanted.
    #[error("{requested} seats are wanted, but only {available} are available")]
    InsufficientInventory {
        /// How many seats were wanted.
        requested: u32,
        /// How many seats are free.
        available: u32,
    },
    /// Some of the wanted seats are not free. The list names all of these.
    #[error("{} of the wanted seats are not free", .0.len())]
    SeatsUnavailable(Vec<SeatId>),
    /// Some of the wanted seats do not exist in the section. The list names all of these.
    #[error("{} of the wanted seats do not exist in the section", .0.len())]
    UnknownSeats(Vec<SeatId>),
    /// A command names a seat twice: this one.
    #[error("the command names seat {0} twice")]
    RepeatedSeat(SeatId),
    /// Seats are named, but the section has general admission.
    #[error("the section has no numbered seats")]
    NotNumbered,
    /// The number of seats is zero, or it is not the number of seats that the command names or the reservation holds.
    #[error("the number of seats is zero, or it differs from the number of seats named or held")]
    QuantityMismatch,
    /// The reservation has seats in this section already.
    #[error("the reservation already has seats in this section")]
    AlreadyHeld,
    /// The reservation holds no seats in this section.
    #[error("the reservation holds no seats in this section")]
    NothingToExtend,
    /// The reservation has no seats in this section.
    #[error("the reservation has no seats in this section")]
    NothingToRelease,
    /// The reservation has bought its seats already.
    #[error("the seats of the reservation are sold already")]
    AlreadySold,
    /// Not all of the seats to unblock are blocked.
    #[error("not all of the seats to unblock are blocked")]
    NotBlocked,
}
