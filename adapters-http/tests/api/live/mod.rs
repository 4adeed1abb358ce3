//! Live availability: WebSockets and streams of events.

mod closing;
mod messages;
mod opening;
mod real_sockets;
mod stream;

use std::time::Duration;

use crate::support::TestServer;

fn path(event: &str) -> String {
    format!("/ws/events/{event}/availability")
}

/// Waits until the server has `count` live connections, for a minute of the runtime's clock at most.
async fn until_open(server: &TestServer, count: usize) {
    let reached = async {
        while server.live.count() != count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let reached = tokio::time::timeout(Duration::from_secs(60), reached).await;
    assert!(
        reached.is_ok(),
        "{} connections are open, not {count}",
        server.live.count()
    );
}
