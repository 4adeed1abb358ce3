//! What is read by people: rows derived from the log, and nothing that could not be derived again.
//!
//! The domain turns events into [`Change`]s; a read-model adapter applies them together with the checkpoint.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::errors::StoreError;
use crate::event_details::{EventStatus, EventView};
use crate::ids::{CustomerId, EventId, PaymentId, ReservationId, SectionId, UserId};
use crate::logs::Mark;
use crate::money::Money;
use crate::paging::{Listed, Page};
use crate::payment::{PaymentStatus, PaymentView};
use crate::reservation::{ReservationStatus, ReservationView, Ticket};
use crate::seating::{Label, SeatCounts};
use crate::streams::Version;

/// One change of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    EventCreated(EventView),
    EventStatusChanged {
        event_id: EventId,
        status: EventStatus,
        version: Version,
    },
    SectionOpened {
        event_id: EventId,
        section_id: SectionId,
        name: Label,
        capacity: u32,
        at: Timestamp,
    },
    /// Seats moved between the four counts of a section; the numbers add up to 0.
    SeatsMoved {
        section_id: SectionId,
        moved: SeatMove,
        at: Timestamp,
    },
    /// Places of a section are held for a while.
    HoldBegan(Hold),
    /// They are no longer: released or sold. Saying it twice changes nothing.
    HoldEnded {
        reservation_id: ReservationId,
    },
    ReservationHeld(ReservationView),
    ReservationChanged(ReservationChange),
    PaymentRequested(PaymentView),
    PaymentChanged(PaymentChange),
    /// Tickets were paid for.
    TicketsSold(Sale),
    /// Tickets of a sale were given back.
    TicketsReturned {
        reservation_id: ReservationId,
    },
    /// Money of a sale was paid back.
    SaleRefunded {
        reservation_id: ReservationId,
        amount: Money,
    },
}

/// Places that a reservation holds, until when. Kept until they are released or sold: a hold that has run out before that
/// counts as available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub reservation_id: ReservationId,
    pub section_id: SectionId,
    pub quantity: u32,
    pub until: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SeatMove {
    pub available: i64,
    pub held: i64,
    pub sold: i64,
    pub blocked: i64,
}

/// What a change says of something that a row may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said<T> {
    #[default]
    Nothing,
    /// That the row has it no longer.
    Gone,
    Now(T),
}

impl<T> Said<T> {
    /// What is there afterwards.
    pub fn over(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Nothing => before,
            Self::Gone => None,
            Self::Now(value) => Some(value),
        }
    }

    /// What two changes say together.
    #[must_use]
    pub fn after(self, earlier: Self) -> Self {
        match self {
            Self::Nothing => earlier,
            later => later,
        }
    }
}

/// Fields that are absent keep their value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationChange {
    pub reservation_id: ReservationId,
    pub status: ReservationStatus,
    pub version: Version,
    pub payment_id: Said<PaymentId>,
    pub completed_at: Option<Timestamp>,
    /// Empty keeps the tickets.
    pub tickets: Vec<Ticket>,
}

/// Fields that are absent keep their value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentChange {
    pub payment_id: PaymentId,
    pub status: Option<PaymentStatus>,
    pub version: Version,
    pub updated_at: Timestamp,
    pub last_four: Option<String>,
    pub refunded_amount: Option<Money>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    pub reservation_id: ReservationId,
    /// `None` if it cost nothing.
    pub payment_id: Option<PaymentId>,
    pub event_id: EventId,
    pub customer_id: CustomerId,
    pub section: Label,
    pub tier: Label,
    pub quantity: u32,
    pub unit_price: Money,
    pub total_amount: Money,
    pub sold_at: Timestamp,
}

/// Row changes of consecutive events, applied together with the checkpoint that follows from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectedBatch<C = Change> {
    /// The last event before the batch.
    pub after: Mark,
    /// The last event of the batch.
    pub upto: Mark,
    pub changes: Vec<C>,
}

/// Rows that a projection makes of the facts; those that people read, unless it says of what else they are.
///
/// **Contract**
/// - `changes_and_checkpoint_are_applied_together`.
/// - `the_checkpoint_says_of_which_log_and_commit_it_is`.
/// - `rows_of_no_log_are_claimed_by_a_batch_without_events`, by one log only.
/// - `readers_never_see_half_a_batch`.
/// - `a_batch_with_a_change_of_an_unknown_row_changes_nothing`.
/// - `a_batch_that_was_applied_before_changes_nothing`: one that ends where the checkpoint is is skipped.
/// - `exactly_one_racing_application_of_a_batch_counts`.
/// - `a_batch_that_does_not_follow_the_checkpoint_is_refused` as [`ApplyError::OutOfOrder`].
/// - `a_batch_of_another_log_or_another_past_is_refused`, likewise, although its positions fit.
/// - `a_rebuild_is_invisible_until_it_is_switched_to`, and then visible all at once.
/// - `a_rebuild_starts_empty_and_leaves_the_present_rows_alone`.
/// - `batches_go_on_after_a_switch`.
/// - `a_changed_reservation_keeps_what_the_change_does_not_name`.
/// - `a_changed_reservation_loses_what_the_change_takes_away`.
/// - `a_changed_payment_keeps_what_the_change_does_not_name`.
#[async_trait]
pub trait ProjectionStore<C = Change>: std::any::Any + Send + Sync {
    /// How far the rows have come; a mark of no log while no log has claimed them.
    async fn checkpoint(&self) -> Result<Mark, StoreError>;

    async fn apply(&self, batch: ProjectedBatch<C>) -> Result<(), ApplyError>;

    /// Returns an empty twin that nobody reads yet, and that no log has claimed.
    async fn begin_rebuild(&self) -> Result<Arc<dyn ProjectionStore<C>>, StoreError>;

