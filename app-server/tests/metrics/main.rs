//! The metrics of servers: where they are shown, what they show, and what Prometheus makes of them.

#[path = "../support/mod.rs"]
mod support;

mod deployed;
mod prometheus;
mod promql;
mod run;
mod scrape;
mod shown;
