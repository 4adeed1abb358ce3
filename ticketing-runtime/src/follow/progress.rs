//! How far a follower has come, and how it is, for others to watch.

use std::sync::Arc;

use ticketing_ports::log::identity::LogIdentity;
use ticketing_ports::log::streams::Position;
use tokio::sync::watch;

/// How a follower is, as far as this process knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowerCondition {
    Starts,
    Works,
    /// Another process works.
    StandsBy,
    /// What it keeps is made anew, since the log has lost facts that it was made of.
    Rebuilds,
    /// The log has lost facts that it was made of, and it is left as it is.
    OfALostPast,
    /// It was made of the facts of another log, and this process changes nothing.
    OfAnotherLog,
    /// Why it takes nothing more until somebody has looked.
    Stopped(Arc<str>),
    /// Something is down, and it is tried again.
    Fails,
}

impl FollowerCondition {
    /// One word for operators and machines.
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

/// How far a follower has come, and in which life of which log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reached {
    /// `None` until the log has been seen to have what leads to the position.
    pub log: Option<LogIdentity>,
    pub position: Position,
}

impl Reached {
    /// Whether everything up to there was taken, in this life of this log.
    pub fn has(&self, log: LogIdentity, position: Position) -> bool {
        self.log == Some(log) && self.position >= position
    }
}

/// A follower that runs in this process, from outside.
#[derive(Debug, Clone)]
pub struct FollowerProgress {
    pub follower: &'static str,
    /// Up to where everything was taken, here or elsewhere.
    pub reached: watch::Receiver<Reached>,
    pub condition: watch::Receiver<FollowerCondition>,
}

/// The same from inside.
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

    /// Returns whether that is news.
    pub(super) fn set_condition(&self, condition: FollowerCondition) -> bool {
        set_if_new(&self.condition, condition)
    }
}

fn set_if_new<T: PartialEq>(channel: &watch::Sender<T>, value: T) -> bool {
    channel.send_if_modified(|told| {
        let news = *told != value;
        *told = value;
        news
    })
}
