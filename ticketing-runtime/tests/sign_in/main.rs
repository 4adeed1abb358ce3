//! Signing in, told with the stores of one process and a clock that the test turns.

mod accounts;
mod door;
mod erasure;
mod links;
mod sessions;
mod slow;
mod yielding;
