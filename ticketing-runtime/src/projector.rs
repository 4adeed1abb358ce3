//! Keeps the read models up to date: facts come from the commits of this process as soon as they are durable, those of
//! others over the bus, and from the log wherever both left a gap.
//!
//! Positions are gapless, so a lost, repeated or reordered delivery is always noticed. Row changes and checkpoint are
//! applied together, so a fact that comes twice changes nothing. A fact that cannot be applied is parked together with
//! everything later of its stream, and the others go on.
//!
//! Of several processes one applies. The others get their share of the deliveries too, and acknowledge them when the
//! read models have come that far; they are the ones to go on when the first one dies.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ticketing_domain::projection::project;
use ticketing_ports::clock::Clock;
use ticketing_ports::dead_letters::{DeadLetter, DeadLetterStore};
use ticketing_ports::errors::{BoxError, StoreError};
use ticketing_ports::event_bus::Subscription;
use ticketing_ports::event_store::EventStore;
use ticketing_ports::ids::WorkerId;
use ticketing_ports::read_models::{ApplyError, Change, ProjectedBatch, ProjectionStore};
use ticketing_ports::streams::{Position, RecordedEvent, StreamId};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::engine::ProjectionPorts;
use crate::tail::Tail;
use crate::turn::Turn;

/// The group of the bus, the name of the turn and that of the dead letters.
pub const READ_MODELS: &str = "read-models";
const CHUNK: usize = 1_000;
/// What this process writes is gathered for so long, so that a busy moment is a few transactions and not hundreds.
const GATHERING: Duration = Duration::from_millis(4);
/// How often the bus is told what has been applied. It takes an answer from the brokers; what was not acknowledged comes
/// again and changes nothing.
const ACKNOWLEDGING: Duration = Duration::from_millis(100);
/// After so long without news from the bus the log is asked whether there is any.
const SILENCE: Duration = Duration::from_secs(1);
/// How often who stands by looks whether what it was given has been applied.
const STANDING_BY: Duration = Duration::from_millis(50);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

pub(crate) async fn run(
    log: Arc<dyn EventStore>,
    tail: Arc<Tail>,
    ports: ProjectionPorts,
    clock: Arc<dyn Clock>,
    worker: WorkerId,
    projected: watch::Sender<Position>,
    stop: CancellationToken,
) {
    let mut turn = Turn::new(Arc::clone(&ports.followers), Arc::clone(&clock), READ_MODELS, worker);
    let work = async {
        let mut projector = Projector {
            log,
            projections: Arc::clone(&ports.projections),
            dead_letters: Arc::clone(&ports.dead_letters),
            clock,
            parked: BTreeSet::new(),
            letters: BTreeSet::new(),
            projected,
        };
        loop {
            if let Err(error) = projector.follow(&tail, &ports, &mut turn).await {
                warn!(
                    error = error.as_ref() as &dyn std::error::Error,
                    "the projector stumbled and starts again"
                );
            }
            tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
        }
    };
    stop.run_until_cancelled(work).await;
    turn.give_back().await;
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
        letters: BTreeSet::new(),
        projected,
    };
    let mut position = Position::START;
    loop {
        let head = projector.log.head().await?;
        progress(position, head);
        if position >= head {
            projections.switch_to(twin).await?;
            projector.remove_letters_of_the_past(position).await?;
            return Ok(position);
        }
        position = projector.catch_up_from_log(position, Some(CHUNK)).await?;
    }
}

/// Waits until something is written after the given time. It ends with the engine.
async fn news_after(news: &mut watch::Receiver<Position>, time: Instant) {
    tokio::time::sleep_until(time).await;
    drop(news.changed().await);
}

struct Projector {
    log: Arc<dyn EventStore>,
    projections: Arc<dyn ProjectionStore>,
    dead_letters: Arc<dyn DeadLetterStore>,
    clock: Arc<dyn Clock>,
    /// Streams known to be parked, so that the store is not asked for each fact.
    parked: BTreeSet<StreamId>,
    /// What this projector has parked itself.
    letters: BTreeSet<Position>,
    projected: watch::Sender<Position>,
}

impl Projector {
    async fn follow(&mut self, tail: &Tail, ports: &ProjectionPorts, turn: &mut Turn) -> Result<(), BoxError> {
        // Join first, then catch up: what is published in between comes over the bus, and is skipped if it was read.
        let mut subscription = ports.subscriber.subscribe(READ_MODELS).await?;
        loop {
            if turn.is_mine().await? {
                self.lead(tail, subscription.as_mut(), turn).await?;
            } else {
                self.stand_by(subscription.as_mut(), turn).await?;
            }
        }
    }

