//! Which event on sale a reservation or payment belongs to, and so which lane answers for it.

use std::collections::HashMap;
use std::sync::Mutex;

use ticketing_ports::event_store::EventStore;
use ticketing_ports::ids::EventId;
use ticketing_ports::streams::{StreamId, Version};

use crate::failure::Failure;

/// Each of the two generations holds so many routes.
const GENERATION: usize = 50_000;

/// Remembers routes that were used recently; the others are the lane of their stream's first fact.
#[derive(Debug, Default)]
pub(crate) struct Routes(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<StreamId, EventId>,
    old: HashMap<StreamId, EventId>,
}

impl Routes {
    pub(crate) fn learn(&self, stream: StreamId, event: EventId) {
        let mut generations = self.0.lock().expect("no code panics while it holds this lock");
        if generations.young.len() >= GENERATION {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(stream, event);
    }

    /// Returns nothing when the stream does not exist.
    pub(crate) async fn find(&self, log: &dyn EventStore, stream: StreamId) -> Result<Option<EventId>, Failure> {
        if let Some(event) = self.recent(stream) {
            return Ok(Some(event));
        }
        let first = log.read_stream(stream, Version::NONE, 1).await?;
        let Some(first) = first.first() else {
            return Ok(None);
        };
        let event = first.lane.event_id();
        if let Some(event) = event {
            self.learn(stream, event);
        }
        Ok(event)
    }

    fn recent(&self, stream: StreamId) -> Option<EventId> {
        let generations = self.0.lock().expect("no code panics while it holds this lock");
        generations
            .young
            .get(&stream)
            .or_else(|| generations.old.get(&stream))
            .copied()
    }
}
