//! The engine on in-memory adapters: races, faults, crashes and restarts.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

mod cold_start;
mod customer_limits;
mod followers;
mod keys;
mod live_boards;
mod lost_memory;
mod lost_past;
mod observing;
mod own_follower;
mod parked;
mod payments;
mod quotas;
mod racing;
mod read_side;
mod selling;
mod undecided;
mod world;
