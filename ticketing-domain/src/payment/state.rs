use std::collections::BTreeMap;

use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::Version;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, RefundId, ReservationId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::payment::{ActionWanted, MethodKind, PaymentMethod, PaymentStatus};

use super::charge::Charge;
use super::event::{PaymentEvent, PaymentRequested, RefundCause};
use super::method_fingerprint::MethodFingerprint;

/// The state of one payment, made from its facts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PaymentState {
    /// No payment has been requested under this id.
    #[default]
    Absent,
    /// The gateway was asked to set the money aside and has not answered.
    Requested(PaymentTerms),
    /// The provider has received the payment and has not decided yet whether to approve it.
    Deferred {
        /// What was agreed when the payment was requested.
        terms: PaymentTerms,
        /// What the customer has to do before the provider decides; `None` if the provider only takes its time.
        action: Option<ActionWanted>,
    },
    /// The money is set aside.
    Authorized(PaymentTerms),
    /// The gateway was asked to take the money and has not answered.
    Capturing(PaymentTerms),
    /// The money was taken.
    Captured {
        /// What was agreed when the payment was requested.
        terms: PaymentTerms,
        /// How much has been given back so far.
        refunded: Money,
        /// Refunds that the gateway was asked for and has not confirmed.
        pending: BTreeMap<RefundId, PendingRefund>,
    },
    /// The provider has declined the payment, or the payment was given up because the call to the gateway was
    /// interrupted.
    Declined {
        /// What was agreed when the payment was requested.
        terms: PaymentTerms,
        /// Why there was no approval.
        reason: DeclineReason,
    },
    /// The gateway was asked to release the money and has not answered.
    Voiding(PaymentTerms),
    /// The gateway has released the money without taking it.
    Voided(PaymentTerms),
}

/// What is known of a payment from its request on, whatever its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentTerms {
    /// The payment.
    pub payment_id: PaymentId,
    /// The reservation that the payment is for.
    pub reservation_id: ReservationId,
    /// The event on sale that the reservation is for.
    pub event_id: EventId,
    /// Who pays.
    pub customer_id: CustomerId,
    /// How much is paid.
    pub amount: Money,
    /// The kind of the means of payment.
    pub method: MethodKind,
    /// A fingerprint of the means of payment, by which a later request with the same means is recognised. `None` if
    /// the payment was requested by a build that made no fingerprints.
    pub method_fingerprint: Option<MethodFingerprint>,
    /// Whether the money is taken as soon as the provider has approved, or only set aside.
    pub charge: Charge,
    /// The last four digits of the card; `None` if the provider has not told them.
    pub last_four: Option<String>,
    /// When the payment was requested.
    pub requested_at: Timestamp,
    /// When the latest fact of the payment was recorded.
    pub updated_at: Timestamp,
}

/// A refund that the gateway was asked for and has not confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingRefund {
    /// How much goes back.
    pub amount: Money,
    /// Why the money goes back.
    pub cause: RefundCause,
}

impl PaymentState {
    /// Applies a fact. A fact that does not fit the state changes nothing.
    pub fn evolve(&mut self, event: &PaymentEvent) {
        *self = match (std::mem::take(self), event) {
            (Self::Absent, PaymentEvent::PaymentRequested(requested)) => Self::Requested(requested.into()),
            (Self::Requested(terms) | Self::Deferred { terms, .. }, PaymentEvent::PaymentDeferred(deferred)) => {
                Self::Deferred {
                    terms: terms.updated(deferred.at),
                    action: deferred.action,
                }
            }
            (Self::Requested(terms) | Self::Deferred { terms, .. }, PaymentEvent::PaymentAuthorized(authorized)) => {
                Self::Authorized(PaymentTerms {
                    last_four: authorized.last_four.clone(),
                    ..terms.updated(authorized.at)
                })
            }
            (Self::Requested(terms) | Self::Deferred { terms, .. }, PaymentEvent::PaymentDeclined(declined)) => {
                Self::Declined {
                    terms: terms.updated(declined.at),
                    reason: declined.reason,
                }
            }
            (Self::Authorized(terms), PaymentEvent::CaptureRequested(requested)) => {
                Self::Capturing(terms.updated(requested.at))
            }
            (Self::Capturing(terms), PaymentEvent::PaymentCaptured(captured)) => Self::Captured {
                refunded: Money::zero(terms.amount.currency),
                pending: BTreeMap::new(),
                terms: terms.updated(captured.at),
            },
            (Self::Authorized(terms) | Self::Declined { terms, .. }, PaymentEvent::VoidRequested(requested)) => {
                Self::Voiding(terms.updated(requested.at))
            }
            (Self::Voiding(terms), PaymentEvent::PaymentVoided(voided)) => Self::Voided(terms.updated(voided.at)),
            (
                Self::Captured {
                    terms,
                    refunded,
                    mut pending,
                },
                PaymentEvent::RefundRequested(requested),
            ) => {
                let refund = PendingRefund {
                    amount: requested.amount,
                    cause: requested.cause,
                };
                pending.insert(requested.refund_id, refund);
                Self::Captured {
                    terms: terms.updated(requested.at),
                    refunded,
                    pending,
                }
            }
            (Self::Captured { terms, mut pending, .. }, PaymentEvent::PaymentRefunded(done)) => {
                pending.remove(&done.refund_id);
                Self::Captured {
                    terms: terms.updated(done.at),
                    refunded: done.refunded_in_total,
                    pending,
                }
            }
            (state, _) => state,
        };
    }

