//! A box office without an engine: one book on which commands are decided, and a log of the facts that they stage.

mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ticketing_domain::book::{Book, Caller, Page, Ran, Staged};
use ticketing_domain::catalog::{CatalogEvent, EventDraft};
use ticketing_domain::command::{self, Question, ViewOf};
use ticketing_domain::commands::{AddCodes, CreateEvent};
use ticketing_domain::generations::newest;
use ticketing_domain::payment::GatewayCall;
use ticketing_domain::questions::SeeSection;
use ticketing_domain::reducer::Context;
use ticketing_domain::refusal::Refusal;
use ticketing_domain::stored::StoredEvent as _;
use ticketing_domain::views::SectionView;
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::{Deadline, DeadlineChange, DeadlineKey};
use ticketing_ports::log::streams::{Aggregate, Metadata, Position, RecordedEvent, StreamId, Version};
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::vocabulary::codes::CodeRules;
use ticketing_ports::vocabulary::event_details::EventDetails;
use ticketing_ports::vocabulary::ids::{CommitId, EventId, PaymentId, ReservationId};
use ticketing_ports::vocabulary::percent::Percent;
use ticketing_ports::vocabulary::pricing::Discount;
use ticketing_ports::vocabulary::seating::Label;
use uuid::Uuid;

use super::asked::{Asked, ORGANISER, by};
use crate::generators::purchases::Step;
use crate::scenario::CountingIds;

/// One event on sale without an engine. Each command is decided at once, and nothing fails.
#[derive(Debug)]
pub struct House {
    pub draft: EventDraft,
    pub book: Book,
    pub now: Timestamp,
    /// Every fact that was written, in the order of the commits.
    pub log: Vec<RecordedEvent>,
    /// Every stream that the book has loaded.
    pub streams: BTreeSet<StreamId>,
    ids: CountingIds,
    deadlines: BTreeMap<DeadlineKey, Deadline>,
    calls: Vec<GatewayCall>,
    reservations: Vec<(ReservationId, Caller)>,
    payments: Vec<PaymentId>,
}

impl House {
    pub const EVENT: EventId = EventId::new(Uuid::from_u128(2));
    /// The code that customers may enter: it takes a fifth off, for five tickets in all.
    pub const CODE: &str = "FIFTH";
    /// For how many tickets one customer may use [`Self::CODE`].
    pub const USES_PER_CUSTOMER: u32 = 3;
    /// In how many reservations a customer may hold seats at a time.
    pub const MAX_LIVE_HOLDS: u32 = 3;

    /// Creates the event, publishes it and opens sales, all at `now`.
    ///
    /// # Panics
    /// Panics if the domain does not accept the draft.
    pub fn on_sale(draft: EventDraft, now: Timestamp) -> Self {
        let mut house = Self::drafted(draft, now);
        for step in [Step::Publish, Step::OpenSales] {
            if let Some((_, Err(refusal))) = house.take(&step) {
                panic!("the event cannot go on sale: {refusal:?}");
            }
        }
        house
    }

    /// Creates the event at `now`.
    ///
    /// # Panics
    /// Panics if the domain does not accept the draft.
    pub fn drafted(draft: EventDraft, now: Timestamp) -> Self {
        let mut house = Self {
            draft: draft.clone(),
            book: Book::new(Self::EVENT.into()),
            now,
            log: Vec::new(),
            streams: BTreeSet::new(),
            ids: CountingIds::default(),
            deadlines: BTreeMap::new(),
            calls: Vec::new(),
            reservations: Vec::new(),
            payments: Vec::new(),
        };
        let create = CreateEvent {
            event_id: Self::EVENT,
            draft: Box::new(draft),
        };
        if let Err(refusal) = house.ask(&by(ORGANISER, create)) {
            panic!("the event cannot be created: {refusal:?}");
        }
        let add = AddCodes {
            event_id: Self::EVENT,
            codes: vec![Label::new(Self::CODE).expect("a short plain text is a label")],
            rules: CodeRules {
                discount: Some(Discount::Percent(Percent::whole(20))),
                max_uses: Some(5),
                max_uses_per_customer: Some(Self::USES_PER_CUSTOMER),
                ..CodeRules::default()
            },
        };
        if let Err(refusal) = house.ask(&by(ORGANISER, add)) {
            panic!("the code cannot be added: {refusal:?}");
        }
        house
    }

    /// Carries out one step of a script. Returns the command that the step meant, and its answer; `None` if the step
    /// means nothing at the moment.
    pub fn take(&mut self, step: &Step) -> Option<(Asked, Result<Staged, Refusal>)> {
        let asked = self.asked(step)?;
        let answer = self.ask(&asked);
        Some((asked, answer))
    }

