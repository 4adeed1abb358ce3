use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ticketing_ports::deadlines::{Deadline, DeadlineChange};
use ticketing_ports::event_details::EventView;
use ticketing_ports::gateway::Authorization;
use ticketing_ports::ids::{CustomerId, PaymentId, RefundId, ReservationId};
use ticketing_ports::money::Money;
use ticketing_ports::payment::{PaymentMethod, PaymentView};
use ticketing_ports::reservation::ReservationView;
use ticketing_ports::roles::Actor;
use ticketing_ports::seating::{Label, SeatId};
use ticketing_ports::streams::{Metadata, NewEvent, StreamId, Version};

use crate::catalog::{CatalogEvent, EventDraft};
use crate::inventory::InventoryEvent;
use crate::payment::{GatewayCall, PaymentEvent};
use crate::refusal::Refusal;
use crate::reservation::ReservationEvent;
use crate::stored::StoredEvent as _;

/// Everything that can be asked of, or reported to, one event on sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    CreateEvent {
        by: Actor,
        draft: Box<EventDraft>,
    },
    Publish {
        by: Actor,
    },
    OpenSales {
        by: Actor,
    },
    CloseSales {
        by: Actor,
    },
    CancelEvent {
        by: Actor,
        reason: Option<Label>,
    },
    Hold {
        by: Actor,
        /// The caller itself unless an admin buys for somebody.
        customer_id: Option<CustomerId>,
        section: String,
        quantity: u32,
        specific_seats: Option<Vec<SeatId>>,
    },
    Authorize {
        by: Actor,
        reservation_id: ReservationId,
        method: PaymentMethod,
    },
    Pay {
        by: Actor,
        reservation_id: ReservationId,
        payment_id: Option<PaymentId>,
        method: Option<PaymentMethod>,
    },
    CancelReservation {
        by: Actor,
        reservation_id: ReservationId,
    },
    Refund {
        by: Actor,
        payment_id: PaymentId,
        amount: Option<Money>,
        reason: Label,
    },
    GatewayAnswered {
        payment_id: PaymentId,
        answer: GatewayAnswer,
    },
    DeadlineDue(Deadline),
}

impl Command {
    /// Whether its outcome may be [`Outcome::Pending`].
    pub fn may_wait(&self) -> bool {
        matches!(
            self,
            Self::Authorize { .. } | Self::Pay { .. } | Self::CancelReservation { .. } | Self::Refund { .. }
        )
    }

    /// Who asks; nobody when the world reports.
    pub fn by(&self) -> Option<Actor> {
        match self {
            Self::CreateEvent { by, .. }
            | Self::Publish { by }
            | Self::OpenSales { by }
            | Self::CloseSales { by }
            | Self::CancelEvent { by, .. }
            | Self::Hold { by, .. }
            | Self::Authorize { by, .. }
            | Self::Pay { by, .. }
            | Self::CancelReservation { by, .. }
            | Self::Refund { by, .. } => Some(*by),
            Self::GatewayAnswered { .. } | Self::DeadlineDue(_) => None,
        }
    }
}

/// What became of a [`GatewayCall`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum GatewayAnswer {
    Authorized(Authorization),
    /// The gateway never heard of the payment, or surely did not do it.
    NeverAuthorized,
    Captured,
    Voided,
    Refunded(RefundId),
}

/// One fact of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    Catalog(CatalogEvent),
    Inventory(InventoryEvent),
    Reservation(ReservationEvent),
    Payment(PaymentEvent),
}

/// A fact that has been applied to the book and waits for its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedFact {
    pub stream: StreamId,
    /// The version that the fact gives its stream.
    pub version: Version,
    pub fact: Fact,
}

impl StagedFact {
    pub fn to_new_event(&self, metadata: Metadata) -> NewEvent {
        match &self.fact {
            Fact::Catalog(event) => event.to_new_event(metadata),
            Fact::Inventory(event) => event.to_new_event(metadata),
            Fact::Reservation(event) => event.to_new_event(metadata),
            Fact::Payment(event) => event.to_new_event(metadata),
        }
    }
}

/// What follows from one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// The streams that it was decided on, in the versions they had: it is only right while they are still at them.
    pub relied_on: BTreeMap<StreamId, Version>,
    pub facts: Vec<StagedFact>,
    pub deadlines: Vec<DeadlineChange>,
    /// To be made once the facts are durable.
    pub calls: Vec<GatewayCall>,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Reply(Reply),
    /// The reply depends on the payment gateway; ask [`EventBook::answer`](super::EventBook::answer) after each answer
    /// of it.
    Pending(Question),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    Event(EventView),
    Reservation(ReservationView),
    Payment(PaymentView),
    /// To those who only report.
    Done,
}

/// What somebody is waiting to hear about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    Authorized {
        payment_id: PaymentId,
    },
    Paid {
        payment_id: PaymentId,
        reservation_id: ReservationId,
    },
    Refunded {
        payment_id: PaymentId,
        refund_id: RefundId,
    },
    CancelledAndRefunded {
        payment_id: PaymentId,
        refund_id: RefundId,
        reservation_id: ReservationId,
    },
}

impl Question {
    pub fn payment_id(&self) -> PaymentId {
        match self {
            Self::Authorized { payment_id }
            | Self::Paid { payment_id, .. }
            | Self::Refunded { payment_id, .. }
            | Self::CancelledAndRefunded { payment_id, .. } => *payment_id,
        }
    }
}

/// Why a question about a payment has no reply that anybody hoped for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unanswered {
    Refused(Refusal),
    /// The gateway was down; nothing was charged.
    GatewayUnavailable,
}
