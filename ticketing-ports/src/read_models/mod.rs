//! Read models: the rows that people read. They are made from the facts of the log, and can be made again at any time.
//!
//! The domain turns facts into [`changes`]. The [`store`] of a read model applies the changes and moves its
//! checkpoint in one step. Each of the other modules has the rows of one kind and the trait that reads them;
//! [`stores`] is the bundle of all.

pub mod availability;
pub mod changes;
pub mod event_search;
pub mod events;
pub mod payments;
pub mod reservations;
pub mod sales;
pub mod store;
pub mod stores;
