//! The box office as one binary: settings, logs and the wiring of the adapters that the settings name.
//!
//! Never here: a rule of the domain, or anything that a test would want without a process around it.

pub mod config;
pub mod telemetry;
