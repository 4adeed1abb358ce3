//! Finds the metrics of one family by the value of a label, without making a key for each look-up.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// The metrics of one family, by the value of a label.
#[derive(Debug)]
pub(crate) struct ByLabel<M>(RwLock<HashMap<String, M>>);

impl<M> ByLabel<M> {
    pub(crate) fn new() -> Self {
        Self(RwLock::default())
    }

    /// Does something with the metric whose label has this value. The metric is made if it does not exist.
    pub(crate) fn with(&self, value: &str, make: impl FnOnce() -> M, act: impl FnOnce(&M)) {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(metric) = known.get(value) {
            return act(metric);
        }
        drop(known);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        act(known.entry(value.to_owned()).or_insert_with(make));
    }
}
