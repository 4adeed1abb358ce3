//! The loop that runs one follower: it gets the follower's turn, checks that the log still has every fact up to the
//! follower's mark, and gives the follower facts.

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
use super::facts::{Facts, LoggedFact};
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
use crate::spans::Tracer;
use crate::trail;

/// The pauses before the engine starts a follower again after an error.
const FOLLOWING: RetryPolicy = RetryPolicy {
    first: Duration::from_millis(500),
    longest: Duration::from_secs(2),
    tries: None,
};
/// How often the loop checks whether a stopped follower can go on.
const PAUSE_WHILE_STOPPED: Duration = Duration::from_secs(3);
/// How often a standby process checks the identity of the log.
const PAUSE_WHILE_STANDING_BY: Duration = Duration::from_secs(1);

/// One follower, with everything that the engine needs to run it.
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
    pub(super) tracer: Arc<dyn Tracer>,
    pub(super) lag: LagReporter,
}

/// Where the follower continues in the log.
enum Standing {
    /// The follower continues after this mark. A check has found every fact up to the mark in the log.
    At(LogIdentity, Mark),
    /// The follower may handle no facts now. Its [`FollowerCondition`] says why.
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
                error!(
                    error,
                    follower, "a follower of the log has stopped and needs an operator"
                );
            }
        } else {
            self.progress.set_condition(FollowerCondition::Fails);
            let error = failure as &dyn std::error::Error;
            warn!(
                error,
                follower, "a follower of the log failed and will be started again"
            );
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

    /// Reads the log's identity and passes it to the tail, which drops the facts of any other log.
    async fn identity(&mut self) -> Result<LogIdentity, FollowError> {
        let identity = self.log.identity().await?;
        self.tail.follow_log(identity);
        Ok(identity)
    }

    /// Gives the follower facts for as long as this process has the turn.
    async fn lead(&mut self, id: FollowerId) -> Result<(), FollowError> {
        self.filter.load().await?;
        let mut past_checks = self.tail.past_checks();
        let mut standing = self.proved_position().await?;
        loop {
            let look = self.turn.check(id).await?;
            if look == TurnState::OfAnotherWorker {
                return Ok(());
            }
            let Standing::At(log, mark) = standing else {
                tokio::time::sleep(PAUSE_WHILE_STOPPED).await;
                standing = self.proved_position().await?;
                continue;
            };
            let facts = self.source.next(mark, self.spec.max_facts).await?;
            let certain = past_checks == self.tail.past_checks() && look == TurnState::GoesOn;
            if facts.is_empty() || !certain {
                // The log may have been restored or the follower rebuilt meanwhile, so the mark is proved again
                // before the follower handles facts.
                past_checks = self.tail.past_checks();
                standing = self.proved_position().await?;
                continue;
            }
            let began = Instant::now();
            let behind = facts.len() == self.spec.max_facts;
            standing = match self.take(Facts::following(log, mark, facts)).await {
                Err(FollowError::MarkMoved) => self.locate_moved_mark(mark).await?,
                taken => Standing::At(log, taken?),
            };
            self.report_taken(&standing, behind).await?;
            if !behind {
                tokio::time::sleep_until(began + self.spec.gather_for).await;
            }
        }
    }

    /// Waits until this process gets the turn, and reports meanwhile how far the active process has come.
    async fn stand_by(&mut self, mut log: LogIdentity, id: FollowerId) -> Result<(), FollowError> {
        self.progress.set_condition(FollowerCondition::StandsBy);
        let (mut asked, mut proved) = (Instant::now(), None);
        while self.turn.check(id).await? == TurnState::OfAnotherWorker {
            if asked.elapsed() >= PAUSE_WHILE_STANDING_BY {
                log = self.identity().await?;
                asked = Instant::now();
            }
            let mark = self.marks.mark(self.follower.as_mut(), log).await?;
            let mut reached = Position::START;
            if let Some(mark) = mark.filter(|mark| mark.log == log.log) {
                reached = mark.position;
                // The first mark that is read in each incarnation of the log is proved here. The active process
                // proves the later marks.
                if proved == Some(log) || log_has(self.log.as_ref(), mark).await? {
                    proved = Some(log);
                    self.progress.set_reached(log, reached);
                }
            }
            self.source.stand_by(reached).await.map_err(FollowError::Later)?;
        }
        Ok(())
    }

    /// Gives facts to the follower and keeps its new mark. Returns the new mark.
    async fn take(&mut self, facts: Facts) -> Result<Mark, FollowError> {
        let (log, count) = (facts.log(), facts.len());
        let oldest = facts.iter().next().map(|fact| fact.recorded().recorded_at);
        let (began_at, began) = (self.clock.now(), Instant::now());
        let traces = if self.tracer.is_on() {
            trail::traces_of_news(facts.iter().map(LoggedFact::recorded), began_at)
        } else {
            Vec::new()
        };
        let mark = self.filter.take(self.follower.as_mut(), facts).await?;
        self.marks.keep(log, mark).await?;
        if let Some(oldest) = oldest {
            let batch = trail::Batch {
                follower: self.spec.name,
                facts: count,
                upto: mark.position,
                began: began_at,
                took: began.elapsed(),
            };
            batch.taken(&traces, self.tracer.as_ref());
            self.observer.observe(Observed::Followed {
                follower: self.spec.name,
                facts: count,
                took: began.elapsed(),
                lag: age(oldest, self.clock.now()),
            });
        }
        Ok(mark)
    }

    /// Reads the follower's mark again, after the follower could not take facts because its mark was not at
    /// `expected`.
    ///
    /// # Errors
    /// Fails if the mark is at `expected` after all, so that the loop pauses before it tries again.
    async fn locate_moved_mark(&mut self, expected: Mark) -> Result<Standing, FollowError> {
        match self.proved_position().await? {
            Standing::At(_, mark) if mark == expected => Err(FollowError::MarkMoved),
            standing => Ok(standing),
        }
    }

    /// Reports how far the follower has come: to waiting readers, to the source and to the log lines about lag.
    async fn report_taken(&mut self, standing: &Standing, behind: bool) -> Result<(), FollowError> {
        let Standing::At(log, Mark { position, .. }) = *standing else {
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

    /// Checks that the log still has every fact up to the follower's mark. Returns where the follower continues.
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
                    self.report_working(log, mark);
                    return Ok(Standing::At(log, mark));
                }
                Past::OfAnotherLog => {
                    if self.progress.set_condition(FollowerCondition::OfAnotherLog) {
                        error!(follower = self.spec.name, kept = %mark, log = %log.log,
                            "a follower has handled facts of another log, so this process gives it no facts");
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

    fn report_working(&self, log: LogIdentity, mark: Mark) {
        self.progress.set_reached(log, mark.position);
        if self.progress.set_condition(FollowerCondition::Works) {
            let (follower, position) = (self.spec.name, mark.position);
            info!(follower, %position, "a follower of the log has started to work in this process");
        }
    }

    /// Gives the follower its first mark.
    async fn begin(&mut self, log: LogIdentity) -> Result<(), FollowError> {
        let start = self.marks.start(self.log.as_ref(), log).await?;
        match self.take(Facts::none(log, Mark::start(log.log), start)).await {
            Ok(_) | Err(FollowError::MarkMoved) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Binds a mark that names no log to this log, if the log has the mark's position. Returns whether it has.
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
            Ok(_) | Err(FollowError::MarkMoved) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Repairs the follower after the log has lost facts that the follower had handled. Returns whether the follower
    /// may continue.
    async fn recover_from_lost_past(&mut self, log: LogIdentity, mark: Mark) -> Result<bool, FollowError> {
        if self.past.announce_loss(self.log.as_ref(), mark).await? {
            error!(follower = self.spec.name, kept = %mark,
                "the log has lost facts that a follower has handled");
        }
        if self.spec.mark_kept != MarkKept::WithTheEffect {
            // Effects that the follower has in memory are dropped. Effects outside the process stay, and are made
            // again for all facts that the log has now.
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

    /// Rebuilds the follower from the log as it is now, for as long as this process has the turn.
    async fn rebuild(&mut self, log: LogIdentity) -> Result<(), FollowError> {
        let follower = self.spec.name;
        info!(follower, "the rebuild of a follower from the log begins");
        let filter = self.filter.without_letters().await?;
        let mut rebuilding = Rebuilding::begin(Arc::clone(&self.log), self.follower.as_mut(), filter).await?;
        while !rebuilding.reached_head().await? {
            if self.turn.check(self.spec.id(log.log)).await? == TurnState::OfAnotherWorker {
                return Err(FollowError::MarkMoved);
            }
            rebuilding.step().await?;
        }
        let position = rebuilding.switch().await?;
        info!(follower, %position, "the rebuild of a follower from the log is complete");
        Ok(())
    }
}
