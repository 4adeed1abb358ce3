//! What operators see of servers that run: one trace for each purchase at a collector, and log lines for programs.

#[path = "../support/mod.rs"]
mod support;

mod collector;
mod lines;
mod logs;
mod traces;
mod unread;
