//! The read models of a server that runs without external databases. Their rows are in memory, and are made again
//! from the log at every start.
//!
//! Each row is kept once, and indexes contain only the ids of rows. Texts that many rows have, such as the names of
//! sections and tiers, are kept once. A whole batch is checked before its first change is applied, so that readers
//! never see a part of a batch.

mod by_customer;
mod rows;
mod sales;

use std::any::Any;
use std::sync::{Arc, RwLock, RwLockReadGuard};

use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::Position;
use ticketing_ports::read_models::availability::{Availability, AvailabilityQueries};
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::read_models::events::{DraftsVisible, EventQueries, EventsWanted};
use ticketing_ports::read_models::payments::PaymentQueries;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::read_models::reservations::ReservationQueries;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::read_models::sales::{EventSales, LifetimeValue, Purchase, SalesQueries};
use ticketing_ports::read_models::store::{ApplyError, ProjectedBatch, ProjectionStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, ReservationId};
use ticketing_ports::vocabulary::paging::{Cursor, Listed, Page};

use by_customer::of_customer;
use rows::Rows;

#[derive(Debug, Default)]
pub struct InMemoryReadModels {
    rows: RwLock<Arc<RwLock<Tables>>>,
}

#[derive(Debug)]
struct Tables {
    checkpoint: Mark,
    rows: Rows,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            checkpoint: Mark::of_no_log(Position::START),
            rows: Rows::default(),
        }
    }
}

impl InMemoryReadModels {
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> Arc<RwLock<Tables>> {
        Arc::clone(&self.rows.read().expect("no code panics while it holds this lock"))
    }

    fn read<T>(&self, query: impl FnOnce(&Rows) -> T) -> T {
        let tables = self.tables();
        let guard: RwLockReadGuard<'_, Tables> = tables.read().expect("no code panics while it holds this lock");
        query(&guard.rows)
    }
}

#[async_trait]
impl ProjectionStore for InMemoryReadModels {
    async fn checkpoint(&self) -> Result<Mark, StoreError> {
        Ok(self
            .tables()
            .read()
            .expect("no code panics while it holds this lock")
            .checkpoint)
    }

    async fn apply(&self, batch: ProjectedBatch) -> Result<(), ApplyError> {
        let tables = self.tables();
        let mut tables = tables.write().expect("no code panics while it holds this lock");
        if batch.after != tables.checkpoint {
            if batch.upto == tables.checkpoint {
                return Ok(());
            }
            return Err(ApplyError::OutOfOrder {
                checkpoint: tables.checkpoint,
                after: batch.after,
            });
        }
        tables.rows.check(&batch.changes)?;
        for change in batch.changes {
            tables.rows.apply(change);
        }
        tables.checkpoint = batch.upto;
        Ok(())
    }

    async fn begin_rebuild(&self) -> Result<Arc<dyn ProjectionStore>, StoreError> {
        Ok(Arc::new(Self::new()))
    }

    async fn switch_to(&self, rebuilt: Arc<dyn ProjectionStore>) -> Result<(), StoreError> {
        let rebuilt: Arc<dyn Any + Send + Sync> = rebuilt;
        let twin = rebuilt
            .downcast::<Self>()
            .map_err(|_| StoreError::unavailable("the rebuilt read models are those of another store"))?;
        *self.rows.write().expect("no code panics while it holds this lock") = twin.tables();
        Ok(())
    }
}

#[async_trait]
impl EventQueries for InMemoryReadModels {
    async fn event(&self, id: EventId) -> Result<Option<EventView>, StoreError> {
        Ok(self.read(|rows| rows.events.get(&id).cloned()))
    }

