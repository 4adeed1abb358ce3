//! Reservations, as readers see them.

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

/// A reservation, as readers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationView {
    /// The id of the reservation.
    pub reservation_id: ReservationId,
    /// The event.
    pub event_id: EventId,
    /// The customer who has made the reservation.
    pub customer_id: CustomerId,
    /// The name of the section.
    pub section: Label,
    /// The name of the pricing tier that sets the price.
    pub tier: Label,
    /// The seats. Empty in a section of general admission.
    pub seats: Vec<SeatId>,
    /// How many places are reserved.
    pub quantity: u32,
    /// The price of one place.
    pub unit_price: Money,
    /// The price of all places together.
    pub total_amount: Money,
    /// How far the reservation has come.
    pub status: ReservationStatus,
    /// How the seats were chosen.
    pub allocation: Allocation,
    /// When the hold runs out.
    pub expires_at: Timestamp,
    /// When the reservation was made.
    pub created_at: Timestamp,
    /// When the reservation was paid; `None` if it was not paid.
    pub completed_at: Option<Timestamp>,
    /// The payment that is under way or has paid for the reservation; `None` if there is no such payment.
    pub payment_id: Option<PaymentId>,
    /// The tickets of the reservation. Empty until the reservation is paid.
    pub tickets: Vec<Ticket>,
    /// The version of the reservation's stream that this row reflects.
    pub version: Version,
}

/// Reads reservations.
///
/// ```
/// use adapters_memory::InMemoryReadModels;
/// use ticketing_ports::read_models::reservations::ReservationQueries;
/// use ticketing_ports::vocabulary::ids::CustomerId;
/// use ticketing_ports::vocabulary::paging::Page;
/// use uuid::Uuid;
///
/// # futures::executor::block_on(async {
/// let store = InMemoryReadModels::new();
/// let customer = CustomerId::new(Uuid::from_u128(1));
/// let first_page = Page::new(1, Page::DEFAULT_SIZE).unwrap();
/// let listed = store.reservations_of(customer, first_page).await.unwrap();
/// assert_eq!(listed.total, 0);
/// # });
/// ```
///
/// **Contract**
/// - `reservations_of_a_customer_are_listed_newest_first`, and no reservations of other customers.
/// - `reservations_are_listed_after_a_cursor_although_others_arrive`.
#[async_trait]
pub trait ReservationQueries: std::fmt::Debug + Send + Sync {
    /// Lists the reservations of a customer, the newest first.
    async fn reservations_of(&self, customer: CustomerId, page: Page) -> Result<Listed<ReservationView>, StoreError>;
}
