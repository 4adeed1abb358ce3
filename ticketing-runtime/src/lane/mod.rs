//! A lane: it decides the commands of one event one after another in memory, and everything decided while a commit is
//! under way goes into the next commit.
//!
//! The lane's book is ahead of the log by at most two groups: the one being committed and the one being gathered. A
//! caller is answered only when the facts behind the answer are durable. If a commit fails, the book rolls both groups
//! back, and their jobs are decided again on what the log says. Streams are read in background tasks, so that only the
//! jobs that need them wait.
//!
//! The files, in reading order:
//! - `lanes` starts and finds lanes; `job`, `command_job` and `question_job` are the requests in them.
//! - `decide` decides one job, `group` collects decisions, `commit` writes them, and `settle` handles the outcome.
//! - `parked` holds the jobs that wait for streams, `waiting` those that wait for the gateway, and `keys` those whose
//!   idempotency key is looked up. `background` does the reading.
//! - `answer_record` is what is stored under an idempotency key.
//! - `known_past` is what each commit proves about the log; `snapshots` makes the first read of a long stream short.
//! - `gateway_calls` carries out what was decided about money.

mod answer_record;
mod background;
mod command_job;
mod commit;
mod decide;
mod gateway_calls;
mod group;
mod index;
mod job;
mod keys;
mod known_past;
mod lanes;
mod parked;
mod question_job;
mod settle;
mod snapshots;
mod waiting;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ticketing_domain::book::Book;
use ticketing_ports::log::event_store::{CommitError, CommitReceipt, EventStore, Memory};
use ticketing_ports::log::identity::Landmark;
use ticketing_ports::log::lanes::LaneId;
use ticketing_ports::log::streams::{Position, StreamId, Version};
use ticketing_ports::vocabulary::ids::{CommitId, PaymentId};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::task::AbortOnDropHandle;

use self::background::BackgroundResult;
use self::commit::commit_for;
use self::group::Group;
use self::keys::Lookups;
use self::known_past::{KnownPast, announce_lost_past};
use self::parked::Parked;
use self::snapshots::Snapshots;
use crate::observer::Observed;
use crate::schema_floor::Written;

pub(crate) use self::command_job::CommandJob;
pub(crate) use self::index::LaneIndex;
use self::job::LaneMessage;
pub(crate) use self::job::{Delivered, Job};
pub(crate) use self::keys::{RunningKey, RunningKeys};
pub(crate) use self::lanes::Lanes;
pub(crate) use self::question_job::QuestionJob;

/// At most how many messages a lane takes from its mailbox before other tasks of the process get their turn.
const SLICE: usize = 100;
/// How often a lane checks whether another process has decided a payment that jobs of this lane wait for.
const PAYMENT_CHECK_EVERY: Duration = Duration::from_secs(1);

/// A running lane: it decides the commands of one event and commits what it has decided.
#[derive(Debug)]
pub(crate) struct Lane {
    id: LaneId,
    number: u64,
    mailbox: mpsc::Receiver<LaneMessage>,
    lanes: Arc<Lanes>,
    book: Book,
    gathering: Group,
    in_flight: Option<InFlight>,
    /// The jobs that wait for the gateway, by their payment.
    waiting: BTreeMap<PaymentId, Vec<Job>>,
    parked: Parked,
    lookups: Lookups,
    snapshots: Snapshots,
    background: JoinSet<BackgroundResult>,
    /// The channels on which a drain waits to be told that the lane has finished all that it accepted.
    barriers: Vec<oneshot::Sender<()>>,
    /// How far the log had reached after the last commit of this lane.
    position: Position,
    known_past: KnownPast,
    /// Whether other processes write to the same log.
    shared: bool,
    payment_check: Interval,
    /// Whether a background task is checking the payments that jobs wait for.
    checking_payments: bool,
    /// When the lane last decided or committed something, or last tried to end because it had no work.
    last_busy: Instant,
}

#[derive(Debug)]
struct InFlight {
    group: Group,
    /// How many of the lane's landmarks this commit proves: facts that the lane remembers and that the log must still
    /// have.
    landmarks: usize,
    /// The commit's task. It is aborted when the lane ends, so that an aborted engine writes nothing more.
    commit: AbortOnDropHandle<Result<Committed, CommitError>>,
}

