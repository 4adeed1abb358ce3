//! Chooses the schema version in which a fact is written, while old and new builds work on one log.
//!
//! A new version is written only once every build can read it. The log's *floor* is the newest generation that all
//! builds on the log read, and nothing newer is written. `stored_events!` declares for each new version how it is
//! turned into the old one. A new type of fact has no older version, so no reducer decides on such a fact until every
//! build reads it.

use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::log::streams::NewEvent;

use crate::catalog::CatalogEvent;
use crate::inventory::InventoryEvent;
use crate::payment::PaymentEvent;
use crate::reservation::ReservationEvent;
use crate::stored::{NewVersion, StoredEvent};

/// The newest generation of facts that this build reads. Whoever adds a version or a type of fact raises this number.
const NEWEST: SchemaGeneration = SchemaGeneration(3);

/// Returns the newest generation of facts that this build reads.
pub fn newest() -> SchemaGeneration {
    #[cfg(feature = "made-up-version")]
    if let Some(since) = crate::made_up_version::since() {
        return since;
    }
    NEWEST
}

/// Turns a fact into the version that every build on a log with this floor can read.
pub fn write_for_all(floor: SchemaGeneration, event: &mut NewEvent) {
    #[cfg(feature = "made-up-version")]
    crate::made_up_version::write_if_all_read_it(floor, event);
    // Except during an update the floor is the newest generation, and every fact is written unchanged.
    if floor >= newest() {
        return;
    }
    let tables = [
        CatalogEvent::NEW_VERSIONS,
        InventoryEvent::NEW_VERSIONS,
        ReservationEvent::NEW_VERSIONS,
        PaymentEvent::NEW_VERSIONS,
    ];
    lower(tables.into_iter().flatten(), floor, event);
}

fn lower<'v>(versions: impl Iterator<Item = &'v NewVersion>, floor: SchemaGeneration, event: &mut NewEvent) {
    let is_it = |new: &&NewVersion| new.event_type == event.event_type && new.version == event.event_version;
    if let Some(new) = versions.into_iter().find(is_it).filter(|new| floor < new.since) {
        event.data = (new.lower)(&event.data);
        event.event_version = new.before;
    }
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "`stored_events!` makes the types public, even in a test")]
mod tests {
    use serde::{Deserialize, Serialize};
    use ticketing_ports::log::streams::Metadata;

    use super::*;
    use crate::stored::stored_events;

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Gathered {
        crumbs: Vec<u32>,
    }

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Hatched {}

    #[derive(Debug, Serialize, Deserialize)]
    struct GatheredV1 {
        crumb: u32,
    }

    #[expect(clippy::needless_pass_by_value, reason = "`stored_events!` passes the value itself")]
    fn upcast(old: GatheredV1) -> Gathered {
        Gathered {
            crumbs: vec![old.crumb],
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "`stored_events!` passes the value itself")]
    fn lower_gathered(new: Gathered) -> GatheredV1 {
        GatheredV1 {
            crumb: new.crumbs.iter().sum(),
        }
    }

    stored_events! {
        pub enum BirdEvent {
            Gathered(Gathered) = "Gathered" v 2 since 3 else 1 => lower_gathered, from { 1 => upcast };
            Hatched(Hatched) = "Hatched" v 1 new in 3;
        }
    }

    fn gathered() -> NewEvent {
        BirdEvent::from(Gathered { crumbs: vec![2, 5] }).to_new_event(Metadata::default())
    }

    #[test]
    fn the_next_version_is_written_once_the_floor_is_at_its_generation() {
        for (floor, version, data) in [
            (1, 1, r#"{"crumb":7}"#),
            (2, 1, r#"{"crumb":7}"#),
            (3, 2, r#"{"crumbs":[2,5]}"#),
            (4, 2, r#"{"crumbs":[2,5]}"#),
        ] {
            let mut event = gathered();
            lower(BirdEvent::NEW_VERSIONS.iter(), SchemaGeneration(floor), &mut event);
            assert_eq!(
                (event.event_version, &*event.data),
                (version, data.as_bytes()),
                "{floor}"
            );
        }
    }

    #[test]
    fn both_versions_are_read_whatever_the_floor() {
        for (version, data, crumbs) in [(1, r#"{"crumb":7}"#, vec![7]), (2, r#"{"crumbs":[2,5]}"#, vec![2, 5])] {
            let read = BirdEvent::read("Gathered", version, data.as_bytes()).unwrap();
            assert_eq!(read, Gathered { crumbs }.into());
        }
        assert!(BirdEvent::read("Gathered", 3, b"{}").is_err());
    }

    #[test]
    fn a_new_type_is_written_once_all_read_it() {
        for (floor, read) in [(1, false), (2, false), (3, true), (4, true)] {
            let hatched = BirdEvent::from(Hatched {});
            assert_eq!(hatched.is_read_by_all(SchemaGeneration(floor)), read, "{floor}");
            let gathered = BirdEvent::from(Gathered { crumbs: Vec::new() });
            assert!(
                gathered.is_read_by_all(SchemaGeneration(floor)),
                "a fact with an older version may always be written"
            );
        }
    }

    #[test]
    fn what_has_one_version_is_written_as_it_is() {
        let mut event = NewEvent {
            event_type: "SeatsHeld".into(),
            ..gathered()
        };
        let before = event.clone();
        lower(BirdEvent::NEW_VERSIONS.iter(), SchemaGeneration::FIRST, &mut event);
        assert_eq!(event, before);
    }

    /// Fails if somebody adds a version or a type of fact and forgets to raise `NEWEST`.
    #[test]
    fn no_version_begins_with_a_generation_that_this_build_does_not_claim_to_read() {
        let tables = [
            CatalogEvent::NEW_VERSIONS,
            InventoryEvent::NEW_VERSIONS,
            ReservationEvent::NEW_VERSIONS,
            PaymentEvent::NEW_VERSIONS,
        ];
        for new in tables.into_iter().flatten() {
            assert!((SchemaGeneration::FIRST..=NEWEST).contains(&new.since), "{new:?}");
        }
        let tables = [
            CatalogEvent::NEW_TYPES,
            InventoryEvent::NEW_TYPES,
            ReservationEvent::NEW_TYPES,
            PaymentEvent::NEW_TYPES,
        ];
        for new in tables.into_iter().flatten() {
            assert!((SchemaGeneration::FIRST..=NEWEST).contains(&new.since), "{new:?}");
        }
    }
}
