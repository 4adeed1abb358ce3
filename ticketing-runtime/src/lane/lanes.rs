//! The lanes that are being talked about: found, started, retired.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use ticketing_ports::log::lanes::LaneId;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Lane;
use super::job::{Job, Letter};
use crate::failure::{Failure, UnavailableCause};
use crate::floor::Floor;
use crate::follow::Tail;
use crate::known_log::KnownLog;
use crate::setup::{EngineConfig, Ports};

/// After how long a caller should come back who found a full mailbox.
const RETRY_AFTER: std::time::Duration = std::time::Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Lanes {
    pub(crate) ports: Ports,
    pub(crate) config: EngineConfig,
    open: Mutex<Open>,
    tasks: TaskTracker,
    calls: TaskTracker,
    /// Ends lanes and calls wherever they are.
    crashed: CancellationToken,
    uses: AtomicU64,
    pub(crate) tail: Arc<Tail>,
    pub(crate) log: KnownLog,
    pub(crate) floor: Arc<Floor>,
}

#[derive(Debug, Default)]
struct Open {
    lanes: HashMap<LaneId, Entry>,
    /// Held by the running lane of an id; the next one waits until it has settled everything it took.
    turns: HashMap<LaneId, Weak<Turn>>,
    hours: Hours,
}

type Turn = tokio::sync::Mutex<()>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Hours {
    #[default]
    Open,
    /// Only the world still reports.
    Draining,
    Closed,
}

#[derive(Debug)]
struct Entry {
    mailbox: mpsc::Sender<Letter>,
    /// Tells lanes of one id apart when one takes over from another.
    number: u64,
    last_use: u64,
}

/// Who hands something in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Submitter {
    Person,
    World,
}