    /// Makes readers see the twin instead. The twin must have come from `begin_rebuild` of this store.
    async fn switch_to(&self, rebuilt: Arc<dyn ProjectionStore<C>>) -> Result<(), StoreError>;
}

#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("the batch starts after {after}, the checkpoint is {checkpoint}")]
    OutOfOrder { checkpoint: Mark, after: Mark },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which events on sale a reader may see beside the public ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftsVisible {
    None,
    OwnedBy(UserId),
    All,
}

/// Which events a list is to show, by what is recorded of them: time alone may have changed what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsWanted {
    pub now: Timestamp,
    /// The recorded statuses that are wanted of an event that begins after `now`.
    pub to_come: Vec<EventStatus>,
    /// The recorded statuses that are wanted of an event that has begun at `now`.
    pub begun: Vec<EventStatus>,
}

impl EventsWanted {
    pub fn includes(&self, recorded: EventStatus, starts_at: Timestamp) -> bool {
        let wanted = if starts_at > self.now {
            &self.to_come
        } else {
            &self.begun
        };
        wanted.contains(&recorded)
    }
}

/// Events as they were recorded.
///
/// **Contract**
/// - `an_event_is_read_as_it_was_created_and_changed`.
/// - `events_are_listed_soonest_first`, ties by id.
/// - `events_are_listed_in_pages`.
/// - `events_are_listed_after_a_cursor_although_others_arrive`.
/// - `events_are_listed_by_what_is_recorded_before_and_after_their_start`.
/// - `drafts_are_listed_only_for_who_may_manage_them`.
#[async_trait]
pub trait EventQueries: Send + Sync {
    async fn event(&self, id: EventId) -> Result<Option<EventView>, StoreError>;

    /// All that are visible when `wanted` is absent.
    async fn events(
        &self,
        wanted: Option<&EventsWanted>,
        drafts: DraftsVisible,
        page: Page,
    ) -> Result<Listed<EventView>, StoreError>;
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionAvailability {
    pub section_id: SectionId,
    pub name: Label,
    pub total_capacity: u32,
    pub counts: SeatCounts,
    pub last_updated: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    pub event_id: EventId,
    /// In the organiser's order.
    pub sections: Vec<SectionAvailability>,
    /// Grows by one with every change of a count that was recorded.
    pub sequence: u64,
    /// How many holds have run out and are not released yet. Of two answers with one sequence, the one with more of them
    /// is the later.
    pub lapsed: u64,
}

/// **Contract**
/// - `counts_of_a_section_add_up_to_its_capacity`.
/// - `sections_stand_in_the_organisers_order`.
/// - `the_sequence_grows_by_one_with_every_change_of_a_count`.
/// - `a_hold_that_ran_out_counts_as_available_until_it_ends`, from the moment that it holds until.
/// - `holds_that_ran_out_are_counted`, those of the event.
#[async_trait]
pub trait AvailabilityQueries: Send + Sync {
    /// Returns the counts as they are at `now`.
    async fn availability(&self, event: EventId, now: Timestamp) -> Result<Option<Availability>, StoreError>;
}

/// **Contract**
/// - `reservations_of_a_customer_are_listed_newest_first` and nobody else's.
/// - `reservations_are_listed_after_a_cursor_although_others_arrive`.
#[async_trait]
pub trait ReservationQueries: Send + Sync {
    async fn reservations_of(&self, customer: CustomerId, page: Page) -> Result<Listed<ReservationView>, StoreError>;
}

/// **Contract**
/// - `payments_of_a_customer_are_listed_newest_first` and nobody else's.
/// - `payments_are_listed_after_a_cursor_although_others_arrive`.
#[async_trait]
pub trait PaymentQueries: Send + Sync {
    async fn payments_of(&self, customer: CustomerId, page: Page) -> Result<Listed<PaymentView>, StoreError>;
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionSales {
    pub tickets_sold: u64,
    pub revenue: Money,
}

/// Sales of one event. Revenue is what was paid, before refunds; tickets are those not given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSales {
    pub event_id: EventId,
    pub total_revenue: Money,
    pub refunded: Money,
    pub tickets_sold: u64,
    pub by_tier: BTreeMap<Label, u64>,
    pub by_section: BTreeMap<Label, SectionSales>,
    pub total_capacity: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    pub sale: Sale,
    pub event_name: Label,
    pub refunded: Money,
    pub returned: bool,
}

/// Totals of one customer in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifetimeValue {
    pub spent: Money,
    pub refunded: Money,
    pub orders: u64,
    pub tickets: u64,
    pub first_purchase_at: Timestamp,
    pub last_purchase_at: Timestamp,
}

/// **Contract**
/// - `sales_sum_quantities_and_amounts`, not rows.
/// - `refunds_are_counted_beside_revenue`.
/// - `returned_tickets_are_not_counted_as_sold`.
/// - `an_event_without_sales_has_zeros_and_an_unknown_one_nothing`.
/// - `purchases_of_a_customer_are_listed_newest_first`.
/// - `purchases_are_listed_after_a_cursor_although_others_arrive`.
/// - `lifetime_value_keeps_currencies_apart`.
#[async_trait]
pub trait SalesQueries: Send + Sync {
    /// Returns nothing for an unknown event, zeros for one without sales.
    async fn event_sales(&self, event: EventId) -> Result<Option<EventSales>, StoreError>;

    async fn purchases_of(&self, customer: CustomerId, page: Page) -> Result<Listed<Purchase>, StoreError>;

    /// Returns one entry a currency, in the order of their codes.
    async fn lifetime_value(&self, customer: CustomerId) -> Result<Vec<LifetimeValue>, StoreError>;
}
