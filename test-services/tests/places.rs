//! Checks where a shared service comes from on poorly equipped machines: one whose container engine lacks the image,
//! and one without Java.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

#[test]
fn an_engine_that_cannot_fetch_the_image_is_passed_over_and_says_why() {
    let machine = Machine::with_engine(Registry::OutOfReach);
    let found = machine.find("shared-redis");
    let told = text(&found.stderr);
    assert!(found.status.success(), "{told}");
    let why = "Redis cannot be had in a container: the engine has no image redis:7-alpine and cannot fetch it: ";
    assert!(told.contains(why), "{told}");
    assert!(told.contains("no such host"), "{told}");
    assert!(told.contains("(own process)"), "{told}");
}

#[test]
fn a_registry_that_says_nothing_is_waited_for_seconds_and_not_minutes() {
    let machine = Machine::with_engine(Registry::Silent);
    let began = Instant::now();
    let found = machine.find("shared-redis");
    let told = text(&found.stderr);
    assert!(found.status.success(), "{told}");
    assert!(told.contains("the registry says nothing for 10s"), "{told}");
    assert!(told.contains("(own process)"), "{told}");
    assert!(began.elapsed() < Duration::from_secs(150), "{:?}", began.elapsed());
}

#[test]
fn without_java_the_broker_is_the_mock_cluster_and_named_as_such() {
    let machine = Machine::with_nothing();
    let found = machine.find("shared-broker");
    let told = text(&found.stderr);
    assert!(found.status.success(), "{told}");
    let named = "only rdkafka's mock cluster as the broker, for: Java is not installed here";
    assert!(told.contains(named), "{told}");
    assert!(text(&found.stdout).starts_with("127.0.0.1:"));
}

#[test]
fn in_ci_the_mock_cluster_is_no_broker() {
    let machine = Machine::with_nothing();
    let found = machine.command("shared-broker").env("CI", "true").output().unwrap();
    let told = text(&found.stderr);
    assert!(!found.status.success());
    assert!(told.contains("Java is not installed here"), "{told}");
}

/// What a fake engine's registry does when an image is to be fetched.
#[derive(Clone, Copy)]
enum Registry {
    OutOfReach,
    Silent,
}

/// The environment of a process that looks for a service.
struct Machine {
    folder: TempDir,
    path: String,
}

impl Machine {
    /// A machine without any program and without a container engine.
    fn with_nothing() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        // If this test runs as root, PostgreSQL and Redis run as another user, who must be able to enter the folder.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("this process owns the folder");
        let path = folder.path().join("bin");
        fs::create_dir(&path).expect("no folder has this name yet");
        let path = path.to_str().expect("the name is UTF-8").to_owned();
        Self { folder, path }
    }

    /// A machine with all programs of this one, and a container engine that answers but has no image.
    fn with_engine(registry: Registry) -> Self {
        let mut machine = Self::with_nothing();
        let docker = Path::new(&machine.path).join("docker");
        fs::write(&docker, "#!/bin/sh\n").expect("this process owns the folder");
        fs::set_permissions(&docker, Permissions::from_mode(0o755)).expect("this process owns the file");
        machine.path = format!("{}:{}", machine.path, std::env::var("PATH").unwrap_or_default());
        let listener = UnixListener::bind(machine.socket()).expect("no file has this name yet");
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                std::thread::spawn(move || answer(connection, registry));
            }
        });
        machine
    }

    fn socket(&self) -> std::path::PathBuf {
        self.folder.path().join("engine.sock")
    }

    fn command(&self, service: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hold-service"));
        command.arg(service).stdin(Stdio::null()).env_remove("CI");
        for variable in ["TEST_POSTGRES_URL", "TEST_REDIS_URL", "TEST_REDPANDA_BROKERS"] {
            command.env_remove(variable);
        }
        command
            .env("PATH", &self.path)
            .env("TMPDIR", self.folder.path())
            .env("DOCKER_HOST", format!("unix://{}", self.socket().display()))
            // Hides the services that `services up` has started for this workspace.
            .env("CARGO_TARGET_DIR", self.folder.path());
        command
    }

    fn find(&self, service: &str) -> Output {
        self.command(service).output().expect("the program was built")
    }
}

/// Answers requests of an engine's API until the client goes away.
fn answer(connection: UnixStream, registry: Registry) -> Option<()> {
    let mut reader = BufReader::new(connection);
    loop {
        let mut lines = reader.by_ref().lines();
        let request = lines.next()?.ok()?;
        while !lines.next()?.ok()?.is_empty() {}
        let (status, body) = match request.split(' ').nth(1)? {
            path if path.ends_with("/_ping") => ("200 OK", "OK"),
            path if path.contains("/images/create") => match registry {
                Registry::OutOfReach => (
                    "500 Internal Server Error",
                    r#"{"message": "dial tcp: lookup no.registry: no such host"}"#,
                ),
                Registry::Silent => continue,
            },
            _ => ("404 Not Found", r#"{"message": "no such image"}"#),
        };
        let length = body.len();
        write!(
            reader.get_mut(),
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .ok()?;
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
