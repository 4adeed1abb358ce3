//! The facts of a reservation that have former versions: that it is held, paid for, sold, and refunded.

use serde::{Deserialize, Serialize};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, ReservationId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::reservation::{Sale, Ticket};
use ticketing_ports::vocabulary::secrets::SecretDigest;

use super::line::Lines;

/// Seats are held for a customer, at a price that no longer changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationHeld {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// The event on sale.
    pub event_id: EventId,
    /// The customer for whom the seats are held.
    pub customer_id: CustomerId,
    /// What is held, and on which terms.
    pub lines: Lines,
    /// The price of all lines together.
    pub total: Money,
    /// When the hold runs out.
    pub held_until: Timestamp,
    /// When the hold began.
    pub at: Timestamp,
    /// The digest of the secret of a guest's order; `None` if the order is of an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_secret: Option<SecretDigest>,
}

/// A payment for the reservation was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationPaymentStarted {
    /// The payment that was asked for.
    pub payment_id: PaymentId,
    /// The person to whom a guest's order is to be sold; `None` if the order is of an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<CustomerId>,
}

/// The seats are sold to the customer, and the tickets are issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationCompleted {
    /// What was sold, to whom and for how much.
    #[serde(flatten)]
    pub sale: Sale,
    /// One ticket for each seat.
    pub tickets: Vec<Ticket>,
}

/// Money was given back for the reservation, and its tickets are no longer valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationRefunded {
    /// How much went back.
    pub amount: Money,
    /// How much has gone back for the reservation until now, this amount included.
    pub refunded_in_total: Money,
    /// Whether the tickets were valid until the money was given back.
    pub was_completed: bool,
}
