//! Facts that a follower cannot take.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ticketing_ports::log::dead_letters::{DeadLetter, DeadLetterStore};
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::{Position, RecordedEvent, StreamId};
use ticketing_ports::outside::clock::Clock;
use ticketing_ports::vocabulary::errors::{BoxError, StoreError};
use tracing::error;

use super::facts::Facts;
use super::follower::{FollowError, Follower, FollowerSpec, MarkKept, OnBadFact};

/// How many letters are read at once.
const CHUNK: usize = 1_000;

/// Hands a follower what it can take, and keeps the rest as dead letters.
pub(super) struct DeadLetterFilter {
    letters: Arc<dyn DeadLetterStore>,
    clock: Arc<dyn Clock>,
    follower: &'static str,
    policy: OnBadFact,
    mark_kept: MarkKept,
    /// From where on a stream is parked, so that the store is not asked for each fact.
    parked: BTreeMap<StreamId, Position>,
    /// The letters written here.
    written: BTreeSet<Position>,
}

impl DeadLetterFilter {
    pub(super) fn new(letters: Arc<dyn DeadLetterStore>, clock: Arc<dyn Clock>, spec: &FollowerSpec) -> Self {
        Self {
            letters,
            clock,
            follower: spec.name,
            policy: spec.on_bad_fact,
            mark_kept: spec.mark_kept,
            parked: BTreeMap::new(),
            written: BTreeSet::new(),
        }
    }

    /// For who makes everything anew: what is kept now is of facts that are gone.
    pub(super) async fn anew(&self) -> Result<Self, StoreError> {
        loop {
            let letters = self.letters.letters(self.follower, Position::START, CHUNK).await?;
            if letters.is_empty() {
                break;
            }
            for letter in letters {
                self.letters.remove(self.follower, letter.event.position).await?;
            }
        }
        Ok(Self {
            letters: Arc::clone(&self.letters),
            clock: Arc::clone(&self.clock),
            parked: BTreeMap::new(),
            written: BTreeSet::new(),
            ..*self
        })
    }

    /// Learns which streams are parked.
    pub(super) async fn load(&mut self) -> Result<(), StoreError> {
        self.parked.clear();
        self.written.clear();
        if self.policy != OnBadFact::ParkTheStream {
            return Ok(());
        }
        let mut after = Position::START;
        loop {
            let letters = self.letters.letters(self.follower, after, CHUNK).await?;
            let Some(last) = letters.last() else {
                return Ok(());
            };
            after = last.event.position;
            for letter in letters {
                self.parked.entry(letter.event.stream).or_insert(letter.event.position);
            }
        }
    }

    /// Has the follower take the facts, those left out that it cannot take. Returns where it stands then.
    pub(super) async fn take(&mut self, follower: &mut dyn Follower, mut facts: Facts) -> Result<Mark, FollowError> {
        let mut skipped = BTreeSet::new();
        loop {
            self.park_the_parked(&facts).await?;
            let wanted = facts.without(|fact| self.is_parked(fact) || skipped.contains(&fact.position));
            let (at, why) = match follower.handle(&wanted).await {
                Ok(()) => return Ok(facts.upto()),
                Err(FollowError::BadFact { at, why }) => (at, why),
                Err(error) => return Err(error),
            };
            let mut told = wanted.iter().map(super::facts::LoggedFact::recorded);
            let Some(fact) = told.find(|fact| fact.position == at) else {
                return Err(FollowError::Never(why));
            };
            self.leave_out(fact, why).await?;
            skipped.insert(at);
            if self.mark_kept == MarkKept::WithTheEffect {
                let stands = follower.mark().await?.ok_or(FollowError::Elsewhere)?;
                if stands.position < facts.after().position || stands.position > facts.upto().position {
                    return Err(FollowError::Elsewhere);
                }
                facts = facts.rest_after(stands);
            }
        }
    }

    /// After a rebuild: what could be taken this time is a dead letter no longer.
    pub(super) async fn remove_letters_of_the_past(&self, upto: Position) -> Result<(), StoreError> {
        let mut after = Position::START;
        while after < upto {
            let letters = self.letters.letters(self.follower, after, CHUNK).await?;
            let Some(last) = letters.last() else {
                return Ok(());
            };
            after = last.event.position;
            for letter in letters {
                let position = letter.event.position;
                if position <= upto && !self.written.contains(&position) {
                    self.letters.remove(self.follower, position).await?;
                }
            }
        }
        Ok(())
    }

    fn is_parked(&self, fact: &RecordedEvent) -> bool {
        let since = self.parked.get(&fact.stream);
        since.is_some_and(|since| *since <= fact.position)
    }

    /// MarkKept those of the facts that belong to a parked stream.
    async fn park_the_parked(&mut self, facts: &Facts) -> Result<(), StoreError> {
        if self.parked.is_empty() {
            return Ok(());
        }
        for fact in facts.iter() {
            let fact = fact.recorded();
            if self.is_parked(fact) && !self.written.contains(&fact.position) {
                self.write(fact, "an earlier fact of this stream is parked".to_owned())
                    .await?;
            }
        }
        Ok(())
    }

    async fn leave_out(&mut self, fact: &RecordedEvent, why: BoxError) -> Result<(), FollowError> {
        match self.policy {
            OnBadFact::Stop => {
                let at = fact.position;
                return Err(FollowError::Never(FollowError::BadFact { at, why }.into()));
            }
            OnBadFact::ParkTheStream => {
                self.parked.entry(fact.stream).or_insert(fact.position);
            }
            OnBadFact::SkipTheFact => {}
        }
        Ok(self.write(fact, why.to_string()).await?)
    }

    async fn write(&mut self, fact: &RecordedEvent, reason: String) -> Result<(), StoreError> {
        error!(follower = self.follower, position = %fact.position, stream = %fact.stream,
            event_type = %fact.event_type, %reason, "a fact cannot be taken and is kept as a dead letter");
        let letter = DeadLetter {
            projection: self.follower.to_owned(),
            event: fact.clone(),
            reason,
            parked_at: self.clock.now(),
        };
        self.letters.park(letter).await?;
        self.written.insert(fact.position);
        Ok(())
    }
}
