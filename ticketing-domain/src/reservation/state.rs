use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::Version;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, ReservationId, SectionId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::reservation::{ReservationStatus, Ticket};
use ticketing_ports::vocabulary::seating::{Allocation, Label};

use super::event::{ReservationEvent, ReservationHeld};
use crate::inventory::TakenSeats;
use crate::status;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ReservationState {
    #[default]
    Absent,
    Held {
        booking: Booking,
        declines: u32,
    },
    PaymentPending {
        booking: Booking,
        declines: u32,
        payment_id: PaymentId,
    },
    Completed {
        booking: Booking,
        paid: PaidWith,
    },
    Expired {
        booking: Booking,
        /// Its answer may still come.
        payment_id: Option<PaymentId>,
    },
    Cancelled {
        booking: Booking,
        /// Present if it was completed before.
        paid: Option<PaidWith>,
        /// A payment that was under way; its answer may still come.
        payment_id: Option<PaymentId>,
    },
    Compensated {
        booking: Booking,
        payment_id: PaymentId,
    },
    Refunded {
        booking: Booking,
        paid: PaidWith,
    },
}

/// What was agreed when the seats were held. None of it changes afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    pub reservation_id: ReservationId,
    pub event_id: EventId,
    pub customer_id: CustomerId,
    pub section_id: SectionId,
    pub section: Label,
    pub tier: Label,
    pub seats: TakenSeats,
    pub allocation: Allocation,
    pub unit_price: Money,
    pub total: Money,
    pub held_until: Timestamp,
    pub held_at: Timestamp,
}

/// How a reservation was completed, and what that bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidWith {
    /// `None` if it cost nothing.
    pub payment_id: Option<PaymentId>,
    pub completed_at: Timestamp,
    pub tickets: Vec<Ticket>,
}

impl From<&ReservationHeld> for Booking {
    fn from(held: &ReservationHeld) -> Self {
        Self {
            reservation_id: held.reservation_id,
            event_id: held.event_id,
            customer_id: held.customer_id,
            section_id: held.section_id,
            section: held.section.clone(),
            tier: held.tier.clone(),
            seats: held.seats.clone(),
            allocation: held.allocation,
            unit_price: held.unit_price,
            total: held.total,
            held_until: held.held_until,
            held_at: held.at,
        }
    }
}

impl ReservationState {
    pub fn evolve(&mut self, event: &ReservationEvent) {
        use ReservationEvent as E;

        *self = match (std::mem::take(self), event) {
            (Self::Absent, E::ReservationHeld(held)) => Self::Held {
                booking: held.into(),
                declines: 0,
            },
            (Self::Held { booking, declines }, E::ReservationPaymentStarted(started)) => Self::PaymentPending {
                booking,
                declines,
                payment_id: started.payment_id,
            },
            (Self::PaymentPending { booking, .. }, E::ReservationPaymentDeclined(declined)) => Self::Held {
                booking,
                declines: declined.declines,
            },
            (Self::PaymentPending { booking, declines, .. }, E::ReservationPaymentGivenUp(_)) => {
                Self::Held { booking, declines }
            }
            (
                Self::Held { booking, .. } | Self::PaymentPending { booking, .. } | Self::Expired { booking, .. },
                E::ReservationCompleted(completed),
            ) => Self::Completed {
                booking,
                paid: PaidWith {
                    payment_id: completed.sale.payment_id,
                    completed_at: completed.sale.sold_at,
                    tickets: completed.tickets.clone(),
                },
            },
            (Self::Held { booking, .. } | Self::PaymentPending { booking, .. }, E::ReservationExpired(expired)) => {
                Self::Expired {
                    booking,
                    payment_id: expired.payment_id,
                }
            }
            (Self::Held { booking, .. }, E::ReservationCancelled(_)) => Self::Cancelled {
                booking,
                paid: None,
                payment_id: None,
            },
            (
                Self::PaymentPending {
                    booking, payment_id, ..
                },
                E::ReservationCancelled(_),
            ) => Self::Cancelled {
                booking,
                paid: None,
                payment_id: Some(payment_id),
            },
            (Self::Completed { booking, paid }, E::ReservationCancelled(_)) => Self::Cancelled {
                booking,
                paid: Some(paid),
                payment_id: None,
            },
            (
                Self::Held { booking, .. } | Self::PaymentPending { booking, .. } | Self::Expired { booking, .. },
                E::ReservationCompensated(compensated),
            ) => Self::Compensated {
                booking,
                payment_id: compensated.payment_id,
            },
            (
                Self::Completed { booking, paid }
                | Self::Cancelled {
                    booking,
                    paid: Some(paid),
                    ..
                },
                E::ReservationRefunded(_),
            ) => Self::Refunded { booking, paid },
            // History is never refused: a fact that does not fit changes nothing.
            (state, _) => state,
        };
    }

