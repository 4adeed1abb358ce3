//! The inventory of one section: which seats are free, held, sold or blocked.
//!
//! When a hold has run out, its seats are free for the next command, even if the timer that ends the hold has not
//! fired yet.

mod best_available;
mod claim;
mod command;
mod customers;
mod decide;
mod event;
mod held_by;
mod lapsing;
mod parts;
mod refusal;
mod seat_map;
mod seat_rows;
mod section;
mod snapshot;
mod state;
mod taken;
#[cfg(test)]
mod tests;
mod undo;

pub use claim::{Claim, ClaimKind, CustomerHold};
pub use command::{HoldSeats, InventoryCommand, SeatWish};
pub use decide::decide;
pub(crate) use event::{CUSTOMERS_SINCE, PARTS_SINCE};
pub use event::{
    HoldExtended, InventoryEvent, Part, ReleaseReason, SeatsBlocked, SeatsHeld, SeatsReleased, SeatsRetaken, SeatsSold,
    SeatsUnblocked, SectionOpened, TakenSeats,
};
pub use parts::Counted;
pub use refusal::InventoryRefusal;
pub use state::InventoryState;
pub use undo::InventoryUndo;

use ticketing_ports::log::streams::Aggregate;
use ticketing_ports::vocabulary::ids::SectionId;
use uuid::Uuid;

use crate::reducer::{Context, Decision, NoEffect, Reducer};
use crate::snapshot::SnapshotFormat;

/// The reducer of inventories: it decides commands about sections, and computes their states from facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inventory {}

impl Reducer for Inventory {
    const AGGREGATE: Aggregate = Aggregate::Inventory;
    /// A section that sells for weeks has far more facts than places, so reading a snapshot of its state is quicker
    /// than reading its facts.
    const SNAPSHOTS: Option<SnapshotFormat<InventoryState>> = Some(snapshot::FORMAT);

    type Id = SectionId;
    type State = InventoryState;
    type Event = InventoryEvent;
    type Command = InventoryCommand;
    type Effect = NoEffect;
    type Refusal = InventoryRefusal;
    type Undo = InventoryUndo;

    fn id(uuid: Uuid) -> SectionId {
        SectionId::new(uuid)
    }

    fn decide(
        state: &InventoryState,
        command: &InventoryCommand,
        ctx: &Context<'_>,
    ) -> Result<Decision<InventoryEvent, NoEffect>, InventoryRefusal> {
        decide(state, command, ctx)
    }

    fn evolve(state: &mut InventoryState, event: &InventoryEvent) -> InventoryUndo {
        state.evolve(event)
    }

    fn undo(state: &mut InventoryState, undo: InventoryUndo) {
        state.undo(undo);
    }

    /// An inventory is never dormant, since the next customer needs it.
    fn is_dormant(_: &InventoryState) -> bool {
        false
    }
}
