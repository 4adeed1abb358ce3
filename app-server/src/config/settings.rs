//! The settings: each with its flag, its variable and its default.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use thiserror::Error;
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::address::address;
use super::durations::{hours, milliseconds, seconds};
use super::{
    ConnectionSettings, LiveSettings, MetricsSettings, PostgresUrl, ProtectionSettings, PublicUrl, RedisUrl,
    SignInSettings, StorageUrl, TraceSettings,
};

#[derive(Debug, Clone, Args)]
pub struct Settings {
    #[command(flatten)]
    pub http: HttpSettings,
    #[command(flatten)]
    pub connections: ConnectionSettings,
    #[command(flatten)]
    pub protection: ProtectionSettings,
    #[command(flatten)]
    pub storage: StorageSettings,
    #[command(flatten)]
    pub services: ServiceSettings,
    #[command(flatten)]
    pub sign_in: SignInSettings,
    #[command(flatten)]
    pub live: LiveSettings,
    #[command(flatten)]
    pub engine: EngineSettings,
    #[command(flatten)]
    pub sandbox: SandboxSettings,
    #[command(flatten)]
    pub metrics: MetricsSettings,
    #[command(flatten)]
    pub traces: TraceSettings,
    #[command(flatten)]
    pub log: LogSettings,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpSettings {
    /// The address to listen on. Port 0 takes a free port
    #[arg(
        long,
        env,
        global = true,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8080",
        value_parser = address
    )]
    pub http_addr: SocketAddr,
    /// The URL under which browsers reach this server. Links in mails begin with it
    #[arg(
        long,
        env,
        global = true,
        value_name = "URL",
        default_value = "http://localhost:8080"
    )]
    pub public_url: PublicUrl,
    /// How long a request may take. A request that takes longer is answered 504
    #[arg(long = "request-timeout-seconds", env = "REQUEST_TIMEOUT_SECONDS", global = true,
          value_name = "SECONDS", default_value = "30", value_parser = seconds(1, 300))]
    pub request_timeout: Duration,
    /// Whether people without an account may hold seats and buy
    #[arg(long, env, global = true, value_name = "WHETHER", value_enum, default_value_t = Guests::Allowed)]
    pub guests: Guests,
    /// How long requests that are under way may take to finish after SIGTERM
    #[arg(long = "shutdown-seconds", env = "SHUTDOWN_SECONDS", global = true,
          value_name = "SECONDS", default_value = "30", value_parser = seconds(0, 600))]
    pub shutdown: Duration,
}

/// Whether people without an account may hold seats and buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Guests {
    /// Guests may buy; before they pay they give an e-mail address
    Allowed,
    /// Only people who have signed in may buy
    Refused,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Storage")]
pub struct StorageSettings {
    /// Where the log of facts is kept: sqlite:PATH (with the users), postgres://…, or memory:, which loses
    /// everything when the process ends
    #[arg(
        long = "database-url-events",
        env = "DATABASE_URL_EVENTS",
        global = true,
        hide_env_values = true,
        value_name = "URL",
        default_value = "sqlite:box-office.db"
    )]
    pub events: StorageUrl,
    /// The PostgreSQL database of the read models. If this is not set, the read models are in memory
    #[arg(
        long = "database-url-projections",
        env = "DATABASE_URL_PROJECTIONS",
        global = true,
        hide_env_values = true,
        value_name = "URL"
    )]
    pub projections: Option<PostgresUrl>,
    /// What to do with read models if the log has lost facts that they were made from, for example because a backup was
    /// restored. Read models of another log are never changed
    #[arg(long, env, global = true, value_name = "WHAT", value_enum, default_value_t = LostPast::Rebuild)]
    pub read_models_of_a_lost_past: LostPast,
    /// A PostgreSQL database set aside for analytics. It is migrated and checked, and holds no sales yet: they are in
    /// the read models
    #[arg(
        long = "database-url-analytics",
        env = "DATABASE_URL_ANALYTICS",
        global = true,
        hide_env_values = true,
        value_name = "URL"
    )]
    pub analytics: Option<PostgresUrl>,
    /// The PostgreSQL database of users and passkeys. If this is not set, users and passkeys are kept with the log
    #[arg(
        long = "database-url-auth",
        env = "DATABASE_URL_AUTH",
        global = true,
        hide_env_values = true,
        value_name = "URL"
    )]
    pub auth: Option<PostgresUrl>,
    /// At most how many connections the log uses
    #[arg(long, env, global = true, value_name = "CONNECTIONS", default_value = "20",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub database_pool_events: u32,
    /// At most how many connections the read models use
    #[arg(long, env, global = true, value_name = "CONNECTIONS", default_value = "10",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub database_pool_projections: u32,
    /// At most how many connections the analytics database uses
    #[arg(long, env, global = true, value_name = "CONNECTIONS", default_value = "5",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub database_pool_analytics: u32,
    /// At most how many connections users and passkeys use
    #[arg(long, env, global = true, value_name = "CONNECTIONS", default_value = "10",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub database_pool_auth: u32,
    /// How long a request with the same Idempotency-Key gets the same answer
    #[arg(long = "idempotency-hours", env = "IDEMPOTENCY_HOURS", global = true,
          value_name = "HOURS", default_value = "24", value_parser = hours(1, 720))]
    pub idempotency: Duration,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Services")]
