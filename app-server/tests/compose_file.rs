//! Checks that `docker-compose.yml` keeps the promises made about it: its ports, its data, and that the event
//! store's write-ahead log is archived.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Output};

use yaml_rust2::{Yaml, YamlLoader};

const FILE: &str = include_str!("../../docker-compose.yml");
const EXAMPLE: &str = include_str!("../../.env.example");
const WAITING: &str = include_str!("../../scripts/wait-for-services");

/// Each service, with its ports on this machine, and the folder inside its container that has its data.
const SERVICES: [(&str, &[u16], &str); 6] = [
    ("postgres_events", &[5432], "/var/lib/postgresql/data"),
    ("postgres_projections", &[5433], "/var/lib/postgresql/data"),
    ("postgres_analytics", &[5434], "/var/lib/postgresql/data"),
    ("postgres_auth", &[5435], "/var/lib/postgresql/data"),
    ("redis", &[6379], "/data"),
    ("redpanda", &[9092, 9644, 8082], "/var/lib/redpanda/data"),
];
const ARCHIVE: &str = "/var/lib/postgresql/wal_archive";

#[test]
fn every_service_is_on_its_ports_of_this_machine_only() {
    for (name, ports, _) in SERVICES {
        assert_eq!(published(&Service::named(name)), ports, "{name}");
    }
}

#[test]
fn every_service_is_asked_for_its_health_and_started_again() {
    for (name, ..) in SERVICES {
        let service = Service::named(name);
        let health = service.get("healthcheck");
        assert_eq!(health["test"][0].as_str(), Some("CMD-SHELL"), "{name}");
        for setting in ["interval", "timeout", "retries"] {
            assert!(!health[setting].is_badvalue(), "{name} has no {setting}");
        }
        assert_eq!(service.get("restart").as_str(), Some("unless-stopped"), "{name}");
    }
}

#[test]
fn waiting_for_the_services_forgets_none() {
    let line = WAITING.lines().find_map(|line| line.strip_prefix("services=("));
    let waited_for: Vec<&str> = line.unwrap().trim_end_matches(')').split(' ').collect();
    assert_eq!(waited_for, SERVICES.map(|(name, ..)| name));
    let file = file();
    assert_eq!(keys(&file["services"]), waited_for);
}

#[test]
fn every_service_keeps_its_data_in_a_volume_of_its_own() {
    let mut used = BTreeSet::new();
    for (name, _, folder) in SERVICES {
        let volumes = Service::named(name).volumes();
        assert!(
            volumes.iter().any(|(_, inside)| inside == folder),
            "{name}: {volumes:?}"
        );
        for (volume, _) in volumes {
            assert!(used.insert(volume.clone()), "two services use the volume {volume}");
        }
    }
    let file = file();
    let declared: BTreeSet<String> = keys(&file["volumes"]).into_iter().map(str::to_owned).collect();
    assert_eq!(used, declared);
}

#[test]
fn the_event_store_archives_its_log_outside_of_its_data() {
    let events = Service::named("postgres_events");
    let settings = events.command();
    for setting in ["wal_level=replica", "archive_mode=on", "archive_timeout=60"] {
        assert!(settings.iter().any(|known| known == setting), "{settings:?}");
    }
    assert!(archive_command().contains(ARCHIVE));
    let volumes = events.volumes();
    assert!(
        volumes
            .iter()
            .any(|(name, inside)| name == "events_wal" && inside == ARCHIVE),
        "{volumes:?}"
    );
}

#[test]
fn a_segment_of_the_log_is_archived_once_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (data, archive) = (folder.path().join("data"), folder.path().join("archive"));
    fs::create_dir_all(&data).unwrap();
    fs::create_dir(&archive).unwrap();
    fs::write(data.join("segment"), "facts").unwrap();
    // PostgreSQL replaces %p by a path relative to its data folder, and %f by the file's name alone.
    let command = archive_command()
        .replace(ARCHIVE, archive.to_str().unwrap())
        .replace("%p", "segment")
        .replace("%f", "000000010000000000000001");
    let archives = || sh(&command, &data).status.success();

    assert!(archives());
    assert!(archives(), "after a crash the same segment is offered again");
    fs::write(data.join("segment"), "other facts").unwrap();
    assert!(!archives());

    let kept = fs::read_to_string(archive.join("000000010000000000000001")).unwrap();
    assert_eq!(kept, "facts");
    assert_eq!(fs::read_dir(&archive).unwrap().count(), 1);
}

#[test]
fn redis_keeps_a_log_of_writes_and_snapshots() {
    let command = Service::named("redis").command();
    let value_of = |option: &str| {
        let place = command.iter().position(|argument| argument == option);
        place.map(|place| command[place + 1].as_str())
    };
    assert_eq!(value_of("--appendonly"), Some("yes"));
    assert!(value_of("--save").is_some_and(|moments| !moments.is_empty()));
}

#[test]
fn every_variable_of_the_file_is_set_by_the_example() {
    let variables = variables();
    assert!(variables.contains("POSTGRES_PASSWORD"), "{variables:?}");
    for variable in variables {
        let line = format!("{variable}=");
        assert!(EXAMPLE.lines().any(|known| known.starts_with(&line)), "{variable}");
    }
}

