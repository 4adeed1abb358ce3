//! One event on sale: commands are decided one after another in memory, and everything decided while a commit is under
//! way goes into the next one.
//!
//! The lane's book runs ahead of the log by at most two batches: the one being committed and the one being gathered. No
//! caller is told anything before the facts it rests on are durable. When a commit fails, the book forgets what it
//! assumed and the jobs of both batches are decided again on what the log says.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ticketing_domain::book::{About, Command, EventBook, Outcome, Question, Reply, Unanswered};
use ticketing_domain::policy;
use ticketing_domain::reducer::Context;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::errors::StoreError;
use ticketing_ports::event_store::{CommitError, CommitReceipt, EventStore};
use ticketing_ports::ids::{CommitId, EventId, PaymentId};
use ticketing_ports::streams::{Aggregate, Position, StreamId, Version};
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::task::AbortOnDropHandle;
use tracing::{error, warn};

use crate::batch::{Batch, Entry, Verdict};
use crate::commit::commit_for;
use crate::failure::{Failure, UnavailableCause};
use crate::gateway_calls;
use crate::idempotency;
use crate::job::{Ask, Job, RunningKey, Telling, question_key, telling};
use crate::lanes::Lanes;

/// How many facts of a stream are read at once.
const PAGE: usize = 2_000;
/// So often a job is decided again because other writers were faster; then its caller is told to come back.
const MAX_RETRIES: u32 = 100;
/// How often payments that are waited for are looked up in a log that others write to: they may have settled them.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Lane {
    event: EventId,
    number: u64,
    mailbox: mpsc::Receiver<Job>,
    lanes: Arc<Lanes>,
    book: EventBook,
    gathering: Batch,
    in_flight: Option<InFlight>,
    /// Jobs that the gateway has to answer first.
    waiting: Vec<(Job, Question)>,
    /// How far the log reached after the last commit of this lane.
    position: Position,
    /// Whether others write to the log too.
    shared: bool,
    /// Sections that somebody else has written to: what they wrote has to be read.
    stale: BTreeSet<StreamId>,
    look_again: Interval,
    /// The log could not be read in this round. It takes its time to say so, and whoever is next in the queue has waited
    /// for that already.
    unreadable: bool,
    /// When it last decided or committed something, or tried to retire.
    last_busy: Instant,
}

/// Nothing when the batch had nothing to write.
type Committed = Option<CommitReceipt>;

#[derive(Debug)]
struct InFlight {
    batch: Batch,
    /// Dies with the lane: what a process has not handed in when it ends, nobody hands in.
    commit: AbortOnDropHandle<Result<Committed, CommitError>>,
}

/// What somebody else has recorded under a key.
enum Recorded {
    Answer(Result<Reply, Failure>),
    Question(Question),
}

