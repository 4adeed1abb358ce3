//! The catalog entry of one event on sale: what is sold, at which price, and whether sales are open.

mod command;
mod decide;
mod draft;
mod event;
mod kept_lists;
mod state;

pub use command::{CatalogCommand, EventDraft, SectionDraft};
pub use decide::{CatalogEffect, decide};
pub use draft::{check_currency, check_venue, limits};
pub use event::{
    CancellationFinished, CatalogEvent, EventCancelled, EventCompleted, EventCreated, EventPublished, SalesClosed,
    SalesOpened,
};
pub use state::{CatalogState, Listing, Terms};

use ticketing_ports::ids::EventId;
use ticketing_ports::streams::Aggregate;
use uuid::Uuid;

use crate::reducer::{Context, Decision, Reducer};
use crate::refusal::Refusal;

/// The reducer of catalog entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Catalog {}

impl Reducer for Catalog {
    const AGGREGATE: Aggregate = Aggregate::Catalog;

    type Id = EventId;
    type State = CatalogState;
    type Event = CatalogEvent;
    type Command = CatalogCommand;
    type Effect = CatalogEffect;
    type Refusal = Refusal;
    type Undo = Box<CatalogState>;

    fn id(uuid: Uuid) -> EventId {
        EventId::new(uuid)
    }

    fn decide(
        state: &CatalogState,
        command: &CatalogCommand,
        ctx: &Context<'_>,
    ) -> Result<Decision<CatalogEvent, CatalogEffect>, Refusal> {
        decide(state, command, ctx)
    }

    fn evolve(state: &mut CatalogState, event: &CatalogEvent) -> Box<CatalogState> {
        let before = Box::new(state.clone());
        state.evolve(event);
        before
    }

    fn undo(state: &mut CatalogState, before: Box<CatalogState>) {
        *state = *before;
    }

    /// Everything in its lane rests on it.
    fn is_settled(_: &CatalogState) -> bool {
        false
    }
}
