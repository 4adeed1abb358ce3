//! A command on its way through a lane, with its pending payment, its answer and its caller.

use std::fmt::Debug;

use ticketing_domain::book::{Book, Caller, Ran, Staged};
use ticketing_domain::command::{self, Awaited, Command, Performed, Reply, ViewOf};
use ticketing_domain::reducer::Context;
use ticketing_ports::log::streams::{RecordedEvent, StreamId};
use ticketing_ports::vocabulary::ids::PaymentId;
use tokio::sync::oneshot;

use super::answer_record::AnswerRecord;
use super::job::{Channel, Delivered, ErasedJob, JobOutcome, RunOutcome};
use crate::failure::{Failure, UnavailableCause};

/// A command and the caller who waits for its reply.
#[derive(Debug)]
pub(crate) struct CommandJob<C: Command> {
    command: C,
    /// The payment whose outcome the command waits for. `None` if it waits for none.
    awaits: Option<C::Awaits>,
    /// Whether `awaits` was read from an idempotency record and has not been checked against the book yet.
    resumed: bool,
    answer: Option<Answer<C>>,
    /// Where the reply is sent. `None` if nobody waits for it.
    caller: Option<Channel<C::Reply>>,
}

enum Answer<C: Command> {
    Reply(C::Reply, ViewOf),
    /// The failure, and what to record of it under the idempotency key. With `None` nothing is recorded, so a
    /// repeated command is decided again.
    Failure(Failure, Option<AnswerRecord>),
}

impl<C: Command> Debug for Answer<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Reply(_, view) => f.debug_tuple("Reply").field(view).finish_non_exhaustive(),
            Self::Failure(failure, _) => f.debug_tuple("Failure").field(failure).finish(),
        }
    }
}

impl<C: Command> CommandJob<C> {
    pub(crate) fn new(command: C, caller: Option<Channel<C::Reply>>) -> Self {
        Self {
            command,
            awaits: None,
            resumed: false,
            answer: None,
            caller,
        }
    }

    fn check_awaited(&mut self, book: &mut Book, ctx: &Context<'_>, caller: Caller) -> Option<RunOutcome> {
        let awaits = self.awaits.as_ref()?;
        let ran = command::look_again::<C>(book, ctx, awaits);
        let resumed = self.resumed && !matches!(ran, Ran::Load(_));
        if resumed {
            self.resumed = false;
        }
        Some(match ran {
            // The payment that the earlier request started has failed because the gateway was down. So nothing was
            // charged, and this repeated request may start a new payment.
            Ran::Done {
                value: Performed::GatewayDown,
                ..
            } if resumed => {
                self.awaits = None;
                self.decide(book, ctx, caller)
            }
            Ran::Refused { refusal, read_set } => {
                let record = AnswerRecord::Refused(refusal.clone());
                self.answer = Some(Answer::Failure(refusal.into(), Some(record)));
                RunOutcome::Answered(Staged {
                    read_set,
                    ..Staged::default()
                })
            }
            ran => self.keep_outcome(ran),
        })
    }

    fn decide(&mut self, book: &mut Book, ctx: &Context<'_>, caller: Caller) -> RunOutcome {
        let ran = command::perform(book, ctx, caller, &self.command);
        self.keep_outcome(ran)
    }

    fn keep_outcome(&mut self, ran: Ran<Performed<C>>) -> RunOutcome {
        match ran {
            Ran::Load(wants) => RunOutcome::Load(wants),
            Ran::Refused { refusal, read_set } => {
                self.answer = Some(Answer::Failure(refusal.into(), None));
                RunOutcome::Answered(Staged {
                    read_set,
                    ..Staged::default()
                })
            }
            Ran::Done { value, staged } => match value {
                Performed::Replied { reply, view } => {
                    self.answer = Some(Answer::Reply(reply, view));
                    RunOutcome::Answered(staged)
                }
                Performed::Awaits(awaits) => {
                    let payment = awaits.payment_id();
                    self.awaits = Some(awaits);
                    RunOutcome::Awaits(payment, staged)
                }
                Performed::GatewayDown => {
                    let down = Failure::Unavailable(UnavailableCause::Gateway);
                    self.answer = Some(Answer::Failure(down, None));
                    RunOutcome::Answered(staged)
                }
            },
        }
    }

