//! Facts on their way to those who follow the log: decoded once, shared by all of them.

use std::sync::{Arc, OnceLock};

use ticketing_domain::facts::Fact;
use ticketing_domain::stored::UnreadableEvent;
use ticketing_ports::log::identity::{LogIdentity, Mark};
use ticketing_ports::log::streams::RecordedEvent;
use ticketing_ports::vocabulary::ids::LogId;

/// A fact as the log has it. It is read into its type when somebody first asks for that, and only once.
#[derive(Debug)]
pub struct LoggedFact {
    recorded: RecordedEvent,
    typed: OnceLock<Result<Fact, UnreadableEvent>>,
}

impl LoggedFact {
    /// A fact that this process has decided itself, and so need not read.
    pub(super) fn decided(recorded: RecordedEvent, fact: Fact) -> Self {
        debug_assert_eq!(
            Fact::from_recorded(&recorded).as_ref().ok(),
            Some(&fact),
            "what is decided is what the log says"
        );
        Self {
            recorded,
            typed: OnceLock::from(Ok(fact)),
        }
    }

    pub fn recorded(&self) -> &RecordedEvent {
        &self.recorded
    }

    /// # Errors
    /// When this build cannot read it.
    pub fn typed(&self) -> Result<&Fact, &UnreadableEvent> {
        let read = || Fact::from_recorded(&self.recorded);
        self.typed.get_or_init(read).as_ref()
    }

    /// Where somebody stands who has taken this fact and all before it.
    pub fn mark(&self, log: LogId) -> Mark {
        Mark {
            log,
            position: self.recorded.position,
            commit: self.recorded.commit_id,
        }
    }
}

impl From<RecordedEvent> for LoggedFact {
    fn from(recorded: RecordedEvent) -> Self {
        Self {
            recorded,
            typed: OnceLock::new(),
        }
    }
}

/// Facts of one log that follow each other, without those that are parked or skipped.
#[derive(Debug, Clone)]
pub struct Facts {
    log: LogIdentity,
    after: Mark,
    upto: Mark,
    facts: Vec<Arc<LoggedFact>>,
}

impl Facts {
    /// No facts, for a follower that is to stand at `upto` from now on.
    pub fn none(log: LogIdentity, after: Mark, upto: Mark) -> Self {
        let facts = Vec::new();
        Self {
            log,
            after,
            upto,
            facts,
        }
    }

    /// The facts behind `after`, to the last of them.
    pub fn behind(log: LogIdentity, after: Mark, facts: Vec<Arc<LoggedFact>>) -> Self {
        let upto = facts.last().map_or(after, |last| last.mark(log.log));
        Self {
            log,
            after,
            upto,
            facts,
        }
    }

    /// The log that they are of, and which life of it.
    pub fn log(&self) -> LogIdentity {
        self.log
    }

    /// Where the follower stands before it takes these.
    pub fn after(&self) -> Mark {
        self.after
    }

    /// Where it stands when it has taken them.
    pub fn upto(&self) -> Mark {
        self.upto
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &LoggedFact> + '_ {
        self.facts.iter().map(Arc::as_ref)
    }

    pub fn len(&self) -> usize {
        self.facts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// The same stretch of the log without some of its facts.
    pub(crate) fn without(&self, left_out: impl Fn(&RecordedEvent) -> bool) -> Self {
        let facts = self.facts.iter();
        Self {
            facts: facts.filter(|fact| !left_out(fact.recorded())).cloned().collect(),
            ..*self
        }
    }

    /// What is left of the stretch for who stands at `mark` already.
    pub(crate) fn rest_after(&self, mark: Mark) -> Self {
        let later = |fact: &&Arc<LoggedFact>| fact.recorded().position > mark.position;
        Self {
            after: mark,
            facts: self.facts.iter().filter(later).cloned().collect(),
            ..*self
        }
    }
}
