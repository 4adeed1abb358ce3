//! How a projector fills new rows beside the present ones and then switches to them.

use ticketing_ports::log::streams::Position;

use super::models::{ReadModels, batch, mark};
use super::rows::{created, event};
use crate::conformance::{Verdict, ensure_eq};

pub(super) async fn a_rebuild_is_invisible_until_it_is_switched_to(models: &ReadModels) -> Verdict {
    models.projection.apply(batch(0, 2, vec![created(1)])).await?;
    let twin = models.projection.begin_rebuild().await?;
    twin.apply(batch(0, 1, vec![created(2)])).await?;
    twin.apply(batch(1, 4, vec![created(3)])).await?;
    ensure_eq!(models.all_events().await?, [event(1)], "events before the switch");
    ensure_eq!(models.position().await?, Position(2), "checkpoint before the switch");
    models.projection.switch_to(twin).await?;
    ensure_eq!(
        models.all_events().await?,
        [event(2), event(3)],
        "events after the switch"
    );
    ensure_eq!(models.position().await?, Position(4), "checkpoint after the switch");
    Ok(())
}

pub(super) async fn a_rebuild_starts_empty_and_leaves_the_present_rows_alone(models: &ReadModels) -> Verdict {
    models.projection.apply(batch(0, 2, vec![created(1)])).await?;
    let twin = models.projection.begin_rebuild().await?;
    ensure_eq!(twin.checkpoint().await?, mark(0), "checkpoint of the twin");
    models.projection.apply(batch(2, 3, vec![created(2)])).await?;
    ensure_eq!(
        twin.checkpoint().await?,
        mark(0),
        "checkpoint of the twin after a batch that was not for it"
    );
    drop(twin);
    ensure_eq!(
        models.all_events().await?,
        [event(1), event(2)],
        "events after an abandoned rebuild"
    );
    let again = models.projection.begin_rebuild().await?;
    again.apply(batch(0, 3, vec![created(3)])).await?;
    models.projection.switch_to(again).await?;
    ensure_eq!(models.all_events().await?, [event(3)], "events of the second rebuild");
    Ok(())
}

pub(super) async fn batches_go_on_after_a_switch(models: &ReadModels) -> Verdict {
    models.projection.apply(batch(0, 2, vec![created(1)])).await?;
    let twin = models.projection.begin_rebuild().await?;
    twin.apply(batch(0, 2, vec![created(1)])).await?;
    models.projection.switch_to(twin).await?;
    models.projection.apply(batch(2, 3, vec![created(2)])).await?;
    ensure_eq!(models.all_events().await?, [event(1), event(2)], "events");
    ensure_eq!(models.position().await?, Position(3), "checkpoint");
    Ok(())
}