    /// Applies what this process writes and what is delivered, for as long as it is this worker's turn.
    async fn lead(
        &mut self,
        tail: &Tail,
        subscription: &mut dyn Subscription,
        turn: &mut Turn,
    ) -> Result<(), BoxError> {
        // Before the log is read, so that nothing is written unnoticed in between.
        let mut news = tail.news();
        self.load_parked_streams().await?;
        let mut position = self.projections.checkpoint().await?;
        position = self.catch_up_from_log(position, None).await?;
        let mut looked_at = Instant::now();
        let mut heard_at = Instant::now();
        let mut acknowledged_at = Instant::now();
        while turn.is_mine().await? {
            let gathered = looked_at + GATHERING;
            let delivered = tokio::select! {
                // In one order, so that a run can be replayed; what is delivered must not pile up on the bus.
                biased;
                delivered = tokio::time::timeout_at(heard_at + SILENCE, subscription.next(CHUNK)) => {
                    heard_at = Instant::now();
                    delivered
                }
                () = news_after(&mut news, gathered) => Ok(Ok(Vec::new())),
            };
            let Ok(delivered) = delivered else {
                // The bus may have lost the last fact for good, and no later one would tell; or the read models were
                // rebuilt, and are not as far as they were.
                position = self.projections.checkpoint().await?;
                position = self.catch_up_from_log(position, None).await?;
                position = self.acknowledge(subscription, tail, &mut news, position).await?;
                continue;
            };
            let mut fresh = delivered?;
            fresh.retain(|event| event.position > position);
            // Much of what the bus brings this process has written itself: that must not keep it from what it writes now.
            if !fresh.is_empty() || gathered <= Instant::now() {
                looked_at = Instant::now();
                position = self.catch_up_from_tail(tail, position).await?;
                fresh.retain(|event| event.position > position);
            }
            let mut places = fresh.iter().zip(1..);
            position = if places.all(|(event, place)| event.position == position.plus(place)) {
                self.apply(position, fresh).await?
            } else {
                // Others wrote what is missing, and the bus has lost or reordered it.
                self.catch_up_from_log(position, None).await?
            };
            if acknowledged_at.elapsed() >= ACKNOWLEDGING {
                position = self.acknowledge(subscription, tail, &mut news, position).await?;
                acknowledged_at = Instant::now();
            }
        }
        subscription.acknowledge().await?;
        Ok(())
    }

    /// Acknowledges what was delivered, and goes on after `position` while the brokers don't answer: they may be away.
    async fn acknowledge(
        &mut self,
        subscription: &mut dyn Subscription,
        tail: &Tail,
        news: &mut watch::Receiver<Position>,
        mut position: Position,
    ) -> Result<Position, BoxError> {
        let mut acknowledged = subscription.acknowledge();
        let mut looked_at = Instant::now();
        let mut read_at = looked_at;
        loop {
            tokio::select! {
                biased;
                answer = &mut acknowledged => {
                    answer?;
                    return Ok(position);
                }
                () = tokio::time::sleep_until(read_at + SILENCE) => {
                    position = self.catch_up_from_log(position, None).await?;
                    read_at = Instant::now();
                }
                () = news_after(news, looked_at + GATHERING) => {
                    looked_at = Instant::now();
                    position = self.catch_up_from_tail(tail, position).await?;
                }
            }
        }
    }

    /// Watches somebody else apply, until it is this worker's turn.
    async fn stand_by(&mut self, subscription: &mut dyn Subscription, turn: &mut Turn) -> Result<(), BoxError> {
        let mut owed = Position::START;
        loop {
            let checkpoint = self.projections.checkpoint().await?;
            self.projected.send_replace(checkpoint);
            if owed > Position::START && checkpoint >= owed {
                subscription.acknowledge().await?;
                owed = Position::START;
            }
            if turn.is_mine().await? {
                return Ok(());
            }
            if owed > Position::START {
                tokio::time::sleep(STANDING_BY).await;
            } else if let Ok(delivered) = tokio::time::timeout(SILENCE, subscription.next(CHUNK)).await {
                owed = delivered?.iter().map(|event| event.position).max().unwrap_or_default();
            }
        }
    }

    /// Applies what follows `position` in memory.
    async fn catch_up_from_tail(&mut self, tail: &Tail, mut position: Position) -> Result<Position, BoxError> {
        loop {
            let facts = tail.after(position, CHUNK);
            if facts.is_empty() {
                return Ok(position);
            }
            position = self.apply(position, facts).await?;
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
            Err(ApplyError::OutOfOrder { .. }) => {
                // Somebody else has applied, or has switched to rebuilt read models: go on from there.
                let checkpoint = self.projections.checkpoint().await?;
                self.projected.send_replace(checkpoint);
                return Ok(checkpoint);
            }
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
        self.letters.insert(event.position);
        let letter = DeadLetter {
            projection: READ_MODELS.to_owned(),
            event: event.clone(),
            reason: reason.to_string(),
            parked_at: self.clock.now(),
        };
        self.dead_letters.park(letter).await
    }

    /// After a rebuild: what could be projected this time is a dead letter no longer.
    async fn remove_letters_of_the_past(&self, upto: Position) -> Result<(), StoreError> {
        let mut after = Position::START;
        while after < upto {
            let letters = self.dead_letters.letters(READ_MODELS, after, CHUNK).await?;
            let Some(last) = letters.last() else {
                return Ok(());
            };
            after = last.event.position;
            for letter in letters {
                let position = letter.event.position;
                if position <= upto && !self.letters.contains(&position) {
                    self.dead_letters.remove(READ_MODELS, position).await?;
                }
            }
        }
        Ok(())
    }

    async fn load_parked_streams(&mut self) -> Result<(), StoreError> {
        self.parked.clear();
        let mut after = Position::START;
        loop {
            let letters = self.dead_letters.letters(READ_MODELS, after, CHUNK).await?;
            let Some(last) = letters.last() else {
                return Ok(());
            };
            after = last.event.position;
            self.parked.extend(letters.iter().map(|letter| letter.event.stream));
        }
    }
}
