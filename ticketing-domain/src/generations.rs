//! Which versions of facts are written while builds of different ages work on one log.
//!
//! A build reads the next version of a fact before any build writes it: what it writes is of the generation that the log's
//! floor says all others read too. `stored_events!` declares the two versions together.

use ticketing_ports::logs::SchemaGeneration;
use ticketing_ports::streams::NewEvent;

use crate::catalog::CatalogEvent;
use crate::inventory::InventoryEvent;
use crate::payment::PaymentEvent;
use crate::reservation::ReservationEvent;
use crate::stored::StoredEvent;

/// The newest generation of facts that this build reads. A new version of a fact begins the next one.
const NEWEST: SchemaGeneration = SchemaGeneration::FIRST;

/// A version of a fact that is written from a generation on, and how it is written before.
#[derive(Debug, Clone, Copy)]
pub struct NewVersion {
    pub event_type: &'static str,
    pub version: u16,
    pub since: SchemaGeneration,
    pub before: u16,
    /// From a payload of `version` to one of `before`.
    pub lower: fn(&[u8]) -> Vec<u8>,
}

/// The newest generation of facts that this build reads.
pub fn newest() -> SchemaGeneration {
    #[cfg(feature = "made-up-version")]
    if let Some(made_up) = made_up::declared() {
        return made_up.since;
    }
    NEWEST
}

/// Writes the fact as every build reads it, by the floor of its log.
pub fn write_for_all(floor: SchemaGeneration, event: &mut NewEvent) {
    #[cfg(feature = "made-up-version")]
    made_up::write_if_all_read_it(floor, event);
    // Nearly always; there is nothing to look for.
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

/// A version of a fact that no build has, so that tests can see two builds on one log.
#[cfg(feature = "made-up-version")]
pub mod made_up {
    use std::sync::OnceLock;

    use super::{NEWEST, NewEvent, SchemaGeneration};

    /// The version after the one that is written.
    #[derive(Debug)]
    pub struct MadeUpVersion {
        pub event_type: &'static str,
        pub version: u16,
        pub raise: fn(&[u8]) -> Vec<u8>,
        /// How it is read.
        pub lower: fn(&[u8]) -> Vec<u8>,
    }

    #[derive(Debug)]
    pub(crate) struct Declared {
        pub(crate) since: SchemaGeneration,
        made_up: MadeUpVersion,
    }

    static DECLARED: OnceLock<Declared> = OnceLock::new();

    /// From now on this process reads it, and writes it once the floor is at the generation that is returned.
    ///
    /// # Panics
    /// When there is one already.
    pub fn declare(made_up: MadeUpVersion) -> SchemaGeneration {
        let since = NEWEST.next();
        DECLARED.set(Declared { since, made_up }).expect("one is enough");
        since
    }

    pub(crate) fn declared() -> Option<&'static Declared> {
        DECLARED.get()
    }

    /// The version before, and the payload as it has it.
    pub(crate) fn lowered(event_type: &str, event_version: u16, data: &[u8]) -> Option<(u16, Vec<u8>)> {
        let made_up = &declared()?.made_up;
        let is_it = made_up.event_type == event_type && made_up.version == event_version;
        is_it.then(|| (event_version - 1, (made_up.lower)(data)))
    }

    pub(super) fn write_if_all_read_it(floor: SchemaGeneration, event: &mut NewEvent) {
        let Some(Declared { since, made_up }) = declared() else {
            return;
        };
        if floor >= *since && event.event_type == made_up.event_type && event.event_version + 1 == made_up.version {
            event.data = (made_up.raise)(&event.data);
            event.event_version = made_up.version;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use ticketing_ports::streams::Metadata;

    use super::*;
    use crate::stored::stored_events;

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Gathered {
        crumbs: Vec<u32>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct GatheredV1 {
        crumb: u32,
    }

    fn upcast(old: GatheredV1) -> Gathered {
        Gathered {
            crumbs: vec![old.crumb],
        }
    }

    fn lower_gathered(new: Gathered) -> GatheredV1 {
        GatheredV1 {
            crumb: new.crumbs.iter().sum(),
        }
    }

    stored_events! {
        pub enum BirdEvent {
            Gathered(Gathered) = "Gathered" v 2 since 3 else 1 => lower_gathered, from { 1 => upcast };
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
    fn what_has_one_version_is_written_as_it_is() {
        let mut event = NewEvent {
            event_type: "SeatsHeld".into(),
            ..gathered()
        };
        let before = event.clone();
        lower(BirdEvent::NEW_VERSIONS.iter(), SchemaGeneration::FIRST, &mut event);
        assert_eq!(event, before);
    }

    /// Who adds a version forgets nothing else.
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
    }
}
