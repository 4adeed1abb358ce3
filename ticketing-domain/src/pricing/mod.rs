//! What tickets cost: the price tiers that are in force, and the price of an order with its discount, fees and taxes.
//!
//! `docs/PRICING.md` of the repository tells the rules, with a table of cases that a test plays.

mod fractions;
mod order_price;
mod tiers;

pub use order_price::{LinePrice, LineToPrice, price_of_order};
pub use tiers::{overlapping, tiers_in_force};
