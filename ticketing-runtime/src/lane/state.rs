//! What a lane has in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ticketing_domain::book::Book;
use ticketing_ports::log::event_store::{CommitError, CommitReceipt};
use ticketing_ports::log::lanes::LaneId;
use ticketing_ports::log::streams::Position;
use ticketing_ports::vocabulary::ids::{CommitId, PaymentId};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::task::AbortOnDropHandle;

use super::background::BackgroundResult;
use super::group::Group;
use super::job::{Job, LaneMessage};
use super::known_past::KnownPast;
use super::lanes::{Lanes, NewLane};
use super::lookups::Lookups;
use super::parked::Parked;
use super::snapshots::Snapshots;
use crate::observer::Observed;

/// How often a lane checks whether another process has decided a payment that jobs of this lane wait for.
const PAYMENT_CHECK_EVERY: Duration = Duration::from_secs(1);

/// A running lane: it decides the commands of one event and commits what it has decided.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(super) id: LaneId,
    pub(super) number: u64,
    pub(super) mailbox: mpsc::Receiver<LaneMessage>,
    pub(super) lanes: Arc<Lanes>,
    pub(super) book: Book,
    pub(super) gathering: Group,
    pub(super) in_flight: Option<InFlight>,
    /// The jobs that wait for the gateway, by their payment.
    pub(super) waiting: BTreeMap<PaymentId, Vec<Job>>,
    pub(super) parked: Parked,
    pub(super) lookups: Lookups,
    pub(super) snapshots: Snapshots,
    pub(super) background: JoinSet<BackgroundResult>,
    /// The channels on which a drain waits to be told that the lane has finished all that it accepted.
    pub(super) barriers: Vec<oneshot::Sender<()>>,
    /// How far the log had reached after the last commit of this lane.
    pub(super) position: Position,
    pub(super) known_past: KnownPast,
    /// Whether other processes write to the same log.
    pub(super) shared: bool,
    pub(super) payment_check: Interval,
    /// Whether a background task is checking the payments that jobs wait for.
    pub(super) checking_payments: bool,
    /// When the lane last decided or committed something, or last tried to end because it had no work.
    pub(super) last_busy: Instant,
}

/// A group that is being committed.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) group: Group,
    /// How many of the lane's landmarks this commit proves: facts that the lane remembers and that the log must still
    /// have.
    pub(super) landmarks: usize,
    /// The commit's task. It is aborted when the lane ends, so that an aborted engine writes nothing more.
    pub(super) commit: AbortOnDropHandle<Result<Committed, CommitError>>,
}

/// The id and the receipt of a commit. `None` if the group had nothing to write.
pub(super) type Committed = Option<(CommitId, CommitReceipt)>;

impl Lane {
    pub(super) fn new(new: NewLane, lanes: Arc<Lanes>) -> Self {
        let NewLane { id, number, mailbox } = new;
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

    pub(super) fn observe(&self, seen: Observed) {
        self.lanes.config.observer.observe(seen);
    }

    /// Whether the lane has nothing left to do, other than waiting for the gateway.
    pub(super) fn has_no_work(&self) -> bool {
        self.in_flight.is_none()
            && self.gathering.is_empty()
            && self.parked.is_empty()
            && self.lookups.is_empty()
            && self.background.is_empty()
    }
}
