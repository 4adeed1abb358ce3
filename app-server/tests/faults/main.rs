//! Services and servers fail in the middle of an on-sale: afterwards the books are right, and nothing that was
//! answered is gone.

#[path = "../support/mod.rs"]
mod support;

mod between_steps;
mod full_disk;
mod on_sale;
mod outages;
mod read_only;
mod servers;
