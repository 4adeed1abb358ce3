//! How facts change the rows of the read models. The domain makes the changes of a fact, and an adapter applies them.

use crate::log::streams::Version;
use crate::read_models::events::EventView;
use crate::read_models::payments::PaymentView;
use crate::read_models::reservations::ReservationView;
use crate::vocabulary::Timestamp;
use crate::vocabulary::event_details::EventStatus;
use crate::vocabulary::ids::CustomerId;
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
    /// An event changed.
    EventChanged {
        /// The event.
        event_id: EventId,
        /// The new status of the event; `None` if it keeps its status.
        status: Option<EventStatus>,
        /// The version of the event's stream after the fact that led to the change.
        version: Version,
    },
    /// A section of an event was created. All places of the section are available.
    SectionOpened {
        /// The event.
        event_id: EventId,
        /// The section.
        section_id: SectionId,
        /// The name of the section.
        name: Label,
        /// How many places the section has.
        capacity: u32,
        /// When the section was created.
        at: Timestamp,
    },
    /// Some places of a section moved from one count to another: from available to held, for example.
    SeatsMoved {
        /// The section.
        section_id: SectionId,
        /// By how much the numbers of available, held, sold and blocked places change.
        moved: SeatMove,
        /// When the counts changed.
        at: Timestamp,
    },
    /// A reservation holds places of a section from now on. It may hold places of other sections too. A second such
    /// change for the same reservation and section replaces the first: the hold lasts longer.
    HoldBegan(Hold),
    /// A reservation no longer holds places of a section, because they were released or sold. A second such change for
    /// the same reservation and section does nothing.
    HoldEnded {
        /// The reservation.
        reservation_id: ReservationId,
        /// The section.
        section_id: SectionId,
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
    /// The price of a sale, or a part of it, was paid back.
    SaleRefunded {
        /// The reservation of the sale.
        reservation_id: ReservationId,
        /// How much was paid back.
        amount: Money,
    },
}

/// Places that a reservation holds. The row of the hold is kept until the places are released or sold. If the hold
/// runs out before that, readers see its places as available.
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

/// By how much the numbers of available, held, sold and blocked places of a section change. The four changes add up
/// to 0, because the section keeps its capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SeatMove {
    /// How many more places are available; negative if fewer are.
    pub available: i64,
    /// How many more places are held; negative if fewer are.
    pub held: i64,
    /// How many more places are sold; negative if fewer are.
    pub sold: i64,
    /// How many more places are blocked; negative if fewer are.
    pub blocked: i64,
}

/// What a change does to a value that a row may have or lack: it keeps, removes or replaces the value.
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
    /// Returns the value of the row after the change. `before` is the value of the row before the change.
    pub fn over(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Nothing => before,
            Self::Gone => None,
            Self::Now(value) => Some(value),
        }
    }

    /// Returns the single change that has the same result as `earlier` followed by this change.
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
    /// The new status of the reservation; `None` if the status in the row stays as it is.
    pub status: Option<ReservationStatus>,
    /// The version of the reservation's stream after the fact that led to the change.
    pub version: Version,
    /// Whether the row keeps its payment, loses it, or gets this payment.
    pub payment_id: Said<PaymentId>,
    /// Until when its seats are held; `None` if the time in the row stays as it is.
    pub expires_at: Option<Timestamp>,
    /// When the reservation was paid; `None` if the time in the row stays as it is.
    pub completed_at: Option<Timestamp>,
    /// The tickets that were issued. Empty if the tickets of the row stay as they are.
    pub tickets: Vec<Ticket>,
    /// How much money has gone back for the reservation until now; `None` if the amount in the row stays as it is.
    pub refunded_amount: Option<Money>,
    /// Whose the reservation is; `None` if the customer in the row stays the same. When a guest's order is sold it becomes
    /// that of the person whose address was given.
    pub customer_id: Option<CustomerId>,
}

impl ReservationChange {
    /// Makes a change that leaves everything but the version as it is.
    pub fn of(reservation_id: ReservationId, version: Version) -> Self {
        Self {
            reservation_id,
            status: None,
            version,
            payment_id: Said::Nothing,
            expires_at: None,
            completed_at: None,
            tickets: Vec::new(),
            refunded_amount: None,
            customer_id: None,
        }
    }
}

/// The change of a payment. A value that is absent here stays as it is in the row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentChange {
    /// The payment.
    pub payment_id: PaymentId,
    /// The new status of the payment; `None` if the status in the row stays as it is.
    pub status: Option<PaymentStatus>,
    /// The version of the payment's stream after the fact that led to the change.
    pub version: Version,
    /// When the payment changed.
    pub updated_at: Timestamp,
    /// The last four digits of the card; `None` if those in the row stay as they are.
    pub last_four: Option<String>,
    /// How much of the payment has been paid back in total; `None` if the amount in the row stays as it is.
    pub refunded_amount: Option<Money>,
}
