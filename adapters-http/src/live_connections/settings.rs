/// How many live connections a server may have, and whose.
#[derive(Debug, Clone)]
pub struct LiveSettings {
    /// Whether a WebSocket is opened for somebody who has not signed in. Streams of events are open to everybody.
    pub visitors: bool,
    /// At most how many connections may be open in all. A connection takes a file descriptor and about 12 KiB.
    pub max_connections: usize,
    /// At most how many connections one user may have open.
    pub max_per_user: usize,
    /// At most how many connections may be open from one network: an IPv4 address, or the /64 prefix of an IPv6
    /// address. With 0 there is no such limit.
    pub max_per_network: usize,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            visitors: false,
            max_connections: 50_000,
            max_per_user: 20,
            max_per_network: 200,
        }
    }
}
