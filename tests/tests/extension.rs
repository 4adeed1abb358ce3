//! A crate outside the workspace adds a command and a follower to the box office, each in one file, and uses them.

use std::fs;
use std::path::Path;
use std::process::Command;

use cargo_metadata::MetadataCommand;

#[test]
fn a_crate_outside_the_workspace_adds_a_command_and_a_follower() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let extension = workspace.join("tests/extension");
    // The lock file of the workspace gives the same versions of all dependencies, so that most of them are built
    // already.
    fs::copy(workspace.join("Cargo.lock"), extension.join("Cargo.lock")).unwrap();
    let metadata = MetadataCommand::new().current_dir(workspace).no_deps().exec().unwrap();
    let ran = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--manifest-path"])
        .arg(extension.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(metadata.target_directory.join("extension"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(said.trim(), "6 seats are off sale");
}
