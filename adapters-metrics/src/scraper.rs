//! Reads, before each scrape, what is known only to somebody else: to a pool, to Redis, or to the log.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use ticketing_ports::vocabulary::errors::BoxError;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::debug;

use crate::families::PROBE_UP;
use crate::registry::Metrics;

/// How long a probe may take. The last values of a probe that takes longer are shown.
const PATIENCE: Duration = Duration::from_secs(1);
/// The shortest time between two readings of all probes, so that whoever scrapes often costs the services nothing.
const READ_EVERY: Duration = Duration::from_secs(1);
/// How often values of histograms are sorted into their buckets.
const SORT_EVERY: Duration = Duration::from_secs(5);

/// Why a probe could not be read.
pub type ProbeError = BoxError;

/// Something that is asked before each scrape.
///
/// ```
/// use adapters_metrics::{Metrics, Probe, ProbeError, families};
/// use async_trait::async_trait;
///
/// /// Says how many lanes are in memory.
/// #[derive(Debug)]
/// struct Lanes(u32);
///
/// #[async_trait]
/// impl Probe for Lanes {
///     fn name(&self) -> &'static str {
///         "lanes"
///     }
///
///     async fn read(&self, metrics: &Metrics) -> Result<(), ProbeError> {
///         metrics.gauge(&families::LANES_LIVE, &[]).set(self.0);
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let metrics = Metrics::new();
/// Lanes(3).read(&metrics).await.unwrap();
/// assert!(metrics.render().contains(&format!("{} 3", families::LANES_LIVE.name)));
/// # }
/// ```
#[async_trait]
pub trait Probe: Debug + Send + Sync {
    /// The name of the probe, as a value of the label `probe`.
    fn name(&self) -> &'static str;

    /// Reads the probe and sets its metrics.
    ///
    /// # Errors
    /// When the probe cannot be read. Its metrics keep their last values.
    async fn read(&self, metrics: &Metrics) -> Result<(), ProbeError>;
}

/// Answers scrapes with the newest values. A clone shares the probes.
#[derive(Debug, Clone)]
pub struct Scraper(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    metrics: Metrics,
    probes: Vec<Arc<dyn Probe>>,
    /// When all probes were read last.
    read: Mutex<Option<Instant>>,
    _sorting: DropGuard,
}

impl Scraper {
    /// Makes a scraper, and starts a task that keeps the memory of the metrics small until the last clone of the
    /// scraper is dropped.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn start(metrics: Metrics, probes: Vec<Arc<dyn Probe>>) -> Self {
        let stop = CancellationToken::new();
        tokio::spawn(stop.clone().run_until_cancelled_owned(sort_regularly(metrics.clone())));
        Self(Arc::new(Shared {
            metrics,
            probes,
            read: Mutex::default(),
            _sorting: stop.drop_guard(),
        }))
    }

    /// Reads all probes at once and returns all values in the text format of Prometheus. Takes little more than a
    /// second, also if no probe answers.
    pub async fn scrape(&self) -> String {
        let mut read = self.0.read.lock().await;
        if read.is_none_or(|read| read.elapsed() >= READ_EVERY) {
            join_all(self.0.probes.iter().map(|probe| self.read(probe.as_ref()))).await;
            *read = Some(Instant::now());
        }
        drop(read);
        self.0.metrics.render()
    }

    async fn read(&self, probe: &dyn Probe) {
        let metrics = &self.0.metrics;
        let failed = match timeout(PATIENCE, probe.read(metrics)).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(late) => Some(late.into()),
        };
        if let Some(error) = &failed {
            let error = error.as_ref() as &dyn std::error::Error;
            debug!(error, probe = probe.name(), "a probe of metrics could not be read");
        }
        let up = if failed.is_none() { 1.0 } else { 0.0 };
        metrics.gauge(&PROBE_UP, &[probe.name()]).set(up);
    }
}

async fn sort_regularly(metrics: Metrics) {
    let mut tick = tokio::time::interval(SORT_EVERY);
    loop {
        tick.tick().await;
        metrics.sort_in();
    }
}
