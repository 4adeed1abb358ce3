//! A question on its way through a lane, with its answer and its caller.

use ticketing_domain::book::{Book, Caller, Ran, Staged};
use ticketing_domain::command::{self, Question};
use ticketing_domain::reducer::Context;
use ticketing_ports::vocabulary::ids::PaymentId;

use super::answer_record::AnswerRecord;
use super::job::{Channel, Delivered, ErasedJob, JobOutcome, RunOutcome};
use crate::failure::Failure;

/// A question and the caller who waits for its answer.
#[derive(Debug)]
pub(crate) struct QuestionJob<Q: Question> {
    question: Q,
    answer: Option<Result<Q::Answer, Failure>>,
    caller: Channel<Q::Answer>,
}

impl<Q: Question> QuestionJob<Q> {
    pub(crate) fn new(question: Q, caller: Channel<Q::Answer>) -> Self {
        Self {
            question,
            answer: None,
            caller,
        }
    }
}

impl<Q: Question> ErasedJob for QuestionJob<Q> {
    fn name(&self) -> &'static str {
        Q::NAME
    }

    fn run(&mut self, book: &mut Book, ctx: &Context<'_>, caller: Caller) -> RunOutcome {
        match command::answer(book, ctx, caller, &self.question) {
            Ran::Load(wants) => RunOutcome::Load(wants),
            Ran::Refused { refusal, read_set } => {
                self.answer = Some(Err(refusal.into()));
                RunOutcome::Answered(Staged {
                    read_set,
                    ..Staged::default()
                })
            }
            Ran::Done { value, staged } => {
                self.answer = Some(Ok(value));
                RunOutcome::Answered(staged)
            }
        }
    }

    fn take_back(&mut self, _: bool) {
        self.answer = None;
    }

    fn resume(&mut self, _: &AnswerRecord) -> Result<(), Failure> {
        Err(Failure::Internal(
            "a question cannot be resumed, because it has no idempotency key".into(),
        ))
    }

    fn may_wait(&self) -> bool {
        false
    }

    fn awaits(&self) -> Option<PaymentId> {
        None
    }

    fn answer_record(&self) -> Option<AnswerRecord> {
        None
    }

    fn reports_on(&self) -> Option<PaymentId> {
        None
    }

    fn outcome(&self, _: &JobOutcome) -> Option<&'static str> {
        None
    }

    fn is_abandoned(&self) -> bool {
        self.caller.is_closed()
    }

    fn end(self: Box<Self>, end: JobOutcome) {
        let delivered = match (end, self.answer) {
            (JobOutcome::Failed(failure), _) => Err(failure),
            (JobOutcome::Answered(position), Some(answer)) => answer.map(|value| Delivered {
                value,
                position,
                stream: None,
            }),
            _ => Err(Failure::Internal("a question has ended without an answer".into())),
        };
        drop(self.caller.send(delivered));
    }
}
