//! Measures how long the calls to a port take, whatever adapter is behind it.

mod ports;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use metrics::Histogram;
use ticketing_ports::log::followers::FollowerStore;
use ticketing_ports::log::stores::LogStores;
use ticketing_ports::outside::gateway::PaymentGateway;
use ticketing_ports::people::stores::AccountStores;
use ticketing_ports::read_models::stores::ReadModelStores;

use crate::by_label::ByLabel;
use crate::families::{DB_QUERY_DURATION, Family, GATEWAY_CALL_DURATION};
use crate::registry::Metrics;

/// A decorator for a port: it passes each call on and measures how long the answer takes. The metric names the call as
/// the port's trait does.
///
/// ```
/// use std::sync::Arc;
///
/// use adapters_memory::InMemoryEventStore;
/// use adapters_metrics::{Durations, Metrics, Timed};
/// use ticketing_ports::log::event_store::EventStore;
///
/// # futures::executor::block_on(async {
/// let metrics = Metrics::new();
/// let store: Arc<dyn EventStore> = Arc::new(InMemoryEventStore::new());
/// let store: Arc<dyn EventStore> = Arc::new(Timed::new(store, &Durations::of_pool(&metrics, "event_store")));
/// store.head().await.unwrap();
/// let line = r#"db_query_duration_seconds_count{pool="event_store",query="head"} 1"#;
/// assert!(metrics.render().contains(line));
/// # });
/// ```
pub struct Timed<P: ?Sized> {
    inner: Arc<P>,
    durations: Durations,
}

impl<P: ?Sized> Timed<P> {
    /// Measures the calls to `inner`.
    pub fn new(inner: Arc<P>, durations: &Durations) -> Self {
        Self {
            inner,
            durations: durations.clone(),
        }
    }
}

impl<P: ?Sized + fmt::Debug> fmt::Debug for Timed<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timed").field(&self.inner).finish()
    }
}

/// Receives the durations of calls. A clone receives them for the same metric.
#[derive(Debug, Clone)]
pub struct Durations(Arc<Calls>);

#[derive(Debug)]
struct Calls {
    metrics: Metrics,
    family: &'static Family,
    /// The values of the labels before the name of the call.
    labels: Vec<&'static str>,
    known: ByLabel<Histogram>,
}

impl Durations {
    /// The durations of queries to a database, `pool`.
    pub fn of_pool(metrics: &Metrics, pool: &'static str) -> Self {
        Self::new(metrics, &DB_QUERY_DURATION, vec![pool])
    }

    /// The durations of calls to the payment gateway.
    pub fn of_gateway(metrics: &Metrics) -> Self {
        Self::new(metrics, &GATEWAY_CALL_DURATION, Vec::new())
    }

    fn new(metrics: &Metrics, family: &'static Family, labels: Vec<&'static str>) -> Self {
        Self(Arc::new(Calls {
            metrics: metrics.clone(),
            family,
            labels,
            known: ByLabel::new(),
        }))
    }

    /// Waits for the answer to a call and measures how long it takes.
    pub async fn measure<T>(&self, call: &'static str, answer: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let answer = answer.await;
        let Calls {
            metrics,
            family,
            labels,
            known,
        } = self.0.as_ref();
        let histogram = || {
            let labels: Vec<_> = labels.iter().copied().chain([call]).collect();
            metrics.histogram(family, &labels)
        };
        known.with(call, histogram, |durations| durations.record(began.elapsed()));
        answer
    }

    /// Measures the calls to the stores of a log.
    pub fn log(&self, log: LogStores) -> LogStores {
        LogStores {
            events: Arc::new(Timed::new(log.events, self)),
            snapshots: Arc::new(Timed::new(log.snapshots, self)),
            deadlines: Arc::new(Timed::new(log.deadlines, self)),
            idempotency: Arc::new(Timed::new(log.idempotency, self)),
        }
    }

    /// Measures the calls to the store of followers.
    pub fn followers(&self, followers: Arc<dyn FollowerStore>) -> Arc<dyn FollowerStore> {
        Arc::new(Timed::new(followers, self))
    }

    /// Measures the calls to the read models.
    pub fn read_models(&self, stores: ReadModelStores) -> ReadModelStores {
        ReadModelStores {
            projections: Arc::new(Timed::new(stores.projections, self)),
            dead_letters: Arc::new(Timed::new(stores.dead_letters, self)),
            events: Arc::new(Timed::new(stores.events, self)),
            availability: Arc::new(Timed::new(stores.availability, self)),
            reservations: Arc::new(Timed::new(stores.reservations, self)),
            payments: Arc::new(Timed::new(stores.payments, self)),
            sales: Arc::new(Timed::new(stores.sales, self)),
        }
    }

    /// Measures the calls to the stores of accounts.
    pub fn accounts(&self, stores: AccountStores) -> AccountStores {
        AccountStores {
            users: Arc::new(Timed::new(stores.users, self)),
            passkeys: Arc::new(Timed::new(stores.passkeys, self)),
            identities: Arc::new(Timed::new(stores.identities, self)),
            buyers: Arc::new(Timed::new(stores.buyers, self)),
        }
    }

    /// Measures the calls to the payment gateway.
    pub fn gateway(&self, gateway: Arc<dyn PaymentGateway>) -> Arc<dyn PaymentGateway> {
        Arc::new(Timed::new(gateway, self))
    }
}
