//! The faults that the books can have. Each is printed as one line.

use thiserror::Error;
use ticketing_ports::Timestamp;
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
    #[error("section {section} has a capacity of {capacity}, but its live reservations are for {live} people")]
    Oversold { section: String, capacity: u64, live: u64 },
    #[error("customer {customer} has {seats} seats, but one customer may have {limit}")]
    TooManySeats { customer: u32, seats: u64, limit: u32 },
    #[error("{taken} tickets are held and sold of {name}, but there are {limit}")]
    QuotaExceeded { name: String, limit: u32, taken: u64 },
    #[error("reservation {reservation} does not cost what the prices of its lines add up to")]
    WrongPrice { reservation: ReservationId },
    #[error("the counts of section {section} add up to {sum}, but its capacity is {capacity}")]
    CountsDoNotAddUp { section: String, capacity: u64, sum: u64 },
    #[error(
        "availability says that {told} places of section {section} are {figure}, but its reservations add up to {summed}"
    )]
    CountDisagrees {
        section: String,
        figure: Figure,
        told: u64,
        summed: u64,
    },
    #[error("the server has answered a hold with reservation {reservation}, which does not exist")]
    ReservationLost { reservation: ReservationId },
    #[error("reservation {reservation} has other seats than the answer to its hold named")]
    SeatsChanged { reservation: ReservationId },
    #[error("the server has answered that the hold of reservation {reservation} lasts until {told}, but it does not")]
    HoldShortened {
        reservation: ReservationId,
        told: Timestamp,
    },
    #[error("the server has answered that reservation {reservation} is paid, but its status is {}", status.as_str())]
    PaymentLost {
        reservation: ReservationId,
        status: ReservationStatus,
    },
    #[error("the server has answered that reservation {reservation} is cancelled, but its status is {}", status.as_str())]
    CancellationLost {
        reservation: ReservationId,
        status: ReservationStatus,
    },
    #[error("reservation {reservation} is completed, but no answer has said that it is paid")]
    CompletedUnasked { reservation: ReservationId },
    #[error("{reservations} reservations are in no answer to a hold, but only {in_doubt} such answers were lost")]
    HeldUnasked { reservations: usize, in_doubt: usize },
    #[error("reservation {reservation} is completed, but has no captured payment")]
    Unpaid { reservation: ReservationId },
    #[error("reservation {reservation} costs {}, but {} was captured for it", total.amount, paid.amount)]
    WrongAmount {
        reservation: ReservationId,
        total: Money,
        paid: Money,
    },
    #[error(
        "reservation {reservation} is for {quantity} people, but has {tickets} tickets that no other reservation has"
    )]
    WrongTickets {
        reservation: ReservationId,
        quantity: u32,
        tickets: usize,
    },
    #[error("payment {payment} was captured, but its reservation {reservation} has no seats for it")]
    MoneyWithoutSeats {
        payment: PaymentId,
        reservation: ReservationId,
    },
    #[error("the history of reservation {reservation} is empty or has a gap")]
    HistoryGap { reservation: ReservationId },
    #[error("reservation {reservation} is not in its customer's list")]
    NotListed { reservation: ReservationId },
    #[error("analytics say {figure} {told}, but the reservations and payments add up to {summed}")]
    AnalyticsDisagree { figure: Figure, told: i64, summed: i64 },
}

impl Discrepancy {
    /// Returns whether the fault may disappear after a while: a refund is under way, or a read model is behind.
    pub fn may_pass(&self) -> bool {
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
