//! One request on its way through a lane. The lane knows it as a [`Work`]; the work knows its own reply, and the channel
//! on which its caller waits for exactly that.

use std::fmt::Debug;

use ticketing_domain::book::{Book, Caller, Ran, Staged, Wants};
use ticketing_domain::command::{self, Awaited, Command, Performed, Question, Reply, ViewOf};
use ticketing_domain::reducer::Context;
use ticketing_ports::ids::PaymentId;
use ticketing_ports::streams::{Metadata, Position, RecordedEvent, StreamId};
use tokio::sync::oneshot;

use super::keys::RunningKey;
use super::said::{Former, Said};
use crate::failure::{Failure, UnavailableCause};

/// What arrives in a lane's mailbox.
#[derive(Debug)]
pub(crate) enum Letter {
    Job(Job),
    /// To be answered when everything that was taken is settled.
    Barrier(oneshot::Sender<()>),
}

#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) work: Box<dyn Work>,
    pub(crate) caller: Caller,
    /// Kept beside every fact that the job leads to, and beside what these cause later.
    pub(crate) cause: Metadata,
    pub(crate) key: Option<RunningKey>,
    pub(crate) progress: Progress,
}

/// What the lane has done with a job so far.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Whether the store was asked what is recorded under its key.
    pub(super) looked_up: bool,
    /// Whether what it waits for is in the log: it must not be done again.
    pub(super) waits_durably: bool,
    /// How many times it has been decided again because somebody else was faster.
    pub(super) retries: u32,
    /// How many times something was loaded for it.
    pub(super) rounds: u32,
    /// Streams that were loaded for it, not to be forgotten before it has used them.
    pub(super) loaded: Vec<StreamId>,
}

impl Job {
    pub(crate) fn new(work: impl Work + 'static, caller: Caller, cause: Metadata) -> Self {
        Self {
            work: Box::new(work),
            caller,
            cause,
            key: None,
            progress: Progress::default(),
        }
    }

    pub(crate) fn end(self, end: End) {
        self.work.end(end);
    }

    pub(crate) fn fail(self, failure: Failure) {
        self.end(End::Failed(failure));
    }
}

/// What became of running a job.
#[derive(Debug)]
pub(crate) enum Done {
    /// Its answer is ready, and may be told once what it rests on is durable.
    Answered(Staged),
    /// The next fact of this payment may bring its answer.
    Awaits(PaymentId, Staged),
    /// The book is unchanged.
    Load(Wants),
}

/// How a job ends.
#[derive(Debug)]
pub(crate) enum End {
    /// Its answer stands, and the log has reached this position.
    Answered(Position),
    Failed(Failure),
    /// It was answered before: from these facts, or by this refusal.
    Replayed {
        said: Said,
        facts: Vec<RecordedEvent>,
        position: Position,
    },
    /// It was answered before, by a build that kept whole answers.
    ReplayedFormer {
        former: Former,
        position: Position,
    },
}

/// A job as the lane sees it.
pub(crate) trait Work: Debug + Send {
    fn name(&self) -> &'static str;

    /// Decides it, or looks whether what it waits for has come.
    fn run(&mut self, book: &mut Book, ctx: &Context<'_>, caller: Caller) -> Done;

    /// Forgets an answer that rested on what was taken back. What it waits for stays, if that is `durable`.
    fn take_back(&mut self, durable: bool);

    /// Goes on waiting for what is recorded under its key.
    ///
    /// # Errors
    /// When this build cannot read the record.
    fn resume(&mut self, said: &Said) -> Result<(), Failure>;

    /// Whether it may have to wait for the gateway.
    fn may_wait(&self) -> bool;

    /// The payment that it waits for.
    fn awaits(&self) -> Option<PaymentId>;

    /// What is to be recorded under its key; `None` if it is to be decided again.
    fn said(&self) -> Option<Said>;

    /// The payment of which it brings news.
    fn reports_on(&self) -> Option<PaymentId>;

    /// Whether nobody waits for its answer any more.
    fn is_abandoned(&self) -> bool;

    fn end(self: Box<Self>, end: End);
}

/// An answer with what its caller wants to know beside it.
#[derive(Debug)]
pub(crate) struct Delivered<T> {
    pub(crate) value: T,
    /// How far the log reached when it became true.
    pub(crate) position: Position,
    /// The stream it is a view of.
    pub(crate) stream: Option<StreamId>,
}

pub(crate) type Channel<T> = oneshot::Sender<Result<Delivered<T>, Failure>>;

/// A command with its caller.
#[derive(Debug)]
pub(crate) struct Asked<C: Command> {
    command: C,
    awaits: Option<C::Awaits>,
    /// Whether `awaits` was read from a record, and has not been looked at since.
    resumed: bool,
    answer: Option<Answer<C>>,
    /// `None` if nobody waits for the answer.
    caller: Option<Channel<C::Reply>>,
}

enum Answer<C: Command> {
    Reply(C::Reply, ViewOf),
    /// Whether it is to be recorded: refusals that wrote nothing are decided again.
    Failure(Failure, Option<Said>),
}

impl<C: Command> Debug for Answer<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Reply(_, view) => f.debug_tuple("Reply").field(view).finish_non_exhaustive(),
            Self::Failure(failure, _) => f.debug_tuple("Failure").field(failure).finish(),
        }
    }
}

