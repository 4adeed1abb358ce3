//! Payments, as readers see them.

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

/// A payment, as readers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentView {
    /// The id of the payment.
    pub payment_id: PaymentId,
    /// The reservation that the payment is for.
    pub reservation_id: ReservationId,
    /// The event of the reservation.
    pub event_id: EventId,
    /// The customer who pays.
    pub customer_id: CustomerId,
    /// The amount.
    pub amount: Money,
    /// How much of the amount has been paid back.
    pub refunded_amount: Money,
    /// How far the payment has come.
    pub status: PaymentStatus,
    /// The kind of the means of payment.
    pub method: MethodKind,
    /// The last four digits of the card; `None` if the gateway has not told them.
    pub last_four: Option<String>,
    /// When the payment was asked for.
    pub created_at: Timestamp,
    /// When the payment last changed.
    pub updated_at: Timestamp,
    /// The version of the payment's stream that this row reflects.
    pub version: Version,
}

/// Reads payments.
///
/// ```
/// use adapters_memory::InMemoryReadModels;
/// use ticketing_ports::read_models::payments::PaymentQueries;
/// use ticketing_ports::vocabulary::ids::CustomerId;
/// use ticketing_ports::vocabulary::paging::Page;
/// use uuid::Uuid;
///
/// # futures::executor::block_on(async {
/// let store = InMemoryReadModels::new();
/// let customer = CustomerId::new(Uuid::from_u128(1));
/// let first_page = Page::new(1, Page::DEFAULT_SIZE).unwrap();
/// let listed = store.payments_of(customer, first_page).await.unwrap();
/// assert_eq!(listed.total, 0);
/// # });
/// ```
///
/// **Contract**
/// - `payments_of_a_customer_are_listed_newest_first`, and no payments of other customers.
/// - `payments_are_listed_after_a_cursor_although_others_arrive`.
#[async_trait]
pub trait PaymentQueries: std::fmt::Debug + Send + Sync {
    /// Lists the payments of a customer, the newest first.
    async fn payments_of(&self, customer: CustomerId, page: Page) -> Result<Listed<PaymentView>, StoreError>;
}
