//! One request on its way through a lane.
//!
//! The lane handles every request as an [`ErasedJob`]. Behind that trait, the request knows the type of its reply and
//! the channel on which its caller waits.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use ticketing_domain::book::{Book, Caller, Staged, Wants};
use ticketing_domain::reducer::Context;
use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::{Metadata, Position, RecordedEvent, StreamId};
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::vocabulary::ids::PaymentId;
use ticketing_ports::vocabulary::trace_context::TraceContext;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::answer_record::{AnswerRecord, LegacyAnswer};
use super::running_keys::RunningKey;
use crate::failure::Failure;
use crate::spans::{Span, Tracer};
use crate::trail;

/// A message in a lane's mailbox.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every message is a job, and a box would cost each of them an allocation"
)]
pub(crate) enum LaneMessage {
    Job(Job),
    /// Asks the lane to send on this channel once it has finished all earlier messages.
    Barrier(oneshot::Sender<()>),
}

/// A request on its way through a lane, with what the lane has noted about it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) work: Box<dyn ErasedJob>,
    pub(crate) caller: Caller,
    /// The metadata for each fact that the job leads to, also for facts that later commands record because of this
    /// job.
    pub(crate) cause: Metadata,
    /// The idempotency key. `None` if the caller sent none.
    pub(crate) key: Option<RunningKey>,
    pub(crate) progress: Progress,
    /// When the job was made.
    began: Instant,
    /// Records the job's span when the job ends. `None` if the request is in no trace that is recorded.
    recorder: Option<Box<SpanRecorder>>,
}

/// What the lane has done with a job so far.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Whether the lane has asked the store for the record of the job's idempotency key.
    pub(super) looked_up: bool,
    /// Whether an earlier request has recorded the pending payment under the job's idempotency key.
    pub(super) pending_recorded: bool,
    /// Whether the payment that the job waits for is in the log. If so, the payment must not be started again.
    pub(super) waits_durably: bool,
    /// How many times the job was decided again because its decision had been rolled back.
    pub(super) retries: u32,
    /// How many times streams were loaded for the job.
    pub(super) rounds: u32,
    /// The streams that were loaded for the job. The book keeps them until the job has used them.
    pub(super) loaded: Vec<StreamId>,
}

impl Job {
    pub(crate) fn new(work: impl ErasedJob + 'static, caller: Caller, cause: Metadata) -> Self {
        Self {
            work: Box::new(work),
            caller,
            cause,
            key: None,
            progress: Progress::default(),
            began: Instant::now(),
            recorder: None,
        }
    }

    /// Lets the job record its span when it ends, if its request is in a trace that is recorded.
    pub(super) fn trace_with(&mut self, tracer: &Arc<dyn Tracer>, clock: &dyn Clock) {
        let sampled = tracer.is_on() && self.cause.trace.as_ref().is_some_and(TraceContext::is_sampled);
        self.recorder = sampled.then(|| {
            Box::new(SpanRecorder {
                tracer: Arc::clone(tracer),
                began: clock.now(),
            })
        });
    }

    /// Whether the job has an idempotency key that no look-up has checked and that no commit will check.
    pub(super) fn commits_no_key(&self) -> bool {
        self.key.is_some() && !self.progress.looked_up && self.work.answer_record().is_none()
    }

    pub(crate) fn end(self, end: JobOutcome) {
        if let Some(outcome) = self.work.outcome(&end) {
            let command = self.work.name();
            let took = self.began.elapsed();
            trail::command_ended(command, outcome, took, &self.cause);
            if let (Some(recorder), Some(trace)) = (&self.recorder, &self.cause.trace) {
                recorder.record(trace, command, outcome, took, self.progress.retries);
            }
        }
        // The key is released before the caller is answered, because the caller may repeat the request at once.
        drop(self.key);
        self.work.end(end);
    }

    pub(crate) fn fail(self, failure: Failure) {
        self.end(JobOutcome::Failed(failure));
    }
}

