//! The board of one event as the follower, readers and the board's task share it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use ticketing_domain::refusal::Refusal;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::event_details::EventDetails;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_ports::vocabulary::roles::Actor;
use ticketing_ports::vocabulary::trace_context::TraceContext;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::board::{Board, CannotApply};
use super::state::{BoardState, BoardTick};
use crate::failure::{Failure, UnavailableCause};
use crate::follow::LoggedFact;

/// At most how many facts wait for a board that is being loaded. Above that, the load begins anew.
const MOST_WAITING: usize = 100_000;

/// At most how many traces one tick belongs to.
const MOST_TRACES: usize = 20;

/// The board of one event, from its first reader until it is dropped.
#[derive(Debug)]
pub(super) struct EventBoard {
    pub(super) event_id: EventId,
    inner: Mutex<Inner>,
    /// Wakes the task of the board: seats have changed, or the board has to be loaded again.
    pub(super) news: Notify,
    stage: watch::Receiver<Stage>,
    readers: AtomicUsize,
    last_used: Mutex<Instant>,
}

/// What the task of a board tells its readers.
#[derive(Debug, Clone)]
pub(super) enum Stage {
    /// The board is being loaded for the first time.
    Loading,
    /// The latest tick. It stays while the board is loaded again.
    Live(Arc<BoardTick>),
    /// The board could not be loaded, and was dropped.
    Failed(Arc<Failure>),
}

#[derive(Debug)]
struct Inner {
    /// The number of the current attempt to load the board. A load of an earlier attempt is not used.
    attempt: u64,
    phase: Phase,
    /// The recorded traces of the facts that have changed seats since the last tick.
    traces: Vec<TraceContext>,
}

#[derive(Debug)]
enum Phase {
    /// The streams are being read. The facts that arrive meanwhile wait.
    Loading(Vec<Arc<LoggedFact>>),
    Live(Box<Board>),
}

/// What became of a load that has ended.
#[derive(Debug)]
pub(super) enum Loaded {
    /// The board is live.
    Live,
    /// The board has to be loaded again, because something has happened during the load.
    Outdated,
}

/// What a live board shows at one moment.
#[derive(Debug)]
pub(crate) struct Look {
    /// The seats.
    pub(crate) state: Arc<BoardState>,
    /// How the organiser described the event.
    pub(crate) details: Arc<EventDetails>,
    /// The moment.
    pub(crate) now: Timestamp,
}

/// What a tick is made of.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) state: Arc<BoardState>,
    /// When the next hold runs out. `None` if none will.
    pub(super) next_lapse: Option<Timestamp>,
    /// The recorded traces of the facts that have changed seats since the last call. They are in the state.
    pub(super) traces: Vec<TraceContext>,
}

