//! The run of one command on a book. Each fact is applied as soon as it is decided on, so that the next decision sees
//! it.
//!
//! A unit of work notes every stream that it looks at in its read set, even if it decides nothing: its answer is
//! right only as long as the log has these streams at these versions. A stream that the book does not have is noted
//! as a *miss*. A unit of work with a miss never succeeds, whatever its command returns: the missing stream is
//! loaded, and the command is run again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::marker::PhantomData;
use std::ops::Range;

use ticketing_ports::log::deadlines::{DeadlineChange, DeadlineKey};
use ticketing_ports::log::streams::{StreamId, Version};
use ticketing_ports::vocabulary::buyer::{Buyer, Guest};
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::roles::Actor;

use super::Book;
use super::shelves::{Kept, Known, Standing};
use super::staged::{Staged, StagedFact};
use super::stop::{Declined, Stop, Wants};
use crate::payment::GatewayCall;
use crate::reducer::{Context, Reducer};
use crate::refusal::Refusal;

/// Who a command comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// A signed-in person.
    Person(Actor),
    /// Somebody without an account, with the secret of an order.
    Guest(Guest),
    /// The command comes from no person, but from the payment gateway or a deadline.
    World,
}

impl From<Actor> for Caller {
    fn from(actor: Actor) -> Self {
        Self::Person(actor)
    }
}

impl From<Guest> for Caller {
    fn from(guest: Guest) -> Self {
        Self::Guest(guest)
    }
}

impl From<Buyer> for Caller {
    fn from(buyer: Buyer) -> Self {
        match buyer {
            Buyer::Person(actor) => Self::Person(actor),
            Buyer::Guest(guest) => Self::Guest(guest),
        }
    }
}

/// The facts that followed from one decision, as a range of indexes into the facts of the unit of work.
#[derive(Debug, Clone)]
pub struct Made<A>(Range<usize>, PhantomData<A>);

/// An aggregate whose streams are all listed in another stream of the lane: the catalog, for instance, lists an
/// event's sections.
///
/// ```
/// use ticketing_domain::book::{Stop, UnitOfWork};
/// use ticketing_domain::inventory::Inventory;
///
/// /// Returns how many seats of the event are available, all sections together.
/// fn available(unit: &UnitOfWork<'_>) -> Result<u32, Stop> {
///     let sections = unit.every::<Inventory>()?;
///     Ok(sections.iter().map(|(_, section)| section.counts(unit.now()).available).sum())
/// }
/// ```
pub trait Listed: Kept {
    /// Returns the ids of all streams of the aggregate in this lane.
    ///
    /// # Errors
    /// When the stream that lists them is not loaded.
    fn listed(unit: &UnitOfWork<'_>) -> Result<Vec<Self::Id>, Stop>;
}

/// An aggregate whose decisions may have effects, such as commands to other aggregates or calls to the payment
/// gateway. Effects are carried out in the same unit of work as the decision.
///
/// The catalog, the inventory, the reservation and the payment implement this trait. A command of another crate makes
/// use of it by calling [`UnitOfWork::decide`]:
///
/// ```
/// use ticketing_domain::book::{Stop, UnitOfWork};
/// use ticketing_domain::catalog::{Catalog, CatalogCommand};
///
/// /// Records that the lane's event has begun.
/// fn start(unit: &mut UnitOfWork<'_>) -> Result<(), Stop> {
///     let event_id = unit.event_id()?;
///     unit.decide::<Catalog>(event_id, &CatalogCommand::Start)?;
///     Ok(())
/// }
/// ```
pub trait CarryOut: Kept {
    /// Carries out the effects of one decision.
    ///
    /// # Errors
    /// When an aggregate that has to do something refuses, or is not loaded.
    fn carry_out(
        unit: &mut UnitOfWork<'_>,
        id: Self::Id,
        made: &Made<Self>,
        effects: Vec<Self::Effect>,
    ) -> Result<(), Declined<Self::Refusal>>;
}

/// The id and the state of each stream of an aggregate in a lane.
pub type Every<'u, A> = Vec<(<A as Reducer>::Id, &'u <A as Reducer>::State)>;

/// How the run of a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ran<T> {
    /// The command succeeded, and its facts are applied to the book.
    Done {
        /// What the command returned.
        value: T,
        /// The facts, deadlines and calls to the gateway that follow from the command.
        staged: Staged,
    },
    /// The command was refused, and the book is unchanged.
    Refused {
        /// Why the command was refused.
        refusal: Refusal,
        /// The streams that the command looked at. The refusal is right as long as the log has these streams at these
        /// versions.
        read_set: BTreeMap<StreamId, Version>,
    },
    /// The command needs these streams, which have to be loaded before it is run again. The book is unchanged.
    Load(Wants),
}

/// The run of one command on a book.
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
    /// The streams that were looked at, each with its version before this unit of work.
    seen: BTreeMap<StreamId, Version>,
    missed: Wants,
}

impl Book {
    /// Runs one unit of work. Either everything that it decides is applied to the book, or nothing.
    pub fn run<T>(
        &mut self,
        ctx: &Context<'_>,
        caller: Caller,
        command: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, Stop>,
    ) -> Ran<T> {
        let before = self.savepoint();
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
    /// Returns the time and the source of ids that a reducer decides with.
    pub fn ctx(&self) -> &Context<'a> {
        &self.ctx
    }

