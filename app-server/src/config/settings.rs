//! Every setting, its flag, its variable and its default.

use std::net::SocketAddr;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::{Args, ValueEnum};
use thiserror::Error;
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::{PostgresUrl, PublicUrl, RedisUrl, SignInSettings, StorageUrl};

#[derive(Debug, Clone, Args)]
pub struct Settings {
    #[command(flatten)]
    pub http: HttpSettings,
    #[command(flatten)]
    pub storage: StorageSettings,
    #[command(flatten)]
    pub services: ServiceSettings,
    #[command(flatten)]
    pub sign_in: SignInSettings,
    #[command(flatten)]
    pub engine: EngineSettings,
    #[command(flatten)]
    pub sandbox: SandboxSettings,
    #[command(flatten)]
    pub log: LogSettings,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpSettings {
    /// Where to listen; port 0 takes a free one
    #[arg(
        long,
        env,
        global = true,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8080",
        value_parser = address
    )]
    pub http_addr: SocketAddr,
    /// How browsers reach this server; links in mails start with it
    #[arg(
        long,
        env,
        global = true,
        value_name = "URL",
        default_value = "http://localhost:8080"
    )]
    pub public_url: PublicUrl,
    /// A request that takes longer is answered with 504
    #[arg(long = "request-timeout-seconds", env = "REQUEST_TIMEOUT_SECONDS", global = true,
          value_name = "SECONDS", default_value = "30", value_parser = seconds(1, 300))]
    pub request_timeout: Duration,
    /// How long requests under way may finish after SIGTERM
    #[arg(long = "shutdown-seconds", env = "SHUTDOWN_SECONDS", global = true,
          value_name = "SECONDS", default_value = "30", value_parser = seconds(0, 600))]
    pub shutdown: Duration,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Storage")]
pub struct StorageSettings {
    /// Where the log of facts is kept: sqlite:PATH (users too), postgres://…, or memory: to forget everything at the end
    #[arg(
        long = "database-url-events",
        env = "DATABASE_URL_EVENTS",
        global = true,
        hide_env_values = true,
        value_name = "URL",
        default_value = "sqlite:box-office.db"
    )]
    pub events: StorageUrl,
    /// PostgreSQL database of the read models; in memory when not set
    #[arg(
        long = "database-url-projections",
        env = "DATABASE_URL_PROJECTIONS",
        global = true,
        hide_env_values = true,
        value_name = "URL"
    )]
    pub projections: Option<PostgresUrl>,
    /// What becomes of read models whose log has lost facts that they were made of, as by a restored backup. Those of another
    /// log are never touched
    #[arg(long, env, global = true, value_name = "WHAT", value_enum, default_value_t = LostPast::Rebuild)]
    pub read_models_of_a_lost_past: LostPast,
    /// PostgreSQL database of the analytics warehouse
    #[arg(
        long = "database-url-analytics",
        env = "DATABASE_URL_ANALYTICS",
        global = true,
        hide_env_values = true,
        value_name = "URL"
    )]
    pub analytics: Option<PostgresUrl>,
    /// PostgreSQL database of users and passkeys; where the log is when not set
    #[arg(
        long = "database-url-auth",
        env = "DATABASE_URL_AUTH",
        global = true,
        hide_env_values = true,
        value_name = "URL"
    )]
    pub auth: Option<PostgresUrl>,
    /// How many connections the log may use
    #[arg(long, env, global = true, value_name = "CONNECTIONS", default_value = "20",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub database_pool_events: u32,
    /// How many connections the read models may use
    #[arg(long, env, global = true, value_name = "CONNECTIONS", default_value = "10",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub database_pool_projections: u32,
    /// How many connections the warehouse may use
    #[arg(long, env, global = true, value_name = "CONNECTIONS", default_value = "5",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub database_pool_analytics: u32,
    /// How many connections users and passkeys may use
    #[arg(long, env, global = true, value_name = "CONNECTIONS", default_value = "10",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub database_pool_auth: u32,
    /// How long the answer to an Idempotency-Key is replayed
    #[arg(long = "idempotency-hours", env = "IDEMPOTENCY_HOURS", global = true,
          value_name = "HOURS", default_value = "24", value_parser = hours(1, 720))]
    pub idempotency: Duration,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Services")]
