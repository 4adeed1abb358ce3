//! Harness of the cross-crate tests and of the load tool: a plain HTTP client and a checker of the books.
//!
//! This crate knows a server only by its HTTP contract, and so judges a running box office as a customer would.

pub mod audit;
pub mod books;
pub mod client;
pub mod journal;
pub mod wire;
