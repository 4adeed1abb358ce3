//! Settings and subcommands, from flags and the environment.
//!
//! Everything is parsed here into types that cannot hold a wrong value, so the rest of the server never checks a
//! setting. A wrong one is one line that names the setting, and never repeats its value: it may hold a password.

mod mistake;
mod public_url;
mod redis_url;
mod settings;
mod sign_in;
mod storage_url;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory, Parser, Subcommand};
use thiserror::Error;
use ticketing_ports::email::EmailAddress;

pub use adapters_http::IpNet;
pub use public_url::{InvalidPublicUrl, PublicUrl};
pub use redis_url::{InvalidRedisUrl, RedisUrl};
pub use settings::{
    EngineSettings, HttpSettings, LogFormat, LogSettings, Role, SandboxSettings, ServiceSettings, Settings,
    StorageSettings,
};
pub use sign_in::{GithubSettings, GoogleSettings, OidcSettings, SignInSettings};
pub use storage_url::{InvalidPostgresUrl, InvalidStorageUrl, PostgresUrl, StorageUrl};

const ABOUT: &str = "A box office that cannot oversell: one binary, one file of data.";

const EXAMPLES: &str = "\
Examples:
  app-server demo
      An event on sale, people to sign in as, and nothing to set up.
  app-server --database-url-events sqlite:/var/lib/box-office/box-office.db
      Serve, keeping everything in that one file.
  app-server bootstrap-admin --email ada@example.com
      Print a one-time link that signs the first administrator in.
  HTTP_ADDR=0.0.0.0:80 PUBLIC_URL=https://tickets.example.com app-server serve
      The same settings from the environment; a flag wins over its variable.

A wrong setting ends the process with exit code 2 and one line that says which and why.";

/// What the process was asked to do, and how.
#[derive(Debug, Clone, Parser)]
#[command(name = "app-server", version, about = ABOUT, after_help = EXAMPLES, max_term_width = 110)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    pub settings: Settings,
}

#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Serve the box office over HTTP (when no command is given)
    Serve,
    /// Print a one-time link, good for 15 minutes, that signs an administrator in
    BootstrapAdmin(BootstrapAdmin),
    /// Forget a person: account, passkeys, linked providers and sessions
    EraseUser(EraseUser),
    /// Bring the schemas of the PostgreSQL databases up to date
    Migrate(Migrate),
    /// Derive the read models from the log again, also while servers are running
    RebuildProjections,
    /// Look after facts that could not be projected
    #[command(subcommand)]
    DeadLetters(DeadLetters),
    /// Serve with a made-up event on sale
    Demo(Demo),
}

#[derive(Debug, Clone, Args)]
pub struct BootstrapAdmin {
    /// Address of the administrator; asking again for the same one changes nothing
    #[arg(long, value_name = "ADDRESS", value_parser = EmailAddress::parse)]
    pub email: EmailAddress,
    /// Make an administrator of somebody who already has an account
    #[arg(long)]
    pub promote: bool,
}

#[derive(Debug, Clone, Args)]
pub struct EraseUser {
    /// Address of the account
    #[arg(long, value_name = "ADDRESS", value_parser = EmailAddress::parse)]
    pub email: EmailAddress,
}

#[derive(Debug, Clone, Copy, Args)]
pub struct Migrate {
    /// After an update, once every server runs the new version: let them write what only that one reads. Older versions
    /// cannot be started any more
    #[arg(long)]
    pub finish: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub enum DeadLetters {
    /// List what is parked, the oldest first
    List {
        /// How many at most
        #[arg(long, value_name = "N", default_value = "100")]
        limit: usize,
    },
    /// Show one parked fact whole
    Show {
        /// Its position in the log, as `list` prints it
        position: u64,
    },
    /// Project everything parked again, by rebuilding the read models: what can be projected now is parked no longer
    Retry,
    /// Give a parked fact up: it stays in the log, and its stream goes on without it
    Drop { position: u64 },
}

#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// Sign in this many made-up customers, for a load test
    #[arg(long, value_name = "N", requires = "sessions_file", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    customers: Option<u32>,
    /// Write the session ids of those customers there, one a line
    #[arg(long, value_name = "PATH", requires = "customers")]
    sessions_file: Option<PathBuf>,
}

