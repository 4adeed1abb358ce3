//! What a fact changes in the rows: the domain says it, an adapter carries it out.

use crate::log::streams::Version;
use crate::read_models::events::EventView;
use crate::read_models::payments::PaymentView;
use crate::read_models::reservations::ReservationView;
use crate::vocabulary::Timestamp;
use crate::vocabulary::event_details::EventStatus;
use crate::vocabulary::ids::EventId;
use crate::vocabulary::ids::PaymentId;
use crate::vocabulary::ids::ReservationId;
use crate::vocabulary::ids::SectionId;
use crate::vocabulary::money::Money;
use crate::vocabulary::payment::PaymentStatus;
use crate::vocabulary::reservation::ReservationStatus;
use crate::vocabulary::reservation::Sale;
use crate::vocabulary::reservation::Ticket;
use crate::vocabulary::seating::Label;
use serde::{Deserialize, Serialize};

/// One change of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    EventCreated(EventView),
    EventStatusChanged {
        event_id: EventId,
        status: EventStatus,
        version: Version,
    },
    SectionOpened {
        event_id: EventId,
        section_id: SectionId,
        name: Label,
        capacity: u32,
        at: Timestamp,
    },
    /// Seats moved between the four counts of a section; the numbers add up to 0.
    SeatsMoved {
        section_id: SectionId,
        moved: SeatMove,
        at: Timestamp,
    },
    /// Places of a section are held for a while.
    HoldBegan(Hold),
    /// They are no longer: released or sold. Saying it twice changes nothing.
    HoldEnded {
        reservation_id: ReservationId,
    },
    ReservationHeld(ReservationView),
    ReservationChanged(ReservationChange),
    PaymentRequested(PaymentView),
    PaymentChanged(PaymentChange),
    /// Tickets were paid for.
    TicketsSold(Sale),
    /// Tickets of a sale were given back.
    TicketsReturned {
        reservation_id: ReservationId,
    },
    /// Money of a sale was paid back.
    SaleRefunded {
        reservation_id: ReservationId,
        amount: Money,
    },
}

/// Places that a reservation holds, until when. Kept until they are released or sold: a hold that has run out before that
/// counts as available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub reservation_id: ReservationId,
    pub section_id: SectionId,
    pub quantity: u32,
    pub until: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SeatMove {
    pub available: i64,
    pub held: i64,
    pub sold: i64,
    pub blocked: i64,
}

/// What a change says of something that a row may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said<T> {
    #[default]
    Nothing,
    /// That the row has it no longer.
    Gone,
    Now(T),
}

impl<T> Said<T> {
    /// What is there afterwards.
    pub fn over(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Nothing => before,
            Self::Gone => None,
            Self::Now(value) => Some(value),
        }
    }

    /// What two changes say together.
    #[must_use]
    pub fn after(self, earlier: Self) -> Self {
        match self {
            Self::Nothing => earlier,
            later => later,
        }
    }
}

/// Fields that are absent keep their value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationChange {
    pub reservation_id: ReservationId,
    pub status: ReservationStatus,
    pub version: Version,
    pub payment_id: Said<PaymentId>,
    pub completed_at: Option<Timestamp>,
    /// Empty keeps the tickets.
    pub tickets: Vec<Ticket>,
}

/// Fields that are absent keep their value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentChange {
    pub payment_id: PaymentId,
    pub status: Option<PaymentStatus>,
    pub version: Version,
    pub updated_at: Timestamp,
    pub last_four: Option<String>,
    pub refunded_amount: Option<Money>,
}
