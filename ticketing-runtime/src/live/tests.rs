//! The laws of boards: a board shows what the read models show, wherever it began, and applies each fact once.

use std::collections::BTreeMap;
use std::sync::Arc;

use adapters_memory::{InMemoryEventStore, InMemoryReadModels};
use chrono::TimeDelta;
use futures::executor::block_on;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use ticketing_domain::facts::Fact;
use ticketing_domain::projection::{Projection as _, ReadModels};
use ticketing_ports::Timestamp;
use ticketing_ports::log::event_store::{Append, Commit, EventStore as _};
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::snapshots::SnapshotStore as _;
use ticketing_ports::log::streams::{Aggregate, NewEvent, Position, RecordedEvent, Version};
use ticketing_ports::read_models::availability::{Availability, AvailabilityQueries as _};
use ticketing_ports::read_models::store::{ProjectedBatch, ProjectionStore as _};
use ticketing_ports::vocabulary::ids::CommitId;
use ticketing_testkit::both_sides::{History, histories};
use ticketing_testkit::generators::House;
use ticketing_testkit::scenario::start;
use uuid::Uuid;

use super::board::{Board, CannotApply};
use super::event_board::{EventBoard, Loaded, Stage};
use super::loading::read_board;
use super::state::BoardState;
use crate::follow::LoggedFact;

/// A house whose facts are written to a log and to read models as they happen.
struct Played {
    house: House,
    log: InMemoryEventStore,
    models: InMemoryReadModels,
    written: usize,
}

impl Played {
    fn new(history: &History) -> Self {
        let mut played = Self {
            house: House::drafted(history.draft.clone(), start()),
            log: InMemoryEventStore::new(),
            models: InMemoryReadModels::new(),
            written: 0,
        };
        played.write();
        played
    }

    /// Writes the facts that are new in the house to the log and to the read models. Returns them.
    fn write(&mut self) -> Vec<RecordedEvent> {
        let new = self.house.log[self.written..].to_vec();
        let (Some(first), Some(last)) = (new.first(), new.last()) else {
            return new;
        };
        let mut appends: BTreeMap<_, Append> = BTreeMap::new();
        for fact in &new {
            let expected = Version(fact.version.0 - 1);
            let append = appends.entry(fact.stream).or_insert_with(|| Append {
                stream: fact.stream,
                expected,
                events: Vec::new(),
            });
            append.events.push(NewEvent {
                event_type: fact.event_type.clone(),
                event_version: fact.event_version,
                data: fact.data.clone(),
                metadata: fact.metadata.clone(),
            });
        }
        let commit = Commit {
            id: self.commit_id(),
            lane: House::EVENT.into(),
            at: self.house.now,
            landmarks: Vec::new(),
            appends: appends.into_values().collect(),
            deadlines: Vec::new(),
            idempotency: Vec::new(),
        };
        block_on(self.log.commit(commit)).unwrap();
        let changes = new.iter().flat_map(|fact| {
            let typed = Fact::from_recorded(fact).unwrap();
            ReadModels.changes(fact, &typed)
        });
        let batch = ProjectedBatch {
            after: Mark::of_no_log(Position(first.position.0 - 1)),
            upto: Mark::of_no_log(last.position),
            changes: changes.collect(),
        };
        block_on(self.models.apply(batch)).unwrap();
        self.written = self.house.log.len();
        new
    }

    /// The id of the commit that writes what is new in the house.
    fn commit_id(&self) -> CommitId {
        CommitId::new(Uuid::from_u128(self.written as u128))
    }

    /// Stores a snapshot of each section as it is in the house. The commit is the one that wrote the newest facts.
    fn keep_snapshots(&self, commit: CommitId) {
        let sections = self.house.streams.iter();
        for stream in sections.filter(|stream| stream.aggregate == Aggregate::Inventory) {
            if let Some(snapshot) = self.house.book.snapshot(*stream, commit) {
                block_on(self.log.keep(snapshot)).unwrap();
            }
        }
    }

    fn load(&self) -> Board {
        block_on(read_board(&self.log, &self.log, House::EVENT)).unwrap()
    }

    /// Now, and the moments later at which holds run out, each with the moment before.
    fn moments(&self) -> Vec<Timestamp> {
        let ends = self
            .house
            .log
            .iter()
            .filter_map(|fact| match Fact::from_recorded(fact) {
                Ok(Fact::Inventory(ticketing_domain::inventory::InventoryEvent::SeatsHeld(held))) => {
                    Some(held.held_until)
                }
                _ => None,
            });
        let around = ends.flat_map(|end| [end - TimeDelta::microseconds(1), end]);
        std::iter::once(self.house.now).chain(around).collect()
    }
}

/// What the board shows, in the form of the read models.
fn shown(board: &mut Board, now: Timestamp) -> Availability {
    let state = board.state(now);
    let sections = state.sections.iter().map(|section| section.availability.clone());
    Availability {
        event_id: state.event_id,
        sections: sections.collect(),
        sequence: state.sequence,
        lapsed: state.lapsed,
    }
}

