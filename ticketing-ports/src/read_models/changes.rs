//! How facts change the rows of the read models. The domain makes the changes of a fact, and an adapter applies them.

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
    /// An event was created.
    EventCreated(EventView),
    /// The status of an event changed.
    EventStatusChanged {
        /// The event.
        event_id: EventId,
        /// Its new status.
        status: EventStatus,
        /// The version of its stream with this fact.
        version: Version,
    },
    /// A section of an event was created. All its places are available.
    SectionOpened {
        /// The event.
        event_id: EventId,
        /// The section.
        section_id: SectionId,
        /// The name of the section.
        name: Label,
        /// How many places it has.
        capacity: u32,
        /// When it was created.
        at: Timestamp,
    },
    /// Places of a section became available, held, sold or blocked.
    SeatsMoved {
        /// The section.
        section_id: SectionId,
        /// How its four counts change.
        moved: SeatMove,
        /// When they changed.
        at: Timestamp,
    },
    /// A reservation holds places from now on.
    HoldBegan(Hold),
    /// A reservation no longer holds places, because they were released or sold. The second such change of a
    /// reservation does nothing.
    HoldEnded {
        /// The reservation.
        reservation_id: ReservationId,
    },
    /// A reservation was made.
    ReservationHeld(ReservationView),
    /// A reservation changed.
    ReservationChanged(ReservationChange),
    /// A payment was asked for.
    PaymentRequested(PaymentView),
    /// A payment changed.
    PaymentChanged(PaymentChange),
    /// Tickets were paid for.
    TicketsSold(Sale),
    /// The tickets of a sale were given back.
    TicketsReturned {
        /// The reservation of the sale.
        reservation_id: ReservationId,
    },
    /// Money of a sale was paid back.
    SaleRefunded {
        /// The reservation of the sale.
        reservation_id: ReservationId,
        /// How much was paid back.
        amount: Money,
    },
}

/// Places that a reservation holds. The row is kept until the places are released or sold. When the hold has run out
/// before that, readers see its places as available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// The section of the places.
    pub section_id: SectionId,
    /// How many places the reservation holds.
    pub quantity: u32,
    /// When the hold runs out.
    pub until: Timestamp,
}

/// How the four counts of a section change. The four numbers add up to 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SeatMove {
    /// How many more places are available; negative if fewer are.
    pub available: i64,
    /// How many more places are held.
    pub held: i64,
    /// How many more places are sold.
    pub sold: i64,
    /// How many more places are blocked.
    pub blocked: i64,
}

/// What a change does to a value that a row may have or lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said<T> {
    /// The row keeps the value that it has.
    #[default]
    Nothing,
    /// The row no longer has a value.
    Gone,
    /// The row has this value from now on.
    Now(T),
}

impl<T> Said<T> {
    /// Returns the value of the row after the change. `before` is the value before it.
    pub fn over(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Nothing => before,
            Self::Gone => None,
            Self::Now(value) => Some(value),
        }
    }

    /// Returns the one change that does what first `earlier` and then this change do.
    #[must_use]
    pub fn after(self, earlier: Self) -> Self {
        match self {
            Self::Nothing => earlier,
            later => later,
        }
    }
}

/// The change of a reservation. A value that is absent here stays as it is in the row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationChange {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// Its new status.
    pub status: ReservationStatus,
    /// The version of its stream with this fact.
    pub version: Version,
    /// What happens to the payment of the reservation.
    pub payment_id: Said<PaymentId>,
    /// When the reservation was paid.
    pub completed_at: Option<Timestamp>,
    /// The tickets that were issued. Empty if the tickets of the row stay as they are.
    pub tickets: Vec<Ticket>,
}

/// The change of a payment. A value that is absent here stays as it is in the row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentChange {
    /// The payment.
    pub payment_id: PaymentId,
    /// Its new status.
    pub status: Option<PaymentStatus>,
    /// The version of its stream with this fact.
    pub version: Version,
    /// When the payment changed.
    pub updated_at: Timestamp,
    /// The last four digits of the card.
    pub last_four: Option<String>,
    /// How much of the payment has been paid back in all.
    pub refunded_amount: Option<Money>,
}
