//! One lane: commands are decided one after another in memory, and everything decided while a commit is under way goes
//! into the next one.
//!
//! The lane's book runs ahead of the log by at most two groups: the one being committed and the one being gathered. No
//! caller is told anything before the facts it rests on are durable. When a commit fails, the book takes back what it
//! assumed and the jobs of both groups are decided again on what the log says. Whatever has to be read is read beside the
//! lane: only who needs it waits.
//!
//! `lanes` finds and starts them. `decide` decides one job, `group` gathers what was decided, `commit` writes it and
//! `settle` takes the outcome; `remembered` is what a commit proves of the past. `parked` keeps who waits for the log,
//! `waiting` who waits for the gateway, `keys` who waits for an idempotency key. `snapshots` makes the first look at a long
//! stream short.

mod asked;
mod chores;
mod commit;
mod decide;
mod gateway_calls;
mod group;
mod index;
mod job;
mod keys;
mod lanes;
mod parked;
mod remembered;
mod said;
mod settle;
mod snapshots;
mod waiting;
mod wondering;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ticketing_domain::book::Book;
use ticketing_ports::log::event_store::{CommitError, CommitReceipt, EventStore};
use ticketing_ports::log::identity::Landmark;
use ticketing_ports::log::lanes::LaneId;
use ticketing_ports::log::streams::{Position, StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{CommitId, PaymentId};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::task::AbortOnDropHandle;

use self::chores::Chore;
use self::commit::commit_for;
use self::group::Group;
use self::keys::Lookups;
use self::parked::Parked;
use self::remembered::{Remembered, tell_loss};
use self::snapshots::Snapshots;
use crate::floor::Written;
use crate::observer::Observed;

pub(crate) use self::asked::Asked;
pub(crate) use self::index::LaneIndex;
use self::job::Letter;
pub(crate) use self::job::{Delivered, Job};
pub(crate) use self::keys::{RunningKey, RunningKeys};
pub(crate) use self::lanes::Lanes;
pub(crate) use self::wondering::Wondering;

/// How many letters are taken from the mailbox before others in this process have their turn.
const SLICE: usize = 100;
/// How often payments that are waited for are looked up in a log that others write to: they may have settled them.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Lane {
    id: LaneId,
    number: u64,
    mailbox: mpsc::Receiver<Letter>,
    lanes: Arc<Lanes>,
    book: Book,
    gathering: Group,
    in_flight: Option<InFlight>,
    /// Jobs that the gateway has to answer first, by the payment they wait for.
    waiting: BTreeMap<PaymentId, Vec<Job>>,
    parked: Parked,
    lookups: Lookups,
    snapshots: Snapshots,
    chores: JoinSet<Chore>,
    /// Whoever wants to know when everything is settled.
    barriers: Vec<oneshot::Sender<()>>,
    /// How far the log reached after the last commit of this lane.
    position: Position,
    remembered: Remembered,
    /// Whether others write to the log too.
    shared: bool,
    look_again: Interval,
    /// Whether it is looking just now.
    looking: bool,
    /// When it last decided or committed something, or tried to retire.
    last_busy: Instant,
}

#[derive(Debug)]
struct InFlight {
    group: Group,
    /// How many of the lane's landmarks it insists on.
    landmarks: usize,
    /// Dies with the lane: what a process has not handed in when it ends, nobody hands in.
    commit: AbortOnDropHandle<Result<Committed, CommitError>>,
}

