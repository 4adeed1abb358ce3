//! What every [`FollowerStore`] does.

use std::sync::Arc;
use std::time::Duration;

use ticketing_ports::followers::FollowerStore;
use ticketing_ports::ids::WorkerId;
use ticketing_ports::streams::Position;
use uuid::Uuid;

use super::fixtures::at;
use super::race::race;
use super::{Broken, Verdict, ensure, ensure_eq, suite};

suite! { $
    /// Makes a test of every rule for followers; the expression gives a fresh `Arc<dyn FollowerStore>`.
    follower_store_conformance in followers for Arc<dyn FollowerStore> {
        one_worker_has_the_turn,
        one_of_racing_workers_gets_the_turn,
        who_has_the_turn_may_renew_it,
        the_turn_passes_on_when_its_lease_ends,
        a_turn_that_is_given_back_passes_on_at_once,
        only_its_own_turn_can_be_given_back,
        the_position_is_kept_from_turn_to_turn,
        the_position_never_goes_back,
        followers_do_not_share_anything,
    }
}

const RELAY: &str = "relay";
const LEASE: Duration = Duration::from_secs(10);

fn worker(number: u128) -> WorkerId {
    WorkerId::new(Uuid::from_u128(number))
}

/// Whether the worker gets the turn at that second.
async fn gets(store: &Arc<dyn FollowerStore>, number: u128, second: i64) -> Result<bool, Broken> {
    Ok(store
        .take_turn(RELAY, worker(number), at(second), LEASE)
        .await?
        .is_some())
}

async fn one_worker_has_the_turn(store: &Arc<dyn FollowerStore>) -> Verdict {
    ensure!(gets(store, 1, 0).await?, "nobody had the turn, and it was not given");
    ensure!(!gets(store, 2, 0).await?, "two have the turn at once");
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
        winners += usize::from(outcome?.is_some());
    }
    ensure_eq!(winners, 1, "workers with the turn");
    Ok(())
}

async fn who_has_the_turn_may_renew_it(store: &Arc<dyn FollowerStore>) -> Verdict {
    ensure!(gets(store, 1, 0).await?, "nobody had the turn, and it was not given");
    ensure!(gets(store, 1, 8).await?, "the turn was not renewed");
    ensure!(!gets(store, 2, 17).await?, "a renewed turn ended with its first lease");
    Ok(())
}

async fn the_turn_passes_on_when_its_lease_ends(store: &Arc<dyn FollowerStore>) -> Verdict {
    ensure!(gets(store, 1, 0).await?, "nobody had the turn, and it was not given");
    ensure!(gets(store, 2, 10).await?, "the turn outlives its lease");
    ensure!(!gets(store, 1, 11).await?, "who lost the turn took it back");
    Ok(())
}

async fn a_turn_that_is_given_back_passes_on_at_once(store: &Arc<dyn FollowerStore>) -> Verdict {
    store.give_back(RELAY, worker(1)).await?;
    ensure!(gets(store, 1, 0).await?, "nobody had the turn, and it was not given");
    store.give_back(RELAY, worker(1)).await?;
    ensure!(gets(store, 2, 0).await?, "a turn that was given back is still taken");
    Ok(())
}

async fn only_its_own_turn_can_be_given_back(store: &Arc<dyn FollowerStore>) -> Verdict {
    ensure!(gets(store, 1, 0).await?, "nobody had the turn, and it was not given");
    store.give_back(RELAY, worker(2)).await?;
    ensure!(!gets(store, 2, 1).await?, "somebody gave another's turn back");
    Ok(())
}

async fn the_position_is_kept_from_turn_to_turn(store: &Arc<dyn FollowerStore>) -> Verdict {
    ensure_eq!(store.position(RELAY).await?, Position::START, "a position nobody set");
    let first = store.take_turn(RELAY, worker(1), at(0), LEASE).await?;
    ensure_eq!(first, Some(Position::START), "where the first begins");
    store.advance(RELAY, Position(7)).await?;
    let renewed = store.take_turn(RELAY, worker(1), at(1), LEASE).await?;
    ensure_eq!(renewed, Some(Position(7)), "where the first goes on");
    let next = store.take_turn(RELAY, worker(2), at(20), LEASE).await?;
    ensure_eq!(next, Some(Position(7)), "where the next begins");
    ensure_eq!(store.position(RELAY).await?, Position(7), "how far it has come");
    Ok(())
}

async fn the_position_never_goes_back(store: &Arc<dyn FollowerStore>) -> Verdict {
    store.advance(RELAY, Position(7)).await?;
    store.advance(RELAY, Position(5)).await?;
    ensure_eq!(
        store.position(RELAY).await?,
        Position(7),
        "the position after a late worker's note"
    );
    Ok(())
}

async fn followers_do_not_share_anything(store: &Arc<dyn FollowerStore>) -> Verdict {
    ensure!(gets(store, 1, 0).await?, "nobody had the turn, and it was not given");
    store.advance(RELAY, Position(7)).await?;
    let other = store.take_turn("other", worker(2), at(0), LEASE).await?;
    ensure_eq!(other, Some(Position::START), "the turn of another follower");
    Ok(())
}
