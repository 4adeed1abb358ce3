//! The box office as one program: its settings, its commands, its logging, and the wiring of the adapters that the
//! settings name.
//!
//! Rules of the domain do not belong here, nor anything that can be tested without starting a process.

pub mod bootstrap;
pub mod capacity;
pub mod config;
pub mod dead_letters;
pub mod demo;
pub mod erase_user;
pub mod front;
pub mod health;
pub mod http_config;
pub mod metrics;
pub mod migrate;
pub mod openapi;
pub mod rebuild;
pub mod serve;
pub mod sign_in;
pub mod storage;
pub mod telemetry;
pub mod terminal;
pub mod traces;
pub mod users;
pub mod wiring;
