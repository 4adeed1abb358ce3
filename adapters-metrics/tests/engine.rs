//! What the reports of the engine add to the metrics.

use std::time::Duration;

use adapters_metrics::{EngineMetrics, Metrics};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_runtime::{Observed, Observer as _, SaleStep, Setback, SocketStep};

/// Returns the samples that an observer shows after these reports, without those of buckets.
fn samples(reports: &[Observed]) -> Vec<String> {
    let metrics = Metrics::new();
    let observer = EngineMetrics::new(&metrics);
    for report in reports {
        observer.observe(*report);
    }
    let text = metrics.render();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .filter(|line| !line.contains("_bucket{"))
        .map(str::to_owned)
        .collect()
}

fn assert_shown(shown: &[String], expected: &[&str]) {
    for line in expected {
        assert!(shown.iter().any(|found| found == line), "{line} is not in {shown:#?}");
    }
}

#[test]
fn the_steps_of_sales_are_counted_and_money_is_counted_by_currency() {
    let euros = |amount| Money::new(amount, Currency::EUR);
    let dollars = |amount| Money::new(amount, Currency::USD);
    let steps = [
        SaleStep::ReservationCreated,
        SaleStep::ReservationCreated,
        SaleStep::PaymentFailed,
        SaleStep::PaymentSucceeded,
        SaleStep::ReservationCompleted { price: euros(5_000) },
        SaleStep::ReservationCompleted { price: euros(2_500) },
        SaleStep::ReservationCompleted { price: dollars(700) },
        SaleStep::ReservationCompleted { price: euros(0) },
        SaleStep::ReservationExpired,
        SaleStep::ReservationCancelled,
        SaleStep::ReservationCompensated,
        SaleStep::RevenueReturned { amount: euros(1_000) },
    ];
    let shown = samples(&steps.map(Observed::Sale));
    assert_shown(
        &shown,
        &[
            "reservations_created_total 2",
            "reservations_completed_total 4",
            "reservations_expired_total 1",
            "reservations_cancelled_total 1",
            "reservations_compensated_total 1",
            "payments_succeeded_total 1",
            "payments_failed_total 1",
            r#"revenue_total_cents{currency="EUR"} 7500"#,
            r#"revenue_total_cents{currency="USD"} 700"#,
            r#"revenue_returned_total_cents{currency="EUR"} 1000"#,
        ],
    );
}

#[test]
fn what_is_counted_begins_at_zero_so_that_the_first_one_is_an_increase() {
    let shown = samples(&[]);
    assert_shown(
        &shown,
        &[
            "reservations_created_total 0",
            "payments_failed_total 0",
            r#"engine_conflicts_total{because="lost_race"} 0"#,
            r#"engine_conflicts_total{because="failed_commit"} 0"#,
            r#"engine_conflicts_total{because="lost_past"} 0"#,
            r#"engine_retries_total{because="failed_commit"} 0"#,
            "websocket_connections_active 0",
            "websocket_connections_total 0",
            "websocket_messages_sent_total 0",
            "websocket_messages_received_total 0",
        ],
    );
}

#[test]
fn what_lanes_followers_and_routes_report_is_counted() {
    let took = Duration::from_millis(2);
    let shown = samples(&[
        Observed::Decided { command: "hold", took },
        Observed::Decided { command: "hold", took },
        Observed::Parked { streams: 2 },
        Observed::Loaded {
            snapshots: 1,
            facts: 40,
            took,
        },
        Observed::SnapshotKept { bytes: 9, took },
        Observed::Committed {
            jobs: 3,
            facts: 8,
            took,
        },
        Observed::ThrownAway {
            jobs: 4,
            because: Setback::LostRace,
        },
        Observed::ThrownAway {
            jobs: 1,
            because: Setback::FailedCommit,
        },
        Observed::Followed {
            follower: "relay",
            facts: 8,
            took,
            lag: took,
        },
        Observed::Refused { code: "BUSY" },
    ]);
    assert_shown(
        &shown,
        &[
            r#"engine_decision_duration_seconds_count{command="hold"} 2"#,
            "engine_jobs_parked_total 1",
            "engine_facts_read_total 40",
            "engine_snapshots_kept_total 1",
            "engine_group_size_sum 3",
            "engine_commit_duration_seconds_sum 0.002",
            "engine_facts_committed_total 8",
            r#"engine_conflicts_total{because="lost_race"} 1"#,
            r#"engine_retries_total{because="lost_race"} 4"#,
            r#"engine_conflicts_total{because="failed_commit"} 1"#,
            r#"follower_facts_total{follower="relay"} 8"#,
            r#"follower_batch_duration_seconds_count{follower="relay"} 1"#,
            r#"refusals_total{code="BUSY"} 1"#,
        ],
    );
}

#[test]
fn sockets_are_counted_while_they_are_open_and_timed_when_they_close() {
    let steps = [
        SocketStep::Opened,
        SocketStep::Opened,
        SocketStep::Sent { messages: 7 },
        SocketStep::Received { messages: 2 },
        SocketStep::Closed {
            lived: Duration::from_secs(90),
        },
    ];
    let shown = samples(&steps.map(Observed::Socket));
    assert_shown(
        &shown,
        &[
            "websocket_connections_active 1",
            "websocket_connections_total 2",
            "websocket_messages_sent_total 7",
            "websocket_messages_received_total 2",
            "websocket_connection_duration_seconds_sum 90",
        ],
    );
}