#[test]
fn the_urls_of_the_example_lead_to_the_services() {
    let mut databases = 0;
    for line in EXAMPLE.lines().filter(|line| line.contains("=postgres://")) {
        let (_, place) = line.split_once("@localhost:").unwrap();
        let (port, database) = place.split_once('/').unwrap();
        let service = SERVICES
            .iter()
            .find(|(_, ports, _)| ports.contains(&port.parse().unwrap()));
        let (name, ..) = service.unwrap();
        let environment = Service::named(name).get("environment");
        assert_eq!(environment["POSTGRES_DB"].as_str(), Some(database), "{line}");
        assert!(line.contains("://postgres:${POSTGRES_PASSWORD}@"), "{line}");
        databases += 1;
    }
    assert_eq!(databases, 4);
    assert!(EXAMPLE.contains("${REDIS_PASSWORD}@localhost:6379/"));
    assert!(EXAMPLE.contains("REDPANDA_BROKERS=localhost:9092\n"));
}

/// Asks docker compose itself whether the file is valid. Where compose is not installed, the test only says that
/// nobody was asked.
#[test]
fn compose_accepts_the_file_without_a_warning() {
    let Some(compose) = compose() else {
        let _ = writeln!(
            io::stderr(),
            "docker compose is not installed, so it has not checked docker-compose.yml"
        );
        return;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let config = |example: &str| {
        let mut command = Command::new(compose[0]);
        command.args(&compose[1..]).args(["--env-file", example]);
        command.args(["--file", "docker-compose.yml", "config", "--quiet"]);
        for variable in variables() {
            command.env_remove(variable);
        }
        command.current_dir(root).output().unwrap()
    };

    let accepted = config(".env.example");
    assert!(accepted.status.success(), "{}", text(&accepted.stderr));
    assert_eq!(text(&accepted.stderr), "");

    let refused = config("/dev/null");
    assert!(!refused.status.success());
    let why = text(&refused.stderr);
    assert!(why.contains("copy .env.example to .env and choose a password"), "{why}");
}

fn compose() -> Option<&'static [&'static str]> {
    let known: [&[&str]; 2] = [&["docker", "compose"], &["docker-compose"]];
    known.into_iter().find(|command| {
        let asked = Command::new(command[0]).args(&command[1..]).arg("version").output();
        asked.is_ok_and(|answer| answer.status.success())
    })
}

fn file() -> Yaml {
    let mut documents = YamlLoader::load_from_str(FILE).expect("docker-compose.yml is YAML");
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

fn keys(hash: &Yaml) -> Vec<&str> {
    let hash = hash.as_hash().expect("this part of docker-compose.yml is a mapping");
    hash.keys()
        .map(|key| key.as_str().expect("keys in docker-compose.yml are text"))
        .collect()
}

struct Service(Yaml);

impl Service {
    fn named(name: &str) -> Self {
        let service = file()["services"][name].clone();
        assert!(!service.is_badvalue(), "there is no {name}");
        Self(service)
    }

    /// Looks a name up in the service itself, and otherwise in what is merged into the service with `<<`.
    fn get(&self, name: &str) -> Yaml {
        let own = &self.0[name];
        let shared = &self.0["<<"][name];
        let found = if own.is_badvalue() { shared } else { own };
        found.clone()
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let texts = self.get(name);
        let texts = texts.as_vec().map(Vec::as_slice).unwrap_or_default();
        texts
            .iter()
            .map(|text| text.as_str().expect("the items of the list are text").to_owned())
            .collect()
    }

    fn command(&self) -> Vec<String> {
        self.texts("command")
    }

    /// Returns the volumes of the service: the name of each, and its path inside the container.
    fn volumes(&self) -> Vec<(String, String)> {
        let volumes = self.texts("volumes");
        let parts = volumes
            .iter()
            .map(|volume| volume.split_once(':').expect("a volume is written as name:path"));
        parts
            .map(|(name, inside)| (name.to_owned(), inside.to_owned()))
            .collect()
    }
}

/// Returns the ports of a service on this machine.
fn published(service: &Service) -> Vec<u16> {
    let ports = service.texts("ports");
    let ports = ports.iter().map(|port| {
        let local = port
            .strip_prefix("127.0.0.1:")
            .expect("a port is published on 127.0.0.1 only");
        let (outside, _) = local.split_once(':').expect("a port is written as outside:inside");
        outside.parse().expect("a port is a number")
    });
    ports.collect()
}

/// Returns the archive command as PostgreSQL gets it: compose turns `$$` in the file into one dollar sign.
fn archive_command() -> String {
    let settings = Service::named("postgres_events").command();
    let command = settings
        .iter()
        .find_map(|setting| setting.strip_prefix("archive_command="));
    command
        .expect("the event store has an archive_command")
        .replace("$$", "$")
}

/// Returns the variables that compose replaces. A name after two dollar signs is not one of them: the container's
/// shell replaces it.
fn variables() -> BTreeSet<&'static str> {
    let lines = FILE.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines
        .flat_map(|line| line.match_indices("${").map(move |(place, _)| (line, place)))
        .filter(|(line, place)| !line[..*place].ends_with('$'))
        .filter_map(|(line, place)| line[place + 2..].split([':', '}']).next())
        .collect()
}

fn sh(command: &str, data: &Path) -> Output {
    let mut sh = Command::new("sh");
    sh.args(["-c", command]).current_dir(data).env("PGDATA", data);
    sh.output().expect("this machine has a shell")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
