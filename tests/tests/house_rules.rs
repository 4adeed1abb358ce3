//! Checks rules about the sources that the compiler does not know: no cycles of modules, no long file without a reason,
//! and no long functions.
//!
//! Code that breaks a rule is listed as an exception. A test also fails if an exception is no longer needed, so the
//! lists can only become shorter.

mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sources::{Crate, SourceFile};

/// Crates whose code is shipped.
const SHIPPED: &[&str] = &[
    "adapters-external",
    "adapters-http",
    "adapters-memory",
    "adapters-postgres",
    "adapters-redis",
    "adapters-redpanda",
    "adapters-sqlite",
    "app-server",
    "ticketing-domain",
    "ticketing-ports",
    "ticketing-runtime",
];

const LONGEST_FILE: usize = 400;
/// A file with more than `LONGEST_FILE` lines must have this text in its head, followed by the reason.
const REASON: &str = "//! Long because ";
/// Files with more than `LONGEST_FILE` lines that give no reason. The list must stay empty if it can.
const LONG_FILES: &[&str] = &[];

const LONGEST_FUNCTION: usize = 80;
const LONGEST_IN_THE_LANE: usize = 60;
/// Functions with more lines than these limits, by file and name. The list must stay empty if it can.
const LONG_FUNCTIONS: &[&str] = &[];

/// Uses that make a cycle between top-level modules: the crate, the module that uses, and the module that is used.
/// The list must stay empty if it can.
const CYCLES: &[(&str, &str, &str)] = &[];

/// Crates that only tests use. Their modules must have no cycles either; the other rules are for shipped code.
const FOR_TESTS: &[&str] = &["test-services", "ticketing-testkit"];

/// Items of a crate's root that its modules may use, because all modules of the crate share them.
const OF_THE_ROOT: &[(&str, &str)] = &[];

/// The folders of `ticketing-ports`, the lowest first: each may use only those before it.
const FLOORS: &[&str] = &["vocabulary", "log", "read_models", "people", "outside"];

#[test]
fn no_two_modules_of_a_crate_need_each_other() {
    let mut excepted: BTreeSet<_> = CYCLES.iter().copied().collect();
    let mut cycles = Vec::new();
    for name in SHIPPED.iter().chain(FOR_TESTS) {
        let mut uses = Crate::named(name).uses();
        for (of, from, to) in CYCLES {
            if of == name && uses.get(*from).is_some_and(|used| used.contains(*to)) && reaches(&uses, to, from) {
                excepted.remove(&(of, from, to));
            }
        }
        for (of, from, to) in CYCLES {
            if of == name
                && let Some(used) = uses.get_mut(*from)
            {
                used.remove(*to);
            }
        }
        for (from, used) in &uses {
            cycles.extend(
                used.iter()
                    .filter(|to| reaches(&uses, to, from))
                    .map(|to| format!("{name}: {from} uses {to}, which needs {from}")),
            );
        }
    }
    assert!(cycles.is_empty(), "module cycles:\n{}", cycles.join("\n"));
    assert!(
        excepted.is_empty(),
        "remove these exceptions, whose cycles are gone: {excepted:?}"
    );
}

#[test]
fn no_two_files_of_a_floor_of_the_ports_need_each_other() {
    let uses = Crate::named("ticketing-ports").uses_to_depth(2);
    let files = uses.keys().filter(|name| name.contains("::")).count();
    assert!(files > 20, "only {files} files of the floors use anything");
    let pairs = uses
        .iter()
        .flat_map(|(from, used)| used.iter().map(move |to| (from, to)));
    let cycles: Vec<_> = pairs
        .filter(|(from, to)| reaches(&uses, to, from))
        .map(|(from, to)| format!("{from} uses {to}, which needs {from}"))
        .collect();
    assert!(cycles.is_empty(), "cycles between files:\n{}", cycles.join("\n"));
}

#[test]
fn each_floor_of_the_ports_uses_only_floors_below_it() {
    let uses = Crate::named("ticketing-ports").uses();
    for floor in uses.iter().flat_map(|(from, used)| used.iter().chain([from])) {
        assert!(
            FLOORS.contains(&floor.as_str()),
            "the folder {floor} must be added to FLOORS"
        );
    }
    for (height, floor) in FLOORS.iter().enumerate() {
        let upwards: Vec<_> = uses
            .get(*floor)
            .into_iter()
            .flatten()
            .filter(|used| !FLOORS[..height].contains(&used.as_str()))
            .collect();
        assert!(upwards.is_empty(), "{floor} uses {upwards:?}, which are not below it");
    }
}

