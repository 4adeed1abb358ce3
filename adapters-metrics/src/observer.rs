//! Counts what the engine and the routes report.

use metrics::{Counter, Gauge, Histogram};
use ticketing_ports::vocabulary::money::Money;
use ticketing_runtime::{Observed, Observer, SaleStep, Setback, SocketStep};

use crate::by_label::ByLabel;
use crate::families::{self, Family};
use crate::registry::Metrics;

/// An [`Observer`] that counts all reports in [`Metrics`].
///
/// ```
/// use adapters_metrics::{EngineMetrics, Metrics};
/// use ticketing_runtime::{Observed, Observer as _, SaleStep};
///
/// let metrics = Metrics::new();
/// let observer = EngineMetrics::new(&metrics);
/// observer.observe(Observed::Sale(SaleStep::ReservationCreated));
/// assert!(metrics.render().contains("reservations_created_total 1"));
/// ```
#[derive(Debug)]
pub struct EngineMetrics {
    metrics: Metrics,
    commit_duration: Histogram,
    group_size: Histogram,
    facts_committed: Counter,
    jobs_parked: Counter,
    facts_read: Counter,
    snapshots_kept: Counter,
    decision_durations: ByLabel<Histogram>,
    refusals: ByLabel<Counter>,
    followers: ByLabel<(Counter, Histogram)>,
    sales: Sales,
    lost_race: ThrownAway,
    failed_commit: ThrownAway,
    lost_past: ThrownAway,
    sockets: Sockets,
}

/// What was rolled back for one reason.
#[derive(Debug)]
struct ThrownAway {
    groups: Counter,
    decisions: Counter,
}

#[derive(Debug)]
struct Sockets {
    active: Gauge,
    opened: Counter,
    sent: Counter,
    received: Counter,
    duration: Histogram,
}

#[derive(Debug)]
struct Sales {
    created: Counter,
    completed: Counter,
    expired: Counter,
    cancelled: Counter,
    compensated: Counter,
    succeeded: Counter,
    failed: Counter,
}

impl EngineMetrics {
    /// Makes an observer that counts in these metrics. Everything whose labels are known beforehand begins at 0, so that
    /// also the first sale, or the first commit that fails, is seen as an increase.
    pub fn new(metrics: &Metrics) -> Self {
        let counter = |family: &Family| metrics.counter(family, &[]);
        let thrown_away = |because| ThrownAway {
            groups: metrics.counter(&families::CONFLICTS, &[because]),
            decisions: metrics.counter(&families::RETRIES, &[because]),
        };
        Self {
            commit_duration: metrics.histogram(&families::COMMIT_DURATION, &[]),
            group_size: metrics.histogram(&families::GROUP_SIZE, &[]),
            facts_committed: counter(&families::FACTS_COMMITTED),
            jobs_parked: counter(&families::JOBS_PARKED),
            facts_read: counter(&families::FACTS_READ),
            snapshots_kept: counter(&families::SNAPSHOTS_KEPT),
            decision_durations: ByLabel::new(),
            refusals: ByLabel::new(),
            followers: ByLabel::new(),
            sales: Sales {
                created: counter(&families::RESERVATIONS_CREATED),
                completed: counter(&families::RESERVATIONS_COMPLETED),
                expired: counter(&families::RESERVATIONS_EXPIRED),
                cancelled: counter(&families::RESERVATIONS_CANCELLED),
                compensated: counter(&families::RESERVATIONS_COMPENSATED),
                succeeded: counter(&families::PAYMENTS_SUCCEEDED),
                failed: counter(&families::PAYMENTS_FAILED),
            },
            lost_race: thrown_away("lost_race"),
            failed_commit: thrown_away("failed_commit"),
            lost_past: thrown_away("lost_past"),
            sockets: Sockets {
                active: metrics.gauge(&families::SOCKETS_ACTIVE, &[]),
                opened: counter(&families::SOCKETS),
                sent: counter(&families::SOCKET_MESSAGES_SENT),
                received: counter(&families::SOCKET_MESSAGES_RECEIVED),
                duration: metrics.histogram(&families::SOCKET_DURATION, &[]),
            },
            metrics: metrics.clone(),
        }
    }

    fn sale(&self, step: SaleStep) {
        let sales = &self.sales;
        match step {
            SaleStep::ReservationCreated => sales.created.increment(1),
            SaleStep::ReservationCompleted { price } => {
                sales.completed.increment(1);
                self.money(&families::REVENUE, price);
            }
            SaleStep::ReservationExpired => sales.expired.increment(1),
            SaleStep::ReservationCancelled => sales.cancelled.increment(1),
            SaleStep::ReservationCompensated => sales.compensated.increment(1),
            SaleStep::RevenueReturned { amount } => self.money(&families::REVENUE_RETURNED, amount),
            SaleStep::PaymentSucceeded => sales.succeeded.increment(1),
            SaleStep::PaymentFailed => sales.failed.increment(1),
        }
    }

    fn money(&self, family: &Family, money: Money) {
        let cents = u64::try_from(money.amount).unwrap_or_default();
        self.metrics
            .counter(family, &[money.currency.as_str()])
            .increment(cents);
    }

    fn socket(&self, step: SocketStep) {
        let sockets = &self.sockets;
        match step {
            SocketStep::Opened => {
                sockets.opened.increment(1);
                sockets.active.increment(1.0);
            }
            SocketStep::Sent { messages } => sockets.sent.increment(messages as u64),
            SocketStep::Received { messages } => sockets.received.increment(messages as u64),
            SocketStep::Closed { lived } => {
                sockets.active.decrement(1.0);
                sockets.duration.record(lived);
            }
        }
    }

    fn thrown_away(&self, jobs: usize, because: Setback) {
        let thrown_away = match because {
            Setback::LostRace => &self.lost_race,
            Setback::FailedCommit => &self.failed_commit,
            Setback::LostPast => &self.lost_past,
        };
        thrown_away.groups.increment(1);
        thrown_away.decisions.increment(jobs as u64);
    }
}

impl Observer for EngineMetrics {
    fn observe(&self, seen: Observed) {
        match seen {
            Observed::Decided { command, took } => self.decision_durations.with(
                command,
                || self.metrics.histogram(&families::DECISION_DURATION, &[command]),
                |durations| durations.record(took),
            ),
            Observed::ThrownAway { jobs, because } => self.thrown_away(jobs, because),
            Observed::Parked { streams: _ } => self.jobs_parked.increment(1),
            Observed::Loaded { facts, .. } => self.facts_read.increment(facts as u64),
            Observed::SnapshotKept { .. } => self.snapshots_kept.increment(1),
            Observed::Committed { jobs, facts, took } => {
                self.commit_duration.record(took);
                self.group_size.record(jobs as f64);
                self.facts_committed.increment(facts as u64);
            }
            Observed::Sale(step) => self.sale(step),
            Observed::Socket(step) => self.socket(step),
            // How far a follower is behind is read with each scrape, because it grows while the follower does nothing.
            Observed::Followed {
                follower, facts, took, ..
            } => self.followers.with(
                follower,
                || {
                    let counter = self.metrics.counter(&families::FOLLOWER_FACTS, &[follower]);
                    (
                        counter,
                        self.metrics.histogram(&families::FOLLOWER_DURATION, &[follower]),
                    )
                },
                |(counter, durations)| {
                    counter.increment(facts as u64);
                    durations.record(took);
                },
            ),
            Observed::Refused { code } => self.refusals.with(
                code,
                || self.metrics.counter(&families::REFUSALS, &[code]),
                |refusals| refusals.increment(1),
            ),
        }
    }
}
