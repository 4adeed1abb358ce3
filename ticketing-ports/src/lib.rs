//! The vocabulary of a box office, and one small trait for each thing that it needs from outside.
//!
//! The crate has five floors. A floor uses only the floors below it:
//!
//! | floor | what it contains |
//! |---|---|
//! | [`outside`] | time, the payment gateway, mail, identity providers |
//! | [`people`] | users, sessions, passkeys, links; forgetting a person |
//! | [`read_models`] | rows made of facts, and the questions that are asked of them |
//! | [`log`] | streams of facts, the event store, deadlines, followers, the bus |
//! | [`vocabulary`] | ids, money, seats, what an event on sale is, roles |
//!
//! All other crates use the types of the vocabulary. The *ports* are the traits. Each has a **Contract** in its
//! documentation, and each line of a contract has a test of that name. The tests of a store, the bus or the gateway are
//! a suite in `ticketing-testkit`, so an adapter of these is right if it passes its suite. The tests of other ports
//! stand beside their adapters.
//!
//! # To add a port
//!
//! 1. Write the trait, with an example that runs, and its contract here, in a file of its own on its floor.
//! 2. Write a suite in `ticketing-testkit/src/conformance/`, with a test for each line of the contract.
//! 3. Write the adapter of `adapters-memory`, and for each line a *mutant* that breaks it in
//!    `adapters-memory/tests/mutants/`: the suite must find it.
//! 4. Write the other adapters, and run the suite for each.
//! 5. Choose one in `app-server`.
//!
//! This crate never contains I/O, an async runtime, a database client, untyped JSON values in a signature, or a
//! business rule of the domain.

#![deny(missing_docs)]

pub mod log;
pub mod outside;
pub mod people;
pub mod read_models;
pub mod vocabulary;

pub use vocabulary::Timestamp;
