//! The loop in which every follower runs.

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::followers::FollowerId;
use ticketing_ports::log::identity::{LogIdentity, Mark};
use ticketing_ports::log::streams::Position;
use ticketing_ports::outside::clock::Clock;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::dead_letter_filter::DeadLetterFilter;
use super::facts::Facts;
use super::follower::{FollowError, Follower, FollowerSpec, MarkKept};
use super::lag::{LagReporter, age};
use super::mark_keeper::MarkKeeper;
use super::past_check::{OnLostPast, Past, PastCheck, log_has};
use super::progress::{FollowerCondition, ProgressReporter};
use super::rebuild::Rebuilding;
use super::source::Source;
use super::tail::Tail;
use super::turn::{Turn, TurnState};
use crate::observer::{Observed, Observer};
use crate::retry::RetryPolicy;

/// When it failed.
const FOLLOWING: RetryPolicy = RetryPolicy {
    first: Duration::from_millis(500),
    longest: Duration::from_secs(2),
    tries: None,
};
/// How often it is looked whether what stopped a follower is over.
const PAUSE_WHILE_STOPPED: Duration = Duration::from_secs(3);
/// How often who stands by looks which life the log lives.
const PAUSE_WHILE_STANDING_BY: Duration = Duration::from_secs(1);

/// A follower at work, with what the engine does for it.
pub(super) struct FollowerLoop {
    pub(super) follower: Box<dyn Follower>,
    pub(super) spec: FollowerSpec,
    pub(super) source: Box<dyn Source>,
    pub(super) log: Arc<dyn EventStore>,
    pub(super) tail: Arc<Tail>,
    pub(super) marks: MarkKeeper,
    pub(super) turn: Turn,
    pub(super) filter: DeadLetterFilter,
    pub(super) past: PastCheck,
    pub(super) on_lost_past: OnLostPast,
    pub(super) progress: ProgressReporter,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) lag: LagReporter,
}

/// Where a follower may go on.
enum Standing {
    At(LogIdentity, Mark),
    /// Nothing can be taken, as the condition says.
    Nowhere,
}

