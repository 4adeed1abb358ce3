//! The lanes that run in this process: starting, finding, retiring and draining them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use futures::future::BoxFuture;
use ticketing_ports::log::lanes::LaneId;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::job::{Job, LaneMessage};
use super::load::Load;
use crate::failure::{Failure, UnavailableCause};
use crate::follow::Tail;
use crate::known_log::KnownLog;
use crate::schema_floor::SchemaFloor;
use crate::setup::{EngineConfig, Ports};

/// After how long a caller who met a full mailbox is told to retry.
const RETRY_AFTER: std::time::Duration = std::time::Duration::from_secs(1);

/// What a lane is started with.
#[derive(Debug)]
pub(super) struct NewLane {
    pub(super) id: LaneId,
    /// Distinguishes the lane from a later one with the same id.
    pub(super) number: u64,
    pub(super) mailbox: mpsc::Receiver<LaneMessage>,
}

/// Runs a lane until it ends, and returns the jobs that then still wait for the gateway.
pub(super) type RunLane = fn(NewLane, Arc<Lanes>) -> BoxFuture<'static, Vec<Job>>;

/// All lanes of a process.
#[derive(Debug)]
pub(crate) struct Lanes {
    pub(crate) ports: Ports,
    pub(crate) config: EngineConfig,
    registry: Mutex<Registry>,
    tasks: TaskTracker,
    calls: TaskTracker,
    /// Cancelling this token stops all lanes and gateway calls at once.
    aborted: CancellationToken,
    use_counter: AtomicU64,
    pub(crate) tail: Arc<Tail>,
    pub(crate) log: KnownLog,
    pub(crate) floor: Arc<SchemaFloor>,
    run: RunLane,
}

#[derive(Debug, Default)]
struct Registry {
    lanes: HashMap<LaneId, Entry>,
    /// For each lane id, the lock that the running lane holds. If a new lane with the same id is started, it waits
    /// for the lock until the earlier lane has finished all that it accepted.
    turns: HashMap<LaneId, Weak<Turn>>,
    admission: Admission,
}

type Turn = tokio::sync::Mutex<()>;

/// Whose jobs the lanes of this process accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Admission {
    #[default]
    Everyone,
    /// Only reports of the gateway and of deadlines are accepted, because the engine drains.
    WorldOnly,
    Nobody,
}

#[derive(Debug)]
struct Entry {
    mailbox: mpsc::Sender<LaneMessage>,
    /// Distinguishes a lane from a later one with the same id.
    number: u64,
    last_use: u64,
}

impl Entry {
    /// How many messages wait in the mailbox.
    fn queue(&self) -> usize {
        self.mailbox.max_capacity() - self.mailbox.capacity()
    }
}

/// Who submits a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Submitter {
    Person,
    World,
}

impl Lanes {
    /// Makes the lanes of a process, of which none runs yet. Each is then run by `run`.
    pub(super) fn run_by(run: RunLane, ports: Ports, config: EngineConfig, tail: Arc<Tail>) -> Arc<Self> {
        Arc::new(Self {
            log: KnownLog::new(Arc::clone(&ports.events)),
            ports,
            config,
            registry: Mutex::default(),
            tasks: TaskTracker::new(),
            calls: TaskTracker::new(),
            aborted: CancellationToken::new(),
            use_counter: AtomicU64::new(0),
            tail,
            floor: Arc::default(),
            run,
        })
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().expect("no code panics while it holds this lock")
    }

    pub(crate) fn len(&self) -> usize {
        self.registry().lanes.len()
    }

    pub(super) fn load(&self) -> Load {
        let registry = self.registry();
        let queues = registry.lanes.values().map(Entry::queue);
        let (waiting, longest_queue) = queues.fold((0, 0), |(all, longest), queue| (all + queue, longest.max(queue)));
        Load {
            lanes: registry.lanes.len(),
            waiting,
            longest_queue,
            gateway_calls: self.calls.len(),
        }
    }

    /// Submits a person's request to its lane. If the mailbox is full, the request fails at once with
    /// [`Failure::Busy`].
    pub(crate) fn submit(self: &Arc<Self>, lane: LaneId, mut job: Job) {
        job.trace_with(&self.config.tracer, self.ports.clock.as_ref());
        self.send_or_fail(lane, job, Submitter::Person);
    }

    fn send_or_fail(self: &Arc<Self>, lane: LaneId, job: Job, from: Submitter) {
        let mut message = LaneMessage::Job(job);
        let failure = loop {
            let Some(mailbox) = self.mailbox(lane, from) else {
                break Failure::Unavailable(UnavailableCause::ShuttingDown);
            };
            match mailbox.try_send(message) {
                Ok(()) => return,
                Err(mpsc::error::TrySendError::Full(returned)) => {
                    message = returned;
                    let retry_after = RETRY_AFTER;
                    break Failure::Busy { retry_after };
                }
                // The lane has ended meanwhile. The loop starts a new lane with the same id, which takes the job.
                Err(mpsc::error::TrySendError::Closed(returned)) => message = returned,
            }
        };
        if let LaneMessage::Job(job) = message {
            job.fail(failure);
        }
    }

