//! What is read by people: rows derived from the log, and nothing that could not be derived again.
//!
//! The domain turns facts into [`changes`]; the [`store`] of a read model applies them together with its checkpoint. The
//! other modules each have the rows of one list and the trait that asks for them.

pub mod availability;
pub mod changes;
pub mod events;
pub mod payments;
pub mod reservations;
pub mod sales;
pub mod store;
