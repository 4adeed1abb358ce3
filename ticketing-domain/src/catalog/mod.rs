//! The catalog entry of one event on sale: what is sold, at which price, and whether sales are open.

mod command;
mod decide;
mod draft;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::{CatalogCommand, EventDraft, SectionDraft};
pub use decide::{CatalogEffect, decide};
pub use draft::limits;
pub use event::{
    CancellationFinished, CatalogEvent, EventCancelled, EventCompleted, EventCreated, EventPublished, SalesClosed,
    SalesOpened,
};
pub use state::{CatalogState, Listing, Terms};
