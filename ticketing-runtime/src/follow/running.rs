//! The loop in which every follower runs.

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::event_store::EventStore;
use ticketing_ports::followers::FollowerStore;
use ticketing_ports::ids::{CommitId, LogId};
use ticketing_ports::logs::Mark;
use ticketing_ports::streams::Position;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::facts::Facts;
use super::follower::{First, FollowError, Follower, Keeps, Spec};
use super::lag::LagTold;
use super::poison::Poison;
use super::source::Source;
use super::turns::{Look, Turn};

const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// A follower at work, with what the engine does for it.
pub(super) struct Running {
    pub(super) follower: Box<dyn Follower>,
    pub(super) spec: Spec,
    pub(super) source: Box<dyn Source>,
    pub(super) log: Arc<dyn EventStore>,
    pub(super) positions: Arc<dyn FollowerStore>,
    pub(super) turn: Turn,
    pub(super) poison: Poison,
    pub(super) reached: watch::Sender<Position>,
    pub(super) lag: LagTold,
    /// Where it stands, if nobody else keeps that.
    pub(super) here: Option<Mark>,
}

impl Running {
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let work = async {
            loop {
                if let Err(error) = self.follow().await {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        follower = self.spec.name,
                        "a follower of the log stumbled and starts again"
                    );
                }
                tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
            }
        };
        stop.run_until_cancelled(work).await;
        self.turn.give_back().await;
    }

    async fn follow(&mut self) -> Result<(), FollowError> {
        loop {
            if self.turn.look().await? == Look::SomebodyElses {
                self.stand_by().await?;
            } else {
                self.lead().await?;
            }
        }
    }

    /// Takes what there is, for as long as it is this worker's turn.
    async fn lead(&mut self) -> Result<(), FollowError> {
        self.poison.load().await?;
        let mut stands = self.stands().await?;
        info!(follower = self.spec.name, position = %stands.position, "a follower works in this process");
        while self.turn.look().await? != Look::SomebodyElses {
            let next = self.source.next(stands.position, self.spec.most).await;
            let facts = next.map_err(FollowError::Later)?;
            if facts.is_empty() {
                // It may have been rebuilt, and not be as far as it was.
                stands = self.stands().await?;
                self.lag.caught_up(stands.position);
                continue;
            }
            let began = Instant::now();
            let behind = facts.len() == self.spec.most;
            stands = match self.take(Facts::behind(stands, facts)).await {
                Err(FollowError::Elsewhere) => self.stands().await?,
                taken => taken?,
            };
            self.reach(stands.position);
            self.source.taken(stands.position).await.map_err(FollowError::Later)?;
            if behind {
                self.lag.tell(self.log.as_ref(), stands.position).await?;
            } else {
                self.lag.caught_up(stands.position);
                tokio::time::sleep_until(began + self.spec.gather).await;
            }
        }
        Ok(())
    }

    /// Watches somebody else work, until it is this worker's turn.
    async fn stand_by(&mut self) -> Result<(), FollowError> {
        while self.turn.look().await? == Look::SomebodyElses {
            let stands = self.stands().await?;
            self.source
                .stand_by(stands.position)
                .await
                .map_err(FollowError::Later)?;
        }
        Ok(())
    }

    async fn take(&mut self, facts: Facts) -> Result<Mark, FollowError> {
        let stands = self.poison.take(self.follower.as_mut(), facts).await?;
        match self.spec.keeps {
            Keeps::WithTheEffect => {}
            Keeps::ByTheEngine => self.positions.advance(self.spec.name, stands.position).await?,
            Keeps::Nothing => self.here = Some(stands),
        }
        Ok(stands)
    }

    /// Where the follower stands.
    async fn stands(&mut self) -> Result<Mark, FollowError> {
        let stands = match self.spec.keeps {
            Keeps::WithTheEffect => self.follower.stands().await?,
            Keeps::ByTheEngine => Some(mark(self.positions.position(self.spec.name).await?)),
            Keeps::Nothing => match self.here {
                Some(here) => Some(here),
                None => self.follower.stands().await?,
            },
        };
        let stands = match stands {
            Some(stands) => stands,
            None => self.begin().await?,
        };
        self.reach(stands.position);
        Ok(stands)
    }

    /// Where a follower begins that stands nowhere yet.
    async fn begin(&mut self) -> Result<Mark, FollowError> {
        match self.spec.first {
            First::AtTheBeginning | First::WhereItSays => Ok(mark(Position::START)),
            First::Now => {
                let now = mark(self.log.head().await?);
                self.take(Facts::none(mark(Position::START), now)).await
            }
        }
    }

    fn reach(&self, position: Position) {
        self.reached.send_if_modified(|reached| {
            let moved = *reached != position;
            *reached = position;
            moved
        });
    }
}

fn mark(position: Position) -> Mark {
    Mark {
        log: LogId::new(Uuid::nil()),
        position,
        commit: CommitId::new(Uuid::nil()),
    }
}
