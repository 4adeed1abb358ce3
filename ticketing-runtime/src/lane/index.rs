//! Finds the lane of a stream, so that a request for a reservation or a payment need not name the event.

use std::collections::HashMap;
use std::sync::Mutex;

use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::lanes::LaneId;
use ticketing_ports::log::streams::{StreamId, Version};

use crate::failure::Failure;

/// At most how many streams each of the two halves of the index remembers. When the young half is full, it becomes the
/// old one, and the streams of the former old one are forgotten.
const HALF: usize = 50_000;

/// Remembers the lanes of recently used streams. For another stream it reads the stream's first fact, which names the
/// lane.
#[derive(Debug, Default)]
pub(crate) struct LaneIndex(Mutex<Halves>);

#[derive(Debug, Default)]
struct Halves {
    young: HashMap<StreamId, LaneId>,
    old: HashMap<StreamId, LaneId>,
}

impl LaneIndex {
    pub(crate) fn learn(&self, stream: StreamId, lane: LaneId) {
        let mut halves = self.0.lock().expect("no code panics while it holds this lock");
        if halves.young.len() >= HALF {
            halves.old = std::mem::take(&mut halves.young);
        }
        halves.young.insert(stream, lane);
    }

    /// Returns the lane of the stream. `None` if the stream does not exist.
    pub(crate) async fn find(&self, log: &dyn EventStore, stream: StreamId) -> Result<Option<LaneId>, Failure> {
        if let Some(lane) = self.recent(stream) {
            return Ok(Some(lane));
        }
        let first = log.read_stream(stream, Version::NONE, 1).await?;
        let lane = first.first().map(|fact| fact.lane);
        if let Some(lane) = lane {
            self.learn(stream, lane);
        }
        Ok(lane)
    }

    fn recent(&self, stream: StreamId) -> Option<LaneId> {
        let halves = self.0.lock().expect("no code panics while it holds this lock");
        halves.young.get(&stream).or_else(|| halves.old.get(&stream)).copied()
    }
}