impl EventBoard {
    pub(super) fn new(event_id: EventId, stage: watch::Receiver<Stage>) -> Self {
        Self {
            event_id,
            inner: Mutex::new(Inner {
                attempt: 0,
                phase: Phase::Loading(Vec::new()),
                traces: Vec::new(),
            }),
            news: Notify::new(),
            stage,
            readers: AtomicUsize::new(0),
            last_used: Mutex::new(Instant::now()),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no code panics while it holds this lock")
    }

    /// Takes a fact of the event from the follower.
    pub(super) fn take(&self, fact: &Arc<LoggedFact>) {
        let mut inner = self.inner();
        let changed = match &mut inner.phase {
            Phase::Loading(waiting) if waiting.len() < MOST_WAITING => {
                waiting.push(Arc::clone(fact));
                false
            }
            Phase::Loading(_) => {
                inner.begin_again();
                false
            }
            // A fact that does not fit or that cannot be read is met again by the load, which tells what is wrong.
            Phase::Live(board) => board.apply(fact).unwrap_or_else(|_| {
                inner.begin_again();
                true
            }),
        };
        if changed {
            inner.keep_trace_of(fact);
        }
        drop(inner);
        if changed {
            self.news.notify_one();
        }
    }

    /// Forgets everything and makes the task load the board again.
    pub(super) fn begin_again(&self) {
        self.inner().begin_again();
        self.news.notify_one();
    }

    /// Returns the number under which a load that begins now has to be [finished](Self::finish).
    pub(super) fn attempt(&self) -> u64 {
        self.inner().attempt
    }

    /// Makes the board live with what a load has read, and with the facts that have arrived meanwhile.
    pub(super) fn finish(&self, attempt: u64, mut board: Board) -> Result<Loaded, CannotApply> {
        let mut inner = self.inner();
        if inner.attempt != attempt {
            return Ok(Loaded::Outdated);
        }
        let waiting = match &mut inner.phase {
            Phase::Loading(waiting) => std::mem::take(waiting),
            Phase::Live(_) => return Ok(Loaded::Live),
        };
        for fact in waiting {
            match board.apply(&fact) {
                Ok(_) => {}
                Err(CannotApply::Gap { .. }) => {
                    inner.begin_again();
                    return Ok(Loaded::Outdated);
                }
                Err(unreadable) => return Err(unreadable),
            }
        }
        inner.phase = Phase::Live(Box::new(board));
        Ok(Loaded::Live)
    }

    /// Returns what the board shows at `now`, for a tick. `None` if the board is being loaded.
    pub(super) fn shown(&self, now: Timestamp) -> Option<Shown> {
        let inner = &mut *self.inner();
        match &mut inner.phase {
            Phase::Loading(_) => None,
            Phase::Live(board) => Some(Shown {
                state: board.state(now),
                next_lapse: board.next_lapse(),
                traces: std::mem::take(&mut inner.traces),
            }),
        }
    }

    /// Returns what `viewer` sees at `now`; `None` if the board is being loaded.
    ///
    /// # Errors
    /// Fails with [`Refusal::EventNotFound`] if the viewer may not see the event.
    pub(super) fn look(&self, viewer: Option<Actor>, now: Timestamp) -> Result<Option<Look>, Refusal> {
        let mut inner = self.inner();
        let Phase::Live(board) = &mut inner.phase else {
            return Ok(None);
        };
        let details = Arc::clone(&board.listing_seen_by(viewer, now)?.details);
        let state = board.state(now);
        drop(inner);
        self.touch();
        Ok(Some(Look { state, details, now }))
    }

    /// Returns whether the board is loaded, and counts as a use of it.
    ///
    /// # Errors
    /// Fails with [`Refusal::EventNotFound`] if the viewer may not see the event.
    pub(super) fn shows(&self, viewer: Option<Actor>, now: Timestamp) -> Result<bool, Refusal> {
        let is_live = match &self.inner().phase {
            Phase::Loading(_) => false,
            Phase::Live(board) => board.listing_seen_by(viewer, now).map(|_| true)?,
        };
        if is_live {
            self.touch();
        }
        Ok(is_live)
    }

    /// Checks that the viewer may see the event.
    ///
    /// # Errors
    /// Fails with [`Refusal::EventNotFound`] if the viewer may not see the event, and with [`Failure::Unavailable`] if
    /// the board is being loaded again.
    pub(super) fn check_visible_to(&self, viewer: Option<Actor>, now: Timestamp) -> Result<(), Failure> {
        match &self.inner().phase {
            Phase::Loading(_) => Err(Failure::Unavailable(UnavailableCause::BoardNotLoaded)),
            Phase::Live(board) => Ok(board.listing_seen_by(viewer, now).map(|_| ())?),
        }
    }

    /// Returns what the task of the board tells readers.
    pub(super) fn stage(&self) -> watch::Receiver<Stage> {
        self.stage.clone()
    }

    pub(super) fn join(&self) {
        self.readers.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn leave(&self) {
        self.touch();
        self.readers.fetch_sub(1, Ordering::SeqCst);
    }

    pub(super) fn has_readers(&self) -> bool {
        self.readers.load(Ordering::SeqCst) > 0
    }

    /// Returns when the board was used last: now, if it has readers.
    pub(super) fn last_used(&self) -> Instant {
        if self.has_readers() {
            Instant::now()
        } else {
            *self.last_used.lock().expect("no code panics while it holds this lock")
        }
    }

    pub(super) fn touch(&self) {
        let now = Instant::now();
        *self.last_used.lock().expect("no code panics while it holds this lock") = now;
    }
}

impl Inner {
    fn keep_trace_of(&mut self, fact: &LoggedFact) {
        let trace = fact.recorded().metadata.trace.as_ref();
        if let Some(trace) = trace.filter(|trace| trace.is_sampled())
            && self.traces.len() < MOST_TRACES
            && !self.traces.contains(trace)
        {
            self.traces.push(trace.clone());
        }
    }

    fn begin_again(&mut self) {
        self.attempt += 1;
        self.phase = Phase::Loading(Vec::new());
    }
}
