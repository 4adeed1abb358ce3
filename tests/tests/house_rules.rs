//! Checks rules about the sources that the compiler does not know: no cycles of modules, no long file without a reason,
//! and no long functions.
//!
//! Code that breaks a rule is listed as an exception, if there is no better way. A test also fails if an exception is no
//! longer needed, so the lists can only become shorter.

mod sources;

use std::collections::{BTreeMap, BTreeSet};

use sources::{Crate, Graph};

/// Crates whose code is shipped.
const SHIPPED: &[&str] = &[
    "adapters-external",
    "adapters-http",
    "adapters-memory",
    "adapters-metrics",
    "adapters-otel",
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

/// Items of a crate's root that its modules may use, because all modules of the crate share them.
const OF_THE_ROOT: &[(&str, &str)] = &[];

/// The folders of `ticketing-ports`, the lowest first: each may use only those before it.
const FLOORS: &[&str] = &["vocabulary", "log", "read_models", "people", "outside"];

#[test]
fn no_two_modules_of_a_crate_need_each_other() {
    let crates = Crate::all();
    let names: Vec<_> = crates.iter().map(|krate| krate.name.as_str()).collect();
    for needed in [
        "ticketing-domain",
        "ticketing-testkit",
        "tests/src/bin/load",
        "ticketing-runtime/tests/engine",
    ] {
        assert!(names.contains(&needed), "{needed} was not read: {names:?}");
    }
    let found: Vec<_> = crates
        .iter()
        .flat_map(|krate| {
            cycles(krate)
                .into_iter()
                .map(|cycle| format!("{}: {cycle}", krate.name))
        })
        .collect();
    assert!(found.is_empty(), "module cycles:\n{}", found.join("\n"));
}

#[test]
fn two_modules_that_need_each_other_are_found_however_they_name_each_other() {
    let files = BTreeMap::from([
        (
            "lib.rs",
            "mod folder; mod low; pub use folder::Upper; pub use low::Low;",
        ),
        ("low.rs", "pub(crate) struct Low;"),
        ("folder/mod.rs", "mod upper; pub use upper::Upper; pub struct Of;"),
        (
            "folder/upper.rs",
            "use super::Of; use crate::Low; pub struct Upper(Low, Of);",
        ),
    ]);
    assert_eq!(cycles(&Crate::of(&files)), Vec::<String>::new());
    for (path, text) in [
        ("low.rs", "use crate::folder::Upper; pub(crate) struct Low(Upper);"),
        ("low.rs", "pub(crate) struct Low(crate::Upper);"),
        ("low.rs", "pub(crate) struct Low; thing! { crate::folder::Upper }"),
        ("low.rs", "use super::folder::*; pub(crate) struct Low(Upper);"),
        (
            "folder/mod.rs",
            "mod upper; pub use upper::Upper; pub struct Of(Upper);",
        ),
    ] {
        let mut files = files.clone();
        files.insert(path, text);
        assert_ne!(cycles(&Crate::of(&files)), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn each_floor_of_the_ports_uses_only_floors_below_it() {
    let uses = Graph::of(&Crate::named("ticketing-ports")).to_depth(1);
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
        for (from, item) in Graph::of(&Crate::named(name)).uses_of_the_root() {
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
    let of_the_lane = |file: &str| file.starts_with("ticketing-runtime/src/lane");
    let files = sources::every_rust_file();
    assert!(
        files.iter().any(|(file, _)| of_the_lane(file)),
        "no file of the lane was found where the lane should be"
    );
    for (file, text) in files {
        let longest = if of_the_lane(&file) {
            LONGEST_IN_THE_LANE
        } else {
            LONGEST_FUNCTION
        };
        for (function, lines) in sources::functions(&text) {
            let name = format!("{file} {function}");
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
fn a_function_is_measured_wherever_it_stands() {
    let source = "
        fn one() {}
        trait Port {
            fn without_a_body(&self);
            fn by_default(&self) -> [u8; 2] {
                fn inside() {}
                [0, 1]
            }
        }
        impl Port for () {
            fn without_a_body(&self) {}
        }
        proptest! {
            #[test]
            fn a_law_holds(call in any::<fn(u8)>()) {
                call(1);
            }
        }
        macro_rules! made { ($name:ident) => { fn $name() {
        } } }
    ";
    let expected = [
        ("one", 1),
        ("by_default", 4),
        ("inside", 1),
        ("without_a_body", 1),
        ("a_law_holds", 3),
        ("name", 2),
    ];
    assert_eq!(
        sources::functions(source),
        expected.map(|(name, lines)| (name.to_owned(), lines))
    );
}

#[test]
fn every_shipped_crate_is_held_to_the_rules() {
    let not_shipped = ["examples", "test-services", "tests", "ticketing-testkit"];
    for member in sources::members() {
        let known = SHIPPED.contains(&member.as_str()) || not_shipped.contains(&member.as_str());
        assert!(known, "the crate {member} must be added to SHIPPED");
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

/// Returns a message for each use that is part of a cycle, of folders or of the files in them.
fn cycles(krate: &Crate) -> Vec<String> {
    let graph = Graph::of(krate);
    let mut found = BTreeSet::new();
    for depth in 1..=graph.depth() {
        let uses = graph.to_depth(depth);
        let pairs = uses
            .iter()
            .flat_map(|(from, used)| used.iter().map(move |to| (from, to)));
        let in_a_cycle = pairs.filter(|(from, to)| reaches(&uses, to, from));
        found.extend(in_a_cycle.map(|(from, to)| format!("{} uses {}, which needs it", shown(from), shown(to))));
    }
    found.into_iter().collect()
}

fn shown(module: &str) -> &str {
    if module.is_empty() { "the root" } else { module }
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
