//! Live availability: counts and seats over a WebSocket, and counts as server-sent events.
//!
//! | file | what it does |
//! |---|---|
//! | `upgrade.rs` | everything that is checked before a WebSocket is opened |
//! | `connection.rs` | what an open WebSocket does until it is closed |
//! | `messages.rs` | the messages, each written once for all who get it |
//! | `traffic.rs` | counts the messages of a WebSocket and reports the counts to the observer |
//! | `stream.rs` | the same messages as server-sent events |
//!
//! Nothing is queued: a client that has missed an update gets a snapshot. `docs/LIVE.md` describes all this to clients.

mod connection;
mod messages;
mod stream;
mod traffic;
mod upgrade;

use std::time::Duration;

use ticketing_runtime::{Failure, UnavailableCause};

use crate::errors::{ApiError, Code};
use crate::live_connections::{Full, Place};
use crate::state::HttpState;

pub(crate) use stream::stream_availability;
pub(crate) use upgrade::watch_availability;

/// How long a client should wait before it asks again for a connection for which there was no place.
const RETRY_FULL: Duration = Duration::from_secs(10);

/// Returns a place, or the error for a request for which there is none.
fn place(state: &HttpState, taken: Result<Place, Full>) -> Result<Place, ApiError> {
    if state.config.stopping.is_cancelled() {
        return Err(Failure::Unavailable(UnavailableCause::ShuttingDown).into());
    }
    taken.map_err(|full| {
        let message = match full {
            Full::Server => "this server has as many live connections as it may have; try again later".to_owned(),
            Full::User(most) => format!("you have {most} live connections open, and may not have more; close one"),
            Full::Network(most) => format!("your network has {most} live connections open, and may not have more"),
        };
        ApiError {
            retry_after: Some(RETRY_FULL),
            ..ApiError::new(Code::RateLimited, message)
        }
    })
}

/// Returns after which time the client of a connection that this server has closed should connect again: some time
/// from half a second to five and a half, so that not all of them come back at once.
fn reconnect_after(state: &HttpState) -> Duration {
    let random = state.ids.uuid().as_u128() % 5_000;
    Duration::from_millis(500 + u64::try_from(random).expect("a number below 5000 fits into 64 bits"))
}
