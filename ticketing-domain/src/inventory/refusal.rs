use thiserror::Error;
use ticketing_ports::vocabulary::seating::SeatId;

/// Why an inventory does not do what it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InventoryRefusal {
    #[error("the section is open already")]
    AlreadyOpen,
    #[error("the section does not exist")]
    NotOpen,
    #[error("{requested} seats wanted, {available} available")]
    InsufficientInventory { requested: u32, available: u32 },
    /// Names every wanted seat that is not free.
    #[error("{} of the wanted seats are gone", .0.len())]
    SeatsUnavailable(Vec<SeatId>),
    /// Names every wanted seat that the section does not have.
    #[error("{} of the wanted seats do not exist", .0.len())]
    UnknownSeats(Vec<SeatId>),
    #[error("a seat is wanted twice")]
    RepeatedSeat(SeatId),
    #[error("the section has no numbered seats")]
    NotNumbered,
    #[error("the number of places does not fit the seats that are named")]
    QuantityMismatch,
    #[error("the reservation has seats here already")]
    AlreadyHeld,
    #[error("the reservation has no seats here")]
    NothingToRelease,
    #[error("the seats are sold to the reservation already")]
    AlreadySold,
    #[error("not all of these seats are blocked")]
    NotBlocked,
}