    fn repeated(record: AnswerRecord, facts: &[RecordedEvent]) -> Result<(C::Reply, StreamId), Failure> {
        match record {
            AnswerRecord::View(view) => {
                let reply = command::view_again(facts, &view).map_err(|error| Failure::Internal(error.into()))?;
                let reply = reply
                    .ok_or_else(|| Failure::Internal("the stream that a recorded answer shows has no facts".into()))?;
                Ok((reply, view.stream))
            }
            AnswerRecord::Refused(refusal) => Err(refusal.into()),
            AnswerRecord::Secret => Err(Failure::AnswerNotKept),
            AnswerRecord::Awaits(_) => Err(Failure::Internal(
                "the record to repeat holds a pending payment and no answer".into(),
            )),
        }
    }
}

impl<C: Command> ErasedJob for CommandJob<C> {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn run(&mut self, book: &mut Book, ctx: &Context<'_>, caller: Caller) -> RunOutcome {
        match self.check_awaited(book, ctx, caller) {
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

    fn resume(&mut self, record: &AnswerRecord) -> Result<(), Failure> {
        let AnswerRecord::Awaits(awaits) = record else {
            return Err(Failure::Internal(
                "the record to resume holds an answer and no pending payment".into(),
            ));
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

    fn answer_record(&self) -> Option<AnswerRecord> {
        match (&self.answer, &self.awaits) {
            (Some(Answer::Reply(..)), _) if C::Reply::HOLDS_A_SECRET => Some(AnswerRecord::Secret),
            (Some(Answer::Reply(_, view)), _) => Some(AnswerRecord::View(*view)),
            (Some(Answer::Failure(_, record)), _) => record.clone(),
            (None, Some(awaits)) => Some(AnswerRecord::awaits(awaits)),
            (None, None) => None,
        }
    }

    fn reports_on(&self) -> Option<PaymentId> {
        self.command.reports_on()
    }

    fn outcome(&self, end: &JobOutcome) -> Option<&'static str> {
        Some(match (end, &self.answer) {
            (JobOutcome::Failed(failure), _) | (JobOutcome::Answered(_), Some(Answer::Failure(failure, _))) => {
                failure.code()
            }
            (JobOutcome::Answered(_), Some(Answer::Reply(..))) => "answered",
            (JobOutcome::Answered(_), None) => "INTERNAL",
            (JobOutcome::Repeated { .. } | JobOutcome::RepeatedLegacy { .. }, _) => "repeated",
        })
    }

    fn is_abandoned(&self) -> bool {
        self.caller.as_ref().is_none_or(oneshot::Sender::is_closed)
    }

    fn end(self: Box<Self>, end: JobOutcome) {
        let Some(caller) = self.caller else { return };
        let delivered = match end {
            JobOutcome::Failed(failure) => Err(failure),
            JobOutcome::Answered(position) => match self.answer {
                Some(Answer::Reply(value, view)) => Ok(Delivered {
                    value,
                    position,
                    stream: Some(view.stream),
                }),
                Some(Answer::Failure(failure, _)) => Err(failure),
                None => Err(Failure::Internal("a command ended without an answer".into())),
            },
            JobOutcome::Repeated {
                record,
                facts,
                position,
            } => Self::repeated(record, &facts).map(|(value, stream)| Delivered {
                value,
                position,
                stream: Some(stream),
            }),
            JobOutcome::RepeatedLegacy { legacy, position } => legacy.into_reply().map(|value| Delivered {
                value,
                position,
                stream: None,
            }),
        };
        // The send fails if the caller has gone away. A repeated request finds the answer under its idempotency key.
        drop(caller.send(delivered));
    }
}
