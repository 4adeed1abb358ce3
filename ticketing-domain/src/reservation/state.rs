use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::Version;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::buyer::Guest;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, ReservationId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::reservation::{ReservationStatus, Sale, Ticket};

use super::event::{ReservationEvent, ReservationExtended};
use super::line::{Line, Lines};
use super::versioned::{ReservationHeld, ReservationPaymentStarted};
use crate::status;

/// The state of one reservation, made from its facts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ReservationState {
    /// No reservation was made under this id.
    #[default]
    Absent,
    /// Seats are held and wait for a payment.
    Held {
        /// What was agreed when the seats were held.
        terms: HoldTerms,
        /// How many payments for the reservation have been declined.
        declines: u32,
    },
    /// Seats are held and a payment is under way.
    PaymentPending {
        /// What was agreed when the seats were held.
        terms: HoldTerms,
        /// How many payments for the reservation have been declined.
        declines: u32,
        /// The payment that is under way.
        payment_id: PaymentId,
    },
    /// The seats are sold.
    Completed {
        /// What was agreed when the seats were held.
        terms: HoldTerms,
        /// How the reservation was paid, and its tickets.
        paid: PaidWith,
    },
    /// The hold ran out.
    Expired {
        /// What was agreed when the seats were held.
        terms: HoldTerms,
        /// The payment that was under way when the hold ran out, and which the gateway may still answer; `None` if no
        /// payment was under way.
        payment_id: Option<PaymentId>,
    },
    /// The customer gave the reservation up, or the event was cancelled.
    Cancelled {
        /// What was agreed when the seats were held.
        terms: HoldTerms,
        /// How the reservation was paid, and its tickets; `None` if it was not paid.
        paid: Option<PaidWith>,
        /// The payment that was under way when the reservation was cancelled, and which the gateway may still answer;
        /// `None` if no payment was under way.
        payment_id: Option<PaymentId>,
        /// How much of that payment has gone back.
        refunded: Money,
    },
    /// The reservation was undone because it could not be paid, or was paid too late.
    Compensated {
        /// What was agreed when the seats were held.
        terms: HoldTerms,
        /// The payment that was declined or came too late.
        payment_id: PaymentId,
        /// How much of that payment has gone back.
        refunded: Money,
    },
    /// The money of the reservation was given back.
    Refunded {
        /// What was agreed when the seats were held.
        terms: HoldTerms,
        /// How the reservation was paid, and its tickets.
        paid: PaidWith,
    },
}

/// What was agreed when the seats were held. None of it changes afterwards, but for the end of a hold that is extended, and the
/// customer of a guest's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldTerms {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// The event on sale.
    pub event_id: EventId,
    /// The customer for whom the seats are held.
    pub customer_id: CustomerId,
    /// What is held.
    pub lines: Lines,
    /// The price of all lines together.
    pub total: Money,
    /// When the hold runs out.
    pub held_until: Timestamp,
    /// How often the hold was extended.
    pub extensions: u32,
    /// When the hold began.
    pub held_at: Timestamp,
    /// The guest whose order it is; `None` if the order is of an account.
    pub guest: Option<Guest>,
}

/// How a reservation was paid, and its tickets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidWith {
    /// The payment; `None` if the seats cost nothing.
    pub payment_id: Option<PaymentId>,
    /// When the seats were sold.
    pub completed_at: Timestamp,
    /// One ticket for each seat.
    pub tickets: Vec<Ticket>,
    /// How much of the price has gone back.
    pub refunded: Money,
}

impl From<&ReservationHeld> for HoldTerms {
    fn from(held: &ReservationHeld) -> Self {
        Self {
            reservation_id: held.reservation_id,
            event_id: held.event_id,
            customer_id: held.customer_id,
            lines: Lines::clone(&held.lines),
            total: held.total,
            held_until: held.held_until,
            extensions: 0,
            held_at: held.at,
            guest: held.order_secret.map(Guest::from),
        }
    }
}

impl HoldTerms {
    fn extended(self, extended: &ReservationExtended) -> Self {
        Self {
            held_until: extended.held_until,
            extensions: extended.extensions,
            ..self
        }
    }

    /// Notes to whom a guest's order is to be sold.
    fn paid_by(self, started: &ReservationPaymentStarted) -> Self {
        let known = |guest: Guest| Guest {
            person: started.person.or(guest.person),
            ..guest
        };
        Self {
            guest: self.guest.map(known),
            ..self
        }
    }

    /// Notes to whom the seats were sold: from then on the order is that customer's.
    fn sold(self, sale: &Sale) -> Self {
        Self {
            customer_id: sale.customer_id,
            ..self
        }
    }

    /// Returns an amount of nothing, in the currency of the price.
    fn nothing(&self) -> Money {
        Money::zero(self.total.currency)
    }
}