pub struct ServiceSettings {
    /// Redis 7 for sessions, links and limits. If this is not set, all of these are in memory
    #[arg(
        long = "redis-url",
        env = "REDIS_URL",
        global = true,
        hide_env_values = true,
        value_name = "URL"
    )]
    pub redis: Option<RedisUrl>,
    /// The prefix of all keys in Redis
    #[arg(long, env, global = true, value_name = "TEXT", default_value = "box-office:")]
    pub redis_key_prefix: String,
    /// The brokers of the bus, which speak the Kafka API: HOST:PORT, separated by commas. There is no bus if this is
    /// not set
    #[arg(
        long = "redpanda-brokers",
        env = "REDPANDA_BROKERS",
        global = true,
        value_name = "BROKERS"
    )]
    pub brokers: Option<String>,
    /// The prefix of the names of all topics and consumer groups
    #[arg(long, env, global = true, value_name = "TEXT", default_value = "ticketing")]
    pub redpanda_topic_prefix: String,
    /// How many partitions a new topic gets
    #[arg(long, env, global = true, value_name = "PARTITIONS", default_value = "6",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub redpanda_partitions: u32,
}

/// What servers do with read models that were made from facts that the log has lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LostPast {
    /// Make the read models again from the log; the old ones are read meanwhile
    Rebuild,
    /// Leave the read models as they are until rebuild-projections is run
    Refuse,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Answer requests, and work off deadlines
    Http,
    /// Publish the log on the bus
    Relay,
    /// Keep the read models in PostgreSQL up to date
    Projections,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Engine")]
pub struct EngineSettings {
    /// What this process does, separated by commas. If this is not set, the process has all roles. Without the role
    /// http it answers only /health and /health/ready, and its log must be in PostgreSQL
    #[arg(long, env, global = true, value_name = "ROLES", value_enum, value_delimiter = ',')]
    pub roles: Vec<Role>,
    /// At most how many commands may wait for one event. Commands beyond that are answered 503 at once
    #[arg(long, env, global = true, value_name = "COMMANDS", default_value = "10000",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub lane_mailbox: u32,
    /// How long an event without commands stays in memory
    #[arg(long = "lane-idle-seconds", env = "LANE_IDLE_SECONDS", global = true,
          value_name = "SECONDS", default_value = "60", value_parser = seconds(1, 86_400))]
    pub lane_idle: Duration,
    /// At most how many events are in memory at once
    #[arg(long, env, global = true, value_name = "LANES", default_value = "1000",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_lanes: u32,
    /// In how many reservations of one event a customer may hold seats at a time, so that nobody holds the house
    /// without paying. 0 for any number. All servers of a log should have the same limit
    #[arg(long, env, global = true, value_name = "HOLDS", default_value = "3",
          value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub max_live_holds: u32,
}

impl EngineSettings {
    /// Returns whether this process has a role.
    pub fn plays(&self, role: Role) -> bool {
        self.roles.is_empty() || self.roles.contains(&role)
    }
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Sandbox payment gateway")]
pub struct SandboxSettings {
    /// How long the sandbox gateway waits before it answers a call
    #[arg(long = "sandbox-latency-ms", env = "SANDBOX_LATENCY_MS", global = true,
          value_name = "MILLISECONDS", default_value = "0", value_parser = milliseconds(0, 60_000))]
    pub sandbox_latency: Duration,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logs (on standard error)")]
pub struct LogSettings {
    /// The log level, or a filter in the syntax of RUST_LOG, such as info,ticketing_runtime=debug
    #[arg(long, env, global = true, value_name = "FILTER", default_value = "info", value_parser = log_filter)]
    pub log_level: Targets,
    #[arg(long, env, global = true, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Pretty)]
    pub log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    #[value(alias = "text")]
    Pretty,
    /// One JSON object on each line, for programs
    Json,
}

/// Parses a log filter. Refuses a single word that is not a log level: the syntax of `RUST_LOG` would take the word
/// for the name of a module, but it is probably a misspelled level.
fn log_filter(text: &str) -> Result<Targets, InvalidLogFilter> {
    let slip = |part: &str| !part.contains('=') && part.parse::<LevelFilter>().is_err();
    if text.split(',').map(str::trim).any(slip) {
        return Err(InvalidLogFilter);
    }
    text.parse().map_err(|_| InvalidLogFilter)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be off, error, warn, info, debug or trace, or target=level; several are separated by commas")]
struct InvalidLogFilter;
