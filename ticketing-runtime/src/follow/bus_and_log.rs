//! The source of facts for a process that only reads: the bus, and the log for what the bus has not delivered.

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

/// If the bus delivers nothing for this long, the log is asked for new facts.
const SILENCE: Duration = PATIENCE;
/// The shortest time between two acknowledgements, each of which costs a round trip to the brokers. A late
/// acknowledgement does no harm: if the bus delivers a fact again that was handled, the fact is skipped.
const ACKNOWLEDGING: Duration = Duration::from_millis(100);
/// How long an acknowledgement may take before this process gives it up and tries again later.
const PATIENCE_WITH_BROKERS: Duration = Duration::from_millis(200);
/// How long the bus may take to deliver the predecessors of a fact that came too early. After this time they are read
/// from the log. Facts come too early because the partitions of the bus deliver in no common order.
const REORDERING: Duration = Duration::from_millis(20);
/// How often a standby process checks whether the active process has handled the facts that the bus delivered to the
/// standby process.
const STANDING_BY: Duration = Duration::from_millis(50);

/// Takes facts from the bus, and reads from the log those that the bus has not delivered.
pub(super) struct BusAndLog {
    bus: Arc<dyn EventSubscriber>,
    group: &'static str,
    log: Arc<dyn EventStore>,
    tail: Arc<Tail>,
    /// The subscription at the bus. `None` while the bus cannot be reached.
    subscription: Option<Box<dyn Subscription>>,
    /// The newest position that was delivered and has not been acknowledged. `None` if all deliveries are acknowledged.
    unacknowledged: Option<Position>,
    /// When the log is asked for the next fact, unless the bus delivers it before.
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

    /// Sets when the log is asked next, after a call returned so many facts. If these are the `most` that a call
    /// returns, the log may have more, so it is asked without a pause.
    fn ask_again_after(&mut self, facts: usize, most: usize) {
        let pause = if facts < most { SILENCE } else { Duration::ZERO };
        self.ask_at = Instant::now() + pause;
    }

    /// Returns the facts that the bus delivers before `until`. Empty if the bus delivers none or cannot be reached.
    async fn delivered(&mut self, most: usize, until: Instant) -> Vec<RecordedEvent> {
        match timeout_at(until, self.receive(most)).await {
            Ok(Ok(delivered)) => {
                // Facts of another log, or of an earlier incarnation of this log, are skipped here and acknowledged
                // later together with the others.
                let ours = delivered.into_iter().filter(|fact| self.tail.is_current(fact.from));
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

    /// Waits for the next deliveries. Subscribes first if there is no subscription.
    async fn receive(&mut self, most: usize) -> Result<Vec<Delivered>, BusUnavailable> {
        if self.subscription.is_none() {
            self.subscription = Some(self.bus.subscribe(self.group).await?);
        }
        match &mut self.subscription {
            Some(subscription) => subscription.next(most).await,
            None => Ok(Vec::new()),
        }
    }

    /// Acknowledges all deliveries. If the brokers do not answer in time, the deliveries stay unacknowledged until
    /// the next try.
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

    /// Drops the subscription after an error. The bus delivers unacknowledged facts again, to this process or to
    /// another.
    fn drop_subscription(&mut self, error: &BusUnavailable) {
        let bus = self.group;
        warn!(
            error = error as &dyn std::error::Error,
            group = bus,
            "the bus cannot be reached; facts are read from the log meanwhile"
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
            // The tail also keeps facts that the bus delivered before their predecessors. This call returns them once
            // the predecessors have come.
            let here = self.tail.after(after, most);
            if !here.is_empty() {
                self.ask_again_after(here.len(), most);
                return Ok(here);
            }
            if self.ask_at <= Instant::now() {
                // If the bus has lost the newest fact, no later delivery shows that a fact is missing. The log is
                // therefore asked now and then.
                self.ask_at = Instant::now() + SILENCE;
                let facts = read(self.log.as_ref(), &self.tail, after, most).await?;
                self.ask_again_after(facts.len(), most);
                return Ok(facts);
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