impl Lane {
    pub(crate) fn new(id: LaneId, number: u64, mailbox: mpsc::Receiver<Letter>, lanes: Arc<Lanes>) -> Self {
        let mut look_again = tokio::time::interval(LOOK_AGAIN);
        look_again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            id,
            number,
            mailbox,
            book: Book::new(id),
            shared: lanes.ports.events.is_shared(),
            lanes,
            gathering: Group::default(),
            in_flight: None,
            waiting: BTreeMap::new(),
            parked: Parked::default(),
            lookups: Lookups::default(),
            snapshots: Snapshots::default(),
            chores: JoinSet::new(),
            barriers: Vec::new(),
            position: Position::START,
            remembered: Remembered::default(),
            look_again,
            looking: false,
            last_busy: Instant::now(),
        }
    }

    pub(crate) async fn run(mut self) {
        let mut inbox = Vec::new();
        loop {
            self.start_what_waits();
            let room = self.lanes.config.batch.saturating_sub(self.gathering.entries.len());
            let until = self.last_busy + self.patience();
            let quiet = self.is_settled() && !self.mailbox.is_closed();
            tokio::select! {
                biased;
                _ = self.look_again.tick(), if self.shared && !self.waiting.is_empty() => self.look_after_waiting(),
                (flight, outcome) = outcome_of(&mut self.in_flight) => {
                    self.settle(flight, outcome);
                    self.gather().await;
                }
                Some(chore) = self.chores.join_next() => self.finish_chore(chore),
                received = self.mailbox.recv_many(&mut inbox, room.min(SLICE)), if room > 0 => {
                    if received == 0 {
                        break;
                    }
                    inbox.drain(..).for_each(|letter| self.open(letter));
                    tokio::task::yield_now().await;
                }
                () = tokio::time::sleep_until(until), if quiet => self.retire(),
            }
            self.last_busy = Instant::now();
        }
        self.finish().await;
    }

    /// Before the next commit: lets everybody who is ready hand in what they ask, so that a busy machine writes fewer and
    /// larger groups. On one that is idle this takes no time.
    async fn gather(&mut self) {
        tokio::task::yield_now().await;
        while self.gathering.entries.len() < self.lanes.config.batch
            && let Ok(letter) = self.mailbox.try_recv()
        {
            self.open(letter);
        }
    }

    /// The mailbox is closed: finishes what was taken.
    async fn finish(mut self) {
        loop {
            self.start_what_waits();
            tokio::select! {
                biased;
                (flight, outcome) = outcome_of(&mut self.in_flight), if self.in_flight.is_some() => {
                    self.settle(flight, outcome);
                }
                Some(chore) = self.chores.join_next() => self.finish_chore(chore),
                else => break,
            }
        }
        // The gateway's answer will come to the next lane of this id.
        for job in std::mem::take(&mut self.waiting).into_values().flatten() {
            self.lanes.hand_over(self.id, job);
        }
    }

    fn observe(&self, seen: Observed) {
        self.lanes.config.observer.observe(seen);
    }

    fn open(&mut self, letter: Letter) {
        match letter {
            Letter::Job(job) => self.take(job),
            Letter::Barrier(settled) => self.barriers.push(settled),
        }
    }

    /// Starts everything that can go on beside the lane, and answers barriers once nothing does.
    fn start_what_waits(&mut self) {
        self.start_lookup();
        self.start_loading();
        self.start_commit();
        if self.is_settled() {
            for settled in self.barriers.drain(..) {
                // Whoever asked may have gone.
                let _ = settled.send(());
            }
        }
    }

    /// Whether nothing is under way but what waits for the gateway.
    fn is_settled(&self) -> bool {
        self.in_flight.is_none()
            && self.gathering.is_empty()
            && self.parked.is_empty()
            && self.lookups.is_empty()
            && self.chores.is_empty()
    }

    fn patience(&self) -> Duration {
        // Nobody comes back to an event that does not exist; a flood of made-up ids must not fill the memory.
        let catalog = self.id.event_id().map(StreamId::from);
        let made_up = catalog.is_some_and(|catalog| self.book.read_from(catalog) == Version::NONE);
        if made_up && self.waiting.is_empty() {
            Duration::ZERO
        } else {
            self.lanes.config.lane_idle
        }
    }

    /// Gives the memory back, unless somebody still waits for the gateway. What is in the mailbox is still answered.
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
            let next = Group::starting_at(self.book.mark());
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
            let landmarks = self.remembered.landmarks.len();
            self.in_flight = Some(InFlight {
                group,
                landmarks,
                commit,
            });
        }
    }

    /// Writes what a group has decided, if the log still has everything that the lane remembers.
    fn write(&self, group: &mut Group) -> JoinHandle<Result<Committed, CommitError>> {
        let ports = &self.lanes.ports;
        let id = CommitId::new(ports.ids.uuid());
        group.snapshots.extend(self.snapshots_of(group, id));
        let mut commit = group.commit(id, self.id, ports.clock.now());
        commit.landmarks.clone_from(&self.remembered.landmarks);
        let mut facts = group.take_facts();
        if self.lanes.floor.write_for_all(&mut commit) == Written::Lowered {
            // Whoever follows is to see what the log says, and nothing more.
            facts.clear();
        }
        let (lanes, lived_in) = (Arc::clone(&self.lanes), self.remembered.incarnation);
        let jobs = group.entries.len();
        tokio::spawn(async move {
            let (store, observer) = (lanes.ports.events.as_ref(), lanes.config.observer.as_ref());
            match commit_for(jobs, &commit, store, observer).await {
                Ok(receipt) => {
                    lanes.log.heard(receipt.incarnation);
                    lanes.tail.take(commit, facts, receipt);
                    Ok(Some((id, receipt)))
                }
                Err(CommitError::LostPast) => Err(tell_loss(&lanes, store, lived_in).await),
                Err(error) => Err(error),
            }
        })
    }

    /// Looks whether what a group that writes nothing has seen is still so, as a commit that insists on it would.
    fn check(&self, seen: Vec<(StreamId, Version)>) -> JoinHandle<Result<Committed, CommitError>> {
        let (lanes, lived_in) = (Arc::clone(&self.lanes), self.remembered.incarnation);
        let landmarks = self.remembered.landmarks.clone();
        tokio::spawn(async move {
            let store = lanes.ports.events.as_ref();
            match check(store, &seen, &landmarks).await {
                Ok(()) => Ok(None),
                Err(CommitError::LostPast) => Err(tell_loss(&lanes, store, lived_in).await),
                Err(error) => Err(error),
            }
        })
    }
}

/// `None` if the group had nothing to write.
type Committed = Option<(CommitId, CommitReceipt)>;

/// The group in flight and what became of its commit. Never, while there is none.
async fn outcome_of(in_flight: &mut Option<InFlight>) -> (InFlight, Result<Committed, CommitError>) {
    if let Some(flight) = in_flight {
        let outcome = (&mut flight.commit).await;
        if let Some(flight) = in_flight.take() {
            // A commit that panicked may or may not have been written; the callers must not be told either.
            return (
                flight,
                outcome.unwrap_or_else(|panic| Err(CommitError::Unknown(panic.into()))),
            );
        }
    }
    std::future::pending().await
}

/// A landmark that is looked at before the log is put back, and another one after that, are no trap: the older copy has
/// everything before a landmark that it has.
async fn check(
    store: &dyn EventStore,
    seen: &[(StreamId, Version)],
    landmarks: &[Landmark],
) -> Result<(), CommitError> {
    let unavailable = |error: StoreError| CommitError::Unavailable(error.into());
    let streams = store.moved_on(seen).await.map_err(unavailable)?;
    for landmark in landmarks {
        if store.commit_at(landmark.position).await.map_err(unavailable)? != Some(landmark.commit) {
            return Err(CommitError::LostPast);
        }
    }
    if streams.is_empty() {
        Ok(())
    } else {
        Err(CommitError::Conflict { streams })
    }
}
