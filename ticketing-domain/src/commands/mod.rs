//! The commands of the box office, one file for each.
//!
//! People send [`CreateEvent`], [`PublishEvent`], [`OpenSales`], [`CloseSales`], [`CancelEvent`], [`BlockSeats`],
//! [`UnblockSeats`], [`AddCodes`], [`EndCode`], [`HoldSeats`], [`ExtendHold`], [`AuthorizePayment`], [`PayReservation`], [`CancelReservation`],
//! [`RefundPayment`]. The gateway's answers are sent as [`ReportPayment`]. Deadlines send [`CompleteEvent`],
//! [`ExpireHold`], [`RetryPayment`], [`SettleCancellation`].

mod add_codes;
#[cfg(test)]
mod adding_codes;
mod authorize_payment;
mod block_seats;
mod cancel_event;
mod cancel_reservation;
mod close_sales;
#[cfg(test)]
mod codes;
mod complete_event;
mod create_event;
#[cfg(test)]
mod customer_limits;
mod end_code;
mod expire_hold;
mod extend_hold;
#[cfg(test)]
mod given;
#[cfg(test)]
mod guests;
mod hold_seats;
mod line_prices;
mod lookups;
mod open_sales;
mod party;
mod pay_reservation;
mod pending_payment;
mod publish_event;
mod refund_payment;
mod replies;
mod report_payment;
mod retry_payment;
mod section_refusals;
mod settle_cancellation;
#[cfg(test)]
mod several_sections;
mod shares;
#[cfg(test)]
mod ticket_quotas;
#[cfg(test)]
mod ticket_types;
mod unblock_seats;
mod wanted_line;

pub use add_codes::AddCodes;
pub use authorize_payment::AuthorizePayment;
pub use block_seats::BlockSeats;
pub use cancel_event::CancelEvent;
pub use cancel_reservation::CancelReservation;
pub use close_sales::CloseSales;
pub use complete_event::CompleteEvent;
pub use create_event::CreateEvent;
pub use end_code::EndCode;
pub use expire_hold::ExpireHold;
pub use extend_hold::ExtendHold;
pub use hold_seats::{HoldFor, HoldSeats};
pub use open_sales::OpenSales;
pub use pay_reservation::PayReservation;
pub use pending_payment::PendingPayment;
pub use publish_event::PublishEvent;
pub use refund_payment::RefundPayment;
pub use report_payment::{GatewayAnswer, ReportPayment};
pub use retry_payment::RetryPayment;
pub use settle_cancellation::{CANCELLATION_CHUNK, SettleCancellation};
pub use unblock_seats::UnblockSeats;
pub use wanted_line::{MAX_LINES, WantedLine};
