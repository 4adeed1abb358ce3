//! The jobs whose idempotency keys are looked up, and what a look-up finds.

use std::collections::HashMap;

use ticketing_ports::log::idempotency::{IdempotencyKey, IdempotencyRecord};

use super::job::Job;

/// Jobs whose keys are looked up before they are decided.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    pub(super) queue: Vec<Job>,
    pub(super) under_way: bool,
    /// For how many more jobs the key is looked up before the job is decided.
    pub(super) look_up_next: usize,
}

impl Lookups {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && !self.under_way
    }
}

/// The records that a look-up has found, by their keys.
pub(super) type Found = HashMap<IdempotencyKey, IdempotencyRecord>;
