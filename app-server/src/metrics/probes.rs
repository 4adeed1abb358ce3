//! What is read before each scrape.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use adapters_metrics::families::{self, Family};
use adapters_metrics::{Durations, Metrics, Probe, ProbeError};
use adapters_postgres::{Database, PoolUse, Purpose};
use adapters_redis::{Redis, RedisFigures};
use adapters_redpanda::{PartitionProgress, RedpandaBus};
use async_trait::async_trait;
use ticketing_ports::log::dead_letters::DeadLetterStore;
use ticketing_ports::log::deadlines::{DeadlineKind, DeadlineStore};
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::streams::Position;
use ticketing_ports::outside::clock::Clock;
use ticketing_runtime::{FollowerCondition, FollowerProgress, Lag, Load, LoadMeter, READ_MODELS};

/// At most how many dead letters are counted.
const MOST_LETTERS: usize = 1_000;

/// Returns the name of a database's pool, as a value of the label `pool`.
pub(super) fn pool_of(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Events => "event_store",
        Purpose::Projections => "projections",
        Purpose::Analytics => "analytics",
        Purpose::Auth => "auth",
    }
}

fn set(metrics: &Metrics, family: &Family, labels: &[&str], value: f64) {
    metrics.gauge(family, labels).set(value);
}

/// How much the lanes have to do.
#[derive(Debug)]
pub(super) struct LoadProbe(pub(super) LoadMeter);

#[async_trait]
impl Probe for LoadProbe {
    fn name(&self) -> &'static str {
        "engine"
    }

    async fn read(&self, metrics: &Metrics) -> Result<(), ProbeError> {
        let Load {
            lanes,
            waiting,
            longest_queue,
            gateway_calls,
        } = self.0.read();
        for (family, value) in [
            (&families::LANES_LIVE, lanes),
            (&families::MAILBOX_DEPTH, waiting),
            (&families::MAILBOX_DEPTH_MAX, longest_queue),
            (&families::GATEWAY_CALLS, gateway_calls),
        ] {
            set(metrics, family, &[], value as f64);
        }
        Ok(())
    }
}

/// How many deadlines are set, of which those of holds are the live holds.
#[derive(Debug)]
pub(super) struct DeadlineProbe {
    pub(super) deadlines: Arc<dyn DeadlineStore>,
    pub(super) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Probe for DeadlineProbe {
    fn name(&self) -> &'static str {
        "deadlines"
    }

    async fn read(&self, metrics: &Metrics) -> Result<(), ProbeError> {
        let counts = self.deadlines.count_deadlines(self.clock.now()).await?;
        let count = |kind| counts.get(&kind).copied().unwrap_or_default();
        for kind in DeadlineKind::ALL {
            let due = count(kind).due;
            set(metrics, &families::DEADLINES_OVERDUE, &[kind.as_str()], due as f64);
        }
        let holds = count(DeadlineKind::HoldExpiry).ahead;
        set(metrics, &families::HOLDS_LIVE, &[], holds as f64);
        let payments = count(DeadlineKind::GatewayRetry);
        let queue = payments.ahead + payments.due;
        set(metrics, &families::GATEWAY_QUEUE, &[], queue as f64);
        Ok(())
    }
}

/// How far the followers of this process are behind the log.
#[derive(Debug)]
pub(super) struct FollowerProbe {
    pub(super) log: Arc<dyn EventStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) followers: Vec<FollowerProgress>,
}

#[async_trait]
impl Probe for FollowerProbe {
    fn name(&self) -> &'static str {
        "followers"
    }

    async fn read(&self, metrics: &Metrics) -> Result<(), ProbeError> {
        for progress in &self.followers {
            let follower = [progress.follower];
            let works = matches!(
                *progress.condition.borrow(),
                FollowerCondition::Starts
                    | FollowerCondition::Works
                    | FollowerCondition::StandsBy
                    | FollowerCondition::Rebuilds
            );
            set(
                metrics,
                &families::FOLLOWER_WORKS,
                &follower,
                f64::from(u8::from(works)),
            );
            let reached = progress.reached.borrow().position;
            let lag = Lag::of(self.log.as_ref(), self.clock.now(), reached).await?;
            set(metrics, &families::FOLLOWER_LAG_FACTS, &follower, lag.facts as f64);
            set(
                metrics,
                &families::FOLLOWER_LAG_SECONDS,
                &follower,
                lag.age.as_secs_f64(),
            );
        }
        Ok(())
    }
}

/// How many facts could not be applied to the read models.
#[derive(Debug)]
pub(super) struct DeadLetterProbe(pub(super) Arc<dyn DeadLetterStore>);

