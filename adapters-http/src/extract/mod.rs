//! The extractors, which parse a request. What they cannot parse becomes an [`ApiError`](crate::ApiError) that names
//! the field and the reason.

mod body;
mod client;
mod consistency;
mod correlation;
mod idempotency;
mod path;
mod query;
mod read;
mod sent;
mod session;
mod trace_context;

pub(crate) use body::{Body, CARD_NUMBERS_REFUSED, Empty, Post};
pub(crate) use client::{FORWARDED_FOR, RequestClient, client_ip};
pub(crate) use consistency::{CaughtUp, SeenWrites, UnreadableToken, consistency_token};
pub(crate) use correlation::fresh_correlation_id;
pub(crate) use path::{CodePath, CredentialId, PathId, SectionPath};
pub(crate) use query::Query;
pub(crate) use read::{Faults, Fields, MinorUnits, Place, Quantity, Read, Statuses, read_object, read_text};
pub(crate) use sent::Sent;
pub(crate) use session::{AGuest, Asker, Caller, MaybeCaller, SignedIn};
pub(crate) use trace_context::trace_context;
