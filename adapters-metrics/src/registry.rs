//! Keeps the values of all metrics.

use std::sync::Arc;

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::families::{self, Family, Kind};

/// The values of all metrics of one process. A clone shares them.
///
/// ```
/// use adapters_metrics::{Metrics, families};
///
/// let metrics = Metrics::new();
/// metrics.counter(&families::REVENUE, &["EUR"]).increment(2_500);
/// assert!(metrics.render().contains("revenue_total_cents{currency=\"EUR\"} 2500"));
/// ```
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Values>);

#[derive(Debug)]
struct Values {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

const METADATA: Metadata<'static> = Metadata::new("box-office", Level::INFO, None);

impl Metrics {
    /// Makes a set of metrics that have not moved yet.
    pub fn new() -> Self {
        let builder = families::ALL.iter().fold(PrometheusBuilder::new(), |builder, family| {
            let Kind::Histogram(bounds) = family.kind else {
                return builder;
            };
            let matcher = Matcher::Full(family.name.to_owned());
            let builder = builder.set_buckets_for_metric(matcher, bounds);
            builder.expect("the bounds of the buckets of each family are not empty")
        });
        let recorder = builder.build_recorder();
        for Family {
            name, kind, meaning, ..
        } in families::ALL
        {
            let (name, meaning) = ((*name).into(), (*meaning).into());
            match kind {
                Kind::Counter => recorder.describe_counter(name, None, meaning),
                Kind::Gauge => recorder.describe_gauge(name, None, meaning),
                Kind::Histogram(_) => recorder.describe_histogram(name, None, meaning),
            }
        }
        let handle = recorder.handle();
        Self(Arc::new(Values { recorder, handle }))
    }

    /// Returns the counter of a family that has these values of its labels.
    pub fn counter(&self, family: &Family, labels: &[&str]) -> Counter {
        debug_assert_eq!(family.kind, Kind::Counter, "{}", family.name);
        self.0.recorder.register_counter(&key(family, labels), &METADATA)
    }

    /// Returns the gauge of a family that has these values of its labels.
    pub fn gauge(&self, family: &Family, labels: &[&str]) -> Gauge {
        debug_assert_eq!(family.kind, Kind::Gauge, "{}", family.name);
        self.0.recorder.register_gauge(&key(family, labels), &METADATA)
    }

    /// Returns the histogram of a family that has these values of its labels.
    pub fn histogram(&self, family: &Family, labels: &[&str]) -> Histogram {
        debug_assert!(matches!(family.kind, Kind::Histogram(_)), "{}", family.name);
        self.0.recorder.register_histogram(&key(family, labels), &METADATA)
    }

    /// Returns all values in the text format of Prometheus.
    pub fn render(&self) -> String {
        self.sort_in();
        self.0.handle.render()
    }

    /// Sorts the values that histograms have received since the last call into their buckets. Until then each value
    /// takes memory, so this is called every few seconds, also if nobody scrapes.
    pub fn sort_in(&self) {
        self.0.handle.run_upkeep();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn key(family: &Family, values: &[&str]) -> Key {
    debug_assert_eq!(family.labels.len(), values.len(), "{}", family.name);
    let labels = family.labels.iter().zip(values);
    let labels: Vec<_> = labels
        .map(|(name, value)| Label::new(*name, (*value).to_owned()))
        .collect();
    Key::from_parts(family.name, labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::{DB_QUERY_DURATION, HOLDS_LIVE, RESERVATIONS_CREATED};

    #[test]
    fn two_sets_of_metrics_in_one_process_count_apart() {
        let (one, other) = (Metrics::new(), Metrics::new());
        one.counter(&RESERVATIONS_CREATED, &[]).increment(3);
        other.counter(&RESERVATIONS_CREATED, &[]).increment(1);
        assert!(one.render().contains("\nreservations_created_total 3\n"));
        assert!(other.render().contains("\nreservations_created_total 1\n"));
    }

    #[test]
    fn a_metric_comes_with_its_type_and_its_meaning_once_it_has_moved() {
        let metrics = Metrics::new();
        assert_eq!(metrics.render(), "");
        metrics.gauge(&HOLDS_LIVE, &[]).set(2.0);
        let text = metrics.render();
        assert!(
            text.contains(&format!("# HELP holds_live {}\n", HOLDS_LIVE.meaning)),
            "{text}"
        );
        assert!(text.contains("# TYPE holds_live gauge\nholds_live 2\n"), "{text}");
    }

    #[test]
    fn a_duration_is_counted_in_its_bucket_and_in_all_larger_ones() {
        let metrics = Metrics::new();
        metrics.histogram(&DB_QUERY_DURATION, &["auth", "find"]).record(0.02);
        let text = metrics.render();
        for line in [
            r#"db_query_duration_seconds_bucket{pool="auth",query="find",le="0.01"} 0"#,
            r#"db_query_duration_seconds_bucket{pool="auth",query="find",le="0.025"} 1"#,
            r#"db_query_duration_seconds_bucket{pool="auth",query="find",le="+Inf"} 1"#,
            r#"db_query_duration_seconds_count{pool="auth",query="find"} 1"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
