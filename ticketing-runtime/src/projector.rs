//! Keeps the read models up to date: facts come over the bus, and from the log wherever the bus left a gap.
//!
//! Positions are gapless, so a lost, repeated or reordered delivery is always noticed. Row changes and checkpoint are
//! applied together, so a fact that comes twice changes nothing. A fact that cannot be applied is parked together with
//! everything later of its stream, and the others go on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ticketing_domain::projection::project;
use ticketing_ports::clock::Clock;
use ticketing_ports::dead_letters::{DeadLetter, DeadLetterStore};
use ticketing_ports::errors::{BoxError, StoreError};
use ticketing_ports::event_store::EventStore;
use ticketing_ports::read_models::{ApplyError, Change, ProjectedBatch, ProjectionStore};
use ticketing_ports::streams::{Position, RecordedEvent, StreamId};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::engine::ProjectionPorts;

const GROUP: &str = "read-models";
const CHUNK: usize = 1_000;
/// After so long without news from the bus the log is asked whether there is any.
const SILENCE: Duration = Duration::from_secs(1);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

pub(crate) async fn run(
    log: Arc<dyn EventStore>,
    ports: ProjectionPorts,
    clock: Arc<dyn Clock>,
    projected: watch::Sender<Position>,
    stop: CancellationToken,
) {
    let work = async {
        let mut projector = Projector {
            log,
            projections: Arc::clone(&ports.projections),
            dead_letters: Arc::clone(&ports.dead_letters),
            clock,
            parked: BTreeSet::new(),
            projected,
        };
        loop {
            if let Err(error) = projector.follow(&ports).await {
                warn!(
                    error = error.as_ref() as &dyn std::error::Error,
                    "the projector stumbled and starts again"
                );
            }
            tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
        }
    };
    stop.run_until_cancelled(work).await;
}

/// Builds the read models anew beside the old ones, then switches over. `progress` is told how far it has come and how
/// far it has to go.
///
/// # Errors
/// When a store is unavailable; the old read models stay in place then.
pub async fn rebuild(
    log: Arc<dyn EventStore>,
    projections: Arc<dyn ProjectionStore>,
    dead_letters: Arc<dyn DeadLetterStore>,
    clock: Arc<dyn Clock>,
    mut progress: impl FnMut(Position, Position) + Send,
) -> Result<Position, BoxError> {
    let twin = projections.begin_rebuild().await?;
    let (projected, _) = watch::channel(Position::START);
    let mut projector = Projector {
        log,
        projections: Arc::clone(&twin),
        dead_letters,
        clock,
        parked: BTreeSet::new(),
        projected,
    };
    let mut position = Position::START;
    loop {
        let head = projector.log.head().await?;
        progress(position, head);
        if position >= head {
            projections.switch_to(twin).await?;
            return Ok(position);
        }
        position = projector.catch_up_from_log(position, Some(CHUNK)).await?;
    }
}

struct Projector {
    log: Arc<dyn EventStore>,
    projections: Arc<dyn ProjectionStore>,
    dead_letters: Arc<dyn DeadLetterStore>,
    clock: Arc<dyn Clock>,
    /// Streams known to be parked, so that the store is not asked for each fact.
    parked: BTreeSet<StreamId>,
    projected: watch::Sender<Position>,
}

impl Projector {
    async fn follow(&mut self, ports: &ProjectionPorts) -> Result<(), BoxError> {
        // Join first, then catch up: what is published in between comes over the bus, and is skipped if it was read.
        let mut subscription = ports.subscriber.subscribe(GROUP).await?;
        self.load_parked_streams().await?;
        let mut position = self.projections.checkpoint().await?;
        position = self.catch_up_from_log(position, None).await?;
        loop {
            // The bus may have lost the last fact for good, and no later one would tell.
            let Ok(delivered) = tokio::time::timeout(SILENCE, subscription.next(CHUNK)).await else {
                position = self.catch_up_from_log(position, None).await?;
                continue;
            };
            let delivered = delivered?;
            let fresh: Vec<_> = delivered
                .into_iter()
                .filter(|event| event.position > position)
                .collect();
            let in_order = fresh
                .iter()
                .zip(1..)
                .all(|(event, place)| event.position == position.plus(place));
            if in_order {
                position = self.apply(position, fresh).await?;
            } else {
                position = self.catch_up_from_log(position, None).await?;
            }
            subscription.acknowledge().await?;
        }
    }

