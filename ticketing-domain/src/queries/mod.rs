//! What can be asked of the write side: always up to date, and only what the caller may see.

mod action_wanted;
mod payment;
mod reservation;
mod section;

pub use action_wanted::SeeActionWanted;
pub use payment::SeePayment;
pub use reservation::SeeReservation;
pub use section::SeeSection;
