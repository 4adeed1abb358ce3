//! The front door: one method for each thing an organiser or a customer can ask for.

use ticketing_domain::catalog::EventDraft;
use ticketing_domain::views::SectionView;
use ticketing_ports::Timestamp;
use ticketing_ports::event_details::EventView;
use ticketing_ports::ids::{CustomerId, EventId, PaymentId, ReservationId};
use ticketing_ports::money::Money;
use ticketing_ports::payment::{PaymentMethod, PaymentView};
use ticketing_ports::reservation::ReservationView;
use ticketing_ports::roles::Actor;
use ticketing_ports::seating::{Label, SeatId};
use ticketing_ports::streams::{CorrelationId, Version};

use crate::consistency::ConsistencyToken;
use crate::failure::Failure;

/// A command with who asks and how the answer is remembered.
#[derive(Debug, Clone)]
pub struct Request<C> {
    pub by: Actor,
    pub correlation_id: CorrelationId,
    pub idempotency: Option<IdempotencyRequest>,
    pub command: C,
}

/// The caller's idempotency key and a digest of everything the request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRequest {
    pub key: String,
    pub fingerprint: [u8; 32],
}

/// An answer whose facts are durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    pub value: T,
    pub consistency: ConsistencyToken,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelEvent {
    pub event_id: EventId,
    pub reason: Option<Label>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldSeats {
    pub event_id: EventId,
    pub section: String,
    pub quantity: u32,
    /// These seats or none; otherwise the best available.
    pub specific_seats: Option<Vec<SeatId>>,
    /// The caller itself unless an admin buys for somebody.
    pub customer_id: Option<CustomerId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizePayment {
    pub reservation_id: ReservationId,
    pub method: PaymentMethod,
}

/// Captures an authorised payment, or authorises and captures in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayReservation {
    pub reservation_id: ReservationId,
    /// A payment authorised before, or the caller's own id for this attempt, which then charges once.
    pub payment_id: Option<PaymentId>,
    pub method: Option<PaymentMethod>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundPayment {
    pub payment_id: PaymentId,
    /// All that is left when absent.
    pub amount: Option<Money>,
    pub reason: Label,
}

/// One fact in the history of a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    pub sequence: Version,
    pub event_type: String,
    pub event_version: u16,
    pub at: Timestamp,
    /// JSON.
    pub data: Vec<u8>,
}

/// The box office of every event on sale. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BoxOffice {}

#[expect(
    clippy::unused_async,
    clippy::missing_errors_doc,
    unused_variables,
    clippy::unimplemented,
    reason = "signatures first"
)]
impl BoxOffice {
    pub async fn create_event(&self, request: Request<EventDraft>) -> Result<Answer<EventView>, Failure> {
        unimplemented!()
    }
    pub async fn publish(&self, request: Request<EventId>) -> Result<Answer<EventView>, Failure> {
        unimplemented!()
    }
    pub async fn open_sales(&self, request: Request<EventId>) -> Result<Answer<EventView>, Failure> {
        unimplemented!()
    }
    pub async fn close_sales(&self, request: Request<EventId>) -> Result<Answer<EventView>, Failure> {
        unimplemented!()
    }
    pub async fn cancel_event(&self, request: Request<CancelEvent>) -> Result<Answer<EventView>, Failure> {
        unimplemented!()
    }
    pub async fn hold(&self, request: Request<HoldSeats>) -> Result<Answer<ReservationView>, Failure> {
        unimplemented!()
    }
    pub async fn authorize(&self, request: Request<AuthorizePayment>) -> Result<Answer<PaymentView>, Failure> {
        unimplemented!()
    }
    pub async fn pay(&self, request: Request<PayReservation>) -> Result<Answer<ReservationView>, Failure> {
        unimplemented!()
    }
    pub async fn cancel_reservation(
        &self,
        request: Request<ReservationId>,
    ) -> Result<Answer<ReservationView>, Failure> {
        unimplemented!()
    }
    pub async fn refund(&self, request: Request<RefundPayment>) -> Result<Answer<PaymentView>, Failure> {
        unimplemented!()
    }
    /// From the write side: always up to date.
    pub async fn reservation(&self, by: Actor, id: ReservationId) -> Result<ReservationView, Failure> {
        unimplemented!()
    }
    /// From the write side: always up to date.
    pub async fn payment(&self, by: Actor, id: PaymentId) -> Result<PaymentView, Failure> {
        unimplemented!()
    }
    pub async fn history(&self, by: Actor, id: ReservationId) -> Result<Vec<HistoryEntry>, Failure> {
        unimplemented!()
    }
    /// From the write side: always up to date. Drafts are only for who may manage them.
    pub async fn section(&self, by: Option<Actor>, event: EventId, section: &str) -> Result<SectionView, Failure> {
        unimplemented!()
    }
}
