//! Follows the log and puts every fact on the bus, in order.

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::event_bus::EventPublisher;
use ticketing_ports::event_store::EventStore;
use ticketing_ports::streams::Position;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How many facts are published at once.
const CHUNK: usize = 500;
/// How often the log is looked at when nothing announces news: other processes may write to it.
const POLL: Duration = Duration::from_secs(1);

/// Starts at the head of the log: what came before, followers read from the log itself.
pub(crate) async fn run(
    log: Arc<dyn EventStore>,
    publisher: Arc<dyn EventPublisher>,
    mut committed: watch::Receiver<Position>,
    stop: CancellationToken,
) {
    let work = async {
        let mut position = None;
        loop {
            match publish_next(log.as_ref(), publisher.as_ref(), &mut position).await {
                Ok(0) => {
                    // A closed channel only means that nobody announces any more.
                    if let Ok(Err(_)) = tokio::time::timeout(POLL, committed.changed()).await {
                        tokio::time::sleep(POLL).await;
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    warn!(
                        error = error.as_ref() as &dyn std::error::Error,
                        "the relay could not publish"
                    );
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    };
    stop.run_until_cancelled(work).await;
}

/// Publishes the next facts after `position` and returns how many there were.
async fn publish_next(
    log: &dyn EventStore,
    publisher: &dyn EventPublisher,
    position: &mut Option<Position>,
) -> Result<usize, ticketing_ports::errors::BoxError> {
    let after = match *position {
        Some(position) => position,
        None => log.head().await?,
    };
    let events = log.read_all(after, CHUNK).await?;
    if !events.is_empty() {
        publisher.publish(&events).await?;
    }
    *position = Some(events.last().map_or(after, |event| event.position));
    Ok(events.len())
}
