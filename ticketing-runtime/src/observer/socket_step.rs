use std::time::Duration;

/// What has happened to one WebSocket of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketStep {
    /// The socket was opened.
    Opened,
    /// Messages were sent to the client since the last report of this kind. Ping frames count too.
    Sent {
        /// How many messages were sent.
        messages: usize,
    },
    /// Messages have come from the client since the last report of this kind. Pong frames count too.
    Received {
        /// How many messages have come.
        messages: usize,
    },
    /// The socket was closed, for whatever reason.
    Closed {
        /// How long the socket was open.
        lived: Duration,
    },
}
