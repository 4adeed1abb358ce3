//! What can be asked of a lane: commands, which write, and questions, which only look.
//!
//! The code of each command is one file, under [`commands`](crate::commands) or in another crate: what is asked, what
//! it reads, what it decides and what it answers. A command is pure. If it needs a stream that the lane has not
//! loaded, the stream is loaded and the command is run again. So a command may be run several times, each time with a
//! new `now`; only its last run counts.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use ticketing_ports::Timestamp;
use ticketing_ports::log::lanes::LaneId;
use ticketing_ports::log::streams::{StreamId, Version};
use ticketing_ports::vocabulary::ids::PaymentId;

use crate::book::{Book, Caller, CarryOut, Ran, Stop, UnitOfWork, Wants};
use crate::reducer::{Context, Reducer};
use crate::refusal::Refusal;

/// Which lane a command or a question is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// The lane with this id.
    Lane(LaneId),
    /// The lane that this stream belongs to; the engine looks up which one that is.
    Stream(StreamId),
}

/// A request to change something in one lane.
///
/// A command is serialised only to be forwarded to another process, and never stored, because it may contain the
/// token of a means of payment.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use ticketing_domain::book::{Stop, UnitOfWork};
/// use ticketing_domain::catalog::{Catalog, CatalogCommand};
/// use ticketing_domain::command::{Address, Command, Never, Outcome};
/// use ticketing_ports::read_models::events::EventView;
/// use ticketing_ports::vocabulary::ids::EventId;
///
/// #[derive(Debug, Clone, Serialize, Deserialize)]
/// struct Reopen {
///     event_id: EventId,
/// }
///
/// impl Command for Reopen {
///     const NAME: &'static str = "reopen";
///
///     type Reply = EventView;
///     type Awaits = Never;
///
///     fn address(&self) -> Address {
///         Address::Lane(self.event_id.into())
///     }
///
///     fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
///         let by = unit.person()?;
///         unit.decide::<Catalog>(self.event_id, &CatalogCommand::OpenSales { by })?;
///         Ok(Outcome::Reply(self.event_id))
///     }
/// }
/// ```
pub trait Command: Debug + Clone + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// The command's name in metrics, traces and logs, such as `hold_seats`.
    const NAME: &'static str;

    /// What the command answers.
    type Reply: Reply;
    /// What the command may have to wait for; [`Never`] for the many commands that wait for nothing.
    type Awaits: Awaited;

    /// Returns which lane the command is for.
    fn address(&self) -> Address;

    /// Names streams that the command is sure to look at, so that a cold lane loads them all at once. This is only a
    /// hint: without it loading takes one more round, and the answer is the same.
    fn wants(&self, _: &mut Wants) {}

    /// Returns the payment that the command reports on; `None` if the command is not a report about a payment.
    fn reports_on(&self) -> Option<PaymentId> {
        None
    }

    /// Runs the command.
    ///
    /// # Errors
    /// When the command is refused, or a stream that it needs is not loaded.
    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop>;
}

/// The id of the stream that a command's reply is a view of.
pub type ReplyId<C> = <<<C as Command>::Reply as Reply>::Of as Reducer>::Id;

/// How the run of a command ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<C: Command> {
    /// The command is done; its reply is a view of this stream.
    Reply(ReplyId<C>),
    /// The reply has to wait until the payment gateway has answered; the value says what is waited for.
    Awaits(C::Awaits),
}

/// What a command answers: a view of one stream at one version.
///
/// [`Reply::view`] builds both the first answer and its repetition under an idempotency key, from the same facts.
///
/// ```
/// use ticketing_domain::command::Reply;
/// use ticketing_domain::payment::{Payment, PaymentState};
/// use ticketing_ports::Timestamp;
/// use ticketing_ports::log::streams::Version;
/// use ticketing_ports::vocabulary::payment::PaymentStatus;
///
/// /// Answers with the status alone.
/// #[derive(Debug)]
/// struct StatusOnly(PaymentStatus);
///
/// impl Reply for StatusOnly {
///     type Of = Payment;
///
///     fn view(state: &PaymentState, _: Version, _: Timestamp) -> Option<Self> {
///         state.status().map(Self)
///     }
/// }
/// ```
pub trait Reply: Debug + Sized + Send + 'static {
    /// The aggregate that the viewed stream belongs to.
    type Of: CarryOut;

    /// Whether the reply contains something that is stored nowhere, so that the same reply cannot be given again
    /// later.
    const HOLDS_A_SECRET: bool = false;

    /// Builds the reply from the stream's state; `None` if the stream does not exist.
    fn view(state: &<Self::Of as Reducer>::State, version: Version, at: Timestamp) -> Option<Self>;

    /// Reads a reply that an older build stored whole beside an idempotency key; `None` if the text is not such a
    /// reply.
    fn from_former_record(_: &str) -> Option<Self> {
        None
    }
}

