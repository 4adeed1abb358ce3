//! Reservations as their readers see them.

use crate::log::streams::Version;
use crate::vocabulary::Timestamp;
use crate::vocabulary::errors::StoreError;
use crate::vocabulary::ids::CustomerId;
use crate::vocabulary::ids::EventId;
use crate::vocabulary::ids::PaymentId;
use crate::vocabulary::ids::ReservationId;
use crate::vocabulary::money::Money;
use crate::vocabulary::paging::Listed;
use crate::vocabulary::paging::Page;
use crate::vocabulary::reservation::ReservationStatus;
use crate::vocabulary::reservation::Ticket;
use crate::vocabulary::seating::Allocation;
use crate::vocabulary::seating::Label;
use crate::vocabulary::seating::SeatId;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationView {
    pub reservation_id: ReservationId,
    pub event_id: EventId,
    pub customer_id: CustomerId,
    pub section: Label,
    pub tier: Label,
    /// Empty for general admission.
    pub seats: Vec<SeatId>,
    pub quantity: u32,
    pub unit_price: Money,
    pub total_amount: Money,
    pub status: ReservationStatus,
    pub allocation: Allocation,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    pub completed_at: Option<Timestamp>,
    pub payment_id: Option<PaymentId>,
    pub tickets: Vec<Ticket>,
    pub version: Version,
}

/// **Contract**
/// - `reservations_of_a_customer_are_listed_newest_first` and nobody else's.
/// - `reservations_are_listed_after_a_cursor_although_others_arrive`.
#[async_trait]
pub trait ReservationQueries: Send + Sync {
    async fn reservations_of(&self, customer: CustomerId, page: Page) -> Result<Listed<ReservationView>, StoreError>;
}
