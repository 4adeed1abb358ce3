//! Says how much the lanes of a process have to do.

use std::sync::Arc;

use super::lanes::Lanes;
use super::load::Load;

/// Reads the [`Load`] of an engine. [`Engine::load_meter`](crate::Engine::load_meter) makes one.
#[derive(Debug, Clone)]
pub struct LoadMeter(Arc<Lanes>);

impl LoadMeter {
    pub(crate) fn of(lanes: &Arc<Lanes>) -> Self {
        Self(Arc::clone(lanes))
    }

    /// Returns the load at this moment.
    pub fn read(&self) -> Load {
        self.0.load()
    }
}
