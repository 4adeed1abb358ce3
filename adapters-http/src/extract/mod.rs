//! What a request says, parsed at the edge. Whatever does not parse is an [`ApiError`](crate::ApiError) with the field
//! and the reason.

mod body;
mod consistency;
mod correlation;
mod from_where;
mod idempotency;
mod path;
mod query;
mod read;
mod sent;
mod session;
mod trace_context;

pub(crate) use body::{Body, CARD_NUMBERS_REFUSED, Empty, Post};
pub(crate) use consistency::{SeenAfter, UnreadableToken, consistency_token};
pub(crate) use correlation::fresh_correlation_id;
pub(crate) use from_where::{FromWhere, client_ip};
pub(crate) use path::{CredentialId, PathId, SectionPath};
pub(crate) use query::Query;
pub(crate) use read::{Faults, Fields, MinorUnits, Place, Quantity, Read, read_object};
pub(crate) use sent::Sent;
pub(crate) use session::{Caller, MaybeCaller, SignedIn};