impl FollowerLoop {
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut pauses = FOLLOWING.pauses(self.turn.worker().uuid());
        let work = async {
            loop {
                let began = Instant::now();
                if let Err(error) = self.follow().await {
                    self.report_failure(&error);
                }
                if began.elapsed() > FOLLOWING.longest {
                    pauses.begin_again();
                }
                tokio::time::sleep(pauses.next().unwrap_or(FOLLOWING.longest)).await;
            }
        };
        stop.run_until_cancelled(work).await;
        self.turn.give_back().await;
    }

    fn report_failure(&self, failure: &FollowError) {
        let follower = self.spec.name;
        if let FollowError::Never(why) = failure {
            if self
                .progress
                .set_condition(FollowerCondition::Stopped(why.to_string().into()))
            {
                let error = failure as &dyn std::error::Error;
                error!(error, follower, "a follower of the log has stopped");
            }
        } else {
            self.progress.set_condition(FollowerCondition::Fails);
            let error = failure as &dyn std::error::Error;
            warn!(error, follower, "a follower of the log stumbled and starts again");
        }
    }

    async fn follow(&mut self) -> Result<(), FollowError> {
        loop {
            let log = self.identity().await?;
            let id = self.spec.id(log.log);
            if self.turn.check(id).await? == TurnState::OfAnotherWorker {
                self.stand_by(log, id).await?;
            } else {
                self.lead(id).await?;
            }
        }
    }

    /// Which log is followed.
    async fn identity(&mut self) -> Result<LogIdentity, FollowError> {
        let identity = self.log.identity().await?;
        self.tail.belongs_to(identity);
        Ok(identity)
    }

    /// Takes what there is, for as long as it is this worker's turn.
    async fn lead(&mut self, id: FollowerId) -> Result<(), FollowError> {
        self.filter.load().await?;
        let mut past_checks = self.tail.past_checks();
        let mut stands = self.proved_position().await?;
        loop {
            let look = self.turn.check(id).await?;
            if look == TurnState::OfAnotherWorker {
                return Ok(());
            }
            let Standing::At(log, mark) = stands else {
                tokio::time::sleep(PAUSE_WHILE_STOPPED).await;
                stands = self.proved_position().await?;
                continue;
            };
            let facts = self.source.next(mark, self.spec.max_facts).await?;
            let certain = past_checks == self.tail.past_checks() && look == TurnState::GoesOn;
            if facts.is_empty() || !certain {
                // The log may have been put back, or the follower rebuilt: that is looked at before anything is taken.
                past_checks = self.tail.past_checks();
                stands = self.proved_position().await?;
                continue;
            }
            let began = Instant::now();
            let behind = facts.len() == self.spec.max_facts;
            stands = match self.take(Facts::behind(log, mark, facts)).await {
                Err(FollowError::Elsewhere) => self.found_elsewhere(mark).await?,
                taken => Standing::At(log, taken?),
            };
            self.taken(&stands, behind).await?;
            if !behind {
                tokio::time::sleep_until(began + self.spec.gather_for).await;
            }
        }
    }

    /// Watches somebody else work, until it is this worker's turn.
    async fn stand_by(&mut self, mut log: LogIdentity, id: FollowerId) -> Result<(), FollowError> {
        self.progress.set_condition(FollowerCondition::StandsBy);
        let (mut asked, mut proved) = (Instant::now(), None);
        while self.turn.check(id).await? == TurnState::OfAnotherWorker {
            if asked.elapsed() >= PAUSE_WHILE_STANDING_BY {
                log = self.identity().await?;
                asked = Instant::now();
            }
            let stands = self.marks.mark(self.follower.as_mut(), log).await?;
            let mut reached = Position::START;
            if let Some(mark) = stands.filter(|mark| mark.log == log.log) {
                reached = mark.position;
                // Whoever works has proved what comes later in the same life of the log.
                if proved == Some(log) || log_has(self.log.as_ref(), mark).await? {
                    proved = Some(log);
                    self.progress.set_reached(log, reached);
                }
            }
            self.source.stand_by(reached).await.map_err(FollowError::Later)?;
        }
        Ok(())
    }

    async fn take(&mut self, facts: Facts) -> Result<Mark, FollowError> {
        let (log, count) = (facts.log(), facts.len());
        let oldest = facts.iter().next().map(|fact| fact.recorded().recorded_at);
        let began = Instant::now();
        let stands = self.filter.take(self.follower.as_mut(), facts).await?;
        self.marks.keep(log, stands).await?;
        if let Some(oldest) = oldest {
            self.observer.observe(Observed::Followed {
                follower: self.spec.name,
                facts: count,
                took: began.elapsed(),
                lag: age(oldest, self.clock.now()),
            });
        }
        Ok(stands)
    }

    /// Where the follower stands that was not at `expected` when it should take what follows.
    async fn found_elsewhere(&mut self, expected: Mark) -> Result<Standing, FollowError> {
        match self.proved_position().await? {
            Standing::At(_, mark) if mark == expected => Err(FollowError::Elsewhere),
            stands => Ok(stands),
        }
    }

    /// Tells whom it concerns that facts were taken.
    async fn taken(&mut self, stands: &Standing, behind: bool) -> Result<(), FollowError> {
        let Standing::At(log, Mark { position, .. }) = *stands else {
            return Ok(());
        };
        self.progress.set_reached(log, position);
        self.source.taken(position).await.map_err(FollowError::Later)?;
        if behind {
            self.lag
                .report(self.log.as_ref(), self.clock.as_ref(), position)
                .await?;
        } else {
            self.lag.caught_up(position);
        }
        Ok(())
    }

    /// Where the follower stands, once it is sure that the log has what leads there.
    async fn proved_position(&mut self) -> Result<Standing, FollowError> {
        loop {
            let log = self.identity().await?;
            let Some(mark) = self.marks.mark(self.follower.as_mut(), log).await? else {
                self.begin(log).await?;
                continue;
            };
            let past = if !mark.is_of_no_log() {
                self.past.check(self.log.as_ref(), log, mark).await?
            } else if self.bind_to_log(log, mark).await? {
                continue;
            } else {
                Past::Lost
            };
            match past {
                Past::Kept => {
                    self.works_at(log, mark);
                    return Ok(Standing::At(log, mark));
                }
                Past::OfAnotherLog => {
                    if self.progress.set_condition(FollowerCondition::OfAnotherLog) {
                        error!(follower = self.spec.name, kept = %mark, log = %log.log,
                            "what a follower keeps is of another log, and nothing of it is changed");
                    }
                    return Ok(Standing::Nowhere);
                }
                Past::Lost => {
                    if !self.recover_from_lost_past(log, mark).await? {
                        return Ok(Standing::Nowhere);
                    }
                }
            }
        }
    }

    fn works_at(&self, log: LogIdentity, mark: Mark) {
        self.progress.set_reached(log, mark.position);
        if self.progress.set_condition(FollowerCondition::Works) {
            let (follower, position) = (self.spec.name, mark.position);
            info!(follower, %position, "a follower of the log works in this process");
        }
    }

    /// Puts a follower that stands nowhere yet where it begins.
    async fn begin(&mut self, log: LogIdentity) -> Result<(), FollowError> {
        let start = self.marks.start(self.log.as_ref(), log).await?;
        match self.take(Facts::none(log, Mark::start(log.log), start)).await {
            Ok(_) | Err(FollowError::Elsewhere) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Says of which log the things are that a follower keeps, if the log has as much. Returns whether it has.
    async fn bind_to_log(&mut self, log: LogIdentity, mark: Mark) -> Result<bool, FollowError> {
        let commit = match self.log.commit_at(mark.position).await? {
            Some(commit) => commit,
            None if mark.is_start() => Mark::NO_COMMIT,
            None => return Ok(false),
        };
        let bound = Mark {
            log: log.log,
            commit,
            ..mark
        };
        match self.take(Facts::none(log, mark, bound)).await {
            Ok(_) | Err(FollowError::Elsewhere) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The log has lost facts that were taken. Returns whether the follower has been put right.
    async fn recover_from_lost_past(&mut self, log: LogIdentity, mark: Mark) -> Result<bool, FollowError> {
        if self.past.announce_loss(self.log.as_ref(), mark).await? {
            error!(follower = self.spec.name, kept = %mark,
                "the log has lost facts that were taken: it is not the one that it was");
        }
        if self.spec.mark_kept != MarkKept::WithTheEffect {
            // What is in memory is dropped. What was done outside is done again for the facts that there are now.
            if self.spec.mark_kept == MarkKept::InMemory
                && let Some(empty) = self.follower.twin().await?
            {
                empty.switch().await?;
            }
            self.marks.forget(log).await?;
            self.past.forget();
            return Ok(true);
        }
        if self.on_lost_past == OnLostPast::Refuse {
            self.progress.set_condition(FollowerCondition::OfALostPast);
            return Ok(false);
        }
        self.progress.set_condition(FollowerCondition::Rebuilds);
        self.rebuild(log).await?;
        self.filter.load().await?;
        self.past.forget();
        Ok(true)
    }

    /// Fills a twin from the log as it is now, for as long as it is this worker's turn, and switches to it.
    async fn rebuild(&mut self, log: LogIdentity) -> Result<(), FollowError> {
        let follower = self.spec.name;
        info!(follower, "what a follower keeps is made anew from the log");
        let filter = self.filter.anew().await?;
        let mut rebuilding = Rebuilding::begin(Arc::clone(&self.log), self.follower.as_mut(), filter).await?;
        while !rebuilding.has_all().await? {
            if self.turn.check(self.spec.id(log.log)).await? == TurnState::OfAnotherWorker {
                return Err(FollowError::Elsewhere);
            }
            rebuilding.step().await?;
        }
        let position = rebuilding.switch().await?;
        info!(follower, %position, "what a follower keeps was made anew");
        Ok(())
    }
}