/// What a command waits for before it replies, such as that the payment gateway has authorised a payment.
///
/// ```
/// use ticketing_domain::command::{Awaited, Never};
/// use ticketing_domain::commands::PendingPayment;
///
/// assert!(PendingPayment::POSSIBLE);
/// assert!(!Never::POSSIBLE, "most commands wait for nothing");
/// ```
pub trait Awaited: Debug + Clone + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// Whether a command with this type can wait; `false` only for [`Never`].
    const POSSIBLE: bool = true;

    /// Returns the payment whose next fact may end the wait.
    fn payment_id(&self) -> PaymentId;

    /// Returns the stream that the reply will be a view of.
    fn reply(&self) -> StreamId;

    /// Checks whether the wait is over.
    ///
    /// # Errors
    /// When the payment has failed, or a stream is not loaded.
    fn look(&self, unit: &UnitOfWork<'_>) -> Result<Progress, Stop>;
}

/// Whether the wait of a command is over, and how it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The wait goes on: the gateway has not answered.
    Pending,
    /// The wait is over, and the command succeeded.
    Succeeded,
    /// The gateway was down. Nothing was charged, and the command can be sent again.
    GatewayDown,
}

/// The [`Awaited`] type of commands that never wait. The type has no values.
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

/// A question about the streams of one lane. It is answered from the lane's book, and changes nothing.
///
/// ```
/// use ticketing_domain::book::{Stop, UnitOfWork};
/// use ticketing_domain::command::{Address, Question};
/// use ticketing_domain::inventory::Inventory;
/// use ticketing_ports::vocabulary::ids::{EventId, SectionId};
///
/// /// How many seats of a section are available?
/// #[derive(Debug)]
/// struct Available {
///     event_id: EventId,
///     section_id: SectionId,
/// }
///
/// impl Question for Available {
///     const NAME: &'static str = "available";
///
///     type Answer = u32;
///
///     fn address(&self) -> Address {
///         Address::Lane(self.event_id.into())
///     }
///
///     fn look(&self, unit: &UnitOfWork<'_>) -> Result<u32, Stop> {
///         Ok(unit.get::<Inventory>(self.section_id)?.counts(unit.now()).available)
///     }
/// }
/// ```
pub trait Question: Debug + Send + Sync + 'static {
    /// The question's name in metrics, traces and logs, such as `see_section`.
    const NAME: &'static str;

    /// What the question is answered with.
    type Answer: Debug + Send + 'static;

    /// Returns which lane the question is for.
    fn address(&self) -> Address;

    /// Answers the question.
    ///
    /// # Errors
    /// When the caller may not see the answer, or a stream is not loaded.
    fn look(&self, unit: &UnitOfWork<'_>) -> Result<Self::Answer, Stop>;
}

/// Which stream a reply shows, at which version and for which time. From that the same reply can be built again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewOf {
    /// The stream that the reply is a view of.
    pub stream: StreamId,
    /// The version of the stream that the reply shows.
    pub version: Version,
    /// The time at which the reply was built; what it shows may depend on the time.
    pub at: Timestamp,
}

/// The reply to a command, or what it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Performed<C: Command> {
    /// The command is done.
    Replied {
        /// The reply.
        reply: C::Reply,
        /// Which stream the reply shows, at which version and for which time.
        view: ViewOf,
    },
    /// The command waits for the gateway.
    Awaits(C::Awaits),
    /// The gateway was down. Nothing was charged, and the command can be sent again.
    GatewayDown,
}

/// Runs a command on a book. Either everything that it decides is applied, or nothing.
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

/// Checks whether the wait of a command is over.
pub fn look_again<C: Command>(book: &mut Book, ctx: &Context<'_>, awaits: &C::Awaits) -> Ran<Performed<C>> {
    book.run(ctx, Caller::World, |unit| match awaits.look(unit)? {
        Progress::Succeeded => replied::<C>(unit, <C::Reply as Reply>::Of::id(awaits.reply().id)),
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

/// Returns the refusal of a command whose reply is a view of a stream without facts.
fn not_there(stream: StreamId) -> Refusal {
    Refusal::not_found(stream)
}

impl Wants {
    /// Adds a stream to those that have to be read; it is read from its first fact on.
    pub fn add(&mut self, stream: impl Into<StreamId>) {
        self.0.entry(stream.into()).or_default();
    }
}

/// The state that a reply is a view of.
pub type StateOf<R> = <<R as Reply>::Of as Reducer>::State;

/// Builds a reply again, from the same facts as the first time. `None` if the stream does not exist.
///
/// # Errors
/// When this build cannot read one of the facts.
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
