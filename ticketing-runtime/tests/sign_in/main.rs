//! Signing in, with the stores of one process and a clock that the tests move.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

mod accounts;
mod door;
mod erasure;
mod links;
mod sessions;
mod slow;
mod yielding;
