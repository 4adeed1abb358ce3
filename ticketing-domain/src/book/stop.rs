//! Why a command stops before its end.

use std::collections::BTreeMap;

use ticketing_ports::log::streams::{StreamId, Version};

use crate::refusal::Refusal;

/// The streams that have to be read before a command can be run, each with the version after which its facts are
/// missing in the book.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wants(pub BTreeMap<StreamId, Version>);

/// Why a command stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The command is refused.
    Refused(Refusal),
    /// A stream that the command needs is not loaded.
    Load,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Why an aggregate did not carry out a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declined<R> {
    /// The aggregate refuses the command.
    Refused(R),
    /// A stream that the aggregate needs is not loaded.
    Load,
}

impl<R> Declined<R> {
    /// Turns the aggregate's refusal into a refusal of the whole command, by calling `in_words`.
    pub fn or_refuse(self, in_words: impl FnOnce(R) -> Refusal) -> Stop {
        match self {
            Self::Refused(refusal) => Stop::Refused(in_words(refusal)),
            Self::Load => Stop::Load,
        }
    }
}

impl From<Declined<Refusal>> for Stop {
    fn from(declined: Declined<Refusal>) -> Self {
        declined.or_refuse(|refusal| refusal)
    }
}
