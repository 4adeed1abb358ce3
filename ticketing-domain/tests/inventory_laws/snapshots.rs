//! Laws of snapshots: a snapshot is read back as the state that it was written from. Damaged bytes are refused, or
//! make a section whose counts are right.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseResult;
use ticketing_domain::inventory::{Claim, ClaimKind, Inventory, InventoryEvent, InventoryState};
use ticketing_domain::reducer::Reducer as _;
use ticketing_domain::snapshot::UnreadableSnapshot;
use ticketing_ports::Timestamp;

pub(crate) fn written(section: &InventoryState) -> Vec<u8> {
    (Inventory::SNAPSHOTS.unwrap().write)(section)
}

pub(crate) fn read(bytes: &[u8]) -> Result<InventoryState, UnreadableSnapshot> {
    (Inventory::SNAPSHOTS.unwrap().read)(bytes)
}

/// Checks that a snapshot taken after some of the facts makes, with the later facts, the same state as all facts.
pub(crate) fn check_a_stop(history: &[InventoryEvent], at: Index) -> TestCaseResult {
    let (before, after) = history.split_at(at.index(history.len() + 1));
    let mut section = InventoryState::default();
    before.iter().for_each(|event| drop(section.evolve(event)));
    let mut again = read(&written(&section)).unwrap();
    prop_assert_eq!(&again, &section);
    for event in after {
        // Both states return the same value for undoing the fact.
        let undo = again.evolve(event);
        prop_assert_eq!(&section.evolve(event), &undo);
        prop_assert_eq!(&again, &section);
    }
    Ok(())
}

/// Changes some bytes of a snapshot or cuts it short, and checks that it is refused or makes a section that adds up.
pub(crate) fn check_damage(section: &InventoryState, changes: &[(Index, u8)], end: Option<Index>) -> TestCaseResult {
    let mut bytes = written(section);
    for (at, byte) in changes {
        let at = at.index(bytes.len());
        bytes[at] = *byte;
    }
    if let Some(end) = end {
        bytes.truncate(end.index(bytes.len()));
    }
    let Ok(section) = read(&bytes) else {
        return Ok(());
    };
    let Some(seating) = section.seating() else {
        return Ok(());
    };
    // The damaged plan may have two rows of the same name, of which only the first has seats.
    prop_assert!(section.counts(Timestamp::MIN_UTC).capacity() <= seating.capacity());
    let lapsed = |claim: &Claim| {
        claim.kind
            == ClaimKind::Held {
                until: Timestamp::MIN_UTC,
            }
    };
    let claims = section.reservations().filter_map(|by| section.claim(by));
    let claimed: u32 = claims
        .filter(|claim| !lapsed(claim))
        .map(|claim| claim.seats.quantity())
        .sum();
    let counts = section.counts(Timestamp::MIN_UTC);
    prop_assert_eq!(counts.held + counts.sold, claimed);
    prop_assert_eq!(&read(&written(&section)).unwrap(), &section);
    Ok(())
}
