//! The HTTP API of the box office as an axum router, to be served or nested in another service.
//!
//! A handler extracts the request, converts it, makes one call to the engine and converts the result back. Rules of
//! the domain are never decided here.

mod access;
mod admission;
mod analytics;
mod authenticate;
mod availability;
mod blocking;
mod browsers;
mod cancellations;
mod codes;
mod compression;
mod contact;
mod customers;
mod docs;
mod envelope;
mod errors;
mod events;
mod extensions;
mod extract;
mod head;
mod header_names;
mod health;
mod health_check;
mod in_flight;
mod limit;
mod lines;
mod listing;
mod live;
mod live_connections;
mod money;
mod network;
mod openapi;
mod page;
mod payments;
mod policy;
mod price_parts;
mod quota;
mod rates;
mod replies;
mod request_id;
mod request_names;
mod reservations;
mod sign_in;
mod state;

pub use authenticate::{Authenticate, BySession};
pub use errors::{ApiError, Code};
pub use head::HeadFault;
pub use health::{operations, starting};
pub use health_check::{Finding, FollowerFinding, HealthCheck};
pub use ipnet::IpNet;
pub use live_connections::{LiveConnections, LiveSettings};
pub use openapi::{document, document_at, limited, router, router_with};
pub use page::HtmlPage;
pub use policy::{Cors, Networks, Rates};
pub use state::{HttpConfig, HttpState};
