//! The box office as one program: its settings, its commands, its log, and the wiring of the adapters that the settings
//! name.
//!
//! Never here: a rule of the domain, or anything that can be tested without a process.

pub mod bootstrap;
pub mod config;
pub mod dead_letters;
pub mod demo;
pub mod erase_user;
pub mod health;
pub mod migrate;
pub mod openapi;
pub mod rebuild;
pub mod serve;
pub mod sign_in;
pub mod storage;
pub mod telemetry;
pub mod terminal;
pub mod users;
pub mod wiring;
