//! The steps of a sale that are reported to an observer.

use ticketing_domain::facts::Fact;
use ticketing_domain::payment::{PaymentEvent, RefundCause};
use ticketing_domain::reservation::ReservationEvent;
use ticketing_ports::vocabulary::money::Money;

/// A step of a sale, as a commit has recorded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaleStep {
    /// Seats are held for a customer.
    ReservationCreated,
    /// The seats are sold and the tickets issued.
    ReservationCompleted {
        /// The price of all tickets of the reservation together.
        price: Money,
    },
    /// A hold ran out unpaid.
    ReservationExpired,
    /// A customer gave a reservation up, or its event was cancelled.
    ReservationCancelled,
    /// A reservation was undone because it could not be paid, or was paid too late.
    ReservationCompensated,
    /// Money for tickets that were issued was given back.
    RevenueReturned {
        /// How much was given back.
        amount: Money,
    },
    /// The money of a payment was taken.
    PaymentSucceeded,
    /// A payment was declined, or was given up because the call to the gateway was interrupted.
    PaymentFailed,
}

impl SaleStep {
    /// Returns the step that a fact records. `None` if the fact records no step of a sale.
    pub(crate) fn of(fact: &Fact) -> Option<Self> {
        match fact {
            Fact::Reservation(event) => Self::of_reservation(event),
            Fact::Payment(event) => Self::of_payment(event),
            Fact::Catalog(_) | Fact::Inventory(_) => None,
        }
    }

    fn of_reservation(event: &ReservationEvent) -> Option<Self> {
        match event {
            ReservationEvent::ReservationHeld(_) => Some(Self::ReservationCreated),
            ReservationEvent::ReservationCompleted(completed) => Some(Self::ReservationCompleted {
                price: completed.sale.total_amount,
            }),
            ReservationEvent::ReservationExpired(_) => Some(Self::ReservationExpired),
            ReservationEvent::ReservationCancelled(_) => Some(Self::ReservationCancelled),
            ReservationEvent::ReservationCompensated(_) => Some(Self::ReservationCompensated),
            ReservationEvent::ReservationPaymentStarted(_)
            | ReservationEvent::ReservationPaymentDeclined(_)
            | ReservationEvent::ReservationPaymentGivenUp(_)
            | ReservationEvent::ReservationExtended(_)
            | ReservationEvent::ReservationRefunded(_)
            | ReservationEvent::ReservationMoneyReturned(_) => None,
        }
    }

    fn of_payment(event: &PaymentEvent) -> Option<Self> {
        match event {
            PaymentEvent::PaymentCaptured(_) => Some(Self::PaymentSucceeded),
            PaymentEvent::PaymentDeclined(_) => Some(Self::PaymentFailed),
            // If there were no seats for the money, no ticket was issued, and the money was never counted as revenue.
            PaymentEvent::PaymentRefunded(refunded) if refunded.cause != RefundCause::NoSeats => {
                Some(Self::RevenueReturned {
                    amount: refunded.amount,
                })
            }
            _ => None,
        }
    }
}
