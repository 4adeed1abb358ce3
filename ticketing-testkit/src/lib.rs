//! Conformance suites for the ports, generators, given/when/then and the simulation.

pub mod both_sides;
pub mod conformance;
pub mod generators;
pub mod observing;
pub mod property;
pub mod scenario;
pub mod simulation;