    /// Returns the time at which the command is run.
    pub fn now(&self) -> ticketing_ports::Timestamp {
        self.ctx.now
    }

    /// Returns who the command comes from.
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// Returns the signed-in person who sends the command.
    ///
    /// # Errors
    /// When the command comes from a guest, the gateway or a deadline.
    pub fn person(&self) -> Result<Actor, Refusal> {
        match self.buyer()? {
            Buyer::Person(actor) => Ok(actor),
            Buyer::Guest(_) => Err(Refusal::Forbidden),
        }
    }

    /// Returns the person or the guest who sends the command.
    ///
    /// # Errors
    /// When the command comes from the gateway or a deadline.
    pub fn buyer(&self) -> Result<Buyer, Refusal> {
        match self.caller {
            Caller::Person(actor) => Ok(Buyer::Person(actor)),
            Caller::Guest(guest) => Ok(Buyer::Guest(guest)),
            Caller::World => Err(Refusal::Forbidden),
        }
    }

    /// Returns the event on sale that this lane is about.
    ///
    /// # Errors
    /// When the lane is not about an event on sale.
    pub fn event_id(&self) -> Result<EventId, Refusal> {
        self.book.lane.event_id().ok_or(Refusal::Forbidden)
    }

    /// Returns the state of a stream, and notes the stream in the read set. A stream without facts has the default
    /// state.
    ///
    /// # Errors
    /// When the stream is not loaded.
    pub fn get<A: Kept>(&self, id: A::Id) -> Result<&A::State, Stop> {
        self.look::<A>(id).map(|known| &known.state).ok_or(Stop::Load)
    }

    /// Returns the state of a stream and its version, and notes the stream in the read set.
    ///
    /// # Errors
    /// When the stream is not loaded.
    pub fn get_with_version<A: Kept>(&self, id: A::Id) -> Result<(&A::State, Version), Stop> {
        let known = self.look::<A>(id).ok_or(Stop::Load)?;
        Ok((&known.state, known.head.version))
    }

    /// Returns the states of all streams of an aggregate in this lane. All of these streams are noted in the read
    /// set, as is the stream that lists them, so that the decision is not committed if another process adds a stream
    /// meanwhile.
    ///
    /// # Errors
    /// When one of these streams is not loaded.
    pub fn every<A: Listed>(&self) -> Result<Every<'_, A>, Stop> {
        let ids = A::listed(self)?;
        // Looks all streams up before it fails for the first missing one: so all missing ones are noted, and are
        // loaded together.
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

    /// Begins a stream under a new id. Nothing has to be loaded for it, since the log has no facts under a new id.
    pub fn begin<A: Kept>(&mut self, id: A::Id) {
        let stream: StreamId = id.into();
        let shelf = A::shelf_mut(&mut self.book.shelves);
        if let Entry::Vacant(place) = shelf.entry(id) {
            place.insert(Box::default());
            self.book.journal.began(stream);
        }
    }

    /// Makes a new id and begins the stream under that id.
    pub fn mint<A: Kept>(&mut self) -> A::Id {
        let id = self.ctx.new_id(A::id);
        self.begin::<A>(id);
        id
    }

    /// Decides a command about one stream, applies the facts to the book and carries out the effects.
    ///
    /// # Errors
    /// When the aggregate refuses the command, or a stream is not loaded.
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
            .expect("the book has the stream that was just looked at");
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

    /// Returns the events of one stream that followed from one decision about it.
    pub fn made<'m, A: Kept>(&'m self, made: &Made<A>) -> impl Iterator<Item = &'m A::Event> {
        self.facts[made.0.clone()]
            .iter()
            .filter_map(|staged| A::of(&staged.fact))
    }

    /// Returns every fact that this unit of work has decided on so far.
    pub fn facts(&self) -> &[StagedFact] {
        &self.facts
    }

    /// Returns whether this unit of work has led to nothing so far: no fact, no change of a deadline, no call to the
    /// gateway.
    pub fn is_idle(&self) -> bool {
        self.facts.is_empty() && self.deadlines.is_empty() && self.calls.is_empty()
    }

    /// Returns whether a stream was looked at that is not loaded. A command that looks at many streams asks this
    /// once, after the last of them, so that all missing streams are loaded together.
    pub fn has_missed(&self) -> bool {
        !self.reads.borrow().missed.0.is_empty()
    }

    /// Stages a change of a deadline: the commit sets or clears it.
    pub fn change_deadline(&mut self, change: DeadlineChange) {
        self.deadlines.push(change);
    }

    /// Clears the deadline that has led to this command, if nothing else has followed from the command.
    pub fn clear_if_idle(&mut self, key: DeadlineKey) {
        if self.is_idle() {
            self.deadlines.push(DeadlineChange::Clear(key));
        }
    }

    /// Stages calls to the gateway, to be made once the facts are durable.
    pub(super) fn call(&mut self, calls: impl IntoIterator<Item = GatewayCall>) {
        self.calls.extend(calls);
    }
}
