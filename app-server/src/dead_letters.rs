//! The command `dead-letters`: shows the facts that the read models could not apply, and tries them again or gives them
//! up.

use std::fmt::Write as _;

use anyhow::bail;
use ticketing_ports::log::dead_letters::{DeadLetter, DeadLetterStore};
use ticketing_ports::log::streams::Position;
use ticketing_runtime::READ_MODELS;

use crate::config::{DeadLetters, Settings};
use crate::rebuild::rebuild_projections;
use crate::storage::{IfDown, ReadSide};

/// Carries out one of the subcommands of `dead-letters` and returns the text to print.
///
/// # Errors
/// When there is no such dead letter, or the database cannot be used.
pub async fn dead_letters(settings: &Settings, wanted: &DeadLetters) -> anyhow::Result<String> {
    let read_side = ReadSide::open(&settings.storage, IfDown::Fail).await?;
    if read_side.in_memory {
        return Ok(
            "the read models are in memory: at every start all facts are projected anew, and rebuild-projections says \
             which cannot be"
                .to_owned(),
        );
    }
    let letters = read_side.stores.dead_letters.as_ref();
    let told = match wanted {
        DeadLetters::List { limit } => list(letters, *limit).await,
        DeadLetters::Show { position } => show(letters, Position(*position)).await,
        DeadLetters::Retry => retry(settings, letters).await,
        DeadLetters::Drop { position } => drop_letter(letters, Position(*position)).await,
    };
    read_side.close().await;
    told
}

async fn list(letters: &dyn DeadLetterStore, limit: usize) -> anyhow::Result<String> {
    let found = letters.letters(READ_MODELS, Position::START, limit).await?;
    if found.is_empty() {
        return Ok("no dead letters: the read models have applied every fact".to_owned());
    }
    let line = |letter: &DeadLetter| {
        let DeadLetter {
            event,
            reason,
            parked_at,
            ..
        } = letter;
        format!(
            "{}  {}  {} version {}  {}  {reason}",
            event.position, event.event_type, event.stream, event.version, parked_at
        )
    };
    Ok(found.iter().map(line).collect::<Vec<_>>().join("\n"))
}

async fn show(letters: &dyn DeadLetterStore, position: Position) -> anyhow::Result<String> {
    let letter = find(letters, position).await?;
    let event = &letter.event;
    let mut text = String::new();
    writeln!(text, "position        {}", event.position)?;
    writeln!(text, "stream          {} version {}", event.stream, event.version)?;
    writeln!(
        text,
        "event type      {} version {}",
        event.event_type, event.event_version
    )?;
    writeln!(text, "recorded at     {}", event.recorded_at)?;
    writeln!(text, "commit          {}", event.commit_id)?;
    writeln!(text, "parked at       {}", letter.parked_at)?;
    writeln!(text, "because         {}", letter.reason)?;
    write!(text, "data            {}", String::from_utf8_lossy(&event.data))?;
    Ok(text)
}

async fn retry(settings: &Settings, letters: &dyn DeadLetterStore) -> anyhow::Result<String> {
    let first = letters.letters(READ_MODELS, Position::START, 1).await?;
    if first.is_empty() {
        return Ok("no dead letters: there is nothing to apply again".to_owned());
    }
    rebuild_projections(settings).await
}

async fn drop_letter(letters: &dyn DeadLetterStore, position: Position) -> anyhow::Result<String> {
    find(letters, position).await?;
    letters.remove(READ_MODELS, position).await?;
    Ok(format!(
        "the fact at position {position} is given up; it stays in the log, and a rebuild of the read models tries it again"
    ))
}

async fn find(letters: &dyn DeadLetterStore, position: Position) -> anyhow::Result<DeadLetter> {
    let before = Position(position.0.saturating_sub(1));
    let mut found = letters.letters(READ_MODELS, before, 1).await?;
    match found.pop() {
        Some(letter) if letter.event.position == position => Ok(letter),
        _ => bail!("there is no dead letter at position {position}"),
    }
}