impl Lanes {
    pub(crate) fn new(ports: Ports, config: EngineConfig, tail: Arc<Tail>) -> Arc<Self> {
        Arc::new(Self {
            log: KnownLog::new(Arc::clone(&ports.events)),
            ports,
            config,
            open: Mutex::default(),
            tasks: TaskTracker::new(),
            calls: TaskTracker::new(),
            crashed: CancellationToken::new(),
            uses: AtomicU64::new(0),
            tail,
            floor: Arc::default(),
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().expect("no code panics while it holds this lock")
    }

    pub(crate) fn len(&self) -> usize {
        self.open().lanes.len()
    }

    /// Hands a person's request to its lane.
    ///
    /// A full mailbox answers at once, so that a caller never waits without knowing.
    pub(crate) fn submit(self: &Arc<Self>, lane: LaneId, job: Job) {
        self.send_or_tell(lane, job, Submitter::Person);
    }

    /// Gives a job that waits for the gateway to the lane that takes over.
    pub(crate) fn hand_over(self: &Arc<Self>, lane: LaneId, job: Job) {
        self.send_or_tell(lane, job, Submitter::World);
    }

    fn send_or_tell(self: &Arc<Self>, lane: LaneId, job: Job, from: Submitter) {
        let mut letter = Letter::Job(job);
        let failure = loop {
            let Some(mailbox) = self.mailbox(lane, from) else {
                break Failure::Unavailable(UnavailableCause::ShuttingDown);
            };
            match mailbox.try_send(letter) {
                Ok(()) => return,
                Err(mpsc::error::TrySendError::Full(returned)) => {
                    letter = returned;
                    let retry_after = RETRY_AFTER;
                    break Failure::Busy { retry_after };
                }
                // The lane retired in between; the next one takes the job.
                Err(mpsc::error::TrySendError::Closed(returned)) => letter = returned,
            }
        };
        if let Letter::Job(job) = letter {
            job.fail(failure);
        }
    }

    /// Hands in what the world reports, waiting for a place; also while the engine drains.
    pub(crate) async fn report(self: &Arc<Self>, lane: LaneId, job: Job) {
        self.post(lane, Letter::Job(job)).await;
    }

    async fn post(self: &Arc<Self>, lane: LaneId, letter: Letter) {
        let mut letter = letter;
        while let Some(mailbox) = self.mailbox(lane, Submitter::World) {
            match mailbox.send(letter).await {
                Ok(()) => break,
                Err(mpsc::error::SendError(returned)) => letter = returned,
            }
        }
    }

    /// `None` once nothing is taken any more.
    fn mailbox(self: &Arc<Self>, lane: LaneId, from: Submitter) -> Option<mpsc::Sender<Letter>> {
        let last_use = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut open = self.open();
        match (open.hours, from) {
            (Hours::Open, _) | (Hours::Draining, Submitter::World) => {}
            (Hours::Draining, Submitter::Person) | (Hours::Closed, _) => return None,
        }
        if let Some(entry) = open.lanes.get_mut(&lane)
            && !entry.mailbox.is_closed()
        {
            entry.last_use = last_use;
            return Some(entry.mailbox.clone());
        }
        if open.lanes.len() >= self.config.max_lanes {
            open.retire_oldest();
        }
        let (mailbox, receiver) = mpsc::channel(self.config.mailbox);
        let runs = Lane::new(lane, last_use, receiver, Arc::clone(self));
        let turn = open.turn(lane);
        let run = async move {
            let _turn = turn.lock_owned().await;
            runs.run().await;
        };
        self.tasks.spawn(self.crashed.clone().run_until_cancelled_owned(run));
        let entry = Entry {
            mailbox: mailbox.clone(),
            number: last_use,
            last_use,
        };
        open.lanes.insert(lane, entry);
        Some(mailbox)
    }

    /// Forgets a lane that ends; its mailbox must take nothing more.
    pub(crate) fn forget(&self, lane: LaneId, number: u64) {
        let mut open = self.open();
        if open.lanes.get(&lane).is_some_and(|entry| entry.number == number) {
            open.lanes.remove(&lane);
        }
    }

    /// Runs a call to the gateway beside the lanes; its answer comes back as a report.
    pub(crate) fn spawn_call(&self, call: impl Future<Output = ()> + Send + 'static) {
        self.calls.spawn(self.crashed.clone().run_until_cancelled_owned(call));
    }

    /// Runs something that nobody waits for, not even a drain.
    pub(crate) fn spawn_aside(&self, work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<Option<()>> {
        tokio::spawn(self.crashed.clone().run_until_cancelled_owned(work))
    }

    /// Takes no new requests, then waits until every lane has answered what it took.
    ///
    /// A payment under way goes back and forth between lane and gateway, so both have to come to rest.
    pub(crate) async fn drain(self: &Arc<Self>) {
        self.open().hours = Hours::Draining;
        self.calls.close();
        loop {
            self.calls.wait().await;
            let lanes: Vec<_> = self.open().lanes.keys().copied().collect();
            for lane in lanes {
                let (reply, settled) = oneshot::channel();
                self.post(lane, Letter::Barrier(reply)).await;
                // A lane that ended has settled everything it took.
                drop(settled.await);
            }
            if self.calls.is_empty() {
                break;
            }
        }
        self.close();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn close(&self) {
        let mut open = self.open();
        open.hours = Hours::Closed;
        open.lanes.clear();
    }

    /// Whether lanes were ended wherever they were.
    pub(crate) fn is_stopped(&self) -> bool {
        self.crashed.is_cancelled()
    }

    pub(crate) fn abort(&self) {
        self.crashed.cancel();
        self.close();
    }
}

impl Open {
    fn turn(&mut self, lane: LaneId) -> Arc<Turn> {
        if let Some(turn) = self.turns.get(&lane).and_then(Weak::upgrade) {
            return turn;
        }
        if self.turns.len() > 2 * self.lanes.len() {
            self.turns.retain(|_, turn| turn.strong_count() > 0);
        }
        let turn = Arc::default();
        self.turns.insert(lane, Arc::downgrade(&turn));
        turn
    }

    /// Closes the mailbox of the lane that was used longest ago; it answers what it has and ends.
    fn retire_oldest(&mut self) {
        let oldest = self
            .lanes
            .iter()
            .min_by_key(|(_, entry)| entry.last_use)
            .map(|(lane, _)| *lane);
        if let Some(lane) = oldest {
            self.lanes.remove(&lane);
        }
    }
}
