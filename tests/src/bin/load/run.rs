//! One run: what all customers share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use box_office_tests::journal::{Entry, Journal};
use bytes::Bytes;
use rand::{Rng, RngExt as _};
use serde_json::json;

use crate::args::{Arguments, Ends, Mix};
use crate::stage::Stage;
use crate::statistics::Statistics;

#[derive(Debug)]
pub(crate) struct Run {
    pub mix: Mix,
    pub declined_percent: u32,
    /// The requests for all holds that a customer may ask for: those of one section, then those of two, then those of two
    /// ticket types.
    pub holds: Vec<PreparedHold>,
    /// How many of these are of one section.
    of_one: usize,
    /// How many are of two.
    of_two: usize,
    two_sections_percent: u32,
    two_types_percent: u32,
    guests_percent: u32,
    /// The prefix that tells the idempotency keys of this run from those of other runs; `None` if no keys are sent.
    pub idempotency: Option<u64>,
    ends: Ends,
    started: Instant,
    requests: AtomicU64,
    stopped: AtomicBool,
    statistics: Mutex<Statistics>,
    journal: Mutex<Journal>,
}

#[derive(Debug)]
pub(crate) struct PreparedHold {
    /// How many places of each section the request asks for.
    pub quantities: BTreeMap<String, u32>,
    pub body: Bytes,
}

impl Run {
    pub(crate) fn new(arguments: &Arguments, stage: &Stage, journal: Journal, run_number: u64) -> Self {
        let of_one = prepare_holds(stage, arguments.max_quantity);
        let of_two = prepare_holds_of_two(stage, arguments.max_quantity);
        let of_types = prepare_holds_of_types(stage, arguments.max_quantity);
        Self {
            mix: arguments.mix.clone(),
            declined_percent: arguments.declined_percent,
            of_one: of_one.len(),
            of_two: of_two.len(),
            holds: of_one.into_iter().chain(of_two).chain(of_types).collect(),
            two_types_percent: arguments.two_types_percent,
            guests_percent: arguments.guests_percent,
            two_sections_percent: arguments.two_sections_percent,
            idempotency: arguments.idempotency.then_some(run_number),
            ends: arguments.ends(),
            started: Instant::now(),
            requests: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            statistics: Mutex::new(Statistics::new()),
            journal: Mutex::new(journal),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn statistics(&self) -> MutexGuard<'_, Statistics> {
        self.statistics.lock().expect("no code panics while it holds this lock")
    }

    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().expect("no code panics while it holds this lock")
    }

    /// Returns the index of the hold that a customer asks for next.
    pub(crate) fn pick_hold(&self, rng: &mut impl Rng) -> usize {
        let of_two = self.of_one..self.of_one + self.of_two;
        let of_types = of_two.end..self.holds.len();
        if !of_types.is_empty() && rng.random_range(0..100) < self.two_types_percent {
            rng.random_range(of_types)
        } else if !of_two.is_empty() && rng.random_range(0..100) < self.two_sections_percent {
            rng.random_range(of_two)
        } else {
            rng.random_range(0..self.of_one)
        }
    }

    /// Returns whether a customer asks for the next hold as a guest.
    pub(crate) fn pick_guest(&self, rng: &mut impl Rng) -> bool {
        rng.random_range(0..100) < self.guests_percent
    }

    /// Adds an entry to the journal of this run.
    ///
    /// # Errors
    /// Fails if the journal cannot be written.
    pub(crate) fn record(&self, entry: Entry) -> anyhow::Result<()> {
        Ok(self.journal().record(entry)?)
    }

    /// Returns whether the run has a request left, and counts it as sent.
    pub(crate) fn take_turn(&self) -> bool {
        !self.stopped.load(Ordering::Relaxed)
            && match self.ends {
                Ends::After(time) => self.elapsed() < time,
                Ends::AfterRequests(most) => self.requests.fetch_add(1, Ordering::Relaxed) < most,
            }
    }
}

fn prepare_holds(stage: &Stage, max_quantity: u32) -> Vec<PreparedHold> {
    let with_quantities = |section: &String| {
        let section = section.clone();
        (1..=max_quantity).map(move |quantity| (section.clone(), quantity))
    };
    stage
        .sections
        .iter()
        .flat_map(with_quantities)
        .flat_map(|(section, quantity)| {
            let hold = |code: Option<&String>| PreparedHold {
                body: json!({"event_id": stage.event, "section": section, "quantity": quantity, "code": code})
                    .to_string()
                    .into(),
                quantities: [(section.clone(), quantity)].into(),
            };
            // Of three holds, one is with the code.
            let with_code = stage.code.as_ref();
            let holds = [None, None, with_code].map(hold);
            holds.into_iter().take(if with_code.is_some() { 3 } else { 1 })
        })
        .collect()
}

/// Prepares holds of each section and the one that follows it, as orders with two lines. Returns none if there is only
/// one section.
fn prepare_holds_of_two(stage: &Stage, max_quantity: u32) -> Vec<PreparedHold> {
    if stage.sections.len() < 2 {
        return Vec::new();
    }
    let pairs = stage.sections.iter().zip(stage.sections.iter().cycle().skip(1));
    let holds = pairs.flat_map(|(first, second)| {
        (1..=max_quantity.div_ceil(2)).map(move |quantity| {
            let items = [first, second].map(|section| json!({"section": section, "quantity": quantity}));
            PreparedHold {
                body: json!({"event_id": stage.event, "items": items}).to_string().into(),
                quantities: [first, second].map(|section| (section.clone(), quantity)).into(),
            }
        })
    });
    holds.collect()
}

/// Prepares holds of two ticket types of one section each, of which the second is always the section's last. Returns none
/// if no section has several types.
fn prepare_holds_of_types(stage: &Stage, max_quantity: u32) -> Vec<PreparedHold> {
    let sections = stage.sections.iter().filter_map(|section| {
        let types = stage.ticket_types.get(section)?;
        let (last, others) = types.split_last()?;
        Some((section, others, last))
    });
    let holds = sections.flat_map(|(section, others, last)| {
        let first = others
            .iter()
            .flat_map(move |first| (1..=max_quantity).map(move |quantity| (first, quantity)));
        first.map(move |(first, quantity)| {
            let items = json!([
                {"section": section, "ticket_type": first, "quantity": quantity},
                {"section": section, "ticket_type": last, "quantity": 1},
            ]);
            PreparedHold {
                body: json!({"event_id": stage.event, "items": items}).to_string().into(),
                quantities: [(section.clone(), quantity + 1)].into(),
            }
        })
    });
    holds.collect()
}