    /// Decides a command on the book of the house. The book then includes the facts that the command has staged, but
    /// the log does not.
    pub fn assume(&mut self, asked: &Asked) -> Result<Staged, Refusal> {
        loop {
            let ids = std::mem::take(&mut self.ids);
            let ctx = Context {
                now: self.now,
                ids: &ids,
                floor: newest(),
                max_live_holds: Some(Self::MAX_LIVE_HOLDS),
            };
            let ran = asked.command.run(&mut self.book, &ctx, asked.caller);
            self.ids = ids;
            match ran {
                Ran::Done { staged, .. } => return Ok(staged),
                Ran::Refused { refusal, .. } => return Err(refusal),
                Ran::Load(wants) => wants.0.into_iter().for_each(|(stream, after)| self.load(stream, after)),
            }
        }
    }

    /// Decides a command and writes the staged facts to the log.
    pub fn ask(&mut self, asked: &Asked) -> Result<Staged, Refusal> {
        let staged = self.assume(asked)?;
        self.write(&staged, asked.caller);
        self.book.confirm(self.book.savepoint());
        Ok(staged)
    }

    fn load(&mut self, stream: StreamId, after: Version) {
        self.streams.insert(stream);
        let later = self
            .log
            .iter()
            .filter(|fact| fact.stream == stream && fact.version > after);
        let facts: Vec<_> = later.cloned().collect();
        self.book
            .absorb(stream, after, &facts, Page::Last)
            .expect("the facts of the log continue those that the book has");
    }

    /// Writes what a command has staged to the log.
    pub fn write(&mut self, staged: &Staged, caller: Caller) {
        for fact in &staged.facts {
            let new = fact.fact.to_new_event(Metadata::default());
            self.streams.insert(fact.stream);
            self.log.push(RecordedEvent {
                position: Position(self.log.len() as u64 + 1),
                stream: fact.stream,
                version: fact.version,
                lane: self.book.lane(),
                commit_id: CommitId::new(Uuid::nil()),
                event_type: new.event_type,
                event_version: new.event_version,
                data: new.data,
                metadata: new.metadata,
                recorded_at: self.now,
            });
            let is_new = fact.version.0 == 1;
            if is_new && fact.stream.aggregate == Aggregate::Reservation {
                assert_ne!(caller, Caller::World, "only a person or a guest opens a reservation");
                self.reservations.push((ReservationId::new(fact.stream.id), caller));
            }
            if is_new && fact.stream.aggregate == Aggregate::Payment {
                self.payments.push(PaymentId::new(fact.stream.id));
            }
        }
        for change in &staged.deadlines {
            match change {
                DeadlineChange::Set(deadline) => drop(self.deadlines.insert(deadline.key, *deadline)),
                DeadlineChange::Clear(key) => drop(self.deadlines.remove(key)),
            }
        }
        self.calls.extend(staged.calls.iter().cloned());
    }

    /// Returns the details of the event, as the first fact has them.
    ///
    /// # Panics
    /// Does not panic, because the first fact of a house creates its event.
    pub fn details(&self) -> Arc<EventDetails> {
        match CatalogEvent::from_recorded(&self.log[0]) {
            Ok(CatalogEvent::EventCreated(created)) => created.details,
            other => panic!("the first fact of a house must create its event, but it is {other:?}"),
        }
    }

    /// Returns the event as the write side shows it.
    ///
    /// # Panics
    /// Does not panic, because the first fact of a house creates its event.
    pub fn event(&self) -> EventView {
        let stream = StreamId::from(Self::EVENT);
        let facts: Vec<_> = self.log.iter().filter(|fact| fact.stream == stream).cloned().collect();
        let version = facts.last().map_or(Version::NONE, |fact| fact.version);
        let at = self.now;
        let view = command::view_again(&facts, &ViewOf { stream, version, at });
        view.ok()
            .flatten()
            .expect("the first fact of a house creates its event")
    }

    /// Returns a section as the write side shows it; `None` if the viewer may not see it or there is none.
    pub fn section(&mut self, viewer: Caller, name: &str) -> Option<SectionView> {
        let see = SeeSection {
            event_id: Self::EVENT,
            name: name.to_owned(),
        };
        let section = self.see(viewer, &see).ok()?;
        let mut newest_first = self.log.iter().rev();
        let last = newest_first.find(|fact| fact.stream == section.stream())?.recorded_at;
        Some(section.dated(last))
    }

    /// Answers a question of a viewer as the write side would, from the book of the house.
    ///
    /// # Errors
    /// Fails if the viewer may not see the answer, or what is asked about does not exist.
    pub fn see<Q: Question>(&mut self, viewer: Caller, question: &Q) -> Result<Q::Answer, Refusal> {
        loop {
            let ctx = Context {
                now: self.now,
                ids: &CountingIds::default(),
                floor: newest(),
                max_live_holds: Some(Self::MAX_LIVE_HOLDS),
            };
            match command::answer(&mut self.book, &ctx, viewer, question) {
                Ran::Done { value, .. } => return Ok(value),
                Ran::Refused { refusal, .. } => return Err(refusal),
                Ran::Load(wants) => wants.0.into_iter().for_each(|(stream, after)| self.load(stream, after)),
            }
        }
    }
}
