//! What is counted and timed while customers shop, and how it is printed.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::args::Action;

/// The longest time that is measured, in microseconds. Longer times are counted as if they were this long.
const LONGEST: u64 = 60_000_000;

/// Counts of one run.
#[derive(Debug)]
pub(crate) struct Statistics {
    kinds: BTreeMap<Action, Kind>,
    refusals: BTreeMap<String, u64>,
    transport_errors: u64,
}

#[derive(Debug)]
struct Kind {
    done: u64,
    /// The time to each answer in microseconds, including refusals.
    latency: Histogram<u32>,
}

/// The counts at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Snapshot {
    pub answers: u64,
    pub holds: u64,
    pub refusals: u64,
    pub transport_errors: u64,
}

impl Statistics {
    pub(crate) fn new() -> Self {
        let kind = || Kind {
            done: 0,
            latency: Histogram::new_with_bounds(1, LONGEST, 2).expect("the constant bounds of the histogram are valid"),
        };
        Self {
            kinds: Action::ALL.map(|action| (action, kind())).into(),
            refusals: BTreeMap::new(),
            transport_errors: 0,
        }
    }

    pub(crate) fn done(&mut self, action: Action, took: Duration) {
        let kind = self.answered(action, took);
        kind.done += 1;
    }

    pub(crate) fn refused(&mut self, action: Action, took: Duration, code: &str) {
        self.answered(action, took);
        match self.refusals.get_mut(code) {
            Some(count) => *count += 1,
            None => {
                self.refusals.insert(code.to_owned(), 1);
            }
        }
    }

    pub(crate) fn transport_error(&mut self) {
        self.transport_errors += 1;
    }

    fn answered(&mut self, action: Action, took: Duration) -> &mut Kind {
        let kind = self.kinds.get_mut(&action).expect("there are counts for every action");
        kind.latency
            .saturating_record(u64::try_from(took.as_micros()).unwrap_or(LONGEST));
        kind
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            answers: self.kinds.values().map(|kind| kind.latency.len()).sum(),
            holds: self.kinds[&Action::Hold].done,
            refusals: self.refusals.values().sum(),
            transport_errors: self.transport_errors,
        }
    }

    /// Prints the totals and the times to an answer of a run that took `took`.
    ///
    /// # Errors
    /// Fails if `out` cannot be written.
    pub(crate) fn print(&self, took: Duration, out: &mut impl Write) -> io::Result<()> {
        let seconds = took.as_secs_f64().max(f64::MIN_POSITIVE);
        let answers = self.snapshot().answers;
        writeln!(
            out,
            "{answers} answers in {seconds:.1} s: {:.0}/s",
            answers as f64 / seconds
        )?;
        writeln!(
            out,
            "{:<8}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "", "answers", "done", "done/s", "p50 ms", "p95 ms", "p99 ms", "max ms"
        )?;
        for (action, kind) in self.kinds.iter().filter(|(_, kind)| !kind.latency.is_empty()) {
            let milliseconds = |micros: u64| micros as f64 / 1_000.0;
            let quantile = |at: f64| milliseconds(kind.latency.value_at_quantile(at));
            writeln!(
                out,
                "{:<8}{:>10}{:>10}{:>10.0}{:>10.2}{:>10.2}{:>10.2}{:>10.2}",
                action.as_str(),
                kind.latency.len(),
                kind.done,
                kind.done as f64 / seconds,
                quantile(0.5),
                quantile(0.95),
                quantile(0.99),
                milliseconds(kind.latency.max()),
            )?;
        }
        for (code, count) in &self.refusals {
            writeln!(out, "refused {code}: {count}")?;
        }
        writeln!(out, "transport errors: {}", self.transport_errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_counts_what_was_done_apart_from_what_was_refused() {
        let mut statistics = Statistics::new();
        for _ in 0..3 {
            statistics.done(Action::Hold, Duration::from_millis(2));
        }
        statistics.refused(Action::Pay, Duration::from_millis(5), "PAYMENT_FAILED");
        statistics.transport_error();

        let mut report = Vec::new();
        statistics.print(Duration::from_secs(2), &mut report).unwrap();

        assert_eq!(
            String::from_utf8(report).unwrap(),
            "4 answers in 2.0 s: 2/s\n           \
             answers      done    done/s    p50 ms    p95 ms    p99 ms    max ms\n\
             hold             3         3         2      2.01      2.01      2.01      2.01\n\
             pay              1         0         0      5.02      5.02      5.02      5.02\n\
             refused PAYMENT_FAILED: 1\n\
             transport errors: 1\n"
        );
    }
}
