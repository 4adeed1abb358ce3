//! The rows that people read. They are made from the facts of the log, and can be made again at any time.
//!
//! The domain turns facts into [`changes`]. The [`store`] of a read model applies changes together with its checkpoint.
//! Each of the other modules has the rows of one list and the trait that reads them.

pub mod availability;
pub mod changes;
pub mod events;
pub mod payments;
pub mod reservations;
pub mod sales;
pub mod store;
pub mod stores;