impl Lane {
    pub(crate) fn new(id: LaneId, number: u64, mailbox: mpsc::Receiver<LaneMessage>, lanes: Arc<Lanes>) -> Self {
        let mut payment_check = tokio::time::interval(PAYMENT_CHECK_EVERY);
        payment_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            id,
            number,
            mailbox,
            book: Book::new(id),
            shared: lanes.ports.events.has_other_writers(),
            lanes,
            gathering: Group::default(),
            in_flight: None,
            waiting: BTreeMap::new(),
            parked: Parked::default(),
            lookups: Lookups::default(),
            snapshots: Snapshots::default(),
            background: JoinSet::new(),
            barriers: Vec::new(),
            position: Position::START,
            known_past: KnownPast::default(),
            payment_check,
            checking_payments: false,
            last_busy: Instant::now(),
        }
    }

    pub(crate) async fn run(mut self) {
        let mut inbox = Vec::new();
        loop {
            self.start_pending_work();
            let room = self.lanes.config.batch.saturating_sub(self.gathering.entries.len());
            let until = self.last_busy + self.patience();
            let quiet = self.is_settled() && !self.mailbox.is_closed();
            tokio::select! {
                biased;
                _ = self.payment_check.tick(), if self.shared && !self.waiting.is_empty() => self.check_waited_payments(),
                (flight, outcome) = outcome_of(&mut self.in_flight) => {
                    self.settle(flight, outcome);
                    self.gather().await;
                }
                Some(result) = self.background.join_next() => self.take_background_result(result),
                received = self.mailbox.recv_many(&mut inbox, room.min(SLICE)), if room > 0 => {
                    if received == 0 {
                        break;
                    }
                    inbox.drain(..).for_each(|message| self.receive(message));
                    tokio::task::yield_now().await;
                }
                () = tokio::time::sleep_until(until), if quiet => self.retire(),
            }
            self.last_busy = Instant::now();
        }
        self.finish().await;
    }

    /// Lets tasks that are ready submit their requests before the next commit, so that a busy process writes fewer
    /// and larger groups. In an idle process this takes no time.
    async fn gather(&mut self) {
        tokio::task::yield_now().await;
        while self.gathering.entries.len() < self.lanes.config.batch
            && let Ok(message) = self.mailbox.try_recv()
        {
            self.receive(message);
        }
    }

    /// Finishes the jobs that the lane has accepted, after its mailbox has been closed.
    async fn finish(mut self) {
        loop {
            self.start_pending_work();
            tokio::select! {
                biased;
                (flight, outcome) = outcome_of(&mut self.in_flight), if self.in_flight.is_some() => {
                    self.settle(flight, outcome);
                }
                Some(result) = self.background.join_next() => self.take_background_result(result),
                else => break,
            }
        }
        // These jobs go to the next lane with this id, because the gateway's answer will be reported to that lane.
        for job in std::mem::take(&mut self.waiting).into_values().flatten() {
            self.lanes.hand_over(self.id, job);
        }
    }

    fn observe(&self, seen: Observed) {
        self.lanes.config.observer.observe(seen);
    }

    fn receive(&mut self, message: LaneMessage) {
        match message {
            LaneMessage::Job(job) => self.accept(job),
            LaneMessage::Barrier(settled) => self.barriers.push(settled),
        }
    }

    /// Starts the look-ups, reads and commits that are due. If the lane has nothing left to do, tells this to the
    /// drains that wait for it.
    fn start_pending_work(&mut self) {
        self.start_lookup();
        self.start_loading();
        self.start_commit();
        if self.is_settled() {
            for settled in self.barriers.drain(..) {
                // The send fails only if the drain no longer waits.
                let _ = settled.send(());
            }
        }
    }

    /// Whether the lane has nothing left to do, other than waiting for the gateway.
    fn is_settled(&self) -> bool {
        self.in_flight.is_none()
            && self.gathering.is_empty()
            && self.parked.is_empty()
            && self.lookups.is_empty()
            && self.background.is_empty()
    }

    /// How long the lane stays in memory without work.
    fn patience(&self) -> Duration {
        // An empty catalog stream means that the event does not exist. Its lane is dropped at once, so that requests
        // for random ids do not fill the memory.
        let catalog = self.id.event_id().map(StreamId::from);
        let made_up = catalog.is_some_and(|catalog| self.book.read_from(catalog) == Version::NONE);
        if made_up && self.waiting.is_empty() {
            Duration::ZERO
        } else {
            self.lanes.config.lane_idle
        }
    }

    /// Ends the lane, unless a caller still waits for the gateway. Messages in the mailbox are still answered.
    fn retire(&mut self) {
        for jobs in self.waiting.values_mut() {
            jobs.retain(|job| !job.work.is_abandoned());
        }
        self.waiting.retain(|_, jobs| !jobs.is_empty());
        if self.waiting.is_empty() {
            self.lanes.forget(self.id, self.number);
            self.mailbox.close();
        }
    }

    fn start_commit(&mut self) {
        while self.in_flight.is_none() && !self.gathering.is_empty() {
            let next = Group::starting_at(self.book.savepoint());
            let mut group = std::mem::replace(&mut self.gathering, next);
            let commit = if group.writes_nothing() {
                let seen = group.take_read_set();
                if !self.shared || seen.is_empty() {
                    self.conclude(group);
                    continue;
                }
                group.snapshots = self.snapshots.take_unproved();
                self.check(seen)
            } else {
                group.snapshots = self.snapshots.take_unproved();
                self.write(&mut group)
            };
            let commit = AbortOnDropHandle::new(commit);
            let landmarks = self.known_past.landmarks.len();
            self.in_flight = Some(InFlight {
                group,
                landmarks,
                commit,
            });
        }
    }

    /// Commits what a group has decided. The store refuses the commit if the log lacks one of the lane's landmarks.
    fn write(&self, group: &mut Group) -> JoinHandle<Result<Committed, CommitError>> {
        let ports = &self.lanes.ports;
        let id = CommitId::new(ports.ids.uuid());
        group.snapshots.extend(self.snapshots_of(group, id));
        let mut commit = group.commit(id, self.id, ports.clock.now());
        commit.landmarks.clone_from(&self.known_past.landmarks);
        let mut facts = group.take_facts();
        if self.lanes.floor.write_for_all(&mut commit) == Written::Lowered {
            // The facts are written in an older version that may say less than the facts in memory. So the facts in
            // memory are not handed to the followers, which then read the written ones from the log.
            facts.clear();
        }
        let (lanes, known_incarnation) = (Arc::clone(&self.lanes), self.known_past.incarnation);
        let jobs = group.entries.len();
        tokio::spawn(async move {
            let (store, observer) = (lanes.ports.events.as_ref(), lanes.config.observer.as_ref());
            match commit_for(jobs, &commit, store, observer).await {
                Ok(receipt) => {
                    lanes.log.note_incarnation(receipt.incarnation);
                    lanes.tail.take(commit, facts, receipt);
                    Ok(Some((id, receipt)))
                }
                Err(CommitError::LostPast) => Err(announce_lost_past(&lanes, store, known_incarnation).await),
                Err(error) => Err(error),
            }
        })
    }

    /// Checks the read set of a group that writes nothing, as a commit would.
    fn check(&self, seen: Vec<(StreamId, Version)>) -> JoinHandle<Result<Committed, CommitError>> {
        let (lanes, known_incarnation) = (Arc::clone(&self.lanes), self.known_past.incarnation);
        let landmarks = self.known_past.landmarks.clone();
        tokio::spawn(async move {
            let store = lanes.ports.events.as_ref();
            match check(store, &seen, &landmarks).await {
                Ok(()) => Ok(None),
                Err(CommitError::LostPast) => Err(announce_lost_past(&lanes, store, known_incarnation).await),
                Err(error) => Err(error),
            }
        })
    }
}