    /// Applies what the log has after `position`: everything, or one chunk of the given size.
    async fn catch_up_from_log(
        &mut self,
        mut position: Position,
        one_chunk: Option<usize>,
    ) -> Result<Position, BoxError> {
        loop {
            let events = self.log.read_all(position, one_chunk.unwrap_or(CHUNK)).await?;
            let done = events.is_empty() || one_chunk.is_some();
            position = self.apply(position, events).await?;
            if done {
                return Ok(position);
            }
        }
    }

    /// Applies consecutive facts that follow `after` and returns the new checkpoint.
    async fn apply(&mut self, after: Position, events: Vec<RecordedEvent>) -> Result<Position, BoxError> {
        let Some(upto) = events.last().map(|event| event.position) else {
            self.projected.send_replace(after);
            return Ok(after);
        };
        let mut changes = Vec::with_capacity(events.len());
        for event in &events {
            changes.extend(self.changes_of(event).await?);
        }
        match self.projections.apply(ProjectedBatch { after, upto, changes }).await {
            Ok(()) => {}
            Err(ApplyError::Store(StoreError::Inconsistent { .. })) => self.apply_one_by_one(after, events).await?,
            Err(error) => return Err(error.into()),
        }
        self.projected.send_replace(upto);
        Ok(upto)
    }

    /// Finds the facts of a batch that cannot be applied and parks them.
    async fn apply_one_by_one(&mut self, mut after: Position, events: Vec<RecordedEvent>) -> Result<(), BoxError> {
        for event in events {
            let upto = event.position;
            let changes = self.changes_of(&event).await?;
            match self.projections.apply(ProjectedBatch { after, upto, changes }).await {
                Ok(()) => {}
                Err(ApplyError::Store(error @ StoreError::Inconsistent { .. })) => {
                    self.park(&event, &error).await?;
                    self.projections
                        .apply(ProjectedBatch {
                            after,
                            upto,
                            changes: Vec::new(),
                        })
                        .await?;
                }
                Err(error) => return Err(error.into()),
            }
            after = upto;
        }
        Ok(())
    }

    async fn changes_of(&mut self, event: &RecordedEvent) -> Result<Vec<Change>, BoxError> {
        if self.parked.contains(&event.stream) {
            self.park(event, "an earlier fact of this stream is parked").await?;
            return Ok(Vec::new());
        }
        match project(event) {
            Ok(changes) => Ok(changes),
            Err(unreadable) => {
                self.park(event, &unreadable).await?;
                Ok(Vec::new())
            }
        }
    }

    async fn park(&mut self, event: &RecordedEvent, reason: impl std::fmt::Display) -> Result<(), StoreError> {
        error!(position = %event.position, stream = %event.stream, event_type = %event.event_type, %reason,
            "a fact cannot be projected and is parked");
        self.parked.insert(event.stream);
        let letter = DeadLetter {
            projection: GROUP.to_owned(),
            event: event.clone(),
            reason: reason.to_string(),
            parked_at: self.clock.now(),
        };
        self.dead_letters.park(letter).await
    }

    async fn load_parked_streams(&mut self) -> Result<(), StoreError> {
        let mut after = Position::START;
        loop {
            let letters = self.dead_letters.letters(GROUP, after, CHUNK).await?;
            let Some(last) = letters.last() else {
                return Ok(());
            };
            after = last.event.position;
            self.parked.extend(letters.iter().map(|letter| letter.event.stream));
        }
    }
}
