//! The settings of live availability.

use clap::Args;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Live availability")]
pub struct LiveSettings {
    /// Whether a WebSocket is opened for somebody who has not signed in. If this is not set: false, and true in a
    /// demonstration
    #[arg(long, env, global = true, value_name = "BOOL", action = clap::ArgAction::Set)]
    pub ws_visitors: Option<bool>,
    /// At most how many WebSockets and streams of events may be open. If descriptors or memory do not suffice for that
    /// many, fewer may be; the log says at the start how many
    #[arg(long, env, global = true, value_name = "CONNECTIONS", default_value = "50000",
          value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub ws_max_connections: u32,
    /// At most how many of them may be open from one network, which is an IPv4 address or the /64 of an IPv6 address.
    /// 0 sets no limit
    #[arg(long, env, global = true, value_name = "CONNECTIONS", default_value = "200",
          value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub ws_max_per_network: u32,
}
