//! Stores the facts that a follower cannot handle as dead letters, so that the follower can go on with the other
//! facts.

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

/// At most how many dead letters one read returns.
const CHUNK: usize = 1_000;

/// Gives a follower the facts that it can handle, and stores the others as dead letters.
pub(super) struct DeadLetterFilter {
    letters: Arc<dyn DeadLetterStore>,
    clock: Arc<dyn Clock>,
    follower: &'static str,
    policy: OnBadFact,
    mark_kept: MarkKept,
    /// The parked streams. The follower gets no facts of a parked stream from this position on.
    parked: BTreeMap<StreamId, Position>,
    /// The positions of the dead letters that this filter has stored since the last call of `load`.
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

    /// Deletes all dead letters of the follower and returns a filter without parked streams. For a rebuild after the
    /// log has lost facts, because the log may no longer have the facts of these dead letters.
    pub(super) async fn without_letters(&self) -> Result<Self, StoreError> {
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

    /// Reads from the dead letter store which streams are parked.
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

    /// Gives the follower the facts that it can handle, and stores the others as dead letters. Returns the follower's
    /// mark afterwards.
    pub(super) async fn take(&mut self, follower: &mut dyn Follower, mut facts: Facts) -> Result<Mark, FollowError> {
        let mut skipped = BTreeSet::new();
        loop {
            self.store_letters_of_parked_streams(&facts).await?;
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
            self.store_letter_or_stop(fact, why).await?;
            skipped.insert(at);
            if self.mark_kept == MarkKept::WithTheEffect {
                let mark = follower.mark().await?.ok_or(FollowError::MarkMoved)?;
                if mark.position < facts.after().position || mark.position > facts.upto().position {
                    return Err(FollowError::MarkMoved);
                }
                facts = facts.rest_after(mark);
            }
        }
    }

    /// Deletes the dead letters up to this position, except those that the rebuild has stored. The rebuilt follower
    /// has handled the facts of the deleted dead letters.
    pub(super) async fn delete_outdated_letters(&self, upto: Position) -> Result<(), StoreError> {
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

    /// Stores a dead letter for each of the facts whose stream is parked.
    async fn store_letters_of_parked_streams(&mut self, facts: &Facts) -> Result<(), StoreError> {
        if self.parked.is_empty() {
            return Ok(());
        }
        for fact in facts.iter() {
            let fact = fact.recorded();
            if self.is_parked(fact) && !self.written.contains(&fact.position) {
                self.write(fact, "an earlier fact of this stream is a dead letter".to_owned())
                    .await?;
            }
        }
        Ok(())
    }

    /// Stores a dead letter for a fact that the follower cannot handle. Also parks the fact's stream if the policy is
    /// [`OnBadFact::ParkTheStream`].
    ///
    /// # Errors
    /// Fails with [`FollowError::Never`] if the policy is [`OnBadFact::Stop`].
    async fn store_letter_or_stop(&mut self, fact: &RecordedEvent, why: BoxError) -> Result<(), FollowError> {
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
            event_type = %fact.event_type, %reason,
            "a follower cannot handle a fact, which is now stored as a dead letter");
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
