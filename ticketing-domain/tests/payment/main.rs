//! What follows when a command comes to a payment with given facts: new facts, calls to the gateway and deadlines.

mod authorising;
mod deferring;
mod given;
mod refunding;
mod taking;