    pub fn booking(&self) -> Option<&Booking> {
        match self {
            Self::Absent => None,
            Self::Held { booking, .. }
            | Self::PaymentPending { booking, .. }
            | Self::Completed { booking, .. }
            | Self::Expired { booking, .. }
            | Self::Cancelled { booking, .. }
            | Self::Compensated { booking, .. }
            | Self::Refunded { booking, .. } => Some(booking),
        }
    }

    pub fn paid(&self) -> Option<&PaidWith> {
        match self {
            Self::Completed { paid, .. } | Self::Refunded { paid, .. } | Self::Cancelled { paid: Some(paid), .. } => {
                Some(paid)
            }
            _ => None,
        }
    }

    /// The payment that counts: the one that paid, else the one under way.
    pub fn payment_id(&self) -> Option<PaymentId> {
        match self {
            Self::PaymentPending { payment_id, .. } | Self::Compensated { payment_id, .. } => Some(*payment_id),
            Self::Expired { payment_id, .. }
            | Self::Cancelled {
                paid: None, payment_id, ..
            } => *payment_id,
            _ => self.paid().and_then(|paid| paid.payment_id),
        }
    }

    /// Whether something is still to come on its own: a hold that can be paid or run out.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Held { .. } | Self::PaymentPending { .. })
    }

    /// The status that counts at `now`.
    pub fn status_at(&self, now: Timestamp) -> Option<ReservationStatus> {
        let held_until = self.booking()?.held_until;
        Some(status::of_reservation(self.recorded_status()?, held_until, now))
    }

    fn recorded_status(&self) -> Option<ReservationStatus> {
        Some(match self {
            Self::Absent => return None,
            Self::Held { .. } => ReservationStatus::Held,
            Self::PaymentPending { .. } => ReservationStatus::PaymentPending,
            Self::Completed { .. } => ReservationStatus::Completed,
            Self::Expired { .. } => ReservationStatus::Expired,
            Self::Cancelled { .. } => ReservationStatus::Cancelled,
            Self::Compensated { .. } => ReservationStatus::Compensated,
            Self::Refunded { .. } => ReservationStatus::Refunded,
        })
    }

    pub fn view(&self, version: Version, now: Timestamp) -> Option<ReservationView> {
        let booking = self.booking()?;
        let paid = self.paid();
        Some(ReservationView {
            reservation_id: booking.reservation_id,
            event_id: booking.event_id,
            customer_id: booking.customer_id,
            section: booking.section.clone(),
            tier: booking.tier.clone(),
            seats: booking.seats.seats().to_vec(),
            quantity: booking.seats.quantity(),
            unit_price: booking.unit_price,
            total_amount: booking.total,
            status: self.status_at(now)?,
            allocation: booking.allocation,
            expires_at: booking.held_until,
            created_at: booking.held_at,
            completed_at: paid.map(|paid| paid.completed_at),
            payment_id: self.payment_id(),
            tickets: paid.map(|paid| paid.tickets.clone()).unwrap_or_default(),
            version,
        })
    }
}
