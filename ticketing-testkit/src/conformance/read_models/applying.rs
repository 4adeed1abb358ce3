//! How a projector applies batches of changes: whole, once, and in the order of the log.

use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::{Position, Version};
use ticketing_ports::read_models::changes::{Change, ReservationChange};
use ticketing_ports::read_models::store::{ApplyError, ProjectedBatch};
use ticketing_ports::vocabulary::event_details::EventStatus;
use ticketing_ports::vocabulary::ids::{CommitId, LogId};
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use uuid::Uuid;

use super::models::{ReadModels, batch, mark};
use super::rows::{created, event, event_id, moved, opened, reservation_id};
use crate::conformance::race::race;
use crate::conformance::{Broken, Verdict, ensure, ensure_eq};

pub(super) async fn changes_and_checkpoint_are_applied_together(models: &ReadModels) -> Verdict {
    ensure_eq!(models.position().await?, Position::START, "the first checkpoint");
    models.projection.apply(batch(0, 7, vec![created(1)])).await?;
    ensure_eq!(models.position().await?, Position(7), "checkpoint");
    ensure_eq!(models.all_events().await?, [event(1)], "events");
    models.projection.apply(batch(7, 9, Vec::new())).await?;
    ensure_eq!(
        models.position().await?,
        Position(9),
        "checkpoint after a batch without changes"
    );
    Ok(())
}

pub(super) async fn the_checkpoint_says_of_which_log_and_commit_it_is(models: &ReadModels) -> Verdict {
    let first = Mark::of_no_log(Position::START);
    ensure_eq!(models.projection.checkpoint().await?, first, "the first checkpoint");
    models.projection.apply(batch(0, 7, vec![created(1)])).await?;
    ensure_eq!(models.projection.checkpoint().await?, mark(7), "checkpoint");
    let twin = models.projection.begin_rebuild().await?;
    twin.apply(batch(0, 3, vec![created(2)])).await?;
    ensure_eq!(twin.checkpoint().await?, mark(3), "checkpoint of the twin");
    models.projection.switch_to(twin).await?;
    ensure_eq!(
        models.projection.checkpoint().await?,
        mark(3),
        "checkpoint after the switch"
    );
    Ok(())
}

pub(super) async fn rows_of_no_log_are_adopted_by_a_batch_without_events(models: &ReadModels) -> Verdict {
    // The store has rows from an early version, which did not record the log that they are from.
    let old = Mark::of_no_log(Position(4));
    let adopting = |after, upto| ProjectedBatch {
        after,
        upto,
        changes: Vec::new(),
    };
    models.projection.apply(adopting(mark(0), old)).await?;
    models.projection.apply(adopting(old, mark(4))).await?;
    ensure_eq!(models.projection.checkpoint().await?, mark(4), "checkpoint");
    let other = Mark {
        log: LogId::new(Uuid::from_u128(2)),
        ..mark(4)
    };
    let again = models.projection.apply(adopting(old, other)).await;
    ensure!(
        matches!(again, Err(ApplyError::OutOfOrder { .. })),
        "{again:?} instead of the error OutOfOrder for rows that belong to another log"
    );
    models.apply(vec![created(1)]).await?;
    ensure_eq!(
        models.projection.checkpoint().await?,
        mark(5),
        "checkpoint after the next event"
    );
    Ok(())
}

/// Each batch moves one seat in each of two sections. Readers must never see that in one section only.
pub(super) async fn readers_never_see_half_a_batch(models: &ReadModels) -> Verdict {
    const BATCHES: u64 = 200;
    models
        .apply(vec![created(1), opened(1, 1, 1_000), opened(1, 2, 1_000)])
        .await?;
    let outcomes = race(5, |racer| {
        let models = models.clone();
        async move {
            if racer == 0 {
                for _ in 0..BATCHES {
                    models.apply(vec![moved(1, -1, 1, 0), moved(2, -1, 1, 0)]).await?;
                    tokio::task::yield_now().await;
                }
                return Ok(());
            }
            loop {
                let before = models.position().await?.0 - 1;
                let counts = models.counts(1).await?;
                let after = models.position().await?.0 - 1;
                let [first, second] = counts.as_slice() else {
                    return Err(Broken::because("a section is missing"));
                };
                ensure_eq!(first, second, "held seats in two sections that change together");
                let held = u64::from(first.held);
                ensure!(
                    (before..=after).contains(&held),
                    "{held} batches are seen between checkpoints {before} and {after}"
                );
                if after == BATCHES {
                    return Ok(());
                }
                tokio::task::yield_now().await;
            }
        }
    })
    .await?;
    outcomes.into_iter().collect()
}

