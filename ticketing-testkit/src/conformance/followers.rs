//! The conformance tests that every implementation of [`FollowerStore`] must pass.

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::log::followers::{FollowerId, FollowerStore};
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::Position;
use ticketing_ports::vocabulary::ids::{CommitId, LogId, WorkerId};
use uuid::Uuid;

use super::fixtures::at;
use super::race::race;
use super::{Broken, Verdict, ensure, ensure_eq, suite};

suite! { $
    /// A macro that makes a test of each rule for followers. Its argument is an expression that returns a new
    /// `Arc<dyn FollowerStore>`.
    follower_store_conformance in followers for Arc<dyn FollowerStore> {
        one_worker_has_the_turn,
        one_of_racing_workers_gets_the_turn,
        who_has_the_turn_may_renew_it,
        the_turn_passes_on_when_its_lease_ends,
        a_turn_that_is_given_back_passes_on_at_once,
        only_its_own_turn_can_be_given_back,
        the_mark_is_kept_from_turn_to_turn,
        a_mark_is_moved_only_by_who_knows_where_it_was,
        one_of_racing_workers_moves_the_mark,
        followers_do_not_share_anything,
    }
}

const RELAY: FollowerId = FollowerId {
    log: LogId::new(Uuid::from_u128(1)),
    name: "relay",
    edition: 1,
};
const LEASE: Duration = Duration::from_secs(10);

fn worker(number: u128) -> WorkerId {
    WorkerId::new(Uuid::from_u128(number))
}

/// Returns whether the store gives the follower's turn to the worker of that number at that second.
async fn gets(store: &Arc<dyn FollowerStore>, number: u128, second: i64) -> Result<bool, Broken> {
    Ok(store.take_turn(RELAY, worker(number), at(second), LEASE).await?)
}

fn mark(position: u64, commit: u128) -> Mark {
    Mark {
        log: RELAY.log,
        position: Position(position),
        commit: CommitId::new(Uuid::from_u128(commit)),
    }
}

async fn one_worker_has_the_turn(store: &Arc<dyn FollowerStore>) -> Verdict {
    ensure!(
        gets(store, 1, 0).await?,
        "the worker did not get the turn, although no worker had it"
    );
    ensure!(!gets(store, 2, 0).await?, "two workers have the turn at once");
    ensure!(
        !gets(store, 2, 9).await?,
        "the turn was taken away before its lease ended"
    );
    Ok(())
}

async fn one_of_racing_workers_gets_the_turn(store: &Arc<dyn FollowerStore>) -> Verdict {
    let outcomes = race(16, |number| {
        let store = Arc::clone(store);
        async move { store.take_turn(RELAY, worker(number as u128 + 1), at(0), LEASE).await }
    })
    .await?;
    let mut winners = 0;
    for outcome in outcomes {
        winners += usize::from(outcome?);
    }
    ensure_eq!(winners, 1, "number of workers that have the turn");
    Ok(())
}

async fn who_has_the_turn_may_renew_it(store: &Arc<dyn FollowerStore>) -> Verdict {
    ensure!(
        gets(store, 1, 0).await?,
        "the worker did not get the turn, although no worker had it"
    );
    ensure!(gets(store, 1, 8).await?, "the turn was not renewed");
    ensure!(!gets(store, 2, 17).await?, "a renewed turn ended with its first lease");
    Ok(())
}

async fn the_turn_passes_on_when_its_lease_ends(store: &Arc<dyn FollowerStore>) -> Verdict {
    ensure!(
        gets(store, 1, 0).await?,
        "the worker did not get the turn, although no worker had it"
    );
    ensure!(gets(store, 2, 10).await?, "the turn outlives its lease");
    ensure!(
        !gets(store, 1, 11).await?,
        "the worker that lost the turn has taken it back"
    );
    Ok(())
}

async fn a_turn_that_is_given_back_passes_on_at_once(store: &Arc<dyn FollowerStore>) -> Verdict {
    store.give_back(RELAY, worker(1)).await?;
    ensure!(
        gets(store, 1, 0).await?,
        "the worker did not get the turn, although no worker had it"
    );
    store.give_back(RELAY, worker(1)).await?;
    ensure!(gets(store, 2, 0).await?, "a turn that was given back is still taken");
    Ok(())
}

