//! A store of followers that gets one thing wrong.

use std::time::Duration;

use adapters_memory::InMemoryFollowerStore;
use async_trait::async_trait;
use ticketing_ports::Timestamp;
use ticketing_ports::errors::StoreError;
use ticketing_ports::followers::FollowerStore;
use ticketing_ports::ids::WorkerId;
use ticketing_ports::streams::Position;
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
    ForgetsPositions,
    GoesBack,
    HasOneFollower,
}

/// Which lie breaks which rule.
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
    ("the_position_is_kept_from_turn_to_turn", Lie::ForgetsPositions),
    ("the_position_never_goes_back", Lie::GoesBack),
    ("followers_do_not_share_anything", Lie::HasOneFollower),
];

pub(crate) struct LyingFollowers {
    inner: InMemoryFollowerStore,
    last: std::sync::Mutex<Position>,
    turns: std::sync::Mutex<Vec<WorkerId>>,
    lie: Lie,
}

impl LyingFollowers {
    pub(crate) fn new(lie: Lie) -> Self {
        Self {
            inner: InMemoryFollowerStore::new(),
            last: std::sync::Mutex::default(),
            turns: std::sync::Mutex::default(),
            lie,
        }
    }

    fn name<'n>(&self, follower: &'n str) -> &'n str {
        if self.lie == Lie::HasOneFollower { "" } else { follower }
    }
}

#[async_trait]
impl FollowerStore for LyingFollowers {
    async fn take_turn(
        &self,
        follower: &str,
        mut worker: WorkerId,
        now: Timestamp,
        mut lease: Duration,
    ) -> Result<Option<Position>, StoreError> {
        {
            let mut turns = self.turns.lock().expect("no test panics with it");
            if self.lie == Lie::NeverRenews && turns.contains(&worker) {
                return Ok(None);
            }
            turns.push(worker);
        }
        match self.lie {
            Lie::GivesEverybodyTheTurn => worker = WorkerId::new(Uuid::nil()),
            Lie::LeasesForEver => lease = Duration::MAX,
            _ => {}
        }
        let position = self.inner.take_turn(self.name(follower), worker, now, lease).await?;
        Ok(match self.lie {
            Lie::ForgetsPositions => position.map(|_| Position::START),
            _ => position,
        })
    }

    async fn give_back(&self, follower: &str, worker: WorkerId) -> Result<(), StoreError> {
        match self.lie {
            Lie::IgnoresWhatIsGivenBack => Ok(()),
            Lie::TakesAnybodysTurnBack => {
                for number in 0..10 {
                    let anybody = WorkerId::new(Uuid::from_u128(number));
                    self.inner.give_back(follower, anybody).await?;
                }
                Ok(())
            }
            _ => self.inner.give_back(self.name(follower), worker).await,
        }
    }

    async fn advance(&self, follower: &str, position: Position) -> Result<(), StoreError> {
        *self.last.lock().expect("no test panics with it") = position;
        self.inner.advance(self.name(follower), position).await
    }

    async fn position(&self, follower: &str) -> Result<Position, StoreError> {
        match self.lie {
            Lie::GoesBack => Ok(*self.last.lock().expect("no test panics with it")),
            _ => self.inner.position(self.name(follower)).await,
        }
    }
}
