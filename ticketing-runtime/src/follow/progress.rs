//! How far a follower has come, and how it is, for others to watch.

use std::sync::Arc;

use ticketing_ports::log::identity::LogIdentity;
use ticketing_ports::log::streams::Position;
use tokio::sync::watch;

/// How a follower is, as far as this process knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
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

impl Condition {
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
pub struct Progress {
    pub follower: &'static str,
    /// Up to where everything was taken, here or elsewhere.
    pub reached: watch::Receiver<Reached>,
    pub condition: watch::Receiver<Condition>,
}

/// The same from inside.
#[derive(Debug)]
pub(crate) struct Teller {
    reached: watch::Sender<Reached>,
    condition: watch::Sender<Condition>,
}

impl Progress {
    pub(crate) fn of(follower: &'static str) -> (Teller, Self) {
        let (reached_sender, reached) = watch::channel(Reached::default());
        let (condition_sender, condition) = watch::channel(Condition::Starts);
        let teller = Teller {
            reached: reached_sender,
            condition: condition_sender,
        };
        let progress = Self {
            follower,
            reached,
            condition,
        };
        (teller, progress)
    }
}

impl Teller {
    pub(super) fn reach(&self, log: LogIdentity, position: Position) {
        let log = Some(log);
        tell(&self.reached, Reached { log, position });
    }

    /// Returns whether that is news.
    pub(super) fn is(&self, condition: Condition) -> bool {
        tell(&self.condition, condition)
    }
}

fn tell<T: PartialEq>(channel: &watch::Sender<T>, value: T) -> bool {
    channel.send_if_modified(|told| {
        let news = *told != value;
        *told = value;
        news
    })
}
