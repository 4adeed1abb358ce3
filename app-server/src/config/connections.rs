//! The settings of connections: how many there may be, and how long a client may keep them waiting.

use std::time::Duration;

use clap::Args;

use super::durations::seconds;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connections")]
pub struct ConnectionSettings {
    /// At most how many connections are open at once; fewer if this process may open fewer descriptors. The connection
    /// that was idle for the longest time makes room for a new one
    #[arg(long, env, global = true, value_name = "CONNECTIONS", default_value = "60000",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,
    /// How long the head of a request may take. A new connection must send its first request within this time
    #[arg(long = "head-timeout-seconds", env = "HEAD_TIMEOUT_SECONDS", global = true,
          value_name = "SECONDS", default_value = "10", value_parser = seconds(1, 300))]
    pub head: Duration,
    /// How long a connection without a request is kept open. Longer than a proxy in front of this server keeps its
    /// connections, which is 60 seconds for nginx
    #[arg(long = "keep-alive-seconds", env = "KEEP_ALIVE_SECONDS", global = true,
          value_name = "SECONDS", default_value = "75", value_parser = seconds(1, 3_600))]
    pub keep_alive: Duration,
}
