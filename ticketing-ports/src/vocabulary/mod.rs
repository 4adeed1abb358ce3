//! The types that every crate uses: ids, money, seats, texts, roles and statuses.
//!
//! Facts in the log contain these types, so their form in JSON must never change.

pub mod buyer;
pub mod card_numbers;
pub mod codes;
pub mod email;
pub mod errors;
pub mod event_details;
pub mod ids;
pub mod money;
pub mod paging;
pub mod payment;
pub mod percent;
pub mod pricing;
pub mod reservation;
pub mod roles;
pub mod seating;
pub mod secrets;
pub mod text;
pub mod trace_context;

/// A point in time, in UTC.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
