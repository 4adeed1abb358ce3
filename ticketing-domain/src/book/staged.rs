//! What follows from one command, as plain data.

use std::collections::BTreeMap;

use ticketing_ports::log::deadlines::DeadlineChange;
use ticketing_ports::log::streams::{StreamId, Version};

use crate::facts::Fact;
use crate::payment::GatewayCall;

/// A fact that has been applied to the book and waits for its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedFact {
    pub stream: StreamId,
    /// The version that the fact gives its stream.
    pub version: Version,
    pub fact: Fact,
}

/// Everything that follows from one command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Staged {
    /// What was looked at, in the versions it had before: the decision is only right while the log is still there.
    pub read_set: BTreeMap<StreamId, Version>,
    pub facts: Vec<StagedFact>,
    pub deadlines: Vec<DeadlineChange>,
    /// To be made once the facts are durable.
    pub calls: Vec<GatewayCall>,
}

impl Staged {
    /// Whether there is nothing to write and nothing to do.
    pub fn is_idle(&self) -> bool {
        self.facts.is_empty() && self.deadlines.is_empty() && self.calls.is_empty()
    }
}
