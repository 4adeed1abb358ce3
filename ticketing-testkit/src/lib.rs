//! Conformance suites for the ports, generators, given/when/then and the simulation.

pub mod conformance;
