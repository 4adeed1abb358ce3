//! The faults that the books can have. Each is printed as one line.

use thiserror::Error;
use ticketing_ports::vocabulary::ids::{PaymentId, ReservationId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_ports::vocabulary::seating::SeatId;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Discrepancy {
    #[error("seat {seat} of {section} is in two live reservations, {first} and {second}")]
    SeatSoldTwice {
        section: String,
        seat: SeatId,
        first: ReservationId,
        second: ReservationId,
    },
    #[error("{section} has a capacity of {capacity} and {live} people in live reservations")]
    Oversold { section: String, capacity: u64, live: u64 },
    #[error("the counts of {section} add up to {sum}, its capacity is {capacity}")]
    CountsDoNotAddUp { section: String, capacity: u64, sum: u64 },
    #[error("availability says that {told} of {section} are {figure}, its reservations add up to {summed}")]
    CountDisagrees {
        section: String,
        figure: Figure,
        told: u64,
        summed: u64,
    },
    #[error("reservation {reservation} was answered and is not there")]
    ReservationLost { reservation: ReservationId },
    #[error("reservation {reservation} has other seats than were answered")]
    SeatsChanged { reservation: ReservationId },
    #[error("the payment of reservation {reservation} was answered, and it is {}", status.as_str())]
    PaymentLost {
        reservation: ReservationId,
        status: ReservationStatus,
    },
    #[error("the cancellation of reservation {reservation} was answered, and it is {}", status.as_str())]
    CancellationLost {
        reservation: ReservationId,
        status: ReservationStatus,
    },
    #[error("reservation {reservation} is completed, and no payment of it was answered")]
    CompletedUnasked { reservation: ReservationId },
    #[error("{reservations} reservations were never answered, and only {in_doubt} answers were lost")]
    HeldUnasked { reservations: usize, in_doubt: usize },
    #[error("reservation {reservation} is completed and has no captured payment")]
    Unpaid { reservation: ReservationId },
    #[error("reservation {reservation} costs {} and {} was captured for it", total.amount, paid.amount)]
    WrongAmount {
        reservation: ReservationId,
        total: Money,
        paid: Money,
    },
    #[error("reservation {reservation} is for {quantity} and has {tickets} tickets of its own")]
    WrongTickets {
        reservation: ReservationId,
        quantity: u32,
        tickets: usize,
    },
    #[error("payment {payment} was captured and reservation {reservation} has no seats for it")]
    MoneyWithoutSeats {
        payment: PaymentId,
        reservation: ReservationId,
    },
    #[error("the history of reservation {reservation} is empty or has a gap")]
    HistoryGap { reservation: ReservationId },
    #[error("reservation {reservation} is not in its customer's list")]
    NotListed { reservation: ReservationId },
    #[error("analytics say {figure} {told}, the reservations and payments add up to {summed}")]
    AnalyticsDisagree { figure: Figure, told: i64, summed: i64 },
}

impl Discrepancy {
    /// Returns whether the fault may disappear after a while: a refund is under way, or a read model is behind.
    pub fn may_settle(&self) -> bool {
        matches!(
            self,
            Self::MoneyWithoutSeats { .. }
                | Self::CountDisagrees { .. }
                | Self::NotListed { .. }
                | Self::AnalyticsDisagree { .. }
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    Reserved,
    Sold,
    TicketsSold,
    Revenue,
    Refunded,
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Reserved => "reserved",
            Self::Sold => "sold",
            Self::TicketsSold => "tickets sold",
            Self::Revenue => "revenue",
            Self::Refunded => "refunded",
        })
    }
}
