//! Tests the command `services`. Each test keeps the records of its services in a folder of its own, apart from those
//! of the workspace.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use redis::{Client, Commands};
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

/// There is no cargo here and nothing that was built, so a script that had to build the command would fail.
#[test]
fn the_help_of_the_script_is_there_without_a_build() {
    let empty = TempDir::new().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/services");
    let help = include_str!("../src/bin/services-help.txt");
    for (arguments, code) in [(&["--help"][..], 0), (&["-h"], 0), (&["help"], 0), (&[], 2)] {
        let mut command = Command::new(&script);
        command.args(arguments).env("PATH", "/usr/bin:/bin");
        let output = command
            .env("HOME", empty.path())
            .env("CARGO_TARGET_DIR", empty.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        let printed = if code == 0 { output.stdout } else { output.stderr };
        assert_eq!(text(&printed), help, "{arguments:?}");
    }
}

#[test]
fn up_twice_is_one_service_that_keeps_its_data() {
    let services = Services::new();
    let first = services.up("redis");
    let () = services.redis().set("seat", 12).unwrap();

    let second = services.up("redis");

    assert_eq!(first, second);
    assert_eq!(services.redis().get::<_, i32>("seat").unwrap(), 12);
}

#[test]
fn two_that_are_told_up_at_once_start_one_service() {
    let services = Services::new();
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| services.up("redis"));
        let second = scope.spawn(|| services.up("redis"));
        (first.join().unwrap(), second.join().unwrap())
    });
    assert_eq!(first, second);
}

#[test]
fn what_was_killed_is_started_anew_and_meanwhile_said_to_be_silent() {
    let services = Services::new();
    services.up("redis");
    let shutdown: redis::RedisResult<()> = redis::cmd("SHUTDOWN").arg("NOSAVE").query(&mut services.redis());
    assert!(shutdown.is_err(), "Redis closes the connection when it shuts down");

    let status = services.output(&["status"]);
    assert_eq!(status.status.code(), Some(1));
    assert!(text(&status.stdout).contains("Redis (own process, started by services up) does not answer"));

    services.up("redis");
    assert_eq!(services.redis().get::<_, Option<i32>>("seat").unwrap(), None);
}

#[test]
fn an_up_that_died_before_it_started_what_it_wrote_down_is_made_up_for() {
    let services = Services::new();
    let folder = services.state.path().join("never-started");
    let entry =
        format!(r#"[{{"kind": "redis", "address": "redis://127.0.0.1:1/", "folder": {folder:?}, "known_as": null}}]"#);
    fs::write(services.state.path().join("state.json"), entry).unwrap();

    assert!(services.up("redis").starts_with("Redis "));

    services.redis();
}

#[test]
fn down_leaves_nothing_and_twice_is_no_error() {
    let services = Services::new();
    services.up("redis");
    let url = services.redis_url();

    assert!(text(&services.done(&["down"]).stdout).contains("Redis is stopped"));
    assert_eq!(text(&services.done(&["down"]).stdout), "");

    assert!(Client::open(url).unwrap().get_connection().is_err());
    assert!(services.redis_url().is_empty());
    assert_eq!(text(&services.done(&["status", "--line"]).stdout), "none\n");
}

#[test]
fn the_databases_of_the_server_are_there_and_named_by_its_variables() {
    let services = Services::new();
    services.up("postgres");
    services.up("postgres");
    let env = text(&services.done(&["env"]).stdout);
    for part in ["events", "projections", "analytics", "auth"] {
        let variable = format!("export DATABASE_URL_{}='postgres://", part.to_uppercase());
        let line = env.lines().find(|line| line.starts_with(&variable));
        assert!(
            line.is_some_and(|line| line.ends_with(&format!("/ticketing_{part}'"))),
            "{env}"
        );
    }
    let tests = text(&services.done(&["env", "--tests"]).stdout);
    assert!(tests.starts_with("export TEST_POSTGRES_URL='"), "{tests}");
    assert_eq!(tests.lines().count(), 1);
}

#[tokio::test]
async fn commits_wait_for_the_disk_when_they_are_told_to() {
    for (arguments, waits) in [
        (&["up", "postgres"][..], "off"),
        (&["up", "--durable", "postgres"][..], "on"),
    ] {
        let services = Services::new();
        services.done(arguments);
        let mut connection = PgConnection::connect(&services.postgres_url()).await.unwrap();
        for setting in ["fsync", "full_page_writes"] {
            let show = sqlx::query_scalar::<_, String>("SELECT current_setting($1)").bind(setting);
            assert_eq!(show.fetch_one(&mut connection).await.unwrap(), waits, "{setting}");
        }
    }
}

#[test]
fn a_variable_that_points_at_nothing_is_an_error_that_does_not_show_its_value() {
    let services = Services::new();
    let output = services
        .command(&["up", "redis"])
        .env("TEST_REDIS_URL", "redis://:s3cret@127.0.0.1:1/")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(
        error.contains("Redis does not answer where TEST_REDIS_URL says"),
        "{error}"
    );
    assert!(!error.contains("s3cret"), "{error}");
}

/// The command with records that only this test uses. Dropping the value stops the services that it has started.
struct Services {
    state: TempDir,
}

impl Services {
    fn new() -> Self {
        let state = tempfile::tempdir().expect("a temporary folder can be made");
        Self { state }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_services")));
        command.arg("--state").arg(self.state.path()).args(arguments);
        for variable in ["TEST_POSTGRES_URL", "TEST_REDIS_URL", "TEST_REDPANDA_BROKERS"] {
            command.env_remove(variable);
        }
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program was built")
    }

    fn done(&self, arguments: &[&str]) -> Output {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        output
    }

    fn up(&self, service: &str) -> String {
        text(&self.done(&["up", service]).stdout)
    }

    /// Returns the value that `services env` prints for a variable. Empty if it does not print the variable.
    fn variable(&self, name: &str) -> String {
        let env = text(&self.done(&["env"]).stdout);
        let value = env
            .lines()
            .find_map(|line| line.strip_prefix("export ")?.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_default().trim_matches('\'').to_owned()
    }

    fn redis_url(&self) -> String {
        self.variable("REDIS_URL")
    }

    fn postgres_url(&self) -> String {
        self.variable("TEST_POSTGRES_URL")
    }

    fn redis(&self) -> redis::Connection {
        let client = Client::open(self.redis_url()).expect("the URL is valid");
        client.get_connection().expect("Redis is up")
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        let _ = self.output(&["down"]);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
