use super::command::InventoryCommand;
use super::event::InventoryEvent;
use super::refusal::InventoryRefusal;
use super::state::InventoryState;
use crate::reducer::{Context, Decision, NoEffect};

/// Decides a command about one section.
///
/// # Errors
/// When the section cannot do what is asked; nothing has changed then.
pub fn decide(
    _state: &InventoryState,
    _command: &InventoryCommand,
    _ctx: &Context<'_>,
) -> Result<Decision<InventoryEvent, NoEffect>, InventoryRefusal> {
    Err(InventoryRefusal::NotOpen)
}
