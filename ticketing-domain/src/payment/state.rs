use std::collections::BTreeMap;

use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::Version;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, RefundId, ReservationId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::payment::{ActionWanted, MethodKind, PaymentMethod, PaymentStatus};

use super::event::{PaymentEvent, RefundCause};
use super::method_fingerprint::MethodFingerprint;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PaymentState {
    #[default]
    Absent,
    /// The gateway was asked to set the money aside.
    Requested(Order),
    /// The provider has it and has not decided.
    Deferred {
        order: Order,
        /// What the customer has to do first.
        action: Option<ActionWanted>,
    },
    Authorized(Order),
    /// The gateway was asked to take the money.
    Capturing(Order),
    Captured {
        order: Order,
        refunded: Money,
        pending: BTreeMap<RefundId, PendingRefund>,
    },
    Declined {
        order: Order,
        reason: DeclineReason,
    },
    /// The gateway was asked to let go of the money.
    Voiding(Order),
    Voided(Order),
}

/// What is true of a payment from its request on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub event_id: EventId,
    pub customer_id: CustomerId,
    pub amount: Money,
    pub method: MethodKind,
    pub method_fingerprint: Option<MethodFingerprint>,
    pub capture: bool,
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
            (Self::Absent, PaymentEvent::PaymentRequested(requested)) => Self::Requested(Order {
                payment_id: requested.payment_id,
                reservation_id: requested.reservation_id,
                event_id: requested.event_id,
                customer_id: requested.customer_id,
                amount: requested.amount,
                method: requested.method,
                method_fingerprint: requested.method_fingerprint,
                capture: requested.capture,
                last_four: None,
                requested_at: requested.at,
                updated_at: requested.at,
            }),
            (Self::Requested(order) | Self::Deferred { order, .. }, PaymentEvent::PaymentDeferred(deferred)) => {
                Self::Deferred {
                    order: order.updated(deferred.at),
                    action: deferred.action,
                }
            }
            (Self::Requested(order) | Self::Deferred { order, .. }, PaymentEvent::PaymentAuthorized(authorized)) => {
                Self::Authorized(Order {
                    last_four: authorized.last_four.clone(),
                    ..order.updated(authorized.at)
                })
            }
            (Self::Requested(order) | Self::Deferred { order, .. }, PaymentEvent::PaymentDeclined(declined)) => {
                Self::Declined {
                    order: order.updated(declined.at),
                    reason: declined.reason,
                }
            }
            (Self::Authorized(order), PaymentEvent::CaptureRequested(requested)) => {
                Self::Capturing(order.updated(requested.at))
            }
            (Self::Capturing(order), PaymentEvent::PaymentCaptured(captured)) => Self::Captured {
                refunded: Money::zero(order.amount.currency),
                pending: BTreeMap::new(),
                order: order.updated(captured.at),
            },
            (Self::Authorized(order) | Self::Declined { order, .. }, PaymentEvent::VoidRequested(requested)) => {
                Self::Voiding(order.updated(requested.at))
            }
            (Self::Voiding(order), PaymentEvent::PaymentVoided(voided)) => Self::Voided(order.updated(voided.at)),
            (
                Self::Captured {
                    order,
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
                    order: order.updated(requested.at),
                    refunded,
                    pending,
                }
            }
            (Self::Captured { order, mut pending, .. }, PaymentEvent::PaymentRefunded(done)) => {
                pending.remove(&done.refund_id);
                Self::Captured {
                    order: order.updated(done.at),
                    refunded: done.refunded_in_total,
                    pending,
                }
            }
            // History is never refused: a fact that does not fit changes nothing.
            (state, _) => state,
        };
    }

    pub fn order(&self) -> Option<&Order> {
        match self {
            Self::Absent => None,
            Self::Requested(order)
            | Self::Deferred { order, .. }
            | Self::Authorized(order)
            | Self::Capturing(order)
            | Self::Captured { order, .. }
            | Self::Declined { order, .. }
            | Self::Voiding(order)
            | Self::Voided(order) => Some(order),
        }
    }

    pub fn status(&self) -> Option<PaymentStatus> {
        Some(match self {
            Self::Absent => return None,
            Self::Requested(_) | Self::Deferred { .. } => PaymentStatus::Pending,
            Self::Authorized(_) | Self::Capturing(_) => PaymentStatus::Authorized,
            Self::Captured { refunded, .. } if refunded.is_zero() => PaymentStatus::Captured,
            Self::Captured { order, refunded, .. } if *refunded == order.amount => PaymentStatus::Refunded,
            Self::Captured { .. } => PaymentStatus::PartiallyRefunded,
            Self::Declined { .. } | Self::Voiding(_) | Self::Voided(_) => PaymentStatus::Failed,
        })
    }

    /// What was captured and is neither refunded nor about to be.
    pub fn refundable(&self) -> Option<Money> {
        match self {
            Self::Captured {
                order,
                refunded,
                pending,
            } => {
                let promised: i64 = pending.values().map(|refund| refund.amount.amount).sum();
                Some(Money {
                    amount: order.amount.amount - refunded.amount - promised,
                    ..order.amount
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
        let order = self.order()?;
        let refunded_amount = match self {
            Self::Captured { refunded, .. } => *refunded,
            _ => Money::zero(order.amount.currency),
        };
        Some(PaymentView {
            payment_id: order.payment_id,
            reservation_id: order.reservation_id,
            event_id: order.event_id,
            customer_id: order.customer_id,
            amount: order.amount,
            refunded_amount,
            status: self.status()?,
            method: order.method,
            last_four: order.last_four.clone(),
            created_at: order.requested_at,
            updated_at: order.updated_at,
            version,
        })
    }
}

impl Order {
    /// Whether it is paid with this means of payment; of a payment without a fingerprint only the kind is known.
    pub fn is_paid_with(&self, method: &PaymentMethod) -> bool {
        let asked = MethodFingerprint::of(self.payment_id, method);
        self.method == method.kind && self.method_fingerprint.is_none_or(|known| known == asked)
    }

    fn updated(self, at: Timestamp) -> Self {
        Self { updated_at: at, ..self }
    }
}