/// Records the span of one job.
#[derive(Debug)]
struct SpanRecorder {
    tracer: Arc<dyn Tracer>,
    /// When the job was handed to its lane.
    began: Timestamp,
}

impl SpanRecorder {
    fn record(&self, trace: &TraceContext, command: &'static str, outcome: &str, took: Duration, retries: u32) {
        self.tracer.record(&Span {
            parent: trace,
            name: "command",
            began: self.began,
            took,
            details: &[
                ("ticketing.command", command.into()),
                ("ticketing.outcome", outcome.into()),
                ("ticketing.retries", i64::from(retries).into()),
            ],
        });
    }
}

/// The result of running a job once.
#[derive(Debug)]
pub(crate) enum RunOutcome {
    /// The answer is ready. The caller gets it once the staged facts are durable.
    Answered(Staged),
    /// The answer depends on the next fact of this payment.
    Awaits(PaymentId, Staged),
    /// The book lacks these streams. The run has changed nothing.
    Load(Wants),
}

/// How a job ends.
#[derive(Debug)]
pub(crate) enum JobOutcome {
    /// The job's own answer is durable. By then the log had reached this position.
    Answered(Position),
    /// The job ends with this failure in place of an answer.
    Failed(Failure),
    /// An earlier request with the same idempotency key was answered. The reply is built from the record of that
    /// answer and these facts.
    Repeated {
        record: AnswerRecord,
        facts: Vec<RecordedEvent>,
        position: Position,
    },
    /// An earlier request with the same idempotency key was answered by a build that stored whole answers.
    RepeatedLegacy { legacy: LegacyAnswer, position: Position },
}

/// A job as the lane sees it, without the type of its reply.
pub(crate) trait ErasedJob: Debug + Send {
    /// The name of the command or question, for observers and errors.
    fn name(&self) -> &'static str;

    /// Decides the job. If it waits for a payment, checks whether the book has the outcome.
    fn run(&mut self, book: &mut Book, ctx: &Context<'_>, caller: Caller) -> RunOutcome;

    /// Drops the answer, because the facts behind it were rolled back. Keeps the pending payment if the log has it,
    /// as `durable` says.
    fn take_back(&mut self, durable: bool);

    /// Makes the job wait for the payment that an earlier request with the same key has started.
    ///
    /// # Errors
    /// Fails if this build cannot read the record.
    fn resume(&mut self, record: &AnswerRecord) -> Result<(), Failure>;

    /// Whether the command may have to wait for the gateway.
    fn may_wait(&self) -> bool;

    /// The payment whose outcome the job waits for. `None` if it waits for none.
    fn awaits(&self) -> Option<PaymentId>;

    /// What to record under the job's idempotency key. `None` if nothing is recorded and a repeated request is decided
    /// again.
    fn answer_record(&self) -> Option<AnswerRecord>;

    /// The payment whose outcome the job reports. `None` if it reports none.
    fn reports_on(&self) -> Option<PaymentId>;

    /// How the job ends, in one word for logs and traces: `answered`, `repeated`, or the code of its failure. `None` for
    /// a question, which decides nothing.
    fn outcome(&self, end: &JobOutcome) -> Option<&'static str>;

    /// Whether no caller waits for the answer any more.
    fn is_abandoned(&self) -> bool;

    /// Sends the caller its answer.
    fn end(self: Box<Self>, end: JobOutcome);
}

/// A reply as the lane sends it, with what the box office needs to make a consistency token and to remember the lane.
#[derive(Debug)]
pub(crate) struct Delivered<T> {
    /// The reply itself.
    pub(crate) value: T,
    /// How far the log had reached when the facts behind the reply were durable.
    pub(crate) position: Position,
    /// The stream that the reply is a view of. `None` if the reply is not a view of one stream.
    pub(crate) stream: Option<StreamId>,
}
/// Where the reply of a job is sent.
pub(crate) type Channel<T> = oneshot::Sender<Result<Delivered<T>, Failure>>;