impl<C: Command> Asked<C> {
    pub(crate) fn new(command: C, caller: Option<Channel<C::Reply>>) -> Self {
        Self {
            command,
            awaits: None,
            resumed: false,
            answer: None,
            caller,
        }
    }

    fn look_again(&mut self, book: &mut Book, ctx: &Context<'_>, caller: Caller) -> Option<Done> {
        let awaits = self.awaits.as_ref()?;
        let ran = command::look_again::<C>(book, ctx, awaits);
        let resumed = self.resumed && !matches!(ran, Ran::Load(_));
        if resumed {
            self.resumed = false;
        }
        Some(match ran {
            // A gateway that was down has charged nothing, so a repeated request may try anew; all else is settled.
            Ran::Done {
                value: Performed::GatewayDown,
                ..
            } if resumed => {
                self.awaits = None;
                self.decide(book, ctx, caller)
            }
            Ran::Refused { refusal, read_set } => {
                let said = Said::Refused(refusal.clone());
                self.answer = Some(Answer::Failure(refusal.into(), Some(said)));
                Done::Answered(Staged {
                    read_set,
                    ..Staged::default()
                })
            }
            ran => self.note(ran),
        })
    }

    fn decide(&mut self, book: &mut Book, ctx: &Context<'_>, caller: Caller) -> Done {
        let ran = command::perform(book, ctx, caller, &self.command);
        self.note(ran)
    }

    fn note(&mut self, ran: Ran<Performed<C>>) -> Done {
        match ran {
            Ran::Load(wants) => Done::Load(wants),
            Ran::Refused { refusal, read_set } => {
                self.answer = Some(Answer::Failure(refusal.into(), None));
                Done::Answered(Staged {
                    read_set,
                    ..Staged::default()
                })
            }
            Ran::Done { value, staged } => match value {
                Performed::Replied { reply, view } => {
                    self.answer = Some(Answer::Reply(reply, view));
                    Done::Answered(staged)
                }
                Performed::Awaits(awaits) => {
                    let payment = awaits.payment_id();
                    self.awaits = Some(awaits);
                    Done::Awaits(payment, staged)
                }
                Performed::GatewayDown => {
                    let down = Failure::Unavailable(UnavailableCause::Gateway);
                    self.answer = Some(Answer::Failure(down, None));
                    Done::Answered(staged)
                }
            },
        }
    }

    fn replayed(said: Said, facts: &[RecordedEvent]) -> Result<(C::Reply, StreamId), Failure> {
        match said {
            Said::View(view) => {
                let reply = command::view_again(facts, &view).map_err(|error| Failure::Internal(error.into()))?;
                let reply = reply.ok_or_else(|| Failure::Internal("the stream of a recorded answer is gone".into()))?;
                Ok((reply, view.stream))
            }
            Said::Refused(refusal) => Err(refusal.into()),
            Said::Secret => Err(Failure::AnswerNotKept),
            Said::Awaits(_) => Err(Failure::Internal("what is waited for is no answer".into())),
        }
    }
}

impl<C: Command> Work for Asked<C> {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn run(&mut self, book: &mut Book, ctx: &Context<'_>, caller: Caller) -> Done {
        match self.look_again(book, ctx, caller) {
            Some(done) => done,
            None => self.decide(book, ctx, caller),
        }
    }

    fn take_back(&mut self, durable: bool) {
        self.answer = None;
        if !durable {
            self.awaits = None;
        }
    }

