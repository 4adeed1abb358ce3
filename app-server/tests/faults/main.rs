//! Services and servers fail in the middle of an on-sale. Afterwards the books are right, and everything that a
//! customer was told is still true.

#[path = "../support/mod.rs"]
mod support;

mod between_steps;
mod full_disk;
mod on_sale;
mod outages;
mod read_only;
mod servers;
mod watching;
