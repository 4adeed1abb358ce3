use std::collections::BTreeMap;

use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::Version;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, RefundId, ReservationId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::payment::{ActionWanted, MethodKind, PaymentMethod, PaymentStatus};

use super::charge::Charge;
use super::event::{PaymentEvent, RefundCause};
use super::method_fingerprint::MethodFingerprint;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PaymentState {
    #[default]
    Absent,
    /// The gateway was asked to set the money aside.
    Requested(PaymentTerms),
    /// The provider has it and has not decided.
    Deferred {
        terms: PaymentTerms,
        /// What the customer has to do first.
        action: Option<ActionWanted>,
    },
    Authorized(PaymentTerms),
    /// The gateway was asked to take the money.
    Capturing(PaymentTerms),
    Captured {
        terms: PaymentTerms,
        refunded: Money,
        pending: BTreeMap<RefundId, PendingRefund>,
    },
    Declined {
        terms: PaymentTerms,
        reason: DeclineReason,
    },
    /// The gateway was asked to let go of the money.
    Voiding(PaymentTerms),
    Voided(PaymentTerms),
}

/// What is true of a payment from its request on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentTerms {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub event_id: EventId,
    pub customer_id: CustomerId,
    pub amount: Money,
    pub method: MethodKind,
    pub method_fingerprint: Option<MethodFingerprint>,
    pub charge: Charge,
    pub last_four: Option<String>,
    pub requested_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingRefund {
    pub amount: Money,
    pub cause: RefundCause,
}

impl PaymentState {
    pub fn evolve(&mut self, event: &PaymentEvent) {
        *self = match (std::mem::take(self), event) {
            (Self::Absent, PaymentEvent::PaymentRequested(requested)) => Self::Requested(PaymentTerms {
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
            }),
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
            // History is never refused: a fact that does not fit changes nothing.
            (state, _) => state,
        };
    }

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

    /// What was captured and is neither refunded nor about to be.
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

    /// Whether the gateway still owes an answer.
    pub fn awaits_gateway(&self) -> bool {
        match self {
            Self::Requested(_) | Self::Deferred { .. } | Self::Capturing(_) | Self::Voiding(_) => true,
            Self::Captured { pending, .. } => !pending.is_empty(),
            Self::Absent | Self::Authorized(_) | Self::Declined { .. } | Self::Voided(_) => false,
        }
    }

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

impl PaymentTerms {
    /// Whether it is paid with this means of payment; of a payment without a fingerprint only the kind is known.
    pub fn is_paid_with(&self, method: &PaymentMethod) -> bool {
        let asked = MethodFingerprint::of(self.payment_id, method);
        self.method == method.kind && self.method_fingerprint.is_none_or(|known| known == asked)
    }

    fn updated(self, at: Timestamp) -> Self {
        Self { updated_at: at, ..self }
    }
}
