//! Chooses the schema version in which a fact is written, while old and new builds work on one log.
//!
//! A new version is written only once every build can read it. The log's *floor* is the newest generation that all
//! builds on the log read, and nothing newer is written. `stored_events!` declares for each new version how it is
//! turned into the old one. A new type of fact has no older version, and some facts say what no older version can tell.
//! No reducer decides on such a fact until every build reads it.

use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::log::streams::NewEvent;

use crate::catalog::CatalogEvent;
use crate::inventory::InventoryEvent;
use crate::payment::PaymentEvent;
use crate::reservation::ReservationEvent;
use crate::stored::{NewVersion, StoredEvent, lowering};

/// The newest generation of facts that this build reads. Whoever adds a version or a type of fact raises this number.
const NEWEST: SchemaGeneration = SchemaGeneration(8);

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

/// Lowers a fact. A fact that no older version can tell is left as it is: the reducers do not decide on it as long as
/// the floor is too low, and half of a fact must never be written.
fn lower<'v>(versions: impl IntoIterator<Item = &'v NewVersion>, floor: SchemaGeneration, event: &mut NewEvent) {
    let older = lowering(versions, &event.event_type, event.event_version, floor);
    if let Some((older, data)) = older.and_then(|older| Some((older, (older.lower)(&event.data)?))) {
        event.data = data;
        event.event_version = older.before;
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

    /// Version 1 tells only one crumb.
    #[expect(clippy::needless_pass_by_value, reason = "`stored_events!` passes the value itself")]
    fn lower_gathered(new: Gathered) -> Option<GatheredV1> {
        match new.crumbs.as_slice() {
            [crumb] => Some(GatheredV1 { crumb: *crumb }),
            _ => None,
        }
    }

    /// Version 2 of another fact tells the sum of the crumbs, and version 1 how many they are.
    #[expect(clippy::needless_pass_by_value, reason = "`stored_events!` passes the value itself")]
    fn sum(new: Gathered) -> Option<GatheredV1> {
        let crumb = new.crumbs.iter().sum();
        Some(GatheredV1 { crumb })
    }

    #[expect(clippy::needless_pass_by_value, reason = "`stored_events!` passes the value itself")]
    fn count(new: Gathered) -> Option<Counted> {
        let count = new.crumbs.len();
        Some(Counted { count })
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Counted {
        count: usize,
    }

    stored_events! {
        pub enum BirdEvent {
            Gathered(Gathered) = "Gathered" v 2 since 3 else 1 => lower_gathered, from { 1 => upcast };
            Hatched(Hatched) = "Hatched" v 1 new in 3;
        }
    }

    stored_events! {
        pub enum MouseEvent {
            Eaten(Gathered) = "Eaten" v 3 since 4 else 2 => sum, since 3 else 1 => count;
        }
    }

    fn gathered(crumbs: &[u32]) -> NewEvent {
        let crumbs = crumbs.to_vec();
        BirdEvent::from(Gathered { crumbs }).to_new_event(Metadata::default())
    }

    #[test]
    fn the_next_version_is_written_once_the_floor_is_at_its_generation() {
        for (floor, version, data) in [
            (1, 1, r#"{"crumb":7}"#),
            (2, 1, r#"{"crumb":7}"#),
            (3, 2, r#"{"crumbs":[7]}"#),
            (4, 2, r#"{"crumbs":[7]}"#),
        ] {
            let mut event = gathered(&[7]);
            lower(BirdEvent::NEW_VERSIONS, SchemaGeneration(floor), &mut event);
            assert_eq!(
                (event.event_version, &*event.data),
                (version, data.as_bytes()),
                "{floor}"
            );
        }
    }

    #[test]
    fn of_several_older_versions_the_newest_that_all_read_is_written() {
        for (floor, version, data) in [
            (1, 1, r#"{"count":2}"#),
            (2, 1, r#"{"count":2}"#),
            (3, 2, r#"{"crumb":7}"#),
            (4, 3, r#"{"crumbs":[2,5]}"#),
        ] {
            let eaten = MouseEvent::from(Gathered { crumbs: vec![2, 5] });
            let mut event = eaten.to_new_event(Metadata::default());
            lower(MouseEvent::NEW_VERSIONS, SchemaGeneration(floor), &mut event);
            let written = (event.event_version, &*event.data);
            assert_eq!(written, (version, data.as_bytes()), "{floor}");
        }
    }

    #[test]
    fn what_an_older_version_cannot_tell_waits_until_all_read_the_new_one_and_is_never_lowered() {
        for (floor, read) in [(1, false), (2, false), (3, true)] {
            let several = BirdEvent::from(Gathered { crumbs: vec![2, 5] });
            assert_eq!(several.is_read_by_all(SchemaGeneration(floor)), read, "{floor}");
            let mut event = gathered(&[2, 5]);
            lower(BirdEvent::NEW_VERSIONS, SchemaGeneration(floor), &mut event);
            assert_eq!(event, gathered(&[2, 5]));
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
            let gathered = BirdEvent::from(Gathered { crumbs: vec![7] });
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
            ..gathered(&[7])
        };
        let before = event.clone();
        lower(BirdEvent::NEW_VERSIONS, SchemaGeneration::FIRST, &mut event);
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
