//! Checks that the tests which `docs/SECURITY.md` names exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_test_that_the_security_document_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = fs::read_to_string(root.join("docs/SECURITY.md")).unwrap();
    let (_, decisions) = document
        .split_once("## Decisions, and the test of each")
        .expect("the table exists");
    let (table, _) = decisions
        .split_once("\n## ")
        .expect("an empty line and more text follow the table");
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    let known = functions_below(&root);
    for row in &rows {
        let tests = row.rsplit('|').nth(1).unwrap_or_default();
        let named: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "this row names no test: {row}");
        for name in named {
            assert!(known.contains(name), "there is no test {name}");
        }
    }
    assert!(rows.len() > 30, "the table has lost most of its rows");
}

/// Returns the names of all functions in the Rust files below `root`.
fn functions_below(root: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the folder can be read").path();
            let skipped = path.ends_with("target") || path.ends_with(".git") || path.ends_with("node_modules");
            if path.is_dir() && !skipped {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("the source can be read");
                let declared = text.split("fn ").skip(1);
                let name = |rest: &str| {
                    rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                        .next()
                        .map(str::to_owned)
                };
                names.extend(declared.filter_map(name));
                // Some macros make a test of each name in a list, one on a line, so such lines count as functions
                // too.
                names.extend(
                    text.lines()
                        .filter_map(|line| line.trim().strip_suffix(','))
                        .map(str::to_owned),
                );
            }
        }
    }
    names
}
