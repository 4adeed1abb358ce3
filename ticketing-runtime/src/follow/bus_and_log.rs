//! The source of a process that only reads.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ticketing_ports::log::event_bus::{BusUnavailable, Delivered, EventSubscriber, Subscription};
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::{Position, RecordedEvent};
use ticketing_ports::vocabulary::errors::{BoxError, StoreError};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::warn;

use super::facts::LoggedFact;
use super::source::{PATIENCE, Source, read};
use super::tail::Tail;

/// After so long without news from the bus the log is asked whether there is any.
const SILENCE: Duration = PATIENCE;
/// How often the bus is told what has been taken. It takes an answer from the brokers; what was not acknowledged comes
/// again and changes nothing.
const ACKNOWLEDGING: Duration = Duration::from_millis(100);
/// How long the brokers may take for that before the log is asked in the meantime.
const PATIENCE_WITH_BROKERS: Duration = Duration::from_millis(200);
/// Partitions deliver in no common order: so long the bus may bring what is missing in between, before the log is asked.
const REORDERING: Duration = Duration::from_millis(20);
/// How often who stands by looks whether what it was given has been taken.
const STANDING_BY: Duration = Duration::from_millis(50);

/// What the bus brings, and the log where it left a gap.
pub(super) struct BusAndLog {
    bus: Arc<dyn EventSubscriber>,
    group: &'static str,
    log: Arc<dyn EventStore>,
    tail: Arc<Tail>,
    /// Nothing while the bus cannot be joined.
    subscription: Option<Box<dyn Subscription>>,
    /// The newest fact that was delivered and is not acknowledged.
    unacknowledged: Option<Position>,
    /// When the log is asked unless the bus brings what comes next.
    ask_at: Instant,
    acknowledged_at: Instant,
}

impl BusAndLog {
    pub(super) fn new(
        bus: &Arc<dyn EventSubscriber>,
        group: &'static str,
        tail: &Arc<Tail>,
        log: &Arc<dyn EventStore>,
    ) -> Self {
        let now = Instant::now();
        Self {
            bus: Arc::clone(bus),
            group,
            log: Arc::clone(log),
            tail: Arc::clone(tail),
            subscription: None,
            unacknowledged: None,
            ask_at: now,
            acknowledged_at: now,
        }
    }

    /// What the bus brings before the time is over; nothing when it brings nothing, or cannot be reached.
    async fn delivered(&mut self, most: usize, until: Instant) -> Vec<RecordedEvent> {
        match timeout_at(until, self.receive(most)).await {
            Ok(Ok(delivered)) => {
                // What is of another log, or of an earlier life of this one, is owed as well, and taken by leaving it.
                let ours = delivered.into_iter().filter(|fact| self.tail.is_of(fact.from));
                let ours: Vec<_> = ours.map(|fact| fact.event).collect();
                let newest = ours.iter().map(|event| event.position).max().unwrap_or_default();
                self.unacknowledged = self.unacknowledged.max(Some(newest));
                ours
            }
            Ok(Err(error)) => {
                self.drop_subscription(&error);
                tokio::time::sleep_until(until).await;
                Vec::new()
            }
            Err(_) => Vec::new(),
        }
    }

    async fn receive(&mut self, most: usize) -> Result<Vec<Delivered>, BusUnavailable> {
        if self.subscription.is_none() {
            self.subscription = Some(self.bus.subscribe(self.group).await?);
        }
        match &mut self.subscription {
            Some(subscription) => subscription.next(most).await,
            None => Ok(Vec::new()),
        }
    }

    /// Says that what was delivered has been taken, unless the brokers are silent: then it is said later.
    async fn acknowledge(&mut self) {
        let Some(subscription) = &mut self.subscription else {
            return;
        };
        match timeout(PATIENCE_WITH_BROKERS, subscription.acknowledge()).await {
            Ok(Ok(())) => self.unacknowledged = None,
            Ok(Err(error)) => self.drop_subscription(&error),
            Err(_) => {}
        }
        self.acknowledged_at = Instant::now();
    }

    /// What it was given comes again, to it or to another.
    fn drop_subscription(&mut self, error: &BusUnavailable) {
        let bus = self.group;
        warn!(
            error = error as &dyn std::error::Error,
            group = bus,
            "the bus is out of reach, and the log serves"
        );
        self.subscription = None;
        self.unacknowledged = None;
    }
}

impl std::fmt::Debug for BusAndLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BusAndLog")
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Source for BusAndLog {
    async fn next(&mut self, after: Mark, most: usize) -> Result<Vec<Arc<LoggedFact>>, StoreError> {
        loop {
            // Here is also what was delivered out of order.
            let here = self.tail.after(after, most);
            if !here.is_empty() {
                self.ask_at = Instant::now() + SILENCE;
                return Ok(here);
            }
            if self.ask_at <= Instant::now() {
                // The bus may have lost the last fact for good, and no later one would tell.
                self.ask_at = Instant::now() + SILENCE;
                return read(self.log.as_ref(), &self.tail, after, most).await;
            }
            let mut fresh = self.delivered(most, self.ask_at).await;
            fresh.retain(|event| event.position > after.position);
            if !fresh.is_empty() {
                self.ask_at = self.ask_at.min(Instant::now() + REORDERING);
                self.tail
                    .keep(fresh.into_iter().map(|event| Arc::new(event.into())).collect());
            }
        }
    }

    async fn taken(&mut self, upto: Position) -> Result<(), BoxError> {
        if self.unacknowledged.is_some_and(|owed| owed <= upto) && self.acknowledged_at.elapsed() >= ACKNOWLEDGING {
            self.acknowledge().await;
        }
        Ok(())
    }

    async fn stand_by(&mut self, reached: Position) -> Result<(), BoxError> {
        match self.unacknowledged {
            Some(owed) if reached >= owed => self.acknowledge().await,
            Some(_) => tokio::time::sleep(STANDING_BY).await,
            None => drop(self.delivered(1_000, Instant::now() + PATIENCE).await),
        }
        Ok(())
    }
}
