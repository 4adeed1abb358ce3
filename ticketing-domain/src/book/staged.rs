//! What follows from one command: facts, deadlines and calls that wait for the commit.

use std::collections::BTreeMap;

use ticketing_ports::log::deadlines::DeadlineChange;
use ticketing_ports::log::streams::{StreamId, Version};

use crate::facts::Fact;
use crate::payment::GatewayCall;

/// A fact that is applied to the book and waits for its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedFact {
    /// The stream.
    pub stream: StreamId,
    /// The version that the fact gives its stream.
    pub version: Version,
    /// The fact.
    pub fact: Fact,
}

/// Everything that follows from one command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Staged {
    /// The streams that were looked at, each with its version before this command. The decision holds as long as the log has
    /// them at these versions.
    pub read_set: BTreeMap<StreamId, Version>,
    /// What has happened.
    pub facts: Vec<StagedFact>,
    /// Deadlines to set and to clear.
    pub deadlines: Vec<DeadlineChange>,
    /// Calls to the gateway, to be made once the facts are durable.
    pub calls: Vec<GatewayCall>,
}

impl Staged {
    /// Returns whether nothing is to be written or called.
    pub fn is_idle(&self) -> bool {
        self.facts.is_empty() && self.deadlines.is_empty() && self.calls.is_empty()
    }
}