    /// Submits a report of the gateway or of a deadline. Waits while the mailbox is full. Reports are also accepted
    /// while the engine drains.
    pub(crate) async fn report(self: &Arc<Self>, lane: LaneId, mut job: Job) {
        job.trace_with(&self.config.tracer, self.ports.clock.as_ref());
        self.post(lane, LaneMessage::Job(job)).await;
    }

    async fn post(self: &Arc<Self>, lane: LaneId, message: LaneMessage) {
        let mut message = message;
        while let Some(mailbox) = self.mailbox(lane, Submitter::World) {
            match mailbox.send(message).await {
                Ok(()) => break,
                Err(mpsc::error::SendError(returned)) => message = returned,
            }
        }
    }

    /// Returns the mailbox of a lane, and starts the lane if it does not run. `None` if jobs of this submitter are no
    /// longer accepted.
    fn mailbox(self: &Arc<Self>, lane: LaneId, from: Submitter) -> Option<mpsc::Sender<LaneMessage>> {
        let last_use = self.use_counter.fetch_add(1, Ordering::Relaxed);
        let mut registry = self.registry();
        match (registry.admission, from) {
            (Admission::Everyone, _) | (Admission::WorldOnly, Submitter::World) => {}
            (Admission::WorldOnly, Submitter::Person) | (Admission::Nobody, _) => return None,
        }
        if let Some(entry) = registry.lanes.get_mut(&lane)
            && !entry.mailbox.is_closed()
        {
            entry.last_use = last_use;
            return Some(entry.mailbox.clone());
        }
        if registry.lanes.len() >= self.config.max_lanes {
            registry.retire_oldest();
        }
        let (mailbox, receiver) = mpsc::channel(self.config.mailbox);
        let new = NewLane {
            id: lane,
            number: last_use,
            mailbox: receiver,
        };
        let (runs, lanes) = ((self.run)(new, Arc::clone(self)), Arc::clone(self));
        let turn = registry.turn(lane);
        let run = async move {
            let _turn = turn.lock_owned().await;
            // The jobs that still wait go to the next lane with this id, because the gateway's answer will be reported
            // to that lane.
            for job in runs.await {
                lanes.send_or_fail(lane, job, Submitter::World);
            }
        };
        self.tasks.spawn(self.aborted.clone().run_until_cancelled_owned(run));
        let entry = Entry {
            mailbox: mailbox.clone(),
            number: last_use,
            last_use,
        };
        registry.lanes.insert(lane, entry);
        Some(mailbox)
    }

    /// Removes a lane that is about to end from the running lanes. The lane itself then closes its mailbox.
    pub(crate) fn forget(&self, lane: LaneId, number: u64) {
        let mut registry = self.registry();
        if registry.lanes.get(&lane).is_some_and(|entry| entry.number == number) {
            registry.lanes.remove(&lane);
        }
    }

    /// Runs a call to the gateway in a task. A drain waits until the call has ended.
    pub(crate) fn spawn_call(&self, call: impl Future<Output = ()> + Send + 'static) {
        self.calls.spawn(self.aborted.clone().run_until_cancelled_owned(call));
    }

    /// Runs work in a task that nothing waits for, not even a drain.
    pub(crate) fn spawn_aside(&self, work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<Option<()>> {
        tokio::spawn(self.aborted.clone().run_until_cancelled_owned(work))
    }

    /// Stops accepting requests of persons, then waits until every lane has answered all that it accepted.
    ///
    /// A payment goes back and forth between its lane and the gateway, so the loop ends only when both are idle.
    pub(crate) async fn drain(self: &Arc<Self>) {
        self.registry().admission = Admission::WorldOnly;
        self.calls.close();
        loop {
            self.calls.wait().await;
            let lanes: Vec<_> = self.registry().lanes.keys().copied().collect();
            for lane in lanes {
                let (reply, finished) = oneshot::channel();
                self.post(lane, LaneMessage::Barrier(reply)).await;
                // The channel also closes, without an answer, when the lane ends. The lane has then finished its work
                // too.
                drop(finished.await);
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
        let mut registry = self.registry();
        registry.admission = Admission::Nobody;
        registry.lanes.clear();
    }

    /// Whether [`Lanes::abort`] has stopped the lanes.
    pub(crate) fn is_stopped(&self) -> bool {
        self.aborted.is_cancelled()
    }

    pub(crate) fn abort(&self) {
        self.aborted.cancel();
        self.close();
    }
}

impl Registry {
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

    /// Closes the mailbox of the lane that was used least recently. That lane answers what it has accepted and ends.
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
