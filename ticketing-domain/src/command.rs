//! What can be asked of a lane: commands, which write, and questions, which only look.
//!
//! A command is one file under [`commands`](crate::commands), or in a crate of somebody else: what is asked, what it
//! reads, what it decides, what it answers. It is pure: whatever it needs and the lane has not loaded is a miss, after
//! which it is run again. So it may be run several times, each time with a new `now`, and only the last one counts.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use ticketing_ports::Timestamp;
use ticketing_ports::log::lanes::LaneId;
use ticketing_ports::log::streams::{StreamId, Version};
use ticketing_ports::vocabulary::ids::PaymentId;

use crate::book::{Book, Caller, CarryOut, Ran, Staged, Stop, UnitOfWork, Wants};
use crate::reducer::{Context, Reducer};
use crate::refusal::Refusal;

/// Which lane a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    Lane(LaneId),
    /// The lane of this stream; whoever asks need not know it.
    Stream(StreamId),
}

/// Something that somebody asks to happen.
///
/// Serialised only to be forwarded to another process, never to be kept: it may hold the secret of a payment.
pub trait Command: Debug + Clone + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// For metrics, traces and logs: `hold_seats`.
    const NAME: &'static str;

    type Reply: Reply;
    /// What it may have to wait for; [`Never`] for most.
    type Awaits: Awaited;

    fn address(&self) -> Address;

    /// Names streams that it is sure to look at, so that a cold lane loads them at once. Without it, it takes one more
    /// round, and the answer is the same.
    fn wants(&self, _: &mut Wants) {}

    /// The payment of which it brings news; `None` for all that people ask.
    fn reports_on(&self) -> Option<PaymentId> {
        None
    }

    /// # Errors
    /// When it is refused, or something is not loaded.
    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop>;
}

/// The id of the stream that a command's reply is a view of.
pub type ReplyId<C> = <<<C as Command>::Reply as Reply>::Of as Reducer>::Id;

/// How a command ends for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<C: Command> {
    /// The reply is a view of this stream.
    Reply(ReplyId<C>),
    /// So it will be, once the world has answered.
    Awaits(C::Awaits),
}

/// What a command answers: a view of one stream at one version.
///
/// The live answer and its repetition for an idempotency key are both built by [`Reply::view`], from the same facts.
pub trait Reply: Debug + Sized + Send + 'static {
    type Of: CarryOut;

    /// Whether it tells something that is kept nowhere. Then it cannot be repeated.
    const HOLDS_A_SECRET: bool = false;

    /// `None` if the stream does not exist.
    fn view(state: &<Self::Of as Reducer>::State, version: Version, at: Timestamp) -> Option<Self>;

    /// Reads an answer that was recorded as a whole, as builds before this one did. `None` if it is no such answer.
    fn from_former_record(_: &str) -> Option<Self> {
        None
    }
}

/// What a command waits for.
pub trait Awaited: Debug + Clone + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// Whether anything is ever waited for.
    const POSSIBLE: bool = true;

    /// The payment whose next fact may end the waiting.
    fn payment_id(&self) -> PaymentId;

    /// The stream that the reply will be a view of.
    fn reply(&self) -> StreamId;

    /// # Errors
    /// When the outcome is not what was hoped for, or something is not loaded.
    fn look(&self, unit: &UnitOfWork<'_>) -> Result<Progress, Stop>;
}

/// How far something that is waited for has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Pending,
    Settled,
    /// The gateway was down; nothing was charged, and the command may be tried anew.
    GatewayDown,
}

/// Of a command that waits for nothing. It has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Never {}

impl Awaited for Never {
    const POSSIBLE: bool = false;

    fn reply(&self) -> StreamId {
        match *self {}
    }

    fn payment_id(&self) -> PaymentId {
        match *self {}
    }

    fn look(&self, _: &UnitOfWork<'_>) -> Result<Progress, Stop> {
        match *self {}
    }
}

/// Something that somebody wants to know of the write side.
pub trait Question: Debug + Send + Sync + 'static {
    const NAME: &'static str;

    type Answer: Debug + Send + 'static;

    fn address(&self) -> Address;

    /// # Errors
    /// When there is nothing to see for the caller, or something is not loaded.
    fn look(&self, unit: &UnitOfWork<'_>) -> Result<Self::Answer, Stop>;
}

