//! The catalog entry of one event on sale: what is sold, at which price, and whether sales are open.

mod command;

pub use command::{CatalogCommand, EventDraft, SectionDraft};
