//! Tests of rebuilding read models while other tasks read and write them.

mod support;

use std::sync::Arc;

use adapters_postgres::{PostgresReadModels, Purpose};
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::Position;
use ticketing_ports::read_models::store::{ApplyError, ProjectedBatch, ProjectionStore as _};
use ticketing_ports::vocabulary::errors::StoreError;
use tokio_util::sync::CancellationToken;

use support::fresh;

fn empty(after: u64, upto: u64) -> ProjectedBatch {
    ProjectedBatch {
        after: Mark::of_no_log(Position(after)),
        upto: Mark::of_no_log(Position(upto)),
        changes: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_on_other_connections_see_the_old_or_the_new_and_never_an_error() {
    let database = fresh(Purpose::Projections).await;
    let models = Arc::new(PostgresReadModels::new(&database));
    models.apply(empty(0, 10)).await.unwrap();
    let done = CancellationToken::new();
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (models, done) = (Arc::clone(&models), done.clone());
            tokio::spawn(async move {
                let mut seen = Vec::new();
                while !done.is_cancelled() {
                    seen.push(models.checkpoint().await?.position);
                }
                Ok::<_, StoreError>(seen)
            })
        })
        .collect();

    for _ in 0..5 {
        let twin = models.begin_rebuild().await.unwrap();
        twin.apply(empty(0, 4)).await.unwrap();
        models.switch_to(twin).await.unwrap();
        assert_eq!(models.checkpoint().await.unwrap().position, Position(4));
        // A projector that had come further than the rebuilt tables is refused, and told the checkpoint from which it
        // has to go on.
        let ahead = models.apply(empty(10, 12)).await;
        assert!(
            matches!(
                ahead,
                Err(ApplyError::OutOfOrder { checkpoint, .. }) if checkpoint.position == Position(4)
            ),
            "{ahead:?}"
        );
        models.apply(empty(4, 10)).await.unwrap();
    }

    done.cancel();
    for reader in readers {
        let seen = reader.await.unwrap().expect("no reader gets an error during a switch");
        assert!(seen.iter().all(|position| [4, 10].contains(&position.0)), "{seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_rebuild_runs_at_a_time_and_one_that_died_is_swept_away() {
    let database = fresh(Purpose::Projections).await;
    let models = PostgresReadModels::new(&database);
    let running = models.begin_rebuild().await.unwrap();
    assert!(models.begin_rebuild().await.is_err(), "two rebuilds at once");
    running.apply(empty(0, 3)).await.unwrap();
    // Dropping the twin has the same effect as the death of its process: the connection ends, and its tables stay.
    drop(running);

    let mut next = models.begin_rebuild().await;
    for _ in 0..1_000 {
        if next.is_ok() {
            break;
        }
        tokio::task::yield_now().await;
        next = models.begin_rebuild().await;
    }
    let next = next.unwrap();
    assert_eq!(next.checkpoint().await.unwrap().position, Position::START);
    assert_eq!(
        models.checkpoint().await.unwrap().position,
        Position::START,
        "nobody reads it yet"
    );
}