/// The id and the receipt of a commit. `None` if the group had nothing to write.
type Committed = Option<(CommitId, CommitReceipt)>;

/// Waits for the commit in flight and returns its group and outcome. Never returns while no commit is in flight.
async fn outcome_of(in_flight: &mut Option<InFlight>) -> (InFlight, Result<Committed, CommitError>) {
    if let Some(flight) = in_flight {
        let outcome = (&mut flight.commit).await;
        if let Some(flight) = in_flight.take() {
            // After a panic of the task it is unknown whether the commit was written.
            return (
                flight,
                outcome.unwrap_or_else(|panic| Err(CommitError::Unknown(panic.into()))),
            );
        }
    }
    std::future::pending().await
}

/// Checks that the log still has the `landmarks`, and that no stream of `seen` has changed.
async fn check(
    store: &dyn EventStore,
    seen: &[(StreamId, Version)],
    landmarks: &[Landmark],
) -> Result<(), CommitError> {
    match store.check_memory(seen, landmarks).await {
        Ok(Memory::Current) => Ok(()),
        Ok(Memory::Stale(streams)) => Err(CommitError::Conflict { streams }),
        Ok(Memory::OfALostPast) => Err(CommitError::LostPast),
        Err(error) => Err(CommitError::Unavailable(error.into())),
    }
}