    /// Returns what was agreed when the payment was requested; `None` if no payment has been requested.
    pub fn terms(&self) -> Option<&PaymentTerms> {
        match self {
            Self::Absent => None,
            Self::Requested(terms)
            | Self::Deferred { terms, .. }
            | Self::Authorized(terms)
            | Self::Capturing(terms)
            | Self::Captured { terms, .. }
            | Self::Declined { terms, .. }
            | Self::Voiding(terms)
            | Self::Voided(terms) => Some(terms),
        }
    }

    /// Returns the payment's status as clients see it; `None` if no payment has been requested.
    pub fn status(&self) -> Option<PaymentStatus> {
        Some(match self {
            Self::Absent => return None,
            Self::Requested(_) | Self::Deferred { .. } => PaymentStatus::Pending,
            Self::Authorized(_) | Self::Capturing(_) => PaymentStatus::Authorized,
            Self::Captured { refunded, .. } if refunded.is_zero() => PaymentStatus::Captured,
            Self::Captured { terms, refunded, .. } if *refunded == terms.amount => PaymentStatus::Refunded,
            Self::Captured { .. } => PaymentStatus::PartiallyRefunded,
            Self::Declined { .. } | Self::Voiding(_) | Self::Voided(_) => PaymentStatus::Failed,
        })
    }

    /// Returns how much was captured and is neither refunded nor being refunded; `None` if nothing was captured.
    pub fn refundable(&self) -> Option<Money> {
        match self {
            Self::Captured {
                terms,
                refunded,
                pending,
            } => {
                let promised: i64 = pending.values().map(|refund| refund.amount.amount).sum();
                Some(Money {
                    amount: terms.amount.amount - refunded.amount - promised,
                    ..terms.amount
                })
            }
            _ => None,
        }
    }

    /// Returns whether the gateway owes an answer to a call about this payment.
    pub fn awaits_gateway(&self) -> bool {
        match self {
            Self::Requested(_) | Self::Deferred { .. } | Self::Capturing(_) | Self::Voiding(_) => true,
            Self::Captured { pending, .. } => !pending.is_empty(),
            Self::Absent | Self::Authorized(_) | Self::Declined { .. } | Self::Voided(_) => false,
        }
    }

    /// Returns the payment as readers see it; `None` if no payment has been requested.
    pub fn view(&self, version: Version) -> Option<PaymentView> {
        let terms = self.terms()?;
        let refunded_amount = match self {
            Self::Captured { refunded, .. } => *refunded,
            _ => Money::zero(terms.amount.currency),
        };
        Some(PaymentView {
            payment_id: terms.payment_id,
            reservation_id: terms.reservation_id,
            event_id: terms.event_id,
            customer_id: terms.customer_id,
            amount: terms.amount,
            refunded_amount,
            status: self.status()?,
            method: terms.method,
            last_four: terms.last_four.clone(),
            created_at: terms.requested_at,
            updated_at: terms.updated_at,
            version,
        })
    }
}

impl From<&PaymentRequested> for PaymentTerms {
    fn from(requested: &PaymentRequested) -> Self {
        Self {
            payment_id: requested.payment_id,
            reservation_id: requested.reservation_id,
            event_id: requested.event_id,
            customer_id: requested.customer_id,
            amount: requested.amount,
            method: requested.method,
            method_fingerprint: requested.method_fingerprint,
            charge: requested.charge,
            last_four: None,
            requested_at: requested.at,
            updated_at: requested.at,
        }
    }
}

impl PaymentTerms {
    /// Returns whether the payment was requested with this means of payment. If the payment has no fingerprint, only
    /// the kind is compared.
    pub fn is_paid_with(&self, method: &PaymentMethod) -> bool {
        let asked = MethodFingerprint::of(self.payment_id, method);
        self.method == method.kind && self.method_fingerprint.is_none_or(|known| known == asked)
    }

    fn updated(self, at: Timestamp) -> Self {
        Self { updated_at: at, ..self }
    }
}
