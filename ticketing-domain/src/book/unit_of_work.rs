//! One command's way through the reducers: each fact is applied as it is decided, so that the next decision sees it.
//!
//! What a unit looks at it notes, also when that leads to nothing: a decision is only right while the log is still where
//! it was seen. What it would have to look at and the book does not know is a *miss*. A miss is sticky: whatever the
//! command made of it, the unit counts as one that needs more to be loaded.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::marker::PhantomData;
use std::ops::Range;

use ticketing_ports::log::deadlines::{DeadlineChange, DeadlineKey};
use ticketing_ports::log::streams::{StreamId, Version};
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::roles::Actor;

use super::shelves::{Kept, Known, Standing};
use super::staged::{Staged, StagedFact};
use super::{Book, effects::CarryOut};
use crate::payment::GatewayCall;
use crate::reducer::{Context, Reducer};
use crate::refusal::Refusal;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    Person(Actor),
    /// The gateway, or a deadline.
    World,
}

impl From<Actor> for Caller {
    fn from(actor: Actor) -> Self {
        Self::Person(actor)
    }
}

/// Streams that have to be read before a command can be decided, each after the version that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wants(pub BTreeMap<StreamId, Version>);

/// Why a command did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    Refused(Refusal),
    /// Something is not loaded.
    Load,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Why an aggregate did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declined<R> {
    Refused(R),
    /// Something is not loaded.
    Load,
}

impl<R> Declined<R> {
    /// Says the aggregate's refusal in the words of the command.
    pub fn or_refuse(self, in_words: impl FnOnce(R) -> Refusal) -> Stop {
        match self {
            Self::Refused(refusal) => Stop::Refused(in_words(refusal)),
            Self::Load => Stop::Load,
        }
    }
}

impl From<Declined<Refusal>> for Stop {
    fn from(declined: Declined<Refusal>) -> Self {
        declined.or_refuse(|refusal| refusal)
    }
}

/// Which facts of the unit followed from one decision.
#[derive(Debug, Clone)]
pub struct Made<A>(Range<usize>, PhantomData<A>);

/// An aggregate whose streams are listed somewhere in their lane, so that all of them can be read.
pub trait Listed: Kept {
    /// # Errors
    /// When what lists them is not loaded.
    fn listed(unit: &UnitOfWork<'_>) -> Result<Vec<Self::Id>, Stop>;
}

/// All streams of an aggregate in a lane, with their states.
pub type Every<'u, A> = Vec<(<A as Reducer>::Id, &'u <A as Reducer>::State)>;

/// What became of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ran<T> {
    /// What it staged is applied to the book.
    Done { value: T, staged: Staged },
    /// The book is unchanged. The refusal is right while the log is where it was seen.
    Refused {
        refusal: Refusal,
        read_set: BTreeMap<StreamId, Version>,
    },
    /// The book is unchanged. Run it again when this is loaded.
    Load(Wants),
}

/// One command on its way, with the book that it is decided on.
#[derive(Debug)]
pub struct UnitOfWork<'a> {
    book: &'a mut Book,
    ctx: Context<'a>,
    caller: Caller,
    reads: RefCell<Reads>,
    facts: Vec<StagedFact>,
    deadlines: Vec<DeadlineChange>,
    calls: Vec<GatewayCall>,
}

#[derive(Debug, Default)]
struct Reads {
    /// In the versions before this unit.
    seen: BTreeMap<StreamId, Version>,
    missed: Wants,
}

impl Book {
    /// Runs one unit: either everything that it decides is applied to the book, or nothing.
    pub fn run<T>(
        &mut self,
        ctx: &Context<'_>,
        caller: Caller,
        command: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, Stop>,
    ) -> Ran<T> {
        let before = self.mark();
        let mut unit = UnitOfWork {
            book: self,
            ctx: *ctx,
            caller,
            reads: RefCell::default(),
            facts: Vec::new(),
            deadlines: Vec::new(),
            calls: Vec::new(),
        };
        let result = command(&mut unit);
        let UnitOfWork {
            reads,
            facts,
            deadlines,
            calls,
            ..
        } = unit;
        let Reads { seen, missed } = reads.into_inner();
        let result = if missed.0.is_empty() { result } else { Err(Stop::Load) };
        match result {
            Ok(value) => Ran::Done {
                value,
                staged: Staged {
                    read_set: seen,
                    facts,
                    deadlines,
                    calls,
                },
            },
            Err(stop) => {
                self.roll_back(before);
                match stop {
                    Stop::Refused(refusal) => Ran::Refused {
                        refusal,
                        read_set: seen,
                    },
                    Stop::Load => Ran::Load(missed),
                }
            }
        }
    }
}

