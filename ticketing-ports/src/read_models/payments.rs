//! Payments as their readers see them.

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
use crate::vocabulary::payment::MethodKind;
use crate::vocabulary::payment::PaymentStatus;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentView {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub event_id: EventId,
    pub customer_id: CustomerId,
    pub amount: Money,
    pub refunded_amount: Money,
    pub status: PaymentStatus,
    pub method: MethodKind,
    /// As the gateway tells after authorising.
    pub last_four: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: Version,
}

/// **Contract**
/// - `payments_of_a_customer_are_listed_newest_first` and nobody else's.
/// - `payments_are_listed_after_a_cursor_although_others_arrive`.
#[async_trait]
pub trait PaymentQueries: Send + Sync {
    async fn payments_of(&self, customer: CustomerId, page: Page) -> Result<Listed<PaymentView>, StoreError>;
}
