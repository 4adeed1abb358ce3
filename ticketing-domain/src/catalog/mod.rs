//! The catalog entry of one event on sale: what is sold, at which price, and whether sales are open.

mod checks;
mod codes;
mod command;
mod decide;
mod draft;
mod event;
mod iso_codes;
pub mod limits;
mod new_codes;
mod state;

pub use codes::{Code, Codes};
pub use command::{CatalogCommand, EventDraft, FeeDraft, PriceRulesDraft, SectionDraft, TaxDraft, TicketTypeDraft};
pub use decide::{CatalogEffect, decide};
pub use draft::{check_currency, check_venue};
pub use event::{
    CancellationFinished, CatalogEvent, CodeEnded, CodesAdded, EventCancelled, EventCompleted, EventCreated,
    EventPublished, SalesClosed, SalesOpened,
};
pub use state::{CatalogState, Listing, SaleTerms};

use ticketing_ports::vocabulary::ids::EventId;

use crate::reducer::small_reducer;

small_reducer! {
    /// The reducer of catalog entries: it decides commands about them, and computes their states from facts.
    pub enum Catalog {
        id: EventId,
        state: CatalogState,
        event: CatalogEvent,
        command: CatalogCommand,
        effect: CatalogEffect,
        decide: decide,
        // Every command of the lane reads the catalog, so it stays in memory.
        is_dormant: |_| false,
    }
}
