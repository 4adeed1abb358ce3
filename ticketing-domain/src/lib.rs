//! The pure rules of a box office.
//!
//! Reducers (`decide` a command, `evolve` by a fact) for the four aggregates, the reservation saga (`react`), the
//! projections, pricing and policy. A [`command`] goes through them within a [`book`] of everything that is known of its
//! lane, still pure.
//!
//! Never here: async, a clock, randomness, logging, or a map whose order is random. Time and ids arrive as arguments,
//! so that any run can be replayed byte for byte.

pub mod book;
pub mod catalog;
pub mod command;
pub mod commands;
pub mod facts;
pub mod generations;
pub mod inventory;
#[cfg(feature = "made-up-version")]
pub mod made_up_version;
pub mod payment;
pub mod policy;
pub mod pricing;
pub mod projection;
pub mod queries;
pub mod reducer;
pub mod refunds;
pub mod refusal;
pub mod reservation;
pub mod sign_in;
pub mod snapshot;
pub mod status;
pub mod stored;
pub mod transition;
pub mod views;