async fn only_its_own_turn_can_be_given_back(store: &Arc<dyn FollowerStore>) -> Verdict {
    ensure!(
        gets(store, 1, 0).await?,
        "the worker did not get the turn, although no worker had it"
    );
    store.give_back(RELAY, worker(2)).await?;
    ensure!(
        !gets(store, 2, 1).await?,
        "a worker has given back the turn of another worker"
    );
    Ok(())
}

async fn the_mark_is_kept_from_turn_to_turn(store: &Arc<dyn FollowerStore>) -> Verdict {
    ensure_eq!(store.mark(RELAY).await?, None, "the mark before one was set");
    ensure!(
        gets(store, 1, 0).await?,
        "the worker did not get the turn, although no worker had it"
    );
    ensure_eq!(
        store.mark(RELAY).await?,
        None,
        "the mark after a turn in which none was set"
    );
    let first = mark(7, 70);
    ensure!(store.move_mark(RELAY, None, first).await?, "the first mark was not set");
    ensure_eq!(store.mark(RELAY).await?, Some(first), "the mark");
    ensure!(gets(store, 1, 1).await?, "the turn was not renewed");
    ensure!(gets(store, 2, 20).await?, "the turn outlives its lease");
    ensure_eq!(store.mark(RELAY).await?, Some(first), "the mark in the next turn");
    Ok(())
}

async fn a_mark_is_moved_only_by_who_knows_where_it_was(store: &Arc<dyn FollowerStore>) -> Verdict {
    let (early, late) = (mark(3, 30), mark(7, 70));
    let unheard = store.move_mark(RELAY, Some(early), late).await?;
    ensure!(!unheard, "a mark that was never set was moved");
    ensure!(store.move_mark(RELAY, None, early).await?, "the first mark was not set");
    ensure!(
        store.move_mark(RELAY, Some(early), late).await?,
        "the mark was not moved"
    );
    // Each of these workers expects another mark than the one that is noted: an earlier one, one with another commit,
    // and none.
    for before in [Some(early), Some(mark(7, 71)), None] {
        let moved = store.move_mark(RELAY, before, mark(8, 80)).await?;
        ensure!(!moved, "the mark was moved by a worker that expected it at {before:?}");
        ensure_eq!(store.mark(RELAY).await?, Some(late), "the mark");
    }
    ensure!(
        store.move_mark(RELAY, Some(late), early).await?,
        "the mark was not set back"
    );
    ensure_eq!(store.mark(RELAY).await?, Some(early), "the mark that was set back");
    Ok(())
}

async fn one_of_racing_workers_moves_the_mark(store: &Arc<dyn FollowerStore>) -> Verdict {
    let mut stands = None;
    for round in 1..=5 {
        let outcomes = race(8, |number| {
            let store = Arc::clone(store);
            async move { store.move_mark(RELAY, stands, mark(round, number as u128 + 1)).await }
        })
        .await?;
        let mut winners = 0;
        for outcome in outcomes {
            winners += usize::from(outcome?);
        }
        ensure_eq!(winners, 1, "number of workers that moved the mark");
        stands = store.mark(RELAY).await?;
        ensure_eq!(
            stands.map(|mark| mark.position),
            Some(Position(round)),
            "position of the mark after the race"
        );
    }
    Ok(())
}

async fn followers_do_not_share_anything(store: &Arc<dyn FollowerStore>) -> Verdict {
    ensure!(
        gets(store, 1, 0).await?,
        "the worker did not get the turn, although no worker had it"
    );
    store.move_mark(RELAY, None, mark(7, 70)).await?;
    let named = FollowerId { name: "other", ..RELAY };
    let edition = FollowerId { edition: 2, ..RELAY };
    let log = LogId::new(Uuid::from_u128(2));
    for other in [named, edition, FollowerId { log, ..RELAY }] {
        let taken = store.take_turn(other, worker(2), at(0), LEASE).await?;
        ensure!(
            taken,
            "the turn of {other:?} is not free, although only the relay has its turn"
        );
        ensure_eq!(store.mark(other).await?, None, "the mark of {other:?}");
    }
    Ok(())
}
