//! What can be asked of the write side: always up to date, and only what the caller may see.

mod payment;
mod reservation;
mod section;

pub use payment::SeePayment;
pub use reservation::SeeReservation;
pub use section::SeeSection;