fn seats(board: &mut Board, now: Timestamp) -> Vec<u32> {
    let state = board.state(now);
    let rows = state.sections.iter().flat_map(|section| section.rows.iter().flatten());
    let mut letters = [0; 4];
    for letter in rows.flat_map(|row| row.seats.chars()).filter(|letter| *letter != '_') {
        letters["fhsb".find(letter).unwrap()] += 1;
    }
    letters.to_vec()
}

proptest! {
    #![proptest_config(ticketing_testkit::property::costing(20))]

    #[test]
    fn a_board_shows_what_the_read_models_show_wherever_it_began(
        history in histories(),
        snapshot_every in 1..5_usize,
    ) {
        let mut played = Played::new(&history);
        let mut followed = played.load();
        for (number, step) in history.before.iter().chain(&history.steps).enumerate() {
            played.house.take(step);
            let commit = played.commit_id();
            let news = played.write();
            for fact in &news {
                followed.apply(&LoggedFact::from(fact.clone())).unwrap();
            }
            if number % snapshot_every == 0 && !news.is_empty() {
                played.keep_snapshots(commit);
            }
            let mut loaded = played.load();
            for moment in played.moments() {
                let rows = block_on(played.models.availability(House::EVENT, moment)).unwrap().unwrap();
                prop_assert_eq!(&shown(&mut followed, moment), &rows);
                prop_assert_eq!(&shown(&mut loaded, moment), &rows);
                prop_assert_eq!(&followed.state(moment).sections, &loaded.state(moment).sections);
                let numbered = followed.state(moment);
                let numbered = numbered.sections.iter().filter(|section| section.rows.is_some());
                let counts = numbered.map(|section| section.availability.counts).fold([0; 4], |sum, counts| {
                    [sum[0] + counts.available, sum[1] + counts.held, sum[2] + counts.sold, sum[3] + counts.blocked]
                });
                prop_assert_eq!(seats(&mut followed, moment), counts.to_vec());
            }
        }
    }
}

/// Returns the facts of a small history in which seats of the first section are held.
fn facts() -> (Played, Vec<Arc<LoggedFact>>) {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    loop {
        let history = histories().new_tree(&mut runner).unwrap().current();
        let mut played = Played::new(&history);
        for step in history.before.iter().chain(&history.steps) {
            played.house.take(step);
        }
        let section = played.house.details().sections[0].section_id;
        let of_section = played.house.log.iter().filter(|fact| fact.stream == section.into());
        let facts: Vec<_> = of_section
            .map(|fact| Arc::new(LoggedFact::from(fact.clone())))
            .collect();
        if facts.len() > 4 {
            return (played, facts);
        }
    }
}

#[test]
fn a_fact_is_applied_once_and_a_gap_is_noticed() {
    let (played, facts) = facts();
    let mut board = played.load();
    assert!(board.apply(&facts[1]).unwrap());
    assert!(!board.apply(&facts[1]).unwrap(), "a fact was applied twice");
    assert!(!board.apply(&facts[0]).unwrap());
    let gap = board.apply(&facts[3]);
    assert!(matches!(gap, Err(CannotApply::Gap { .. })), "{gap:?}");
    assert!(board.apply(&facts[2]).unwrap());
    assert!(board.apply(&facts[3]).unwrap());
}

#[test]
fn a_load_that_began_before_a_gap_or_a_loss_is_not_used() {
    let (mut played, facts) = facts();
    let (_sender, stage) = tokio::sync::watch::channel(Stage::Loading);
    let shared = EventBoard::new(House::EVENT, stage);
    let old = (shared.attempt(), played.load());
    shared.begin_again();
    assert!(matches!(shared.finish(old.0, old.1), Ok(Loaded::Outdated)));

    let (attempt, board) = (shared.attempt(), played.load());
    shared.take(&facts[2]);
    assert!(
        matches!(shared.finish(attempt, board), Ok(Loaded::Outdated)),
        "a gap was passed over"
    );

    played.write();
    let (attempt, board) = (shared.attempt(), played.load());
    shared.take(&facts[2]);
    assert!(matches!(shared.finish(attempt, board), Ok(Loaded::Live)));
    assert!(shared.shown(start()).is_some());
}

#[test]
fn facts_that_came_while_the_board_was_loaded_are_on_it_and_those_that_the_load_has_read_only_once() {
    let (mut played, facts) = facts();
    let (_sender, stage) = tokio::sync::watch::channel(Stage::Loading);
    let shared = EventBoard::new(House::EVENT, stage);
    // The load has read the first fact of the section; the others have come while it read.
    let (attempt, board) = (shared.attempt(), played.load());
    for fact in &facts {
        shared.take(fact);
    }
    assert!(matches!(shared.finish(attempt, board), Ok(Loaded::Live)));
    let state = shared.shown(played.house.now).unwrap().state;

    played.write();
    let mut whole = played.load();
    let section = |state: &BoardState| state.sections[0].clone();
    assert_eq!(section(&state), section(&whole.state(played.house.now)));
    assert_eq!(state.sequence, facts.len() as u64 - 1);
}
