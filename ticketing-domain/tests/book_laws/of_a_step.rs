//! Laws of one step: what a command read is noted, and a command that is refused changes nothing.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use ticketing_domain::book::Staged;
use ticketing_ports::log::streams::{Aggregate, StreamId, Version};
use ticketing_testkit::generators::{AnyCommand, Asked, House};

use super::facts::{facts_of, sections_of};

pub(crate) fn versions_of(house: &House) -> BTreeMap<StreamId, Version> {
    house.log.iter().map(|fact| (fact.stream, fact.version)).collect()
}

pub(crate) fn what_was_read_is_what_was_there(
    versions: &BTreeMap<StreamId, Version>,
    staged: &Staged,
) -> TestCaseResult {
    let version = |stream| versions.get(stream).copied().unwrap_or_default();
    for (stream, seen) in &staged.read_set {
        prop_assert_eq!(version(stream), *seen, "{}", stream);
    }
    let mut next = staged.read_set.clone();
    for fact in &staged.facts {
        let version = next.get_mut(&fact.stream);
        prop_assert!(
            version.is_some(),
            "{} was changed, but is not in the read set",
            fact.stream
        );
        let version = version.unwrap();
        *version = version.next();
        prop_assert_eq!(fact.version, *version);
    }
    Ok(())
}

/// Checks that a command which settles a cancellation has every section in its read set, and the catalog, which lists
/// the sections.
pub(crate) fn reading_a_set_notes_the_set(house: &House, asked: &Asked, staged: &Staged) -> TestCaseResult {
    if !matches!(asked.command, AnyCommand::SettleCancellation(_)) || staged.facts.is_empty() {
        return Ok(());
    }
    let catalog = facts_of(house, Aggregate::Catalog).map(|fact| fact.stream);
    for stream in catalog.chain(sections_of(&house.log)) {
        prop_assert!(
            staged.read_set.contains_key(&stream),
            "{} is not in the read set",
            stream
        );
    }
    Ok(())
}

pub(crate) fn a_refused_command_changes_nothing(house: &mut House, asked: &Asked) -> TestCaseResult {
    let (before, mark) = (house.book.clone(), house.book.savepoint());
    prop_assert!(house.assume(asked).is_err());
    prop_assert_eq!(mark, house.book.savepoint());
    prop_assert_eq!(&before, &house.book);
    Ok(())
}