impl ReservationState {
    /// Applies a fact. A fact that does not fit the state changes nothing.
    pub fn evolve(&mut self, event: &ReservationEvent) {
        use ReservationEvent as E;

        *self = match (std::mem::take(self), event) {
            (Self::Absent, E::ReservationHeld(held)) => Self::Held {
                terms: held.into(),
                declines: 0,
            },
            (Self::Held { terms, declines }, E::ReservationPaymentStarted(started)) => Self::PaymentPending {
                terms: terms.paid_by(started),
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
            (Self::Held { terms, declines }, E::ReservationExtended(extended)) => Self::Held {
                terms: terms.extended(extended),
                declines,
            },
            (
                Self::Held { terms, .. } | Self::PaymentPending { terms, .. } | Self::Expired { terms, .. },
                E::ReservationCompleted(completed),
            ) => Self::Completed {
                paid: PaidWith {
                    refunded: terms.nothing(),
                    payment_id: completed.sale.payment_id,
                    completed_at: completed.sale.sold_at,
                    tickets: completed.tickets.clone(),
                },
                terms: terms.sold(&completed.sale),
            },
            (Self::Held { terms, .. } | Self::PaymentPending { terms, .. }, E::ReservationExpired(expired)) => {
                Self::Expired {
                    terms,
                    payment_id: expired.payment_id,
                }
            }
            (Self::Held { terms, .. }, E::ReservationCancelled(_)) => Self::given_up(terms, None),
            (Self::PaymentPending { terms, payment_id, .. }, E::ReservationCancelled(_)) => {
                Self::given_up(terms, Some(payment_id))
            }
            (Self::Completed { terms, paid }, E::ReservationCancelled(_)) => Self::Cancelled {
                refunded: paid.refunded,
                terms,
                paid: Some(paid),
                payment_id: None,
            },
            (
                Self::Held { terms, .. } | Self::PaymentPending { terms, .. } | Self::Expired { terms, .. },
                E::ReservationCompensated(compensated),
            ) => Self::Compensated {
                refunded: terms.nothing(),
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
                E::ReservationRefunded(refunded),
            ) => Self::Refunded {
                terms,
                paid: PaidWith {
                    refunded: refunded.refunded_in_total,
                    ..paid
                },
            },
            (state, E::ReservationMoneyReturned(returned)) => state.having_refunded(returned.refunded_in_total),
            (state, _) => state,
        };
    }

    /// Returns the state of a reservation that was cancelled before it was paid.
    fn given_up(terms: HoldTerms, payment_id: Option<PaymentId>) -> Self {
        Self::Cancelled {
            refunded: terms.nothing(),
            terms,
            paid: None,
            payment_id,
        }
    }

    /// Returns the state with how much money has gone back until now. A reservation that took no money stays as it is.
    fn having_refunded(mut self, total: Money) -> Self {
        match &mut self {
            Self::Completed { paid, .. } | Self::Refunded { paid, .. } => paid.refunded = total,
            Self::Compensated { refunded, .. } | Self::Cancelled { refunded, .. } => *refunded = total,
            _ => {}
        }
        self
    }

    /// Returns what was agreed when the seats were held; `None` if no reservation was made.
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

    /// Returns how the reservation was paid; `None` if it was not paid.
    pub fn paid(&self) -> Option<&PaidWith> {
        match self {
            Self::Completed { paid, .. } | Self::Refunded { paid, .. } | Self::Cancelled { paid: Some(paid), .. } => {
                Some(paid)
            }
            _ => None,
        }
    }

    /// Returns the payment that paid for the seats, or else the one under way; `None` if there is neither.
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

    /// Returns how much money has gone back for the reservation; `None` if none can have.
    fn refunded(&self) -> Option<Money> {
        match self {
            Self::Compensated { refunded, .. } | Self::Cancelled { refunded, .. } => Some(*refunded),
            _ => self.paid().map(|paid| paid.refunded),
        }
    }

    /// Returns whether the reservation is still open: its seats are held, and it is neither paid for nor ended.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Held { .. } | Self::PaymentPending { .. })
    }

    /// Returns the status of the reservation at `now`; `None` if no reservation was made.
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

    /// Returns the reservation as readers see it at `now`; `None` if no reservation was made.
    pub fn view(&self, version: Version, now: Timestamp) -> Option<ReservationView> {
        let terms = self.terms()?;
        let paid = self.paid();
        Some(ReservationView {
            reservation_id: terms.reservation_id,
            event_id: terms.event_id,
            customer_id: terms.customer_id,
            lines: terms.lines.iter().map(Line::view).collect(),
            total_amount: terms.total,
            refunded_amount: self.refunded().unwrap_or_else(|| terms.nothing()),
            status: self.status_at(now)?,
            expires_at: terms.held_until,
            created_at: terms.held_at,
            completed_at: paid.map(|paid| paid.completed_at),
            payment_id: self.payment_id(),
            tickets: paid.map(|paid| paid.tickets.clone()).unwrap_or_default(),
            version,
        })
    }
}
