//! One request on its way through a lane. The lane knows it as a [`Work`]; the work knows its own reply, and the channel
//! on which its caller waits for exactly that.

use std::fmt::Debug;

use ticketing_domain::book::{Book, Caller, Staged, Wants};
use ticketing_domain::reducer::Context;
use ticketing_ports::log::streams::{Metadata, Position, RecordedEvent, StreamId};
use ticketing_ports::vocabulary::ids::PaymentId;
use tokio::sync::oneshot;

use super::keys::RunningKey;
use super::said::{Former, Said};
use crate::failure::Failure;

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
    /// Whether the record of what it waited for stands under its key already, from an earlier request.
    pub(super) pending_recorded: bool,
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

    /// Whether it has a key that was not looked up, and that no commit will look at.
    pub(super) fn commits_no_key(&self) -> bool {
        self.key.is_some() && !self.progress.looked_up && self.work.said().is_none()
    }

    pub(crate) fn end(self, end: End) {
        // First: who hears the answer may ask again at once.
        drop(self.key);
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