impl<'a> UnitOfWork<'a> {
    /// Time and ids, for a reducer or a price.
    pub fn ctx(&self) -> &Context<'a> {
        &self.ctx
    }

    pub fn now(&self) -> ticketing_ports::Timestamp {
        self.ctx.now
    }

    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// The person who asks.
    ///
    /// # Errors
    /// When nobody does: only people may ask for this.
    pub fn person(&self) -> Result<Actor, Refusal> {
        match self.caller {
            Caller::Person(actor) => Ok(actor),
            Caller::World => Err(Refusal::Forbidden),
        }
    }

    /// The event on sale that this lane is about.
    ///
    /// # Errors
    /// When it is about something else.
    pub fn event_id(&self) -> Result<EventId, Refusal> {
        self.book.lane.event_id().ok_or(Refusal::Forbidden)
    }

    /// The state of a stream with an id from outside; the default if it has no facts. Notes that the decision rests on
    /// it.
    ///
    /// # Errors
    /// When it is not loaded.
    pub fn get<A: Kept>(&self, id: A::Id) -> Result<&A::State, Stop> {
        self.look::<A>(id).map(|known| &known.state).ok_or(Stop::Load)
    }

    /// The state of a stream with its version.
    ///
    /// # Errors
    /// When it is not loaded.
    pub fn get_with_version<A: Kept>(&self, id: A::Id) -> Result<(&A::State, Version), Stop> {
        let known = self.look::<A>(id).ok_or(Stop::Load)?;
        Ok((&known.state, known.head.version))
    }

    /// The states of all streams of an aggregate in this lane. Notes that the decision rests on each of them, and on
    /// what lists them, so that none can be added unnoticed.
    ///
    /// # Errors
    /// When one of them is not loaded.
    pub fn every<A: Listed>(&self) -> Result<Every<'_, A>, Stop> {
        let ids = A::listed(self)?;
        // Not lazily: all that are missing are loaded at once.
        let states: Vec<_> = ids.into_iter().map(|id| (id, self.look::<A>(id))).collect();
        let loaded = states
            .into_iter()
            .map(|(id, known)| known.map(|known| (id, &known.state)));
        loaded.collect::<Option<_>>().ok_or(Stop::Load)
    }

    fn look<A: Kept>(&self, id: A::Id) -> Option<&Known<A::State>> {
        let stream: StreamId = id.into();
        let known = A::shelf(&self.book.shelves).get(&id).map(AsRef::as_ref);
        let whole = known.filter(|known| known.head.standing == Standing::Whole);
        let mut reads = self.reads.borrow_mut();
        match whole {
            Some(known) => {
                reads.seen.entry(stream).or_insert(known.head.version);
            }
            None => {
                reads.missed.0.insert(stream, self.book.read_from(stream));
            }
        }
        whole
    }

    /// Makes a stream with a new id, which needs no loading: nobody has heard of it.
    pub fn begin<A: Kept>(&mut self, id: A::Id) {
        let stream: StreamId = id.into();
        let shelf = A::shelf_mut(&mut self.book.shelves);
        if let Entry::Vacant(place) = shelf.entry(id) {
            place.insert(Box::default());
            self.book.journal.began(stream);
        }
    }

    /// Mints an id and makes its stream.
    pub fn mint<A: Kept>(&mut self) -> A::Id {
        let id = self.ctx.new_id(A::id);
        self.begin::<A>(id);
        id
    }

    /// Decides a command about one stream and applies what follows.
    ///
    /// # Errors
    /// When the aggregate refuses, or something is not loaded.
    pub fn decide<A: Kept + CarryOut>(
        &mut self,
        id: A::Id,
        command: &A::Command,
    ) -> Result<Made<A>, Declined<A::Refusal>> {
        let stream: StreamId = id.into();
        let known = self.look::<A>(id).ok_or(Declined::Load)?;
        let decision = A::decide(&known.state, command, &self.ctx).map_err(Declined::Refused)?;
        let first = self.facts.len();
        let known = A::shelf_mut(&mut self.book.shelves)
            .get_mut(&id)
            .expect("what was decided on is known");
        for event in decision.events {
            let undo = A::evolve(&mut known.state, &event);
            known.head.version = known.head.version.next();
            known.head.assumed += 1;
            self.book.journal.applied(stream, A::undone(undo));
            self.facts.push(StagedFact {
                stream,
                version: known.head.version,
                fact: A::fact(event),
            });
        }
        self.deadlines.extend(decision.deadlines);
        let made = Made(first..self.facts.len(), PhantomData);
        A::carry_out(self, id, &made, decision.effects)?;
        Ok(made)
    }

    /// The facts that followed from one decision about one stream.
    pub fn made<'m, A: Kept>(&'m self, made: &Made<A>) -> impl Iterator<Item = &'m A::Event> {
        self.facts[made.0.clone()]
            .iter()
            .filter_map(|staged| A::of(&staged.fact))
    }

    /// Every fact that this unit has led to so far.
    pub fn facts(&self) -> &[StagedFact] {
        &self.facts
    }

    /// Whether nothing has followed so far.
    pub fn is_idle(&self) -> bool {
        self.facts.is_empty() && self.deadlines.is_empty() && self.calls.is_empty()
    }

    /// Whether something was looked at that is not loaded. Whoever looks at many asks at the end.
    pub fn has_missed(&self) -> bool {
        !self.reads.borrow().missed.0.is_empty()
    }

    pub fn change_deadline(&mut self, change: DeadlineChange) {
        self.deadlines.push(change);
    }

    /// Clears a deadline that came and led to nothing: nothing waits for it any more.
    pub fn clear_if_idle(&mut self, key: DeadlineKey) {
        if self.is_idle() {
            self.deadlines.push(DeadlineChange::Clear(key));
        }
    }

    /// Asks the gateway once the facts are durable.
    pub(super) fn call(&mut self, calls: impl IntoIterator<Item = GatewayCall>) {
        self.calls.extend(calls);
    }
}
