//! The settings and commands, from flags and environment variables.
//!
//! All settings are parsed here into types that cannot hold a wrong value, so that no other code checks a setting. A
//! wrong setting is reported in one line that names the setting and never repeats its value, which may be a password.

mod address;
mod connections;
mod durations;
mod from_clap;
mod live;
mod metrics;
mod mistake;
mod protection;
mod public_url;
mod redis_url;
mod settings;
mod sign_in;
mod storage_url;
mod traces;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, CommandFactory, Parser, Subcommand};
use ticketing_ports::vocabulary::email::EmailAddress;

pub use adapters_http::IpNet;
pub use connections::{ConnectionSettings, TlsFiles};
pub use live::LiveSettings;
pub use metrics::MetricsSettings;
pub use mistake::Mistake;
pub use protection::ProtectionSettings;
pub use public_url::{InvalidPublicUrl, PublicUrl};
pub use redis_url::{InvalidRedisUrl, RedisUrl};
pub use settings::{
    EngineSettings, Guests, HttpSettings, LogFormat, LogSettings, LostPast, Role, SandboxSettings, ServiceSettings,
    Settings, StorageSettings,
};
pub use sign_in::{GithubSettings, GoogleSettings, OidcSettings, SignInSettings};
pub use storage_url::{InvalidPostgresUrl, InvalidStorageUrl, PostgresUrl, StorageUrl};
pub use traces::{TraceSettings, TracesSampler};

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

/// The command line: a command and the settings.
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
    /// Print a link that signs an administrator in once, within 15 minutes
    BootstrapAdmin(BootstrapAdmin),
    /// Manage accounts
    #[command(subcommand)]
    Users(Users),
    /// Erase a person: account, passkeys, linked providers and sessions
    EraseUser(EraseUser),
    /// Bring the schemas of the PostgreSQL databases up to date
    Migrate(Migrate),
    /// Make the read models again from the log, even while servers are running
    RebuildProjections,
    /// Print the OpenAPI document of the server at the public URL
    Openapi,
    /// Show facts that the read models could not apply, and try them again or give them up
    #[command(subcommand)]
    DeadLetters(DeadLetters),
    /// Serve with a made-up event on sale
    Demo(Demo),
}

