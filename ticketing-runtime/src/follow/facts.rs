//! Facts as followers get them: each fact is decoded at most once, and all followers of a process share it.

use std::sync::{Arc, OnceLock};

use ticketing_domain::facts::Fact;
use ticketing_domain::stored::UnreadableEvent;
use ticketing_ports::log::identity::{LogIdentity, Mark};
use ticketing_ports::log::streams::RecordedEvent;
use ticketing_ports::vocabulary::ids::LogId;

/// A fact of the log. It is decoded into its Rust type on first use, and only once.
#[derive(Debug)]
pub struct LoggedFact {
    recorded: RecordedEvent,
    typed: OnceLock<Result<Fact, UnreadableEvent>>,
}

impl LoggedFact {
    /// Makes a fact that this process has decided itself. Its Rust type is known, so the fact is never decoded.
    pub(super) fn decided(recorded: RecordedEvent, fact: Fact) -> Self {
        debug_assert_eq!(
            Fact::from_recorded(&recorded).as_ref().ok(),
            Some(&fact),
            "a fact that was just encoded decodes to itself"
        );
        Self {
            recorded,
            typed: OnceLock::from(Ok(fact)),
        }
    }

    /// Returns the fact as the log stores it: position, stream, metadata and JSON data.
    pub fn recorded(&self) -> &RecordedEvent {
        &self.recorded
    }

    /// Returns the fact as its Rust type.
    ///
    /// # Errors
    /// Fails if this build cannot read the fact.
    pub fn typed(&self) -> Result<&Fact, &UnreadableEvent> {
        let read = || Fact::from_recorded(&self.recorded);
        self.typed.get_or_init(read).as_ref()
    }

    /// Returns the mark of a follower that has handled this fact and all facts before it.
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

/// A batch of consecutive facts of one log. Facts that the follower does not get, because they are dead letters, are
/// left out.
#[derive(Debug, Clone)]
pub struct Facts {
    log: LogIdentity,
    after: Mark,
    upto: Mark,
    facts: Vec<Arc<LoggedFact>>,
}

impl Facts {
    /// Makes an empty batch that moves a follower's mark from `after` to `upto`.
    pub fn none(log: LogIdentity, after: Mark, upto: Mark) -> Self {
        let facts = Vec::new();
        Self {
            log,
            after,
            upto,
            facts,
        }
    }

    /// Makes a batch of the facts that follow the mark `after`. The batch ends at the last of them.
    pub fn following(log: LogIdentity, after: Mark, facts: Vec<Arc<LoggedFact>>) -> Self {
        let upto = facts.last().map_or(after, |last| last.mark(log.log));
        Self {
            log,
            after,
            upto,
            facts,
        }
    }

    /// The log that the facts belong to, and the log's incarnation.
    pub fn log(&self) -> LogIdentity {
        self.log
    }

    /// The follower's mark before it handles the facts.
    pub fn after(&self) -> Mark {
        self.after
    }

    /// The follower's mark once it has handled the facts.
    pub fn upto(&self) -> Mark {
        self.upto
    }

    /// The facts in the order of the log.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &LoggedFact> + '_ {
        self.facts.iter().map(Arc::as_ref)
    }

    /// The facts in the order of the log, for a follower of this crate that keeps some of them.
    pub(crate) fn shared(&self) -> impl Iterator<Item = &Arc<LoggedFact>> + '_ {
        self.facts.iter()
    }

    /// How many facts the batch has.
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether the batch has no facts. An empty batch may still move the follower's mark.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Returns a batch of the same part of the log without the facts for which `left_out` returns true.
    pub(crate) fn without(&self, left_out: impl Fn(&RecordedEvent) -> bool) -> Self {
        let facts = self.facts.iter();
        Self {
            facts: facts.filter(|fact| !left_out(fact.recorded())).cloned().collect(),
            ..*self
        }
    }

    /// Returns the rest of the batch after `mark`, for a follower that has handled the facts up to `mark`.
    pub(crate) fn rest_after(&self, mark: Mark) -> Self {
        let later = |fact: &&Arc<LoggedFact>| fact.recorded().position > mark.position;
        Self {
            after: mark,
            facts: self.facts.iter().filter(later).cloned().collect(),
            ..*self
        }
    }
}
