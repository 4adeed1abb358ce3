//! How much the lanes of a process have to do.

/// How much the lanes of this process have to do at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// How many lanes are in memory.
    pub lanes: usize,
    /// How many requests and reports wait in the mailboxes of all lanes together.
    pub waiting: usize,
    /// How many of them wait in the fullest mailbox.
    pub longest_queue: usize,
    /// How many calls to the payment gateway have no answer yet.
    pub gateway_calls: usize,
}