    fn resume(&mut self, said: &Said) -> Result<(), Failure> {
        let Said::Awaits(awaits) = said else {
            return Err(Failure::Internal("an answer is nothing to wait for".into()));
        };
        let awaits = serde_json::from_str(awaits.get()).map_err(|error| Failure::Internal(error.into()))?;
        self.awaits = Some(awaits);
        self.resumed = true;
        Ok(())
    }

    fn may_wait(&self) -> bool {
        C::Awaits::POSSIBLE
    }

    fn awaits(&self) -> Option<PaymentId> {
        self.awaits.as_ref().map(Awaited::payment_id)
    }

    fn said(&self) -> Option<Said> {
        match (&self.answer, &self.awaits) {
            (Some(Answer::Reply(..)), _) if C::Reply::HOLDS_A_SECRET => Some(Said::Secret),
            (Some(Answer::Reply(_, view)), _) => Some(Said::View(*view)),
            (Some(Answer::Failure(_, said)), _) => said.clone(),
            (None, Some(awaits)) => Some(Said::awaits(awaits)),
            (None, None) => None,
        }
    }

    fn reports_on(&self) -> Option<PaymentId> {
        self.command.reports_on()
    }

    fn is_abandoned(&self) -> bool {
        self.caller.as_ref().is_none_or(oneshot::Sender::is_closed)
    }

    fn end(self: Box<Self>, end: End) {
        let Some(caller) = self.caller else { return };
        let delivered = match end {
            End::Failed(failure) => Err(failure),
            End::Answered(position) => match self.answer {
                Some(Answer::Reply(value, view)) => Ok(Delivered {
                    value,
                    position,
                    stream: Some(view.stream),
                }),
                Some(Answer::Failure(failure, _)) => Err(failure),
                None => Err(Failure::Internal("a job has ended without an answer".into())),
            },
            End::Replayed { said, facts, position } => Self::replayed(said, &facts).map(|(value, stream)| Delivered {
                value,
                position,
                stream: Some(stream),
            }),
            End::ReplayedFormer { former, position } => former.into_reply().map(|value| Delivered {
                value,
                position,
                stream: None,
            }),
        };
        // A caller that has gone away finds the answer under its idempotency key.
        drop(caller.send(delivered));
    }
}

/// A question with its caller.
#[derive(Debug)]
pub(crate) struct Wondering<Q: Question> {
    question: Q,
    answer: Option<Result<Q::Answer, Failure>>,
    caller: Channel<Q::Answer>,
}

impl<Q: Question> Wondering<Q> {
    pub(crate) fn new(question: Q, caller: Channel<Q::Answer>) -> Self {
        Self {
            question,
            answer: None,
            caller,
        }
    }
}

impl<Q: Question> Work for Wondering<Q> {
    fn name(&self) -> &'static str {
        Q::NAME
    }

    fn run(&mut self, book: &mut Book, ctx: &Context<'_>, caller: Caller) -> Done {
        match command::answer(book, ctx, caller, &self.question) {
            Ran::Load(wants) => Done::Load(wants),
            Ran::Refused { refusal, read_set } => {
                self.answer = Some(Err(refusal.into()));
                Done::Answered(Staged {
                    read_set,
                    ..Staged::default()
                })
            }
            Ran::Done { value, staged } => {
                self.answer = Some(Ok(value));
                Done::Answered(staged)
            }
        }
    }

    fn take_back(&mut self, _: bool) {
        self.answer = None;
    }

    fn resume(&mut self, _: &Said) -> Result<(), Failure> {
        Err(Failure::Internal("a question has no key".into()))
    }

    fn may_wait(&self) -> bool {
        false
    }

    fn awaits(&self) -> Option<PaymentId> {
        None
    }

    fn said(&self) -> Option<Said> {
        None
    }

    fn reports_on(&self) -> Option<PaymentId> {
        None
    }

    fn is_abandoned(&self) -> bool {
        self.caller.is_closed()
    }

    fn end(self: Box<Self>, end: End) {
        let delivered = match (end, self.answer) {
            (End::Failed(failure), _) => Err(failure),
            (End::Answered(position), Some(answer)) => answer.map(|value| Delivered {
                value,
                position,
                stream: None,
            }),
            _ => Err(Failure::Internal("a question has ended without an answer".into())),
        };
        drop(self.caller.send(delivered));
    }
}
