//! A follower that keeps rows. The rows and the follower's mark are written in one transaction, so a fact that comes
//! twice changes nothing the second time.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ticketing_domain::projection::{Projection, ReadModels};
use ticketing_ports::log::identity::Mark;
use ticketing_ports::read_models::store::{ApplyError, ProjectedBatch, ProjectionStore};
use ticketing_ports::vocabulary::errors::StoreError;

use super::facts::{Facts, LoggedFact};
use super::follower::{FollowError, Follower, FollowerSpec, MarkKept, OnBadFact, Runs, StartAt, Twin};

/// The name of the follower that keeps the read models. Its turn, consumer group and dead letters are stored under
/// this name.
pub const READ_MODELS: &str = "read-models";

/// A follower that keeps the rows of one projection in a store.
pub struct ProjectionFollower<P: Projection> {
    spec: FollowerSpec,
    projection: P,
    store: Arc<dyn ProjectionStore<P::Change>>,
    /// The store of the follower that this twin will replace. `None` if this follower is not a twin.
    replaces: Option<Arc<dyn ProjectionStore<P::Change>>>,
}

impl<P: Projection> ProjectionFollower<P> {
    /// Makes a follower that applies the changes of `projection` to `store`.
    pub fn new(spec: FollowerSpec, projection: P, store: Arc<dyn ProjectionStore<P::Change>>) -> Self {
        Self {
            spec,
            projection,
            store,
            replaces: None,
        }
    }
}

impl ProjectionFollower<ReadModels> {
    /// Makes the follower that keeps the read models: the rows of events, availability, reservations, payments and
    /// sales.
    pub fn read_models(store: Arc<dyn ProjectionStore>) -> Self {
        let spec = FollowerSpec {
            name: READ_MODELS,
            edition: 1,
            runs: Runs::OnceInTheCluster,
            mark_kept: MarkKept::WithTheEffect,
            start_at: StartAt::Beginning,
            on_bad_fact: OnBadFact::ParkTheStream,
            max_facts: 1_000,
            gather_for: Duration::from_millis(6),
        };
        Self::new(spec, ReadModels, store)
    }
}

impl<P: Projection> ProjectionFollower<P> {
    /// Sets whether the follower runs in one process or in every process.
    #[must_use]
    pub fn running(mut self, runs: Runs) -> Self {
        self.spec.runs = runs;
        self
    }

    fn changes_of(&self, fact: &LoggedFact) -> Result<Vec<P::Change>, FollowError> {
        match fact.typed() {
            Ok(typed) => Ok(self.projection.changes(fact.recorded(), typed)),
            Err(unreadable) => Err(FollowError::BadFact {
                at: fact.recorded().position,
                why: unreadable.to_string().into(),
            }),
        }
    }

    async fn apply(&self, after: Mark, upto: Mark, changes: Vec<P::Change>) -> Result<(), ApplyError> {
        self.store.apply(ProjectedBatch { after, upto, changes }).await
    }

    /// Applies the facts one at a time, to find the one that the store cannot apply.
    async fn take_one_by_one(&self, facts: &Facts) -> Result<(), FollowError> {
        let mut after = facts.after();
        for fact in facts.iter() {
            let at = fact.mark(facts.log().log);
            match self.apply(after, at, self.changes_of(fact)?).await {
                Ok(()) => after = at,
                Err(ApplyError::Store(error @ StoreError::Inconsistent { .. })) => {
                    let (at, why) = (at.position, error.into());
                    return Err(FollowError::BadFact { at, why });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.apply(after, facts.upto(), Vec::new()).await?)
    }
}

impl From<ApplyError> for FollowError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::OutOfOrder { .. } => Self::MarkMoved,
            ApplyError::Store(error) => error.into(),
        }
    }
}

impl<P: Projection> Debug for ProjectionFollower<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProjectionFollower")
            .field("projection", &self.projection)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl<P: Projection + Clone + 'static> Follower for ProjectionFollower<P> {
    fn spec(&self) -> &FollowerSpec {
        &self.spec
    }

    async fn mark(&mut self) -> Result<Option<Mark>, FollowError> {
        Ok(Some(self.store.checkpoint().await?))
    }

    async fn handle(&mut self, facts: &Facts) -> Result<(), FollowError> {
        let mut changes = Vec::with_capacity(facts.len());
        for fact in facts.iter() {
            changes.extend(self.changes_of(fact)?);
        }
        match self.apply(facts.after(), facts.upto(), changes).await {
            Err(ApplyError::Store(StoreError::Inconsistent { .. })) => self.take_one_by_one(facts).await,
            applied => Ok(applied?),
        }
    }

    async fn twin(&mut self) -> Result<Option<Box<dyn Twin>>, FollowError> {
        Ok(Some(Box::new(Self {
            spec: self.spec.clone(),
            projection: self.projection.clone(),
            store: self.store.begin_rebuild().await?,
            replaces: Some(Arc::clone(&self.store)),
        })))
    }
}

#[async_trait]
impl<P: Projection + Clone + 'static> Twin for ProjectionFollower<P> {
    async fn switch(self: Box<Self>) -> Result<(), FollowError> {
        match self.replaces {
            Some(live) => Ok(live.switch_to(self.store).await?),
            None => Err(FollowError::Never(
                "this follower is not a twin, so it cannot take the place of another follower".into(),
            )),
        }
    }
}