    async fn events(
        &self,
        wanted: Option<&EventsWanted>,
        drafts: DraftsVisible,
        page: Page,
    ) -> Result<Listed<EventView>, StoreError> {
        let visible = |event: &&EventView| {
            let draft_visible = match drafts {
                DraftsVisible::None => false,
                DraftsVisible::OwnedBy(owner) => event.owner_id == owner,
                DraftsVisible::All => true,
            };
            wanted.is_none_or(|wanted| wanted.includes(event.status, event.details.starts_at))
                && (event.status != EventStatus::Draft || draft_visible)
        };
        Ok(self.read(|rows| {
            let soonest_first = rows.events_by_start.iter().filter_map(|(at, id)| {
                let cursor = Cursor { at: *at, id: id.uuid() };
                let event = rows.events.get(id).filter(visible)?;
                let is_found = |wanted: &EventsWanted| {
                    let terms = rows.search_terms.get(id);
                    terms.is_some_and(|terms| wanted.search.finds(terms))
                };
                wanted.is_none_or(is_found).then_some((cursor, event))
            });
            paged(soonest_first, page, |cursor, row| row > cursor)
        }))
    }
}

#[async_trait]
impl AvailabilityQueries for InMemoryReadModels {
    async fn availability(&self, event: EventId, now: Timestamp) -> Result<Option<Availability>, StoreError> {
        Ok(self.read(|rows| rows.availability(event, now)))
    }
}

#[async_trait]
impl ReservationQueries for InMemoryReadModels {
    async fn reservations_of(&self, customer: CustomerId, page: Page) -> Result<Listed<ReservationView>, StoreError> {
        Ok(self.read(|rows| {
            let newest_first = of_customer(&rows.reservations_by_customer, customer);
            let found = newest_first.filter_map(|cursor| {
                let row = rows.reservations.get(&ReservationId::new(cursor.id))?;
                Some((cursor, row.as_ref()))
            });
            paged(found, page, |cursor, row| row < cursor)
        }))
    }
}

#[async_trait]
impl PaymentQueries for InMemoryReadModels {
    async fn payments_of(&self, customer: CustomerId, page: Page) -> Result<Listed<PaymentView>, StoreError> {
        Ok(self.read(|rows| {
            let newest_first = of_customer(&rows.payments_by_customer, customer);
            let found =
                newest_first.filter_map(|cursor| Some((cursor, rows.payments.get(&PaymentId::new(cursor.id))?)));
            paged(found, page, |cursor, row| row < cursor)
        }))
    }
}

#[async_trait]
impl SalesQueries for InMemoryReadModels {
    async fn event_sales(&self, event: EventId) -> Result<Option<EventSales>, StoreError> {
        Ok(self.read(|rows| rows.event_sales(event)))
    }

    async fn purchases_of(&self, customer: CustomerId, page: Page) -> Result<Listed<Purchase>, StoreError> {
        Ok(self.read(|rows| {
            let newest_first = of_customer(&rows.sales.by_customer, customer);
            let sold = &rows.sales.by_reservation;
            let found = newest_first.filter_map(|cursor| Some((cursor, sold.get(&ReservationId::new(cursor.id))?)));
            paged(found, page, |cursor, row| row < cursor).map(|sold| rows.purchase(sold))
        }))
    }

    async fn lifetime_value(&self, customer: CustomerId) -> Result<Vec<LifetimeValue>, StoreError> {
        Ok(self.read(|rows| {
            let newest_first = of_customer(&rows.sales.by_customer, customer);
            rows.sales
                .lifetime_value(newest_first.map(|cursor| ReservationId::new(cursor.id)))
        }))
    }
}

/// Cuts one page out of `rows`, which are in the order of their list already. `follows` returns whether the row at
/// its second cursor comes after its first cursor in that order.
fn paged<'a, T: Clone + 'a>(
    rows: impl Iterator<Item = (Cursor, &'a T)>,
    page: Page,
    follows: impl Fn(&Cursor, &Cursor) -> bool,
) -> Listed<T> {
    let mut passed_by = page.offset();
    let mut listed = Listed {
        rows: Vec::new(),
        total: 0,
        next: None,
    };
    let mut last = None;
    for (cursor, row) in rows {
        listed.total += 1;
        if page.cursor().is_some_and(|after| !follows(&after, &cursor)) {
            continue;
        }
        if passed_by > 0 {
            passed_by -= 1;
        } else if listed.rows.len() < page.size() as usize {
            listed.rows.push(row.clone());
            last = Some(cursor);
        } else {
            listed.next = last;
        }
    }
    listed
}