pub(super) async fn a_batch_with_a_change_of_an_unknown_row_changes_nothing(models: &ReadModels) -> Verdict {
    models.apply(vec![created(1), opened(1, 1, 10)]).await?;
    let unknown = [
        moved(2, -1, 1, 0),
        opened(2, 2, 10),
        Change::EventChanged {
            event_id: event_id(2),
            status: Some(EventStatus::Published),
            version: Version(2),
        },
        Change::ReservationChanged(ReservationChange {
            status: Some(ReservationStatus::Expired),
            ..ReservationChange::of(reservation_id(1), Version(2))
        }),
        Change::TicketsReturned {
            reservation_id: reservation_id(1),
        },
    ];
    for change in unknown {
        let what = format!("{change:?}");
        let outcome = models
            .projection
            .apply(batch(1, 2, vec![moved(1, -1, 1, 0), created(3), change]))
            .await;
        ensure!(
            matches!(outcome, Err(ApplyError::Store(_))),
            "{outcome:?} instead of a refusal of {what}"
        );
        ensure_eq!(models.position().await?, Position(1), "checkpoint");
        ensure_eq!(models.all_events().await?, [event(1)], "events");
        let counts = models.counts(1).await?;
        ensure_eq!(counts.iter().map(|counts| counts.held).sum::<u32>(), 0, "held seats");
    }
    Ok(())
}

pub(super) async fn a_batch_that_was_applied_before_changes_nothing(models: &ReadModels) -> Verdict {
    models
        .projection
        .apply(batch(0, 3, vec![created(1), opened(1, 1, 10)]))
        .await?;
    models.projection.apply(batch(3, 6, vec![moved(1, -2, 2, 0)])).await?;
    for (after, upto) in [(3, 6), (4, 6), (0, 6)] {
        models
            .projection
            .apply(batch(after, upto, vec![moved(1, -2, 2, 0)]))
            .await?;
        let counts = models.counts(1).await?;
        ensure_eq!(
            counts.first().map(|counts| counts.held),
            Some(2),
            "held seats after the batch from {after} to {upto} was applied again"
        );
        ensure_eq!(models.position().await?, Position(6), "checkpoint");
    }
    Ok(())
}

pub(super) async fn exactly_one_racing_application_of_a_batch_counts(models: &ReadModels) -> Verdict {
    models.apply(vec![created(1), opened(1, 1, 100)]).await?;
    for position in 1..=10 {
        let outcomes = race(8, |_| {
            let models = models.clone();
            async move {
                let same = batch(position, position + 1, vec![moved(1, -1, 1, 0)]);
                models.projection.apply(same).await
            }
        })
        .await?;
        for outcome in outcomes {
            outcome?;
        }
        let held = models.counts(1).await?.first().map(|counts| u64::from(counts.held));
        ensure_eq!(held, Some(position), "held seats");
    }
    Ok(())
}

pub(super) async fn a_batch_that_does_not_follow_the_checkpoint_is_refused(models: &ReadModels) -> Verdict {
    models.projection.apply(batch(0, 5, vec![created(1)])).await?;
    // The checkpoint is 5. These batches leave a gap after it, begin inside an applied batch, or end before the
    // checkpoint.
    for (after, upto) in [(6, 7), (4, 6), (0, 6), (2, 4), (0, 0)] {
        let outcome = models.projection.apply(batch(after, upto, vec![created(2)])).await;
        ensure!(
            matches!(
                outcome,
                Err(ApplyError::OutOfOrder { checkpoint, after: told }) if checkpoint == mark(5) && told == mark(after)
            ),
            "{outcome:?} instead of the error OutOfOrder for a batch from {after} to {upto} at checkpoint 5"
        );
        ensure_eq!(models.position().await?, Position(5), "checkpoint");
        ensure_eq!(models.all_events().await?, [event(1)], "events");
    }
    Ok(())
}

pub(super) async fn a_batch_of_another_log_or_another_past_is_refused(models: &ReadModels) -> Verdict {
    models.projection.apply(batch(0, 5, vec![created(1)])).await?;
    let of_another_log = |position| Mark {
        log: LogId::new(Uuid::from_u128(2)),
        ..mark(position)
    };
    let of_another_past = |position| Mark {
        commit: CommitId::new(Uuid::from_u128(77)),
        ..mark(position)
    };
    for after in [of_another_log(5), of_another_past(5), Mark::of_no_log(Position(5))] {
        for upto in [mark(6), of_another_log(6), of_another_past(5), of_another_log(5)] {
            let changes = vec![created(2)];
            let outcome = models.projection.apply(ProjectedBatch { after, upto, changes }).await;
            ensure!(
                matches!(outcome, Err(ApplyError::OutOfOrder { .. })),
                "{outcome:?} instead of the error OutOfOrder for a batch from {after:?} to {upto:?}"
            );
            ensure_eq!(models.projection.checkpoint().await?, mark(5), "checkpoint");
            ensure_eq!(models.all_events().await?, [event(1)], "events");
        }
    }
    Ok(())
}
