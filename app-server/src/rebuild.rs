//! The command `rebuild-projections`: makes the read models again from the log.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::Arc;
use std::time::Instant;

use adapters_external::SystemClock;
use ticketing_ports::log::streams::Position;
use ticketing_runtime::{ProjectionFollower, READ_MODELS, rebuild};

use crate::config::Settings;
use crate::storage::{IfDown, ReadSide, Storage};

/// Makes new read models beside the present ones, switches to the new ones, and returns a line about that. Servers
/// may go on selling meanwhile.
///
/// Without a database for read models, servers make them in memory at every start. This command then only shows how
/// long that takes, and whether every fact can be read.
///
/// # Errors
/// When the log, or some fact in it, cannot be read.
pub async fn rebuild_projections(settings: &Settings) -> anyhow::Result<String> {
    let storage = Storage::open(settings, IfDown::Fail).await?;
    let read_side = ReadSide::open(&settings.storage, IfDown::Fail).await?;
    let began = Instant::now();
    let done = rebuild(
        storage.log.events.clone(),
        &mut ProjectionFollower::read_models(read_side.stores.projections.clone()),
        read_side.stores.dead_letters.clone(),
        Arc::new(SystemClock::new()),
        progress,
    )
    .await;
    storage.close().await;
    let position = done.map_err(anyhow::Error::from_boxed)?;
    let parked = read_side
        .stores
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

/// Shows the progress on one line of the terminal. If standard error is not a terminal, shows nothing; the command
/// prints its result at the end.
fn progress(position: Position, head: Position) {
    if stderr().is_terminal() {
        let percent = (position.0 * 100).checked_div(head.0).unwrap_or(100);
        let end = if position >= head { "\n" } else { "" };
        // Writing fails only if the terminal is gone, and then nobody could read about the failure.
        drop(write!(stderr(), "\r{percent:>3} %  {position} of {head}{end}"));
    }
}