pub struct ServiceSettings {
    /// Redis 7 for sessions, links and limits; in memory when not set
    #[arg(
        long = "redis-url",
        env = "REDIS_URL",
        global = true,
        hide_env_values = true,
        value_name = "URL"
    )]
    pub redis: Option<RedisUrl>,
    /// What the keys in Redis begin with
    #[arg(long, env, global = true, value_name = "TEXT", default_value = "box-office:")]
    pub redis_key_prefix: String,
    /// Brokers of the Kafka API, HOST:PORT separated by commas; a bus within the process when not set
    #[arg(
        long = "redpanda-brokers",
        env = "REDPANDA_BROKERS",
        global = true,
        value_name = "BROKERS"
    )]
    pub brokers: Option<String>,
    /// What the names of topics and consumer groups begin with
    #[arg(long, env, global = true, value_name = "TEXT", default_value = "ticketing")]
    pub redpanda_topic_prefix: String,
    /// How many partitions a topic gets that does not exist yet
    #[arg(long, env, global = true, value_name = "PARTITIONS", default_value = "6",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub redpanda_partitions: u32,
}

/// What becomes of read models of a past that the log no longer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LostPast {
    /// Make them anew from the log, while the old are still read
    Rebuild,
    /// Leave them as they are until rebuild-projections is run
    Refuse,
}

/// What one process of several does.
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
    /// What this process does, of what there is to do; everything when not set. Without http it answers nothing but
    /// /health and /health/ready
    #[arg(long, env, global = true, value_name = "ROLES", value_enum, value_delimiter = ',')]
    pub roles: Vec<Role>,
    /// How many commands about one event may wait; more are answered 503 at once
    #[arg(long, env, global = true, value_name = "COMMANDS", default_value = "10000",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub lane_mailbox: u32,
    /// After how long without a command an event leaves memory
    #[arg(long = "lane-idle-seconds", env = "LANE_IDLE_SECONDS", global = true,
          value_name = "SECONDS", default_value = "60", value_parser = seconds(1, 86_400))]
    pub lane_idle: Duration,
    /// How many events may be in memory at once
    #[arg(long, env, global = true, value_name = "LANES", default_value = "1000",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_lanes: u32,
}

impl EngineSettings {
    /// Whether this process has that role.
    pub fn plays(&self, role: Role) -> bool {
        self.roles.is_empty() || self.roles.contains(&role)
    }
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Sandbox payment gateway")]
pub struct SandboxSettings {
    /// How long the gateway thinks about each call
    #[arg(long = "sandbox-latency-ms", env = "SANDBOX_LATENCY_MS", global = true,
          value_name = "MILLISECONDS", default_value = "0", value_parser = milliseconds(0, 60_000))]
    pub sandbox_latency: Duration,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logs (on standard error)")]
pub struct LogSettings {
    /// A level, or a filter in the syntax of RUST_LOG such as info,ticketing_runtime=debug
    #[arg(long, env, global = true, value_name = "FILTER", default_value = "info", value_parser = log_filter)]
    pub log_level: Targets,
    #[arg(long, env, global = true, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line, for machines
    Json,
}

/// Where to listen. A name may have several addresses; of names only that of this machine has one that everybody means.
fn address(text: &str) -> Result<SocketAddr, InvalidAddress> {
    let numeric = match text.rsplit_once(':') {
        Some(("localhost", port)) => format!("127.0.0.1:{port}"),
        _ => text.to_owned(),
    };
    numeric.parse().map_err(|_| InvalidAddress)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is localhost or an IP address, and a port, such as 127.0.0.1:8080, [::1]:8080 or 0.0.0.0:80 for everybody")]
struct InvalidAddress;

fn seconds(least: u64, most: u64) -> impl TypedValueParser<Value = Duration> {
    clap::value_parser!(u64).range(least..=most).map(Duration::from_secs)
}

fn hours(least: u64, most: u64) -> impl TypedValueParser<Value = Duration> {
    clap::value_parser!(u64)
        .range(least..=most)
        .map(|hours| Duration::from_secs(hours * 3_600))
}

fn milliseconds(least: u64, most: u64) -> impl TypedValueParser<Value = Duration> {
    clap::value_parser!(u64).range(least..=most).map(Duration::from_millis)
}

/// Refuses a lone word that is no level, which the syntax of `RUST_LOG` would take for a target: more likely a slip.
fn log_filter(text: &str) -> Result<Targets, InvalidLogFilter> {
    let slip = |part: &str| !part.contains('=') && part.parse::<LevelFilter>().is_err();
    if text.split(',').map(str::trim).any(slip) {
        return Err(InvalidLogFilter);
    }
    text.parse().map_err(|_| InvalidLogFilter)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is off, error, warn, info, debug or trace, or target=level, several separated by commas")]
struct InvalidLogFilter;
