//! What follows when a command or a report comes to a reservation with given facts.

mod ending;
mod given;
mod outcomes;
mod paying;
