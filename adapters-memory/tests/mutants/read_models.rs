//! The working read models in memory, behind a wrapper that makes one mistake on purpose, so that a conformance rule
//! must fail.

mod lies;

use std::collections::HashSet;
use std::sync::Arc;

use adapters_memory::InMemoryReadModels;
use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::Position;
use ticketing_ports::read_models::availability::{Availability, AvailabilityQueries};
use ticketing_ports::read_models::changes::{Change, Said};
use ticketing_ports::read_models::event_search::EventSearch;
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
use ticketing_ports::vocabulary::ids::{CustomerId, EventId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::paging::{Listed, Page};
use tokio::sync::Mutex;

pub(crate) use lies::{BROKEN_BY, ReadLie};

#[derive(Debug)]
pub(crate) struct LyingReadModels {
    lie: ReadLie,
    honest: Arc<InMemoryReadModels>,
    /// How many batches the wrapper has passed on, and up to which mark. Some lies give the honest store the number
    /// of a batch as its position, so that the honest store accepts what it should refuse.
    applied: Mutex<(u64, Mark)>,
}

impl LyingReadModels {
    pub(crate) fn new(lie: ReadLie) -> Self {
        Self {
            lie,
            honest: Arc::new(InMemoryReadModels::new()),
            applied: Mutex::new((0, Mark::of_no_log(Position::START))),
        }
    }

    /// Makes the honest store apply changes that do not follow its checkpoint, by giving it made-up positions.
    async fn force(&self, upto: Mark, changes: Vec<Change>) -> Result<(), ApplyError> {
        let mut applied = self.applied.lock().await;
        let forced = ProjectedBatch {
            after: Mark::of_no_log(Position(applied.0)),
            upto: Mark::of_no_log(Position(applied.0 + 1)),
            changes,
        };
        self.honest.apply(forced).await?;
        let furthest = if upto.position < applied.1.position {
            applied.1
        } else {
            upto
        };
        *applied = (applied.0 + 1, furthest);
        Ok(())
    }

    fn renumbers(&self) -> bool {
        matches!(
            self.lie,
            ReadLie::AppliesChangeByChange
                | ReadLie::AppliesBatchesAgain
                | ReadLie::LooksBeforeItApplies
                | ReadLie::JumpsOverGaps
                | ReadLie::KnowsPositionsOnly
                | ReadLie::LetsAnyLogAdopt
                | ReadLie::SkipsUnknownRows
        )
    }

    fn page(&self, page: Page) -> Page {
        let second = Page::new(2, page.size()).expect("the size comes from a valid page");
        match page.cursor() {
            Some(_) if self.lie == ReadLie::CountsRowsInsteadOfFollowing => second,
            _ => page,
        }
    }

    fn change(&self, mut change: Change) -> Change {
        match (self.lie, &mut change) {
            (ReadLie::IgnoresStatusChanges, Change::EventChanged { status, .. }) => *status = Some(EventStatus::Draft),
            (ReadLie::LosesSeatsOnTheWay, Change::SeatsMoved { moved, .. }) => moved.held = 0,
            (ReadLie::ShowsReservationsOfEverybody, Change::ReservationHeld(view)) => {
                view.customer_id = CustomerId::new(uuid::Uuid::from_u128(0xA0_0000_0001));
            }
            (ReadLie::OverwritesWithNothing, Change::ReservationChanged(change)) => {
                change.completed_at = Some(change.completed_at.unwrap_or_default());
            }
            (ReadLie::KeepsWhatIsGone, Change::ReservationChanged(change)) if change.payment_id == Said::Gone => {
                change.payment_id = Said::Nothing;
            }
            (ReadLie::ForgetsWhoseItIsNow, Change::ReservationChanged(change)) => change.customer_id = None,
            (ReadLie::ClearsTheLastFour, Change::PaymentChanged(change)) => {
                change.last_four = Some(change.last_four.clone().unwrap_or_default());
            }
            (ReadLie::CountsRowsInsteadOfTickets, Change::TicketsSold(sale)) => {
                sale.lines.iter_mut().for_each(|line| line.quantity = 1);
            }
            (ReadLie::ShowsOnlyTheFirstLine, Change::ReservationHeld(view)) => view.lines.truncate(1),
            (ReadLie::CountsOnlyTheFirstLine, Change::TicketsSold(sale)) => sale.lines.truncate(1),
            (ReadLie::MixesCurrencies, Change::TicketsSold(sale)) => {
                sale.total_amount = Money::new(sale.total_amount.amount, Currency::EUR);
            }
            _ => {}
        }
        change
    }
}

fn reversed<T>(mut listed: Listed<T>) -> Listed<T> {
    listed.rows.reverse();
    listed
}

#[async_trait]
impl ProjectionStore for LyingReadModels {
    async fn checkpoint(&self) -> Result<Mark, StoreError> {
        match self.lie {
            ReadLie::ForgetsTheCheckpoint => Ok(Mark::of_no_log(Position::START)),
            ReadLie::ForgetsTheCommit => Ok(Mark {
                commit: Mark::NO_COMMIT,
                ..self.honest.checkpoint().await?
            }),
            _ if self.renumbers() => Ok(self.applied.lock().await.1),
            _ => self.honest.checkpoint().await,
        }
    }

    async fn apply(&self, batch: ProjectedBatch) -> Result<(), ApplyError> {
        let ProjectedBatch { after, upto, changes } = batch;
        let mut changes: Vec<_> = changes.into_iter().map(|change| self.change(change)).collect();
        if self.lie == ReadLie::IgnoresReturns {
            changes.retain(|change| !matches!(change, Change::TicketsReturned { .. }));
        }
        if self.lie == ReadLie::HoldsOnlyOneSection {
            let mut holding = HashSet::new();
            changes.retain(|change| match change {
                Change::HoldBegan(hold) => holding.insert(hold.reservation_id),
                _ => true,
            });
        }
        if !self.renumbers() {
            return self.honest.apply(ProjectedBatch { after, upto, changes }).await;
        }
        let checkpoint = self.applied.lock().await.1;
        let fits = match self.lie {
            ReadLie::AppliesBatchesAgain => after.position <= checkpoint.position,
            ReadLie::JumpsOverGaps => upto.position > checkpoint.position,
            ReadLie::KnowsPositionsOnly => after.position == checkpoint.position,
            ReadLie::LetsAnyLogAdopt => after == checkpoint || after.is_of_no_log(),
            _ => after == checkpoint,
        };
        if !fits {
            return match upto == checkpoint {
                true => Ok(()),
                false => Err(ApplyError::OutOfOrder { checkpoint, after }),
            };
        }
        match self.lie {
            ReadLie::AppliesChangeByChange => {
                for change in changes {
                    self.force(checkpoint, vec![change]).await?;
                    tokio::task::yield_now().await;
                }
                self.force(upto, Vec::new()).await
            }
            ReadLie::SkipsUnknownRows => {
                for change in changes {
                    // The error is ignored, so that a change that cannot be applied is left out.
                    let _ = self.force(checkpoint, vec![change]).await;
                }
                self.force(upto, Vec::new()).await
            }
            _ => {
                tokio::task::yield_now().await;
                self.force(upto, changes).await
            }
        }
    }

    async fn begin_rebuild(&self) -> Result<Arc<dyn ProjectionStore>, StoreError> {
        match self.lie {
            // This lie empties the rows that readers see, and lets the rebuild fill these instead of separate rows.
            ReadLie::RebuildsInPlace => {
                let emptied = self.honest.begin_rebuild().await?;
                self.honest.switch_to(emptied).await?;
                Ok(self.honest.clone())
            }
            ReadLie::RebuildsOnTopOfThePresent => Ok(self.honest.clone()),
            _ => self.honest.begin_rebuild().await,
        }
    }

    async fn switch_to(&self, rebuilt: Arc<dyn ProjectionStore>) -> Result<(), StoreError> {
        match self.lie {
            ReadLie::IgnoresTheSwitch | ReadLie::RebuildsOnTopOfThePresent => Ok(()),
            // Ignores the rows of the rebuild and switches to rows that are new and empty.
            ReadLie::RebuildsInPlace => {
                let emptied = self.honest.begin_rebuild().await?;
                self.honest.switch_to(emptied).await
            }
            _ => self.honest.switch_to(rebuilt).await,
        }
    }
}

impl LyingReadModels {
    fn careless(&self, mut wanted: EventsWanted) -> EventsWanted {
        match self.lie {
            ReadLie::IgnoresTheStart => wanted.begun = wanted.to_come.clone(),
            ReadLie::IgnoresFrom => wanted.from = None,
            ReadLie::ListsTheEndOfTheSpanToo => wanted.to = wanted.to.map(|to| to + chrono::TimeDelta::microseconds(1)),
            ReadLie::SearchesNothing => wanted.search = EventSearch::default(),
            _ => {}
        }
        wanted
    }
}

#[async_trait]
impl EventQueries for LyingReadModels {
    async fn event(&self, id: EventId) -> Result<Option<EventView>, StoreError> {
        self.honest.event(id).await
    }

    async fn events(
        &self,
        wanted: Option<&EventsWanted>,
        drafts: DraftsVisible,
        page: Page,
    ) -> Result<Listed<EventView>, StoreError> {
        let careless = wanted.map(|wanted| self.careless(wanted.clone()));
        let drafts = match self.lie {
            ReadLie::ShowsEverybodyDrafts => DraftsVisible::All,
            _ => drafts,
        };
        let listed = self.honest.events(careless.as_ref(), drafts, self.page(page)).await?;
        Ok(match self.lie {
            ReadLie::ListsTheLatestFirst => reversed(listed),
            ReadLie::TotalsAreThoseOfThePage => Listed {
                total: listed.rows.len() as u64,
                ..listed
            },
            _ => listed,
        })
    }
}

#[async_trait]
impl AvailabilityQueries for LyingReadModels {
    async fn availability(&self, event: EventId, now: Timestamp) -> Result<Option<Availability>, StoreError> {
        let seen_at = match self.lie {
            ReadLie::HoldsLastUntilTheyEnd => Timestamp::MIN_UTC,
            ReadLie::HoldsRunOutLate => now - chrono::TimeDelta::microseconds(1),
            _ => now,
        };
        let mut found = self.honest.availability(event, seen_at).await?;
        if let Some(availability) = &mut found {
            match self.lie {
                ReadLie::SortsSectionsByName => availability.sections.sort_by(|a, b| a.name.cmp(&b.name)),
                ReadLie::SequenceStandsStill => availability.sequence = 0,
                ReadLie::ForgetsHowManyRanOut => availability.lapsed = 0,
                _ => {}
            }
        }
        Ok(found)
    }
}

#[async_trait]
impl ReservationQueries for LyingReadModels {
    async fn reservations_of(&self, customer: CustomerId, page: Page) -> Result<Listed<ReservationView>, StoreError> {
        self.honest.reservations_of(customer, self.page(page)).await
    }
}

#[async_trait]
impl PaymentQueries for LyingReadModels {
    async fn payments_of(&self, customer: CustomerId, page: Page) -> Result<Listed<PaymentView>, StoreError> {
        let listed = self.honest.payments_of(customer, self.page(page)).await?;
        Ok(match self.lie {
            ReadLie::ListsTheOldestPaymentFirst => reversed(listed),
            _ => listed,
        })
    }
}

#[async_trait]
impl SalesQueries for LyingReadModels {
    async fn event_sales(&self, event: EventId) -> Result<Option<EventSales>, StoreError> {
        let mut sales = self.honest.event_sales(event).await?;
        match (self.lie, &mut sales) {
            (ReadLie::SubtractsRefundsFromRevenue, Some(sales)) => {
                sales.total_revenue.amount -= sales.refunded.amount;
            }
            (ReadLie::InventsSalesForUnknownEvents, None) => {
                return Ok(Some(EventSales {
                    event_id: event,
                    total_revenue: Money::zero(Currency::EUR),
                    refunded: Money::zero(Currency::EUR),
                    tickets_sold: 0,
                    by_ticket_type: Default::default(),
                    by_tier: Default::default(),
                    by_section: Default::default(),
                    total_capacity: 0,
                }));
            }
            _ => {}
        }
        Ok(sales)
    }

    async fn purchases_of(&self, customer: CustomerId, page: Page) -> Result<Listed<Purchase>, StoreError> {
        let listed = self.honest.purchases_of(customer, self.page(page)).await?;
        Ok(match self.lie {
            ReadLie::ListsTheOldestPurchaseFirst => reversed(listed),
            _ => listed,
        })
    }

    async fn lifetime_value(&self, customer: CustomerId) -> Result<Vec<LifetimeValue>, StoreError> {
        self.honest.lifetime_value(customer).await
    }
}