/// From what a reply can be built again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewOf {
    pub stream: StreamId,
    pub version: Version,
    /// The time of the answer.
    pub at: Timestamp,
}

/// A command's answer, or what it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Performed<C: Command> {
    Replied {
        reply: C::Reply,
        view: ViewOf,
    },
    Awaits(C::Awaits),
    /// See [`Progress::GatewayDown`].
    GatewayDown,
}

/// Runs a command on a book: all of it, or nothing.
pub fn perform<C: Command>(book: &mut Book, ctx: &Context<'_>, caller: Caller, command: &C) -> Ran<Performed<C>> {
    let ran = book.run(ctx, caller, |unit| match command.run(unit)? {
        Outcome::Reply(id) => replied::<C>(unit, id),
        Outcome::Awaits(awaits) => Ok(Performed::Awaits(awaits)),
    });
    match ran {
        Ran::Load(mut wants) => {
            let mut hint = Wants::default();
            command.wants(&mut hint);
            for stream in hint.0.into_keys().filter(|stream| book.version(*stream).is_none()) {
                wants.0.entry(stream).or_insert_with(|| book.read_from(stream));
            }
            Ran::Load(wants)
        }
        ran => ran,
    }
}

/// Looks whether what a command waits for has come.
pub fn look_again<C: Command>(book: &mut Book, ctx: &Context<'_>, awaits: &C::Awaits) -> Ran<Performed<C>> {
    book.run(ctx, Caller::World, |unit| match awaits.look(unit)? {
        Progress::Settled => replied::<C>(unit, <C::Reply as Reply>::Of::id(awaits.reply().id)),
        Progress::GatewayDown => Ok(Performed::GatewayDown),
        Progress::Pending => Ok(Performed::Awaits(awaits.clone())),
    })
}

/// Answers a question from a book.
pub fn answer<Q: Question>(book: &mut Book, ctx: &Context<'_>, caller: Caller, question: &Q) -> Ran<Q::Answer> {
    book.run(ctx, caller, |unit| question.look(unit))
}

fn replied<C: Command>(unit: &UnitOfWork<'_>, id: ReplyId<C>) -> Result<Performed<C>, Stop> {
    let (state, version) = unit.get_with_version::<<C::Reply as Reply>::Of>(id)?;
    let at = unit.now();
    let reply = C::Reply::view(state, version, at).ok_or_else(|| not_there(id.into()))?;
    let stream = id.into();
    let view = ViewOf { stream, version, at };
    Ok(Performed::Replied { reply, view })
}

/// What is answered when a command names a stream for its reply that has no facts.
fn not_there(stream: StreamId) -> Refusal {
    Refusal::not_found(stream)
}

impl Wants {
    /// Adds a stream by its id.
    pub fn add(&mut self, stream: impl Into<StreamId>) {
        self.0.entry(stream.into()).or_default();
    }
}

impl Staged {
    /// Whether a payment has moved.
    pub fn moves_a_payment(&self) -> bool {
        self.facts
            .iter()
            .any(|fact| fact.stream.aggregate == <crate::payment::Payment as Reducer>::AGGREGATE)
    }
}

/// The state that a reply is a view of.
pub type StateOf<R> = <<R as Reply>::Of as Reducer>::State;

/// Builds a reply again from the facts it was built from.
///
/// # Errors
/// When this build cannot read one of them.
pub fn view_again<R: Reply>(
    facts: &[ticketing_ports::log::streams::RecordedEvent],
    view: &ViewOf,
) -> Result<Option<R>, crate::stored::UnreadableEvent> {
    use crate::stored::StoredEvent as _;

    let mut state = StateOf::<R>::default();
    for fact in facts.iter().take_while(|fact| fact.version <= view.version) {
        let event = <<R::Of as Reducer>::Event>::from_recorded(fact)?;
        drop(R::Of::evolve(&mut state, &event));
    }
    Ok(R::view(&state, view.version, view.at))
}
