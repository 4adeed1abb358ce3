//! A command in a lane: what it waits for, its answer, and the channel on which its caller waits for exactly that.

use std::fmt::Debug;

use ticketing_domain::book::{Book, Caller, Ran, Staged};
use ticketing_domain::command::{self, Awaited, Command, Performed, Reply, ViewOf};
use ticketing_domain::reducer::Context;
use ticketing_ports::log::streams::{RecordedEvent, StreamId};
use ticketing_ports::vocabulary::ids::PaymentId;
use tokio::sync::oneshot;

use super::job::{Channel, Delivered, Done, End, Work};
use super::said::Said;
use crate::failure::{Failure, UnavailableCause};

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
