//! What follows from one command: facts and deadlines to commit, and calls to the gateway, made after the commit.

use std::collections::BTreeMap;

use ticketing_ports::log::deadlines::DeadlineChange;
use ticketing_ports::log::streams::{StreamId, Version};

use crate::facts::Fact;
use crate::payment::GatewayCall;

/// A fact that is applied to the book and waits to be committed to the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedFact {
    /// The stream that the fact belongs to.
    pub stream: StreamId,
    /// The version of the stream once the fact is applied.
    pub version: Version,
    /// The fact itself.
    pub fact: Fact,
}

/// Everything that follows from one command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Staged {
    /// The streams that the command looked at, each with its version before the command. What the command decided is
    /// right as long as the log has these streams at these versions.
    pub read_set: BTreeMap<StreamId, Version>,
    /// The facts that the command decided on, in their order.
    pub facts: Vec<StagedFact>,
    /// The deadlines that the commit sets and clears.
    pub deadlines: Vec<DeadlineChange>,
    /// Calls to the gateway, to be made once the facts are durable.
    pub calls: Vec<GatewayCall>,
}

impl Staged {
    /// Returns whether the command led to no fact, no change of a deadline and no call to the gateway.
    pub fn is_idle(&self) -> bool {
        self.facts.is_empty() && self.deadlines.is_empty() && self.calls.is_empty()
    }
}
