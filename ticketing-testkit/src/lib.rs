//! Tools for tests of the box office. Shipped code never depends on this crate.
//!
//! | module | what it is for |
//! |---|---|
//! | [`conformance`] | testing an adapter of a store, the bus or the gateway: one suite for each contract |
//! | [`both_sides`] | the law that the read side never contradicts the write side |
//! | [`generators`] | `proptest` strategies for events, orders, payments and whole purchase scripts |
//! | [`property`] | how many cases a property test tries |
//! | [`scenario`] | tests of the domain in the form given, when, then |
//! | [`observing`] | an observer of the engine that keeps what it is told |
//! | [`simulation`] | the real engine, played with a seed while its stores, bus and gateway fail |
//!
//! # To test an adapter
//!
//! Call the macro of its port's suite in a module of `tests/conformance.rs`, with an expression that makes an empty
//! store. It makes a test of each line of the contract:
//!
//! ```text
//! mod event_store {
//!     ticketing_testkit::event_store_conformance!(super::fresh().await);
//! }
//! ```
//!
//! # To add a line to a contract
//!
//! 1. Write the line in the documentation of the port's trait in `ticketing-ports`.
//! 2. Write the rule of the same name in the suite, and add it to the list in its `suite!`.
//! 3. Add a store that breaks the rule to `adapters-memory/tests/mutants`. A rule that no broken store fails proves
//!    nothing.
//!
//! `tests/contracts.rs` fails if one of the three is missing.
//!
//! The other ports (the clock, ids, randomness, mail, identity providers, the relying party) have no suite, because
//! what they promise shows only outside: at a mail server, a provider, a browser or the clock of the machine. For
//! them a line of the contract is a test of that name beside the adapter.

pub mod both_sides;
pub mod conformance;
pub mod generators;
pub mod observing;
pub mod property;
pub mod scenario;
pub mod simulation;