impl Lane {
    pub(crate) fn new(event: EventId, number: u64, mailbox: mpsc::Receiver<Job>, lanes: Arc<Lanes>) -> Self {
        let shared = lanes.ports.events.is_shared();
        let book = if shared {
            EventBook::of_shared_log(event)
        } else {
            EventBook::new(event)
        };
        let mut look_again = tokio::time::interval(LOOK_AGAIN);
        look_again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            event,
            number,
            mailbox,
            lanes,
            book,
            shared,
            stale: BTreeSet::new(),
            look_again,
            unreadable: false,
            last_busy: Instant::now(),
            gathering: Batch::default(),
            in_flight: None,
            waiting: Vec::new(),
            position: Position::START,
        }
    }

    pub(crate) async fn run(mut self) {
        let mut inbox = Vec::new();
        loop {
            self.unreadable = false;
            self.start_commit();
            let room = self.lanes.config.batch.saturating_sub(self.gathering.entries.len());
            let quiet = self.is_quiet();
            let until = self.last_busy + self.patience();
            tokio::select! {
                biased;
                _ = self.look_again.tick(), if self.shared && !self.waiting.is_empty() => {
                    self.look_after_waiting().await;
                    // A log that does not answer takes longer to say so than this rests: the others have their turn.
                    self.look_again.reset();
                }
                outcome = outcome_of(&mut self.in_flight), if self.in_flight.is_some() => {
                    self.settle(outcome).await;
                    self.last_busy = Instant::now();
                }
                received = self.mailbox.recv_many(&mut inbox, room), if room > 0 => {
                    if received == 0 {
                        break;
                    }
                    for job in inbox.drain(..) {
                        self.decide(job).await;
                    }
                    self.last_busy = Instant::now();
                }
                () = tokio::time::sleep_until(until), if quiet => {
                    self.retire();
                    self.last_busy = Instant::now();
                }
            }
        }
        // The mailbox is closed: finish what was taken.
        while !self.gathering.is_empty() || self.in_flight.is_some() {
            self.unreadable = false;
            self.start_commit();
            if self.in_flight.is_some() {
                let outcome = outcome_of(&mut self.in_flight).await;
                self.settle(outcome).await;
            }
        }
        // The gateway's answer will come to the next lane of this event.
        for (mut job, question) in self.waiting.drain(..) {
            job.ask = Ask::Outcome(question);
            self.lanes.hand_over(self.event, job);
        }
    }

    fn is_quiet(&self) -> bool {
        self.in_flight.is_none() && self.gathering.is_empty() && !self.mailbox.is_closed()
    }

    fn patience(&self) -> Duration {
        // Nobody comes back to an event that does not exist; a flood of made-up ids must not fill the memory.
        let made_up = self.book.is_known_not_to_exist() && self.waiting.is_empty();
        if made_up {
            Duration::ZERO
        } else {
            self.lanes.config.lane_idle
        }
    }

    /// Gives the memory back, unless somebody still waits for the gateway. What is in the mailbox is still answered.
    fn retire(&mut self) {
        self.waiting
            .retain(|(job, _)| job.reply.as_ref().is_some_and(|reply| !reply.is_closed()));
        if self.waiting.is_empty() {
            self.lanes.forget(self.event, self.number);
            self.mailbox.close();
        }
    }

    async fn decide(&mut self, job: Job) {
        if let Err(failure) = self.load_for(&job).await {
            self.tell_who_waits_for(job.brings_news_of());
            job.tell(Err(failure), self.position);
            return;
        }
        let now = self.lanes.ports.clock.now();
        if let Some(question) = job.asked {
            // A gateway that was down has charged nothing, so the request may be tried anew; all else is settled.
            let anew = matches!(
                self.book.answer(&question, now),
                Some(Err(Unanswered::GatewayUnavailable))
            );
            if !anew {
                self.wait_for(job, question);
                return;
            }
        }
        let answer = match &job.ask {
            Ask::Outcome(question) => {
                let question = *question;
                self.wait_for(job, question);
                return;
            }
            Ask::Command(command) => {
                self.rely_on(About::Command(command));
                let ids = Arc::clone(&self.lanes.ports.ids);
                let ctx = Context { now, ids: ids.as_ref() };
                match self.book.handle(command, &ctx) {
                    Ok(work) => {
                        let outcome = work.outcome.clone();
                        // What the gateway is reported to have said may be known here only now, and in the log already.
                        let pays = job.reply.is_none()
                            || work
                                .facts
                                .iter()
                                .any(|fact| fact.stream.aggregate == Aggregate::Payment);
                        if let Outcome::Pending(question) = &outcome
                            && !work.facts.is_empty()
                        {
                            self.gathering.record_question(&job, question, now);
                        }
                        self.gathering.stage(work, &job.metadata, self.shared);
                        match outcome {
                            Outcome::Reply(reply) => {
                                self.gathering.answer_and_record(job, Ok(Telling::Reply(reply)), now);
                            }
                            Outcome::Pending(question) => self.wait_for(job, question),
                        }
                        if pays {
                            self.answer_waiting();
                        }
                        return;
                    }
                    Err(refusal) => Err(refusal.into()),
                }
            }
            Ask::Reservation { by, id } => {
                self.rely_on(About::Reservation(*id));
                let view = self.book.reservation_view(*id, now);
                let own = view.filter(|view| policy::may_act_for(*by, view.customer_id));
                own.map(|view| Telling::Reply(Reply::Reservation(view)))
                    .ok_or_else(|| Refusal::ReservationNotFound(*id).into())
            }
            Ask::Payment { by, id } => {
                self.rely_on(About::Payment(*id));
                let view = self.book.payment_view(*id);
                let own = view.filter(|view| policy::may_act_for(*by, view.customer_id));
                own.map(|view| Telling::Reply(Reply::Payment(view)))
                    .ok_or_else(|| Refusal::PaymentNotFound(*id).into())
            }
            Ask::Section { viewer, name } => {
                self.rely_on(About::Section(name));
                let view = self.book.section_view(*viewer, name, now);
                view.map(Telling::Section).map_err(Failure::from)
            }
            Ask::Barrier => Ok(Telling::Reply(Reply::Done)),
        };
        self.gathering.answer(job, answer);
    }

    /// Lets the batch's answers stand only if nobody else has written to what they rest on.
    fn rely_on(&mut self, about: About<'_>) {
        if self.shared {
            self.gathering.rely_on(self.book.rests_on(about));
        }
    }

    /// Keeps a job until the gateway has answered; what is known already is answered with the next commit.
    fn wait_for(&mut self, job: Job, question: Question) {
        let now = self.lanes.ports.clock.now();
        match self.book.answer(&question, now) {
            Some(answer) => self.gathering.answer_and_record(job, telling(answer), now),
            None => self.gathering.entries.push(Entry {
                job,
                verdict: Verdict::Pending(question),
            }),
        }
    }

    /// Answers those who waited for a payment that has just moved.
    fn answer_waiting(&mut self) {
        let now = self.lanes.ports.clock.now();
        let here = self
            .gathering
            .entries
            .extract_if(.., |entry| matches!(entry.verdict, Verdict::Pending(_)));
        let here: Vec<_> = here.collect();
        for entry in here {
            let Verdict::Pending(question) = entry.verdict else {
                continue;
            };
            self.wait_for(entry.job, question);
        }
        for (job, question) in std::mem::take(&mut self.waiting) {
            match self.book.answer(&question, now) {
                Some(answer) => self.gathering.answer_after_waiting(job, question, telling(answer), now),
                None => self.waiting.push((job, question)),
            }
        }
    }

    /// What the gateway said of a payment is lost here, and is asked for again only when the payment's deadline is due:
    /// nobody is kept waiting for that.
    fn tell_who_waits_for(&mut self, payment: Option<PaymentId>) {
        let waits_for_it = |(_, question): &mut (Job, Question)| Some(question.payment_id()) == payment;
        for (job, _) in self.waiting.extract_if(.., waits_for_it) {
            job.tell(Err(not_taken()), self.position);
        }
    }

    fn start_commit(&mut self) {
        let mut batch = loop {
            if self.in_flight.is_some() || self.gathering.is_empty() {
                return;
            }
            let mut batch = std::mem::take(&mut self.gathering);
            if !batch.writes_nothing() {
                break batch;
            }
            let seen = batch.take_relied_on();
            if self.shared && !seen.is_empty() {
                let store = Arc::clone(&self.lanes.ports.events);
                let check = tokio::spawn(async move { check(store.as_ref(), &seen).await });
                let commit = AbortOnDropHandle::new(check);
                self.in_flight = Some(InFlight { batch, commit });
                return;
            }
            self.conclude(batch);
        };
        let ports = &self.lanes.ports;
        let commit = batch.commit(CommitId::new(ports.ids.uuid()), self.event.into(), ports.clock.now());
        let store = Arc::clone(&ports.events);
        let lanes = Arc::clone(&self.lanes);
        let jobs = batch.entries.len();
        let commit = tokio::spawn(async move {
            let observer = lanes.config.observer.as_ref();
            let receipt = commit_for(jobs, &commit, store.as_ref(), observer).await?;
            lanes.log.heard(receipt.incarnation);
            lanes.tail.take(commit, receipt);
            Ok(Some(receipt))
        });
        let commit = AbortOnDropHandle::new(commit);
        self.in_flight = Some(InFlight { batch, commit });
    }

    async fn settle(&mut self, (batch, outcome): (Batch, Result<Committed, CommitError>)) {
        match outcome {
            Ok(receipt) => {
                if let Some(receipt) = receipt.filter(|receipt| receipt.last > Position::START) {
                    self.position = receipt.last;
                }
                self.book.confirm(&batch.staged);
                self.conclude(batch);
            }
            Err(CommitError::Conflict { streams }) => {
                let jobs = self.take_back_all(batch);
                streams.into_iter().for_each(|stream| self.read_again(stream));
                self.decide_again(jobs).await;
            }
            Err(CommitError::KeyTaken { key }) => {
                let mut jobs = self.take_back_all(batch);
                let taken = |job: &Job| job.key.as_ref().is_some_and(|running| running.is_recorded_under(&key));
                if let Some(place) = jobs.iter().position(taken) {
                    let job = jobs.remove(place);
                    jobs.extend(self.replay(job).await);
                } else if let Some(place) = self.waiting.iter().position(|(job, _)| taken(job)) {
                    let (job, _) = self.waiting.remove(place);
                    jobs.extend(self.replay(job).await);
                }
                self.decide_again(jobs).await;
            }
            Err(error @ (CommitError::Unavailable(_) | CommitError::Unknown(_))) => {
                warn!(event_id = %self.event, error = &error as &dyn std::error::Error, "a commit failed");
                // Those who waited for the gateway are told too: nothing may ever wake them, if it was written after all.
                batch.streams().for_each(|stream| self.read_again(stream));
                for entry in batch.entries {
                    self.tell_who_waits_for(entry.job.brings_news_of());
                    entry.job.tell(Err(not_taken()), self.position);
                }
                let gathered = std::mem::take(&mut self.gathering);
                let jobs = self.take_back(gathered);
                self.decide_again(jobs).await;
            }
        }
    }

    /// Tells everybody whose facts are durable now, makes the calls that were waiting for that, and gives back memory.
    fn conclude(&mut self, batch: Batch) {
        let streams: Vec<StreamId> = batch.streams().collect();
        // Before anybody is told: whoever drains the engine then finds them under way.
        for call in batch.calls {
            gateway_calls::start(call, self.event, &self.lanes);
        }
        for entry in batch.entries {
            match entry.verdict {
                Verdict::Answer(answer) | Verdict::AfterWaiting { answer, .. } => {
                    entry.job.tell(answer, self.position);
                }
                Verdict::Pending(question) => {
                    let now = self.lanes.ports.clock.now();
                    match self.book.answer(&question, now) {
                        Some(answer) => {
                            self.gathering
                                .answer_after_waiting(entry.job, question, telling(answer), now);
                        }
                        None => self.waiting.push((entry.job, question)),
                    }
                }
            }
        }
        for stream in streams {
            if !self.gathering.touches(stream) {
                self.book.forget_if_settled(stream);
            }
        }
    }

    /// Takes back what was assumed of a stream, because the log has something else.
    fn read_again(&mut self, stream: StreamId) {
        if self.book.rewind(stream) {
            self.stale.insert(stream);
        }
    }

    /// Looks whether somebody else has settled what is waited for here.
    async fn look_after_waiting(&mut self) {
        let payments: BTreeSet<StreamId> = self
            .waiting
            .iter()
            .map(|(_, question)| question.payment_id().into())
            .collect();
        let in_flight = self.in_flight.as_ref().map(|flight| &flight.batch);
        let being_written =
            |stream| self.gathering.touches(stream) || in_flight.is_some_and(|batch| batch.touches(stream));
        let seen: Vec<_> = payments
            .into_iter()
            .filter(|stream| !being_written(*stream))
            .map(|stream| (stream, self.book.version(stream)))
            .collect();
        // Whoever waits, waits on: the next look may succeed.
        let moved = self.lanes.ports.events.moved_on(&seen).await.unwrap_or_default();
        for payment in moved {
            self.book.forget(payment);
            if let Err(failure) = self.load(payment).await {
                self.book.forget(payment);
                warn!(event_id = %self.event, stream = %payment, ?failure, "a payment that is waited for cannot be read");
            }
        }
        self.answer_waiting();
    }

    /// Undoes what was assumed in a failed batch and in the one gathered on top of it; returns the jobs of both in
    /// their order.
    fn take_back_all(&mut self, failed: Batch) -> Vec<Job> {
        let mut jobs = self.take_back(failed);
        let gathered = std::mem::take(&mut self.gathering);
        jobs.extend(self.take_back(gathered));
        jobs
    }

    /// Undoes what was assumed in a batch and returns its jobs. Those who waited for the gateway wait again.
    fn take_back(&mut self, batch: Batch) -> Vec<Job> {
        for stream in batch.streams() {
            self.book.rewind(stream);
        }
        let mut jobs = Vec::new();
        for entry in batch.entries {
            match entry.verdict {
                Verdict::AfterWaiting { question, .. } => self.waiting.push((entry.job, question)),
                Verdict::Answer(_) | Verdict::Pending(_) => jobs.push(entry.job),
            }
        }
        jobs
    }

    async fn decide_again(&mut self, jobs: Vec<Job>) {
        for mut job in jobs {
            job.retries += 1;
            if job.retries > MAX_RETRIES {
                job.tell(
                    Err(Failure::Busy {
                        retry_after: Duration::from_secs(1),
                    }),
                    self.position,
                );
            } else {
                self.decide(job).await;
            }
        }
    }

    /// Answers a job whose idempotency key somebody else has recorded in the meantime. Returns it when it has to wait
    /// for the same thing as theirs.
    async fn replay(&mut self, mut job: Job) -> Option<Job> {
        let running = job.key.as_ref()?;
        let answer = match self.recorded(running).await {
            Ok(Recorded::Answer(answer)) => answer,
            Ok(Recorded::Question(question)) => {
                job.asked = Some(question);
                return Some(job);
            }
            Err(failure) => Err(failure),
        };
        job.tell(answer.map(Telling::Reply), self.position);
        None
    }

    async fn recorded(&self, running: &RunningKey) -> Result<Recorded, Failure> {
        let keys = [running.key.clone(), question_key(&running.key)];
        let records = self.lanes.ports.idempotency.find_answers(&keys).await?;
        if let Some(record) = records.iter().find(|record| record.key == running.key) {
            return Ok(Recorded::Answer(idempotency::replay(record, running.fingerprint)));
        }
        match records.first() {
            Some(record) => Ok(Recorded::Question(idempotency::resume(record, running.fingerprint)?)),
            None => Err(Failure::Busy {
                retry_after: Duration::from_secs(1),
            }),
        }
    }

    /// Reads every stream that the book needs for the job.
    async fn load_for(&mut self, job: &Job) -> Result<(), Failure> {
        while let Some(stream) = self.stale.first().copied() {
            self.load(stream).await?;
            self.stale.remove(&stream);
        }
        loop {
            let mut missing = self.book.missing_foundations();
            if missing.is_empty() {
                if let Some(question) = &job.asked {
                    self.book.need_payment(question.payment_id(), &mut missing);
                }
                match &job.ask {
                    Ask::Outcome(question) => self.book.need_payment(question.payment_id(), &mut missing),
                    Ask::Command(command) => missing.extend(self.book.missing(command)),
                    Ask::Reservation { id, .. } => self.book.need_reservation(*id, &mut missing),
                    Ask::Payment { id, .. } => self.book.need_payment(*id, &mut missing),
                    Ask::Section { .. } | Ask::Barrier => {}
                }
            }
            if missing.is_empty() {
                return Ok(());
            }
            for stream in missing {
                if let Err(failure) = self.load(stream).await {
                    // Half a stream is worse than none.
                    self.book.forget(stream);
                    return Err(failure);
                }
            }
        }
    }

    async fn load(&mut self, stream: StreamId) -> Result<(), Failure> {
        loop {
            if self.unreadable {
                let cause = "the event store did not answer a moment ago";
                return Err(Failure::Unavailable(UnavailableCause::Store(cause.into())));
            }
            let after = self.book.version(stream);
            let read = self.lanes.ports.events.read_stream(stream, after, PAGE).await;
            self.unreadable = read.as_ref().is_err_and(StoreError::is_transient);
            let events = read?;
            if let Err(unreadable) = self.book.load(stream, &events) {
                error!(%stream, error = &unreadable as &dyn std::error::Error, "a stream cannot be read");
                return Err(Failure::Internal(unreadable.into()));
            }
            if events.len() < PAGE {
                self.gathering.loaded.insert(stream);
                return Ok(());
            }
        }
    }
}

