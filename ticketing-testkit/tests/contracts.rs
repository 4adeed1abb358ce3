//! Checks that the contracts of the ports, the rules of the suites and the broken stores match each other, and that
//! the public traits have examples.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The crates of the workspace that no other program uses: the server, tests and their helpers.
const NO_LIBRARIES: &[&str] = &["app-server", "examples", "test-services", "tests"];

#[test]
fn every_rule_of_a_suite_is_a_line_of_a_contract() {
    let contracts = contracts();
    for (suite, rules) in suites() {
        // The rules of the durability suite are lines of the contract of the event store.
        let port = if suite == "durability" { "event_store" } else { &suite };
        let lines = contracts
            .get(port)
            .unwrap_or_else(|| panic!("no port is called {port}"));
        for rule in rules {
            assert!(lines.contains(&rule), "no contract in {port}.rs has the line {rule}");
        }
    }
}

#[test]
fn every_line_of_a_contract_is_a_test() {
    let rules: BTreeSet<_> = suites().into_values().flatten().collect();
    let tests = tests();
    for (port, lines) in contracts() {
        for line in lines {
            assert!(
                rules.contains(&line) || tests.contains(&line),
                "the contract in {port}.rs has the line {line}, but no test has that name"
            );
        }
    }
}

#[test]
fn every_suite_is_tried_on_broken_stores() {
    let mutants = fs::read_to_string(root().join("adapters-memory/tests/mutants/main.rs")).unwrap();
    for suite in suites().keys() {
        assert!(
            mutants.contains(&format!("conformance::{suite}::RULES")),
            "the rules of the suite {suite} are tried on no broken store"
        );
    }
}

#[test]
fn every_public_trait_of_a_library_has_an_example_that_runs() {
    let mut without = Vec::new();
    let mut traits = 0;
    for (file, text) in libraries().iter().flat_map(|library| below(&library.join("src"))) {
        for (at, _) in text.match_indices("\npub trait ") {
            traits += 1;
            let documentation = text[..at].rsplit("\n\n").next().unwrap_or_default();
            if !documentation.contains("/// ```\n") && !documentation.contains("has an example.") {
                let declaration = text[at + 1..].lines().next().unwrap_or_default();
                without.push(format!("{file}.rs: {declaration}"));
            }
        }
    }
    assert!(traits > 45, "most of the traits were not found");
    assert!(
        without.is_empty(),
        "traits without an example that runs:\n{}",
        without.join("\n")
    );
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns the folders of the crates that other programs use.
fn libraries() -> Vec<PathBuf> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest can be read");
    let (_, members) = manifest.split_once("members = [").expect("the workspace has members");
    let (members, _) = members.split_once(']').expect("the list of members has an end");
    let members = members.split(',').map(|member| member.trim().trim_matches('"'));
    let libraries = members.filter(|member| !member.is_empty() && !NO_LIBRARIES.contains(member));
    libraries.map(|library| root().join(library)).collect()
}

/// Returns the names of the rules of each suite.
fn suites() -> BTreeMap<String, Vec<String>> {
    let mut suites = BTreeMap::new();
    for (name, text) in sources(&root().join("ticketing-testkit/src/conformance")) {
        let Some((_, listed)) = text.split_once("\nsuite! { $\n") else {
            continue;
        };
        let (listed, _) = listed.split_once("\n}\n").expect("the list of rules ends with a brace");
        let names = listed.lines().filter_map(|line| line.trim().strip_suffix(','));
        let rules: Vec<String> = names.map(str::to_owned).collect();
        assert!(!rules.is_empty(), "{name} has no rule");
        suites.insert(name, rules);
    }
    assert!(suites.len() > 15, "most of the suites were not found");
    suites
}

/// Returns the lines of all contracts, by the name of their file and also by the name of its folder, because the
/// suite of the read models covers all ports of its folder.
fn contracts() -> BTreeMap<String, BTreeSet<String>> {
    let mut contracts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let floors = fs::read_dir(root().join("ticketing-ports/src")).expect("the folder can be read");
    let floors = floors.map(|entry| entry.expect("the folder can be read").path());
    for floor in floors.filter(|path| path.is_dir()) {
        let floor_name = floor
            .file_name()
            .expect("a floor has a name")
            .to_string_lossy()
            .into_owned();
        for (name, text) in sources(&floor) {
            if !text.contains("/// **Contract**") {
                continue;
            }
            let begun = text.lines().filter_map(|line| line.trim().strip_prefix("/// - `"));
            let lines: Vec<_> = begun
                .filter_map(|line| line.split_once('`'))
                .map(|(line, _)| line.to_owned())
                .collect();
            contracts.entry(name).or_default().extend(lines.clone());
            contracts.entry(floor_name.clone()).or_default().extend(lines);
        }
    }
    assert!(contracts.len() > 25, "most of the contracts were not found");
    contracts
}

/// Returns the names of all tests of the workspace that are written out. The tests that a suite makes are not among
/// them.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, text) in below(&root()) {
        let mut is_test = false;
        for line in text.lines().map(str::trim_start) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                is_test = true;
            } else if let Some((_, declared)) = line.split_once("fn ").filter(|_| is_test) {
                names.extend(declared.split_once('(').map(|(name, _)| name.to_owned()));
                is_test = false;
            }
        }
    }
    names
}

/// Returns the Rust files of a folder and of the folders in it: the name without `.rs`, and the text.
fn below(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        files.extend(sources(&folder));
        let entries = fs::read_dir(&folder).expect("the folder can be read");
        folders.extend(entries.filter_map(|entry| {
            let path = entry.expect("the folder can be read").path();
            let skipped = path.ends_with("target") || path.ends_with(".git") || path.ends_with("node_modules");
            (path.is_dir() && !skipped).then_some(path)
        }));
    }
    files
}

/// Returns the Rust files of a folder: the name without `.rs`, and the text.
fn sources(folder: &Path) -> impl Iterator<Item = (String, String)> + use<> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    entries.filter_map(|entry| {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            return None;
        }
        let name = path.file_stem()?.to_str()?.to_owned();
        Some((name, fs::read_to_string(&path).expect("the source can be read")))
    })
}
