//! The reservation saga, told as given / when / then.

mod ending;
mod given;
mod outcomes;
mod paying;