#[derive(Debug, Clone, Args)]
pub struct BootstrapAdmin {
    /// The e-mail address of the administrator. If this user is an administrator already, the command only makes a
    /// new link
    #[arg(long, value_name = "ADDRESS", value_parser = EmailAddress::parse)]
    pub email: EmailAddress,
    /// Make somebody who already has an account an administrator
    #[arg(long)]
    pub promote: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub enum Users {
    /// Give somebody a role and sign the person out everywhere
    Role(UsersRole),
}

#[derive(Debug, Clone, Args)]
pub struct UsersRole {
    /// The e-mail address of the account. Its owner must have signed in once
    #[arg(long, value_name = "ADDRESS", value_parser = EmailAddress::parse)]
    pub email: EmailAddress,
    /// The role: a customer buys, an event_owner also creates and manages events, an admin may do everything
    #[arg(long, value_name = "ROLE", value_parser = role())]
    pub role: ticketing_ports::vocabulary::roles::Role,
}

fn role() -> impl TypedValueParser<Value = ticketing_ports::vocabulary::roles::Role> {
    let names = ticketing_ports::vocabulary::roles::Role::ALL.map(ticketing_ports::vocabulary::roles::Role::as_str);
    PossibleValuesParser::new(names)
        .map(|name| ticketing_ports::vocabulary::roles::Role::parse(&name).expect("clap accepts only names of roles"))
}

#[derive(Debug, Clone, Args)]
pub struct EraseUser {
    /// The e-mail address of the account
    #[arg(long, value_name = "ADDRESS", value_parser = EmailAddress::parse)]
    pub email: EmailAddress,
}

#[derive(Debug, Clone, Copy, Args)]
pub struct Migrate {
    /// After an update, when every server runs the new version: let the servers write facts that older versions cannot
    /// read. Older versions can no longer be started then
    #[arg(long)]
    pub finish: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub enum DeadLetters {
    /// List the facts that could not be applied, the oldest first
    List {
        /// At most how many facts to list
        #[arg(long, value_name = "N", default_value = "100")]
        limit: usize,
    },
    /// Show one of the facts that could not be applied in full
    Show {
        /// The position of the fact in the log, as `list` prints it
        position: u64,
    },
    /// Apply the facts again by making the read models again. Facts that can be applied now are no longer listed
    Retry,
    /// Give one of the facts up. The fact stays in the log, and the read models go on without it
    Drop { position: u64 },
}

#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// Sign in this many made-up customers, for a load test
    #[arg(long, value_name = "N", requires = "sessions_file", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    customers: Option<u32>,
    /// The file to which the session ids of those customers are written, one on each line
    #[arg(long, value_name = "PATH", requires = "customers")]
    sessions_file: Option<PathBuf>,
}

impl Demo {
    /// Returns how many made-up customers to sign in, and the file for their session ids. `None` unless both are
    /// given.
    pub fn sign_ins(&self) -> Option<(u32, &Path)> {
        self.customers.zip(self.sessions_file.as_deref())
    }
}

/// Why no command is run.
#[derive(Debug)]
pub enum Stop {
    /// The user asked for `--help` or `--version`. Holds the text to print.
    Told(clap::Error),
    Wrong(Mistake),
}

impl CommandLine {
    /// Reads the arguments of the process, the first of which is its name, and the environment variables for flags that
    /// are not given.
    ///
    /// # Errors
    /// When help was asked for, or a setting cannot be used.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Stop> {
        let line = Self::try_parse_from(arguments).map_err(|error| {
            if error.use_stderr() {
                Stop::Wrong(from_clap::mistake(&error, &<Self as CommandFactory>::command()))
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

    /// Checks the settings whose validity depends on other settings or on the command.
    fn check(&self) -> Result<(), Mistake> {
        self.settings.connections.check()?;
        self.settings.sign_in.check()?;
        self.check_roles()?;
        let storage = &self.settings.storage;
        match (&storage.events, self.to_run()) {
            (StorageUrl::Memory, Command::Users(_)) => Err(Mistake::NothingKept("users")),
            (StorageUrl::Memory, Command::EraseUser(_)) => Err(Mistake::NothingKept("erase-user")),
            (StorageUrl::Memory, Command::BootstrapAdmin(_)) => Err(Mistake::NothingKept("bootstrap-admin")),
            // The command `openapi` opens no storage, so the storage settings need not be usable.
            (_, Command::Openapi) => Ok(()),
            (StorageUrl::Memory, Command::RebuildProjections) => Err(Mistake::NothingKept("rebuild-projections")),
            (StorageUrl::Memory, _) => Ok(()),
            (StorageUrl::Sqlite(path), _) => check_file(path),
            (StorageUrl::Postgres(_), _) if storage.auth.is_none() => Err(Mistake::Needed(
                "DATABASE_URL_AUTH",
                "users must be in PostgreSQL if the log is",
            )),
            (StorageUrl::Postgres(_), _) if storage.projections.is_none() => Err(Mistake::Needed(
                "DATABASE_URL_PROJECTIONS",
                "read models must be in PostgreSQL if the log is",
            )),
            (StorageUrl::Postgres(_), Command::BootstrapAdmin(_)) if self.settings.services.redis.is_none() => Err(
                Mistake::Needed("REDIS_URL", "the link must be stored where the server finds it"),
            ),
            (StorageUrl::Postgres(_), _) => Ok(()),
        }
    }

    /// Refuses a role that would have nothing to do.
    fn check_roles(&self) -> Result<(), Mistake> {
        let (engine, storage) = (&self.settings.engine, &self.settings.storage);
        if !engine.plays(Role::Http) {
            if matches!(self.to_run(), Command::Demo(_)) {
                return Err(Mistake::DemoWithoutHttp);
            }
            if !matches!(storage.events, StorageUrl::Postgres(_)) {
                return Err(Mistake::LogOfThisProcess);
            }
        }
        let named = |role| engine.roles.contains(&role);
        if named(Role::Relay) && self.settings.services.brokers.is_none() {
            return Err(Mistake::NothingToDo(
                "relay",
                "REDPANDA_BROKERS",
                "the relay needs a bus",
            ));
        }
        if named(Role::Projections) && storage.projections.is_none() {
            let why = "read models in memory belong to the process that answers requests";
            return Err(Mistake::NothingToDo("projections", "DATABASE_URL_PROJECTIONS", why));
        }
        Ok(())
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
mod tests;