impl Demo {
    /// How many made-up customers to sign in, and the file for their session ids.
    pub fn sign_ins(&self) -> Option<(u32, &Path)> {
        self.customers.zip(self.sessions_file.as_deref())
    }
}

/// Why there is nothing to run.
#[derive(Debug)]
pub enum Stop {
    /// `--help` or `--version`: the text was asked for.
    Told(clap::Error),
    Wrong(Mistake),
}

/// A setting that cannot be used, in one line.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum Mistake {
    #[error("{0}")]
    Unusable(String),
    #[error("--database-url-events (DATABASE_URL_EVENTS): the folder {} does not exist", .0.display())]
    NoSuchFolder(PathBuf),
    #[error("--database-url-events (DATABASE_URL_EVENTS): {} is a folder, not a file", .0.display())]
    NotAFile(PathBuf),
    #[error("{0} has nothing to work on: memory: is forgotten when a process ends, use sqlite:PATH")]
    NothingKept(&'static str),
    #[error("{0} is not set: {1}")]
    Needed(&'static str, &'static str),
}

impl CommandLine {
    /// Reads the flags, the process's name first, and the variables for what they leave open.
    ///
    /// # Errors
    /// When there is nothing to run: help was asked for, or a setting cannot be used.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Stop> {
        let line = Self::try_parse_from(arguments).map_err(|error| {
            if error.use_stderr() {
                Stop::Wrong(mistake::from_clap(&error, &<Self as CommandFactory>::command()))
            } else {
                Stop::Told(error)
            }
        })?;
        line.check().map_err(Stop::Wrong)?;
        Ok(line)
    }

    pub fn to_run(&self) -> Command {
        self.command.clone().unwrap_or(Command::Serve)
    }

    /// Checks what one setting alone cannot know.
    fn check(&self) -> Result<(), Mistake> {
        self.settings.sign_in.check()?;
        let storage = &self.settings.storage;
        match (&storage.events, self.to_run()) {
            (StorageUrl::Memory, Command::EraseUser(_)) => Err(Mistake::NothingKept("erase-user")),
            (StorageUrl::Memory, Command::BootstrapAdmin(_)) => Err(Mistake::NothingKept("bootstrap-admin")),
            (StorageUrl::Memory, Command::RebuildProjections) => Err(Mistake::NothingKept("rebuild-projections")),
            (StorageUrl::Memory, _) => Ok(()),
            (StorageUrl::Sqlite(path), _) => check_file(path),
            (StorageUrl::Postgres(_), _) if storage.auth.is_none() => Err(Mistake::Needed(
                "DATABASE_URL_AUTH",
                "with the log in PostgreSQL, users have to be in PostgreSQL too",
            )),
            (StorageUrl::Postgres(_), _) if storage.projections.is_none() => Err(Mistake::Needed(
                "DATABASE_URL_PROJECTIONS",
                "with the log in PostgreSQL, read models have to be in PostgreSQL too",
            )),
            (StorageUrl::Postgres(_), Command::BootstrapAdmin(_)) if self.settings.services.redis.is_none() => Err(
                Mistake::Needed("REDIS_URL", "the link has to be kept where the server finds it"),
            ),
            (StorageUrl::Postgres(_), _) => Ok(()),
        }
    }
}

