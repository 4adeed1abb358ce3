//! Metrics of the box office, in the text format that Prometheus scrapes.
//!
//! [`families`] is the one table of all metrics. [`Metrics`] keeps their values; it is passed to whoever counts, and is
//! no global of the process, so that two engines in one process count apart. Each of these counts one kind of thing:
//!
//! | what | how it is counted |
//! |---|---|
//! | the engine and its sales | [`EngineMetrics`], an [`Observer`](ticketing_runtime::Observer) |
//! | requests | [`count_requests`], a middleware for an axum router |
//! | the duration of calls to a port | [`Timed`], a decorator for any port |
//! | commands to Redis | [`RedisCommands`] |
//! | what is read only when somebody asks | [`Probe`]s, which [`Scraper`] reads before each scrape |
//!
//! [`metrics_route`] is the route that Prometheus scrapes. A metric appears there once it has moved.

pub mod families;

mod by_label;
mod endpoint;
mod http;
mod observer;
mod redis_commands;
mod registry;
mod scraper;
mod timed;

pub use endpoint::metrics_route;
pub use http::{RequestMetrics, count_requests};
pub use observer::EngineMetrics;
pub use redis_commands::RedisCommands;
pub use registry::Metrics;
pub use scraper::{Probe, ProbeError, Scraper};
pub use timed::{Durations, Timed};