#[test]
fn no_module_uses_what_stands_in_the_root_of_its_crate() {
    let mut found = Vec::new();
    let mut excepted: BTreeSet<_> = OF_THE_ROOT.iter().copied().collect();
    for name in SHIPPED {
        for (from, item) in Crate::named(name).uses_of_the_root() {
            match OF_THE_ROOT.iter().find(|(of, known)| of == name && *known == item) {
                Some(known) => drop(excepted.remove(known)),
                None => found.push(format!("{name}: {from} uses crate::{item}")),
            }
        }
    }
    assert!(found.is_empty(), "upward imports:\n{}", found.join("\n"));
    assert!(
        excepted.is_empty(),
        "remove these exceptions, which no module uses: {excepted:?}"
    );
}

#[test]
fn a_long_file_says_why() {
    let mut excepted: BTreeSet<_> = LONG_FILES.iter().copied().collect();
    let mut found = Vec::new();
    for file in SHIPPED.iter().flat_map(|name| Crate::named(name).files) {
        let lines = file.text.lines().count();
        let head = file.text.lines().take_while(|line| line.starts_with("//!"));
        let says_why = head.clone().any(|line| line.starts_with(REASON));
        let long = lines > LONGEST_FILE && !file.is_of_tests();
        if says_why {
            assert!(long, "{} is not long any more: its head need not say why", file.name);
        } else if long && !excepted.remove(file.name.as_str()) {
            found.push(format!("{}: {lines} lines", file.name));
        }
    }
    assert!(
        found.is_empty(),
        "files with more than {LONGEST_FILE} lines and no reason in their head:\n{}",
        found.join("\n")
    );
    assert!(
        excepted.is_empty(),
        "remove these exceptions, which are short enough now: {excepted:?}"
    );
}

#[test]
fn every_function_fits_on_a_screen_and_those_of_the_lane_on_a_small_one() {
    let mut excepted: BTreeSet<_> = LONG_FUNCTIONS.iter().copied().collect();
    let mut found = Vec::new();
    let of_the_lane = |file: &SourceFile| file.name.starts_with("ticketing-runtime/src/lane");
    let files: Vec<_> = SHIPPED.iter().flat_map(|name| Crate::named(name).files).collect();
    assert!(
        files.iter().any(of_the_lane),
        "no file of the lane was found where the lane should be"
    );
    for file in files.iter().filter(|file| !file.is_of_tests()) {
        let longest = if of_the_lane(file) {
            LONGEST_IN_THE_LANE
        } else {
            LONGEST_FUNCTION
        };
        for (function, lines) in file.functions() {
            let name = format!("{} {function}", file.name);
            if lines > longest && !excepted.remove(name.as_str()) {
                found.push(format!("{name}: {lines} lines"));
            }
        }
    }
    assert!(found.is_empty(), "too many lines in a function:\n{}", found.join("\n"));
    assert!(
        excepted.is_empty(),
        "remove these exceptions, which are short enough now: {excepted:?}"
    );
}

#[test]
fn every_shipped_crate_is_held_to_the_rules() {
    let manifest = fs::read_to_string(sources::root().join("Cargo.toml")).unwrap();
    let not_shipped = ["examples", "test-services", "tests", "ticketing-testkit"];
    let (_, members) = manifest.split_once("members = [").unwrap();
    let (members, _) = members.split_once(']').unwrap();
    for member in members.split(',').map(|member| member.trim().trim_matches('"')) {
        let known = member.is_empty() || SHIPPED.contains(&member) || not_shipped.contains(&member);
        assert!(known, "the crate {member} must be added to SHIPPED or to FOR_TESTS");
    }
}

#[test]
fn no_property_test_names_a_number_of_cases_of_its_own() {
    // The searched words are written in two pieces, so that the test does not find them in this file.
    let of_its_own = [concat!("with_", "cases("), concat!("ProptestConfig { ", "cases")];
    let mut found = Vec::new();
    for (name, text) in sources::every_rust_file() {
        let numbered = text.lines().enumerate();
        let lines = numbered.filter(|(_, line)| of_its_own.iter().any(|words| line.contains(words)));
        found.extend(lines.map(|(number, line)| format!("{name}:{}: {}", number + 1, line.trim())));
    }
    assert!(
        found.is_empty(),
        "PROPTEST_CASES has no effect here, use ticketing_testkit::property instead:\n{}",
        found.join("\n")
    );
}

/// Returns whether the module `from` needs the module `to`, directly or through others.
fn reaches(uses: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        if module == to {
            return true;
        }
        if seen.insert(module) {
            open.extend(uses.get(module).into_iter().flatten().map(String::as_str));
        }
    }
    false
}