fn check_file(path: &Path) -> Result<(), Mistake> {
    if path.is_dir() {
        return Err(Mistake::NotAFile(path.to_owned()));
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            Err(Mistake::NoSuchFolder(folder.to_owned()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use super::*;

    #[test]
    fn without_any_flag_it_serves_with_the_documented_defaults() {
        let line = parsed(&[]);
        assert!(matches!(line.to_run(), Command::Serve));
        let settings = line.settings;
        assert_eq!(settings.http.http_addr, SocketAddr::from(([127, 0, 0, 1], 8080)));
        assert_eq!(settings.http.public_url.as_str(), "http://localhost:8080");
        assert_eq!(settings.http.request_timeout, Duration::from_secs(30));
        assert_eq!(settings.http.shutdown, Duration::from_secs(30));
        assert_eq!(settings.storage.events, StorageUrl::Sqlite("box-office.db".into()));
        assert_eq!(settings.storage.idempotency, Duration::from_secs(24 * 3_600));
        assert_eq!(settings.engine.lane_mailbox, 10_000);
        assert_eq!(settings.engine.lane_idle, Duration::from_secs(60));
        assert_eq!(settings.engine.max_lanes, 1_000);
        assert_eq!(settings.sandbox.sandbox_latency, Duration::ZERO);
        assert_eq!(settings.log.log_format, LogFormat::Text);
    }

    #[test]
    fn a_setting_may_stand_before_or_after_the_command() {
        for arguments in [["--max-lanes", "7", "serve"], ["serve", "--max-lanes", "7"]] {
            assert_eq!(parsed(&arguments).settings.engine.max_lanes, 7, "{arguments:?}");
        }
    }

    #[test]
    fn a_wrong_value_names_its_setting_and_says_what_would_do() {
        for (arguments, line) in [
            (
                ["--http-addr", "localhost"],
                "--http-addr (HTTP_ADDR): invalid socket address syntax",
            ),
            (
                ["--lane-mailbox", "0"],
                "--lane-mailbox (LANE_MAILBOX): 0 is not in 1..=1000000",
            ),
            (
                ["--request-timeout-seconds", "301"],
                "--request-timeout-seconds (REQUEST_TIMEOUT_SECONDS): 301 is not in 1..=300",
            ),
            (
                ["--idempotency-hours", "soon"],
                "--idempotency-hours (IDEMPOTENCY_HOURS): invalid digit found in string",
            ),
            (
                ["--log-level", "inof"],
                "--log-level (LOG_LEVEL): is off, error, warn, info, debug or trace, or target=level, several separated by commas",
            ),
            (
                ["--log-format", "xml"],
                "--log-format (LOG_FORMAT): is one of text, json",
            ),
        ] {
            assert_eq!(mistake(&arguments), line);
        }
    }

    #[test]
    fn a_wrong_command_is_told_in_one_line() {
        for (arguments, line) in [
            (&["serf"][..], "unrecognized subcommand 'serf'"),
            (&["--colour"], "unexpected argument '--colour' found"),
            (
                &["bootstrap-admin"],
                "the following required arguments were not provided: --email <ADDRESS>",
            ),
            (
                &["bootstrap-admin", "--email", "ada"],
                "--email: not an e-mail address that we can deliver to",
            ),
            (
                &["demo", "--customers", "9"],
                "the following required arguments were not provided: --sessions-file <PATH>",
            ),
        ] {
            assert_eq!(mistake(arguments), line);
        }
    }

    #[test]
    fn a_connection_string_is_never_repeated() {
        let line = mistake(&["--database-url-events", "postgres://box:s3cret@db:port/events"]);
        assert_eq!(
            line,
            "--database-url-events (DATABASE_URL_EVENTS): use postgres://USER:PASSWORD@HOST:PORT/DATABASE"
        );
    }

    #[test]
    fn a_client_of_a_provider_without_its_secret_is_refused() {
        for (arguments, needed) in [
            (&["--oauth-google-client-id", "us"][..], "OAUTH_GOOGLE_CLIENT_SECRET"),
            (&["--oauth-github-client-secret", "s3cret"], "OAUTH_GITHUB_CLIENT_ID"),
            (
                &["--oauth-oidc-issuer", "https://login.example.com"],
                "OAUTH_OIDC_CLIENT_ID",
            ),
            (
                &["--oauth-oidc-client-id", "us", "--oauth-oidc-client-secret", "s3cret"],
                "OAUTH_OIDC_ISSUER",
            ),
        ] {
            let Err(Mistake::Needed(name, _)) = parsed(arguments).check() else {
                panic!("{arguments:?} was not refused");
            };
            assert_eq!(name, needed);
        }
    }

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        let proxies = parsed(&["--trusted-proxies", "10.0.0.1, fd00::/8"])
            .settings
            .sign_in
            .trusted_proxies;
        assert_eq!(proxies.len(), 2);
        assert_eq!(
            mistake(&["--trusted-proxies", "proxy.example.com"]),
            "--trusted-proxies (TRUSTED_PROXIES): is an address such as 10.0.0.1 or a network such as 10.0.0.0/8"
        );
    }

    #[test]
    fn a_database_in_a_folder_that_is_not_there_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let check = |path: PathBuf| {
            let url = format!("sqlite:{}", path.display());
            parsed(&["--database-url-events", &url]).check()
        };
        assert_eq!(check(folder.path().join("new.db")), Ok(()));
        assert_eq!(
            check(folder.path().to_owned()),
            Err(Mistake::NotAFile(folder.path().to_owned()))
        );
        assert_eq!(
            check(folder.path().join("missing/new.db")),
            Err(Mistake::NoSuchFolder(folder.path().join("missing")))
        );
    }

    #[test]
    fn a_command_that_works_on_what_is_kept_refuses_memory() {
        let check = |arguments: &[&str]| parsed(arguments).check();
        let memory = ["--database-url-events", "memory:"];
        assert_eq!(check(&memory), Ok(()));
        assert_eq!(
            check(&[&memory[..], &["bootstrap-admin", "--email", "ada@example.com"]].concat()),
            Err(Mistake::NothingKept("bootstrap-admin"))
        );
        assert_eq!(
            check(&[&memory[..], &["rebuild-projections"]].concat()),
            Err(Mistake::NothingKept("rebuild-projections"))
        );
    }

    #[test]
    fn a_log_in_postgresql_needs_the_other_databases_there_too() {
        let needed = |arguments: &[&str]| match parsed(arguments).check() {
            Err(Mistake::Needed(name, _)) => Some(name),
            Ok(()) => None,
            other => panic!("{other:?}"),
        };
        let mut arguments = vec!["--database-url-events", "postgres://db/events"];
        assert_eq!(needed(&arguments), Some("DATABASE_URL_AUTH"));
        arguments.extend(["--database-url-auth", "postgres://db/auth"]);
        assert_eq!(needed(&arguments), Some("DATABASE_URL_PROJECTIONS"));
        arguments.extend(["--database-url-projections", "postgres://db/projections"]);
        assert_eq!(needed(&arguments), None);
        arguments.extend(["bootstrap-admin", "--email", "ada@example.com"]);
        assert_eq!(needed(&arguments), Some("REDIS_URL"));
        arguments.extend(["--redis-url", "redis://cache"]);
        assert_eq!(needed(&arguments), None);
    }

    #[test]
    fn the_definition_of_the_flags_is_sound() {
        CommandLine::command().debug_assert();
    }

    fn parsed(arguments: &[&str]) -> CommandLine {
        CommandLine::try_parse_from(with_name(arguments)).unwrap()
    }

    fn mistake(arguments: &[&str]) -> String {
        match CommandLine::read(with_name(arguments)) {
            Err(Stop::Wrong(mistake)) => mistake.to_string(),
            other => panic!("{arguments:?} was not refused: {other:?}"),
        }
    }

    fn with_name(arguments: &[&str]) -> Vec<OsString> {
        std::iter::once("app-server")
            .chain(arguments.iter().copied())
            .map(OsString::from)
            .collect()
    }
}
