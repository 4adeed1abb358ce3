//! A question in a lane, with the channel on which its caller waits for the answer.

use ticketing_domain::book::{Book, Caller, Ran, Staged};
use ticketing_domain::command::{self, Question};
use ticketing_domain::reducer::Context;
use ticketing_ports::vocabulary::ids::PaymentId;

use super::job::{Channel, Delivered, Done, End, Work};
use super::said::Said;
use crate::failure::Failure;

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
