//! What every crate speaks of: ids, money, seats, people's words. Facts carry these types, so their shape in JSON is for good.

pub mod card_numbers;
pub mod email;
pub mod errors;
pub mod event_details;
pub mod ids;
pub mod money;
pub mod paging;
pub mod payment;
pub mod reservation;
pub mod roles;
pub mod seating;
pub mod secrets;
pub mod text;
pub mod trace_context;

/// A point in time, always UTC.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
