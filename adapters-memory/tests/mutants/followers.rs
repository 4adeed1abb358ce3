//! A store of followers that makes one mistake on purpose, so that a conformance rule must fail on it.

use std::time::Duration;

use adapters_memory::InMemoryFollowerStore;
use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::log::followers::{FollowerId, FollowerStore};
use ticketing_ports::log::identity::Mark;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{LogId, WorkerId};
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lie {
    #[default]
    None,
    GivesEverybodyTheTurn,
    NeverRenews,
    LeasesForEver,
    IgnoresWhatIsGivenBack,
    TakesAnybodysTurnBack,
    ForgetsMarks,
    ForgetsCommits,
    MovesForAnybody,
    LooksBeforeItMoves,
    HasOneFollower,
    HasOneEdition,
    HasOneLog,
}

/// The rules of the conformance suite, each beside a lie (a mistake made on purpose) that must make the rule fail.
pub(crate) const BROKEN_BY: &[(&str, Lie)] = &[
    ("one_worker_has_the_turn", Lie::GivesEverybodyTheTurn),
    ("one_of_racing_workers_gets_the_turn", Lie::GivesEverybodyTheTurn),
    ("who_has_the_turn_may_renew_it", Lie::NeverRenews),
    ("the_turn_passes_on_when_its_lease_ends", Lie::LeasesForEver),
    (
        "a_turn_that_is_given_back_passes_on_at_once",
        Lie::IgnoresWhatIsGivenBack,
    ),
    ("only_its_own_turn_can_be_given_back", Lie::TakesAnybodysTurnBack),
    ("the_mark_is_kept_from_turn_to_turn", Lie::ForgetsMarks),
    ("the_mark_is_kept_from_turn_to_turn", Lie::ForgetsCommits),
    ("a_mark_is_moved_only_by_who_knows_where_it_was", Lie::MovesForAnybody),
    ("one_of_racing_workers_moves_the_mark", Lie::LooksBeforeItMoves),
    ("followers_do_not_share_anything", Lie::HasOneFollower),
    ("followers_do_not_share_anything", Lie::HasOneEdition),
    ("followers_do_not_share_anything", Lie::HasOneLog),
];

#[derive(Debug)]
pub(crate) struct LyingFollowers {
    inner: InMemoryFollowerStore,
    turns: std::sync::Mutex<Vec<WorkerId>>,
    lie: Lie,
}

impl LyingFollowers {
    pub(crate) fn new(lie: Lie) -> Self {
        Self {
            inner: InMemoryFollowerStore::new(),
            turns: std::sync::Mutex::default(),
            lie,
        }
    }

    fn id(&self, mut follower: FollowerId) -> FollowerId {
        match self.lie {
            Lie::HasOneFollower => follower.name = "",
            Lie::HasOneEdition => follower.edition = 0,
            Lie::HasOneLog => follower.log = LogId::new(Uuid::nil()),
            _ => {}
        }
        follower
    }
}

#[async_trait]
impl FollowerStore for LyingFollowers {
    async fn take_turn(
        &self,
        follower: FollowerId,
        mut worker: WorkerId,
        now: Timestamp,
        mut lease: Duration,
    ) -> Result<bool, StoreError> {
        {
            let mut turns = self.turns.lock().expect("no code panics while it holds this lock");
            if self.lie == Lie::NeverRenews && turns.contains(&worker) {
                return Ok(false);
            }
            turns.push(worker);
        }
        match self.lie {
            Lie::GivesEverybodyTheTurn => worker = WorkerId::new(Uuid::nil()),
            Lie::LeasesForEver => lease = Duration::MAX,
            _ => {}
        }
        self.inner.take_turn(self.id(follower), worker, now, lease).await
    }

    async fn give_back(&self, follower: FollowerId, worker: WorkerId) -> Result<(), StoreError> {
        match self.lie {
            Lie::IgnoresWhatIsGivenBack => Ok(()),
            Lie::TakesAnybodysTurnBack => {
                for number in 0..10 {
                    let anybody = WorkerId::new(Uuid::from_u128(number));
                    self.inner.give_back(follower, anybody).await?;
                }
                Ok(())
            }
            _ => self.inner.give_back(self.id(follower), worker).await,
        }
    }

    async fn mark(&self, follower: FollowerId) -> Result<Option<Mark>, StoreError> {
        let mark = self.inner.mark(self.id(follower)).await?;
        Ok(match self.lie {
            Lie::ForgetsMarks => None,
            Lie::ForgetsCommits => mark.map(|mark| Mark {
                commit: Mark::NO_COMMIT,
                ..mark
            }),
            _ => mark,
        })
    }

    async fn move_mark(&self, follower: FollowerId, before: Option<Mark>, mark: Mark) -> Result<bool, StoreError> {
        let follower = self.id(follower);
        let before = match self.lie {
            Lie::MovesForAnybody => self.inner.mark(follower).await?,
            Lie::LooksBeforeItMoves => {
                if self.inner.mark(follower).await? != before {
                    return Ok(false);
                }
                tokio::task::yield_now().await;
                self.inner.mark(follower).await?
            }
            _ => before,
        };
        self.inner.move_mark(follower, before, mark).await
    }
}
