//! Checks that a process that dies leaves nothing of its services behind.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

#[test]
fn postgresql_dies_with_a_process_that_is_killed() {
    dies_with_its_parent("postgres");
}

#[test]
fn redis_dies_with_a_process_that_is_killed() {
    dies_with_its_parent("redis");
}

#[test]
fn an_issuer_dies_with_a_process_that_is_killed() {
    dies_with_its_parent("issuer");
}

fn dies_with_its_parent(service: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    // If this test runs as root, PostgreSQL runs as another user, who must be able to enter the folder.
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("this process owns the folder");
    let (mut parent, address) = parent_of(service, &folder);
    TcpStream::connect(&address).expect("the service is up");

    parent.kill().expect("the parent is alive");
    parent.wait().expect("this process started the parent");

    eventually("the service is gone", || TcpStream::connect(&address).is_err());
    eventually("its folder is gone", || folders(&folder) == 0);
}

#[test]
fn a_process_that_is_told_to_stop_takes_its_services_along() {
    let folder = tempfile::tempdir().unwrap();
    let (mut parent, address) = parent_of("redis", &folder);

    let told = Command::new("kill")
        .args(["-s", "TERM", &parent.id().to_string()])
        .status()
        .unwrap();
    assert!(told.success());
    parent.wait().unwrap();

    eventually("the service is gone", || TcpStream::connect(&address).is_err());
    eventually("its folder is gone", || folders(&folder) == 0);
}

#[test]
fn a_process_that_ends_by_itself_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut parent, address) = parent_of("redis", &folder);

    drop(parent.stdin.take());
    assert!(parent.wait().unwrap().success());

    assert!(TcpStream::connect(&address).is_err());
    assert_eq!(folders(&folder), 0);
}

#[test]
fn a_small_disk_is_unmounted_when_its_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut parent, place) = told_by_parent("disk", &folder);
    let is_mounted = || {
        let mounts = fs::read_to_string("/proc/self/mounts").expect("this is Linux, where something was mounted");
        mounts.contains(&place)
    };
    if place.starts_with('/') {
        assert!(is_mounted());
    }

    parent.kill().unwrap();
    parent.wait().unwrap();

    eventually("its folder is gone", || folders(&folder) == 0);
    assert!(!place.starts_with('/') || !is_mounted());
}

/// Starts a process that starts a service in the folder, and returns that process and the service's address.
fn parent_of(service: &str, folder: &TempDir) -> (Child, String) {
    let (parent, url) = told_by_parent(service, folder);
    let authority = url.split("://").nth(1).unwrap_or_default();
    let address = authority.rsplit('@').next().unwrap_or_default();
    let address = address.split('/').next().unwrap_or_default().to_owned();
    assert!(!address.is_empty(), "the service did not come up");
    (parent, address)
}

/// Starts `hold-service` with its temporary files in the folder, and returns the process and the line that it prints.
fn told_by_parent(what: &str, folder: &TempDir) -> (Child, String) {
    let mut parent = Command::new(env!("CARGO_BIN_EXE_hold-service"))
        .arg(what)
        .env("TMPDIR", folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program was built");
    let mut told = String::new();
    BufReader::new(parent.stdout.take().expect("the output is piped"))
        .read_line(&mut told)
        .expect("the line is UTF-8");
    (parent, told.trim().to_owned())
}

/// Counts the folders of services. The folder with the lock files of the ports, which outlives its process, does not
/// count.
fn folders(folder: &TempDir) -> usize {
    let entries = fs::read_dir(folder.path()).expect("the folder exists");
    entries
        .flatten()
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with("box-office-test-ports"))
        .count()
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "this did not happen within a minute: {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
