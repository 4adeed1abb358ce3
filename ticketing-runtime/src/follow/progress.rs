//! How far a follower has come and what it does now, for others to watch.

use std::sync::Arc;

use ticketing_ports::log::identity::LogIdentity;
use ticketing_ports::log::streams::Position;
use tokio::sync::watch;

/// What a follower does in this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowerCondition {
    /// The follower has started and done nothing yet.
    Starts,
    /// The follower handles facts in this process.
    Works,
    /// The follower waits, because another process has its turn.
    StandsBy,
    /// The engine rebuilds the follower, because the log has lost facts that the follower had handled.
    Rebuilds,
    /// The log has lost facts that the follower had handled, and the setting
    /// [`OnLostPast::Refuse`](super::OnLostPast::Refuse) forbids the follower to go on.
    OfALostPast,
    /// The follower's mark belongs to another log, so this process handles no facts for it.
    OfAnotherLog,
    /// The follower handles nothing more until an operator has removed the cause, which is given here.
    Stopped(Arc<str>),
    /// The follower has failed, for example because a store is down. The engine starts it again after a pause.
    Fails,
}

impl FollowerCondition {
    /// Returns the condition as one word, for health checks and metrics.
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
    /// The log and its incarnation. `None` until a check has found every fact up to `position` in the log.
    pub log: Option<LogIdentity>,
    /// The position up to which the follower has handled all facts.
    pub position: Position,
}

impl Reached {
    /// Whether the follower has handled everything up to `position`, in this log and in this incarnation of it.
    pub fn has(&self, log: LogIdentity, position: Position) -> bool {
        self.log == Some(log) && self.position >= position
    }
}

/// Shows others what a follower in this process does and how far it has come.
#[derive(Debug, Clone)]
pub struct FollowerProgress {
    /// The follower's name.
    pub follower: &'static str,
    /// How far the follower has come, whether this process runs it or another one.
    pub reached: watch::Receiver<Reached>,
    /// What the follower does in this process.
    pub condition: watch::Receiver<FollowerCondition>,
}

/// Tells those who hold a [`FollowerProgress`] what the follower does and how far it has come.
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

/// Sends a value to the channel if it differs from the channel's current value. Returns whether it differed.
fn set_if_new<T: PartialEq>(channel: &watch::Sender<T>, value: T) -> bool {
    channel.send_if_modified(|told| {
        let news = *told != value;
        *told = value;
        news
    })
}
