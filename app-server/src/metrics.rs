//! Measures what a server does, and shows it to Prometheus.

mod probes;

use std::net::SocketAddr;
use std::sync::Arc;

use adapters_metrics::{
    Durations, EngineMetrics, Metrics, Probe, RedisCommands, RequestMetrics, Scraper, count_requests, metrics_route,
};
use adapters_postgres::{Database, Purpose};
use adapters_redis::Redis;
use axum::Router;
use axum::middleware::from_fn_with_state;
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::outside::gateway::PaymentGateway;
use ticketing_runtime::{Engine, Observer, READ_MODELS};
use tracing::{info, warn};

use self::probes::{
    BusProbe, DatabaseProbe, DeadLetterProbe, DeadlineProbe, FollowerProbe, LoadProbe, RedisProbe, pool_of,
};
use crate::config::MetricsSettings;
use crate::storage::{Bus, ReadSide, Storage};

/// Measures what a server does, from its start on.
#[derive(Debug)]
pub struct Measuring {
    metrics: Metrics,
    settings: MetricsSettings,
}

impl Measuring {
    /// Begins to measure, if the settings want it.
    pub fn wanted(settings: &MetricsSettings) -> Option<Self> {
        settings.wanted().then(|| Self {
            metrics: Metrics::new(),
            settings: settings.clone(),
        })
    }

    /// Returns an observer that counts what the engine and the routes report.
    pub fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(EngineMetrics::new(&self.metrics))
    }

    /// Measures the calls to the stores of the write side, and the commands to Redis.
    #[must_use]
    pub fn storage(&self, storage: Storage) -> Storage {
        if let Some(redis) = storage.redis() {
            self.redis(redis);
        }
        let (log, accounts) = (self.pool(Purpose::Events), self.pool(Purpose::Auth));
        storage.measured_by(&log, &accounts)
    }

    /// Measures the calls to the read models. Read models in memory are not measured: they answer at once.
    #[must_use]
    pub fn read_side(&self, mut read_side: ReadSide) -> ReadSide {
        if !read_side.in_memory {
            read_side.stores = self.pool(Purpose::Projections).read_models(read_side.stores);
        }
        read_side
    }

    /// Measures the calls to the payment gateway.
    pub fn gateway(&self, gateway: Arc<dyn PaymentGateway>) -> Arc<dyn PaymentGateway> {
        Durations::of_gateway(&self.metrics).gateway(gateway)
    }

    fn pool(&self, purpose: Purpose) -> Durations {
        Durations::of_pool(&self.metrics, pool_of(purpose))
    }

    fn redis(&self, redis: &Redis) {
        let commands = RedisCommands::new(&self.metrics);
        redis.observe(move |command, took| commands.count(command, took));
    }

    /// Returns the metrics of a server that has started with these parts.
    #[must_use]
    pub fn shown(
        self,
        storage: &Storage,
        read_side: &ReadSide,
        bus: &Bus,
        engine: &Engine,
        clock: Arc<dyn Clock>,
    ) -> ShownMetrics {
        let mut probes: Vec<Arc<dyn Probe>> = vec![
            Arc::new(LoadProbe(engine.load_meter())),
            Arc::new(DeadlineProbe {
                deadlines: storage.log.deadlines.clone(),
                clock: clock.clone(),
            }),
            Arc::new(FollowerProbe {
                log: storage.log.events.clone(),
                clock,
                followers: engine.followers().to_vec(),
            }),
        ];
        if !read_side.in_memory || engine.follower(READ_MODELS).is_some() {
            probes.push(Arc::new(DeadLetterProbe(read_side.stores.dead_letters.clone())));
        }
        for database in storage.databases().iter().chain(read_side.database()) {
            probes.push(self.database(database));
        }
        if let Some(redis) = storage.redis() {
            probes.push(Arc::new(RedisProbe::new(redis.clone())));
        }
        if let Some(bus) = &bus.brokers {
            probes.push(Arc::new(BusProbe(bus.clone())));
        }
        ShownMetrics {
            requests: RequestMetrics::new(&self.metrics),
            scraper: Scraper::start(self.metrics, probes),
            settings: self.settings,
        }
    }

    fn database(&self, database: &Database) -> Arc<dyn Probe> {
        let purpose = database.purpose();
        Arc::new(DatabaseProbe {
            database: database.clone(),
            pings: self.pool(purpose),
        })
    }
}

/// The metrics of a running server, for Prometheus.
#[derive(Debug)]
pub struct ShownMetrics {
    requests: RequestMetrics,
    scraper: Scraper,
    settings: MetricsSettings,
}

impl ShownMetrics {
    /// Makes the routes of the server count their requests.
    pub fn count(&self, routes: Router) -> Router {
        routes.layer(from_fn_with_state(self.requests.clone(), count_requests))
    }

    /// Returns what is shown of the metrics at the address of the API: the route for scrapes, if there is a token.
    pub fn at_the_api(&self) -> Router {
        if self.settings.metrics_token.is_some() {
            self.route()
        } else {
            Router::new()
        }
    }

    /// Returns the route for scrapes.
    pub fn route(&self) -> Router {
        metrics_route(self.scraper.clone(), self.settings.metrics_token.clone())
    }

    /// Logs where the metrics are shown, and a warning if strangers may reach that address.
    pub fn announce(&self, address: SocketAddr) {
        info!(%address, "metrics are shown");
        if !address.ip().is_loopback() && self.settings.metrics_token.is_none() {
            warn!(
                %address,
                "whoever reaches the address of the metrics sees the revenue: keep others away, or set METRICS_TOKEN"
            );
        }
    }
}
