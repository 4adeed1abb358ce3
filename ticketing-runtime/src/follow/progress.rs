//! How far a follower has come and in what condition it is, for others to watch.

use std::sync::Arc;

use ticketing_ports::log::identity::LogIdentity;
use ticketing_ports::log::streams::Position;
use tokio::sync::watch;

/// What a follower does in this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowerCondition {
    /// It has started and done nothing yet.
    Starts,
    /// It handles facts in this process.
    Works,
    /// Another process has the turn.
    StandsBy,
    /// It is rebuilt, because the log has lost facts that it had handled.
    Rebuilds,
    /// The log has lost facts that it had handled, and [`OnLostPast::Refuse`](super::OnLostPast::Refuse) leaves it as
    /// it is.
    OfALostPast,
    /// Its mark is of another log. This process leaves it as it is.
    OfAnotherLog,
    /// It handles nothing more until an operator has repaired this cause.
    Stopped(Arc<str>),
    /// A service that it needs is down. The engine starts the follower again after a pause.
    Fails,
}

impl FollowerCondition {
    /// The condition as one word, for health checks and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Starts => "starts",
            Self::Works => "works",
            Self::StandsBy => "stands_by",
            Self::Rebuilds => "rebuilds",
            Self::OfALostPast => "of_a_lost_past",
            Self::OfAnotherLog => "of_another_log",
            Self::Stopped(_) => "stopped",
            Self::Fails => "fails",
        }
    }
}

/// How far a follower has come, and in which log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reached {
    /// The log and its incarnation. `None` until the log was seen to have everything that leads to the position.
    pub log: Option<LogIdentity>,
    /// The newest fact that was handled, with all before it.
    pub position: Position,
}

impl Reached {
    /// Whether everything up to `position` has been handled, in this incarnation of this log.
    pub fn has(&self, log: LogIdentity, position: Position) -> bool {
        self.log == Some(log) && self.position >= position
    }
}

/// Shows from outside what a follower in this process does.
#[derive(Debug, Clone)]
pub struct FollowerProgress {
    /// The follower's name.
    pub follower: &'static str,
    /// How far the follower has come, in this process or in the one that has the turn.
    pub reached: watch::Receiver<Reached>,
    /// What the follower does in this process.
    pub condition: watch::Receiver<FollowerCondition>,
}

/// The sending side of a [`FollowerProgress`].
#[derive(Debug)]
pub(crate) struct ProgressReporter {
    reached: watch::Sender<Reached>,
    condition: watch::Sender<FollowerCondition>,
}

impl FollowerProgress {
    pub(crate) fn of(follower: &'static str) -> (ProgressReporter, Self) {
        let (reached_sender, reached) = watch::channel(Reached::default());
        let (condition_sender, condition) = watch::channel(FollowerCondition::Starts);
        let reporter = ProgressReporter {
            reached: reached_sender,
            condition: condition_sender,
        };
        let progress = Self {
            follower,
            reached,
            condition,
        };
        (reporter, progress)
    }
}

impl ProgressReporter {
    pub(super) fn set_reached(&self, log: LogIdentity, position: Position) {
        let log = Some(log);
        set_if_new(&self.reached, Reached { log, position });
    }

    /// Sets the condition. Returns whether it has changed.
    pub(super) fn set_condition(&self, condition: FollowerCondition) -> bool {
        set_if_new(&self.condition, condition)
    }
}

/// Sends a value if it differs from the current one. Returns whether it did.
fn set_if_new<T: PartialEq>(channel: &watch::Sender<T>, value: T) -> bool {
    channel.send_if_modified(|told| {
        let news = *told != value;
        *told = value;
        news
    })
}
