//! Checks that every example has a test that runs it, because an example that is never run becomes wrong.

use std::fs;
use std::path::Path;

#[test]
fn every_example_is_marked_to_be_run_and_has_a_test() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(package.join("Cargo.toml")).unwrap();
    for file in fs::read_dir(package.join("examples")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let marked = format!("[[example]]\nname = \"{name}\"\ntest = true\n");
        assert!(
            manifest.contains(&marked),
            "examples/Cargo.toml does not say:\n{marked}"
        );
        let source = fs::read_to_string(&path).unwrap();
        assert!(source.contains("\n#[test]\n"), "{name} has no test that it ends well");
    }
}