#[async_trait]
impl Probe for DeadLetterProbe {
    fn name(&self) -> &'static str {
        "dead_letters"
    }

    async fn read(&self, metrics: &Metrics) -> Result<(), ProbeError> {
        let letters = self.0.letters(READ_MODELS, Position::START, MOST_LETTERS).await?;
        set(metrics, &families::DEAD_LETTERS, &[READ_MODELS], letters.len() as f64);
        Ok(())
    }
}

/// The connections of a database, and how long it takes to answer at all.
#[derive(Debug)]
pub(super) struct DatabaseProbe {
    pub(super) database: Database,
    pub(super) pings: Durations,
}

#[async_trait]
impl Probe for DatabaseProbe {
    fn name(&self) -> &'static str {
        pool_of(self.database.purpose())
    }

    async fn read(&self, metrics: &Metrics) -> Result<(), ProbeError> {
        let PoolUse { active, idle, max } = self.database.pool_use();
        let pool = [self.name()];
        for (family, value) in [
            (&families::DB_CONNECTIONS_ACTIVE, active),
            (&families::DB_CONNECTIONS_IDLE, idle),
            (&families::DB_CONNECTIONS_MAX, max),
        ] {
            set(metrics, family, &pool, f64::from(value));
        }
        Ok(self.pings.measure("ping", self.database.ping()).await?)
    }
}

/// What Redis says about itself.
#[derive(Debug)]
pub(super) struct RedisProbe {
    redis: Redis,
    hits: Growth,
    misses: Growth,
}

impl RedisProbe {
    pub(super) fn new(redis: Redis) -> Self {
        Self {
            redis,
            hits: Growth::default(),
            misses: Growth::default(),
        }
    }
}

/// How much a count of another process has grown. A count that is lower than before was begun anew, because the other
/// process has started again.
#[derive(Debug, Default)]
struct Growth(AtomicU64);

impl Growth {
    /// Returns by how much the count has grown since the last call.
    fn since_last(&self, count: u64) -> u64 {
        let last = self.0.swap(count, Ordering::Relaxed);
        count.checked_sub(last).unwrap_or(count)
    }
}

#[async_trait]
impl Probe for RedisProbe {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn read(&self, metrics: &Metrics) -> Result<(), ProbeError> {
        let connections = f64::from(u8::from(self.redis.is_connected()));
        set(metrics, &families::REDIS_CONNECTIONS, &[], connections);
        let RedisFigures {
            hits,
            misses,
            memory_used,
            memory_max,
        } = self.redis.figures().await?;
        let hits = self.hits.since_last(hits);
        metrics.counter(&families::REDIS_HITS, &[]).increment(hits);
        let misses = self.misses.since_last(misses);
        metrics.counter(&families::REDIS_MISSES, &[]).increment(misses);
        set(metrics, &families::REDIS_MEMORY_USED, &[], memory_used as f64);
        set(metrics, &families::REDIS_MEMORY_MAX, &[], memory_max as f64);
        Ok(())
    }
}

/// What this process has consumed from the bus.
#[derive(Debug)]
pub(super) struct BusProbe(pub(super) Arc<RedpandaBus>);

#[async_trait]
impl Probe for BusProbe {
    fn name(&self) -> &'static str {
        "event_bus"
    }

    async fn read(&self, metrics: &Metrics) -> Result<(), ProbeError> {
        let consumption = self.0.consumption();
        for ((topic, number), PartitionProgress { offset, lag }) in &consumption.partitions {
            let partition = [topic.as_str(), &number.to_string()];
            set(metrics, &families::CONSUMER_LAG, &partition, *lag as f64);
            set(metrics, &families::CONSUMER_OFFSET, &partition, *offset as f64);
        }
        let count = |family, counts: &BTreeMap<String, u64>| {
            for (topic, count) in counts {
                metrics.counter(family, &[topic]).absolute(*count);
            }
        };
        count(&families::CONSUMER_MESSAGES, &consumption.messages);
        count(&families::CONSUMER_ERRORS, &consumption.foreign);
        if !consumption.partitions.is_empty() || consumption.failures > 0 {
            metrics
                .counter(&families::CONSUMER_ERRORS, &["all"])
                .absolute(consumption.failures);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_goes_on_growing_after_the_other_process_has_started_again() {
        let growth = Growth::default();
        let grown = [10, 10, 14, 3, 5].map(|count| growth.since_last(count));
        assert_eq!(grown, [10, 0, 4, 3, 2]);
    }
}
