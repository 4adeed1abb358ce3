//! The engine on memory adapters: races, faults, crashes and memory, each on its own.

mod payments;
mod read_side;
mod selling;
mod world;
