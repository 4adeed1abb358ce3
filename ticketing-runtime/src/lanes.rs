//! One lane for each event on sale that is being talked about: found, started, retired.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use ticketing_ports::ids::EventId;
use ticketing_ports::streams::Position;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio_util::task::TaskTracker;

use crate::engine::{EngineConfig, Ports};
use crate::failure::{Failure, UnavailableCause};
use crate::job::Job;
use crate::lane::Lane;

/// After how long a caller should come back who found a full mailbox.
const RETRY_AFTER: std::time::Duration = std::time::Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Lanes {
    pub(crate) ports: Ports,
    pub(crate) config: EngineConfig,
    open: Mutex<Open>,
    tasks: TaskTracker,
    calls: TaskTracker,
    closed: AtomicBool,
    /// Stopped as by a crash: nothing is taken any more, not even reports.
    aborted: AtomicBool,
    uses: AtomicU64,
    committed: watch::Sender<Position>,
}

#[derive(Debug, Default)]
struct Open {
    lanes: HashMap<EventId, Entry>,
    gateway_calls: Vec<AbortHandle>,
}

#[derive(Debug)]
struct Entry {
    mailbox: mpsc::Sender<Job>,
    /// Tells lanes of one event apart when one takes over from another.
    number: u64,
    last_use: u64,
    task: AbortHandle,
}

impl Lanes {
    pub(crate) fn new(ports: Ports, config: EngineConfig) -> (Arc<Self>, watch::Receiver<Position>) {
        let (committed, receiver) = watch::channel(Position::START);
        let lanes = Self {
            ports,
            config,
            open: Mutex::default(),
            tasks: TaskTracker::new(),
            calls: TaskTracker::new(),
            closed: AtomicBool::new(false),
            aborted: AtomicBool::new(false),
            uses: AtomicU64::new(0),
            committed,
        };
        (Arc::new(lanes), receiver)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().expect("no code panics while it holds this lock")
    }

    pub(crate) fn len(&self) -> usize {
        self.open().lanes.len()
    }

    /// Tells followers of the log how far it reaches now.
    pub(crate) fn announce(&self, position: Position) {
        self.committed.send_if_modified(|known| {
            let news = position > *known;
            *known = position.max(*known);
            news
        });
    }

    /// Hands a person's request to the event's lane.
    ///
    /// A full mailbox answers at once, so that a caller never waits without knowing.
    pub(crate) fn submit(self: &Arc<Self>, event: EventId, job: Job) -> Result<(), Failure> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Failure::Unavailable(UnavailableCause::ShuttingDown));
        }
        let mut job = job;
        loop {
            match self.mailbox(event).try_send(job) {
                Ok(()) => return Ok(()),
                Err(mpsc::error::TrySendError::Full(_)) => {
                    return Err(Failure::Busy {
                        retry_after: RETRY_AFTER,
                    });
                }
                // The lane retired in between; the next one takes the job.
                Err(mpsc::error::TrySendError::Closed(returned)) => job = returned,
            }
        }
    }

    /// Hands in what the world reports, waiting for a place; also while the engine drains.
    pub(crate) async fn report(self: &Arc<Self>, event: EventId, job: Job) {
        let mut job = job;
        while !self.aborted.load(Ordering::Acquire)
            && let Err(mpsc::error::SendError(returned)) = self.mailbox(event).send(job).await
        {
            job = returned;
        }
    }

    fn mailbox(self: &Arc<Self>, event: EventId) -> mpsc::Sender<Job> {
        let last_use = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut open = self.open();
        if let Some(entry) = open.lanes.get_mut(&event)
            && !entry.mailbox.is_closed()
        {
            entry.last_use = last_use;
            return entry.mailbox.clone();
        }
        if open.lanes.len() >= self.config.max_lanes {
            open.retire_oldest();
        }
        let (sender, receiver) = mpsc::channel(self.config.mailbox);
        let lane = Lane::new(event, last_use, receiver, Arc::clone(self));
        let task = self.tasks.spawn(lane.run()).abort_handle();
        open.lanes.insert(
            event,
            Entry {
                mailbox: sender.clone(),
                number: last_use,
                last_use,
                task,
            },
        );
        sender
    }

    /// Forgets a lane that ends; its mailbox must take nothing more.
    pub(crate) fn forget(&self, event: EventId, number: u64) {
        let mut open = self.open();
        if open.lanes.get(&event).is_some_and(|entry| entry.number == number) {
            open.lanes.remove(&event);
        }
    }

    /// Runs a call to the gateway beside the lanes; its answer comes back as a report.
    pub(crate) fn spawn_call(&self, call: impl Future<Output = ()> + Send + 'static) {
        let task = self.calls.spawn(call).abort_handle();
        let mut open = self.open();
        if open.gateway_calls.len() > 1_000 {
            open.gateway_calls.retain(|task| !task.is_finished());
        }
        open.gateway_calls.push(task);
    }

    /// Takes no new requests, then waits until every lane has answered what it took.
    ///
    /// A payment under way goes back and forth between lane and gateway, so both have to come to rest.
    pub(crate) async fn drain(self: &Arc<Self>) {
        self.closed.store(true, Ordering::Release);
        self.calls.close();
        loop {
            self.calls.wait().await;
            let events: Vec<_> = self.open().lanes.keys().copied().collect();
            for event in events {
                let (reply, settled) = oneshot::channel();
                self.report(event, Job::barrier(reply)).await;
                // A lane that ended has settled everything it took.
                drop(settled.await);
            }
            if self.calls.is_empty() {
                break;
            }
        }
        self.open().lanes.clear();
        self.tasks.close();
        self.tasks.wait().await;
    }

    pub(crate) fn abort(&self) {
        self.closed.store(true, Ordering::Release);
        self.aborted.store(true, Ordering::Release);
        let mut open = self.open();
        for (_, entry) in open.lanes.drain() {
            entry.task.abort();
        }
        for task in open.gateway_calls.drain(..) {
            task.abort();
        }
    }
}

impl Open {
    /// Closes the mailbox of the lane that was used longest ago; it answers what it has and ends.
    fn retire_oldest(&mut self) {
        let oldest = self
            .lanes
            .iter()
            .min_by_key(|(_, entry)| entry.last_use)
            .map(|(event, _)| *event);
        if let Some(event) = oldest {
            self.lanes.remove(&event);
        }
    }
}
