//! Follows the log and puts every fact on the bus, in order. Of several processes one works; the others stand by.
//!
//! A fact is published before that is noted, so that none is left out when the process dies in between: it is published
//! again then, and whoever listens knows it by its position.

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::clock::Clock;
use ticketing_ports::errors::BoxError;
use ticketing_ports::event_bus::EventPublisher;
use ticketing_ports::event_store::EventStore;
use ticketing_ports::followers::FollowerStore;
use ticketing_ports::ids::WorkerId;
use ticketing_ports::streams::Position;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::tail::Tail;
use crate::turn::{Turn, WAIT_FOR_TURN};

/// Under which name its position is kept.
pub const RELAY: &str = "relay";
/// How many facts are published at once.
const CHUNK: usize = 1_000;
/// What is written is gathered for so long, so that a busy moment is a few requests to the brokers and not hundreds.
const GATHERING: Duration = Duration::from_millis(20);
/// How often the log is looked at when nothing announces news: other processes may write to it.
const POLL: Duration = Duration::from_millis(200);
/// How often a lag is told.
const TELL_LAG: Duration = Duration::from_secs(5);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

pub(crate) struct Relay {
    pub(crate) log: Arc<dyn EventStore>,
    pub(crate) publisher: Arc<dyn EventPublisher>,
    pub(crate) followers: Arc<dyn FollowerStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) worker: WorkerId,
    pub(crate) tail: Arc<Tail>,
    /// Of the tail.
    pub(crate) news: watch::Receiver<Position>,
    /// When its lag was told last, while it has one.
    pub(crate) told_lag: Option<Instant>,
}

impl Relay {
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut turn = Turn::new(Arc::clone(&self.followers), Arc::clone(&self.clock), RELAY, self.worker);
        let work = async {
            loop {
                match turn.take().await {
                    Ok(Some(position)) => {
                        info!(%position, "the relay works in this process");
                        if let Err(error) = self.publish_from(position, &mut turn).await {
                            warn!(
                                error = error.as_ref() as &dyn std::error::Error,
                                "the relay could not publish"
                            );
                            tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
                        }
                    }
                    Ok(None) => tokio::time::sleep(WAIT_FOR_TURN).await,
                    Err(error) => {
                        warn!(
                            error = &error as &dyn std::error::Error,
                            "the relay could not take its turn"
                        );
                        tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
                    }
                }
            }
        };
        stop.run_until_cancelled(work).await;
        turn.give_back().await;
    }

    /// Publishes until somebody else has the turn.
    async fn publish_from(&mut self, mut position: Position, turn: &mut Turn) -> Result<(), BoxError> {
        while turn.is_mine().await? {
            let mut events = self.tail.after(position, CHUNK);
            if events.is_empty() {
                events = self.log.read_all(position, CHUNK).await?;
                self.tail.keep(events.clone());
            }
            let Some(last) = events.last().map(|event| event.position) else {
                self.wait_for_news().await;
                continue;
            };
            let published_at = Instant::now();
            self.publisher.publish(&events).await?;
            self.followers.advance(RELAY, last).await?;
            position = last;
            let behind = events.len() == CHUNK;
            self.tell_lag(position, behind).await?;
            if !behind {
                tokio::time::sleep_until(published_at + GATHERING).await;
            }
        }
        Ok(())
    }

    /// Says from time to time how far behind the log it is, and once that it has caught up.
    async fn tell_lag(&mut self, position: Position, behind: bool) -> Result<(), BoxError> {
        if !behind {
            if self.told_lag.take().is_some() {
                info!(%position, "the relay has caught up with the log");
            }
            return Ok(());
        }
        if self.told_lag.is_none_or(|told| told.elapsed() >= TELL_LAG) {
            let head = self.log.head().await?;
            let lag = head.0.saturating_sub(position.0);
            if lag > CHUNK as u64 {
                info!(%position, lag, "the relay is behind the log");
                self.told_lag = Some(Instant::now());
            }
        }
        Ok(())
    }

    async fn wait_for_news(&mut self) {
        // A closed channel only means that nobody announces any more.
        if let Ok(Err(_)) = tokio::time::timeout(POLL, self.news.changed()).await {
            tokio::time::sleep(POLL).await;
        }
    }
}