fn not_taken() -> Failure {
    Failure::Unavailable(UnavailableCause::Store(
        "the event store did not take the commit".into(),
    ))
}

/// The batch in flight and what became of its commit.
async fn outcome_of(in_flight: &mut Option<InFlight>) -> (Batch, Result<Committed, CommitError>) {
    let Some(flight) = in_flight else {
        return std::future::pending().await;
    };
    let outcome = (&mut flight.commit).await;
    let batch = in_flight.take().map(|flight| flight.batch).unwrap_or_default();
    // A commit that panicked may or may not have been written; the callers must not be told either.
    (
        batch,
        outcome.unwrap_or_else(|panic| Err(CommitError::Unknown(panic.into()))),
    )
}

/// Looks whether what was seen is still so, as a commit that insists on it would.
async fn check(store: &dyn EventStore, seen: &[(StreamId, Version)]) -> Result<Committed, CommitError> {
    match store.moved_on(seen).await {
        Ok(streams) if streams.is_empty() => Ok(None),
        Ok(streams) => Err(CommitError::Conflict { streams }),
        Err(error) => Err(CommitError::Unavailable(error.into())),
    }
}

/// Commands that the world hands in go through the same lane as those of people.
pub(crate) async fn report(lanes: &Arc<Lanes>, event: EventId, command: Command) {
    lanes.report(event, Job::report(command)).await;
}
