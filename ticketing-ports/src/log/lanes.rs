//! Lanes. All commands of a lane are decided one after another, and a commit contains facts of one lane only.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::vocabulary::ids::EventId;

/// The kind of thing that a lane decides on. No rule of the box office looks at two such things, so that every
/// decision is made in one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LaneKind {
    /// One event on sale: its catalog, sections, reservations and payments.
    Event,
}

impl LaneKind {
    /// All kinds, in the order of their declaration.
    pub const ALL: [Self; 1] = [Self::Event];

    /// Returns the name under which the kind is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
        }
    }

    /// Returns the kind that is stored as `name`; `None` if no kind has that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Returns the number under which databases store the kind. It never changes, because new kinds are added at the
    /// end of the list.
    pub const fn number(self) -> i16 {
        self as i16 + 1
    }

    /// Returns the kind that databases store as `number`; `None` if no kind has that number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// The name of one lane, written as `event-0190c5…`. It is stored beside every fact that the lane decides. A stream
/// never changes its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LaneId {
    /// The kind of thing that the lane decides on.
    pub kind: LaneKind,
    /// The id of that thing.
    pub id: Uuid,
}

impl LaneId {
    /// Makes the name of the lane that decides on the thing with that kind and id.
    pub const fn new(kind: LaneKind, id: Uuid) -> Self {
        Self { kind, id }
    }

    /// Reads a lane id as `Display` writes it; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once('-')?;
        Some(Self::new(LaneKind::parse(kind)?, Uuid::parse_str(id).ok()?))
    }

    /// Returns the event on sale that the lane decides on; `None` if the lane decides on something else.
    pub fn event_id(self) -> Option<EventId> {
        match self.kind {
            LaneKind::Event => Some(EventId::new(self.id)),
        }
    }
}

impl From<EventId> for LaneId {
    fn from(id: EventId) -> Self {
        Self::new(LaneKind::Event, id.uuid())
    }
}

impl std::fmt::Display for LaneId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.kind.as_str(), self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_in_databases_stay_what_they_are() {
        assert_eq!(LaneKind::ALL.map(|kind| (kind.number(), kind.as_str())), [(1, "event")]);
        assert_eq!(LaneKind::from_number(1), Some(LaneKind::Event));
        assert_eq!(LaneKind::from_number(0), None);
    }

    #[test]
    fn a_lane_id_survives_the_trip_through_its_text() {
        let event = EventId::new(Uuid::from_u128(42));
        let lane = LaneId::from(event);
        assert_eq!(LaneId::parse(&lane.to_string()), Some(lane));
        assert_eq!(lane.event_id(), Some(event));
        for text in ["event", "seat-00000000-0000-0000-0000-000000000000", "event-x"] {
            assert_eq!(LaneId::parse(text), None, "{text:?}");
        }
    }
}
