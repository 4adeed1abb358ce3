//! The inventory of one section: which seats are free, held, sold or blocked.
//!
//! A hold that has run out is free when the next command is decided; nothing here waits for a timer.

mod best_available;
mod command;
mod decide;
mod event;
mod refusal;
mod seat_map;
mod state;
#[cfg(test)]
mod tests;

pub use command::{HoldSeats, InventoryCommand, SeatWish};
pub use decide::decide;
pub use event::{
    InventoryEvent, ReleaseReason, SeatsBlocked, SeatsHeld, SeatsReleased, SeatsRetaken, SeatsSold, SeatsUnblocked,
    SectionOpened, TakenSeats,
};
pub use refusal::InventoryRefusal;
pub use state::{Claim, ClaimKind, InventoryState};
