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
        terms: HoldTerms,
        declines: u32,
    },
    PaymentPending {
        terms: HoldTerms,
        declines: u32,
        payment_id: PaymentId,
    },
    Completed {
        terms: HoldTerms,
        paid: PaidWith,
    },
    Expired {
        terms: HoldTerms,
        /// Its answer may still come.
        payment_id: Option<PaymentId>,
    },
    Cancelled {
        terms: HoldTerms,
        /// Present if it was completed before.
        paid: Option<PaidWith>,
        /// A payment that was under way; its answer may still come.
        payment_id: Option<PaymentId>,
    },
    Compensated {
        terms: HoldTerms,
        payment_id: PaymentId,
    },
    Refunded {
        terms: HoldTerms,
        paid: PaidWith,
    },
}

/// What was agreed when the seats were held. None of it changes afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldTerms {
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

impl From<&ReservationHeld> for HoldTerms {
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
                terms: held.into(),
                declines: 0,
            },
            (Self::Held { terms, declines }, E::ReservationPaymentStarted(started)) => Self::PaymentPending {
                terms,
                declines,
                payment_id: started.payment_id,
            },
            (Self::PaymentPending { terms, .. }, E::ReservationPaymentDeclined(declined)) => Self::Held {
                terms,
                declines: declined.declines,
            },
            (Self::PaymentPending { terms, declines, .. }, E::ReservationPaymentGivenUp(_)) => {
                Self::Held { terms, declines }
            }
            (
                Self::Held { terms, .. } | Self::PaymentPending { terms, .. } | Self::Expired { terms, .. },
                E::ReservationCompleted(completed),
            ) => Self::Completed {
                terms,
                paid: PaidWith {
                    payment_id: completed.sale.payment_id,
                    completed_at: completed.sale.sold_at,
                    tickets: completed.tickets.clone(),
                },
            },
            (Self::Held { terms, .. } | Self::PaymentPending { terms, .. }, E::ReservationExpired(expired)) => {
                Self::Expired {
                    terms,
                    payment_id: expired.payment_id,
                }
            }
            (Self::Held { terms, .. }, E::ReservationCancelled(_)) => Self::Cancelled {
                terms,
                paid: None,
                payment_id: None,
            },
            (Self::PaymentPending { terms, payment_id, .. }, E::ReservationCancelled(_)) => Self::Cancelled {
                terms,
                paid: None,
                payment_id: Some(payment_id),
            },
            (Self::Completed { terms, paid }, E::ReservationCancelled(_)) => Self::Cancelled {
                terms,
                paid: Some(paid),
                payment_id: None,
            },
            (
                Self::Held { terms, .. } | Self::PaymentPending { terms, .. } | Self::Expired { terms, .. },
                E::ReservationCompensated(compensated),
            ) => Self::Compensated {
                terms,
                payment_id: compensated.payment_id,
            },
            (
                Self::Completed { terms, paid }
                | Self::Cancelled {
                    terms,
                    paid: Some(paid),
                    ..
                },
                E::ReservationRefunded(_),
            ) => Self::Refunded { terms, paid },
            // History is never refused: a fact that does not fit changes nothing.
            (state, _) => state,
        };
    }

    pub fn terms(&self) -> Option<&HoldTerms> {
        match self {
            Self::Absent => None,
            Self::Held { terms, .. }
            | Self::PaymentPending { terms, .. }
            | Self::Completed { terms, .. }
            | Self::Expired { terms, .. }
            | Self::Cancelled { terms, .. }
            | Self::Compensated { terms, .. }
            | Self::Refunded { terms, .. } => Some(terms),
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
        let held_until = self.terms()?.held_until;
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
        let terms = self.terms()?;
        let paid = self.paid();
        Some(ReservationView {
            reservation_id: terms.reservation_id,
            event_id: terms.event_id,
            customer_id: terms.customer_id,
            section: terms.section.clone(),
            tier: terms.tier.clone(),
            seats: terms.seats.seats().to_vec(),
            quantity: terms.seats.quantity(),
            unit_price: terms.unit_price,
            total_amount: terms.total,
            status: self.status_at(now)?,
            allocation: terms.allocation,
            expires_at: terms.held_until,
            created_at: terms.held_at,
            completed_at: paid.map(|paid| paid.completed_at),
            payment_id: self.payment_id(),
            tickets: paid.map(|paid| paid.tickets.clone()).unwrap_or_default(),
            version,
        })
    }
}
