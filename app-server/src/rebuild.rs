//! Reading the whole log into fresh read models.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::Arc;
use std::time::Instant;

use adapters_external::SystemClock;
use ticketing_ports::log::streams::Position;
use ticketing_runtime::{ProjectionFollower, READ_MODELS, rebuild};

use crate::config::Settings;
use crate::storage::{ReadSide, Storage};

/// Rebuilds beside the read models that are there, switches over, and returns a line about it. Servers may go on selling.
/// In embedded mode the read models are in memory and are rebuilt at every start anyway; then this shows how long that
/// takes and whether every fact can be read.
///
/// # Errors
/// When the log cannot be read, or some facts in it cannot.
pub async fn rebuild_projections(settings: &Settings) -> anyhow::Result<String> {
    let storage = Storage::open(settings).await?;
    let read_side = ReadSide::open(&settings.storage).await?;
    let began = Instant::now();
    let done = rebuild(
        storage.events.clone(),
        &mut ProjectionFollower::read_models(read_side.projections.clone()),
        read_side.dead_letters.clone(),
        Arc::new(SystemClock::new()),
        progress,
    )
    .await;
    storage.close().await;
    let position = done.map_err(anyhow::Error::from_boxed)?;
    let parked = read_side
        .dead_letters
        .letters(READ_MODELS, Position::START, usize::MAX)
        .await?;
    read_side.close().await;
    if let Some(first) = parked.first() {
        anyhow::bail!(
            "{} facts cannot be projected, the first at position {}: {}",
            parked.len(),
            first.event.position,
            first.reason
        );
    }
    Ok(format!(
        "{position} facts read in {:.1} s; every one can be projected",
        began.elapsed().as_secs_f64()
    ))
}

/// Where people look, on one line; for machines the last line says it all.
fn progress(position: Position, head: Position) {
    if stderr().is_terminal() {
        let percent = (position.0 * 100).checked_div(head.0).unwrap_or(100);
        let end = if position >= head { "\n" } else { "" };
        // Nobody is left to tell when the terminal has gone.
        drop(write!(stderr(), "\r{percent:>3} %  {position} of {head}{end}"));
    }
}
