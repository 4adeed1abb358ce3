//! Questions to the write side, one file for each. The answers are always up to date and show only what the caller
//! may see.

mod action_wanted;
mod cancellation;
mod codes;
mod payment;
mod reservation;
mod section;

pub use action_wanted::SeeActionWanted;
pub use cancellation::{Cancellation, SeeCancellation};
pub use codes::{SeeCodes, UsedCode};
pub use payment::SeePayment;
pub use reservation::SeeReservation;
pub use section::{SeeSection, UndatedSection};
