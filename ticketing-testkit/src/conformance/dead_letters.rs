//! The conformance tests that every implementation of [`DeadLetterStore`] must pass.

use std::sync::Arc;

use ticketing_ports::log::dead_letters::{DeadLetter, DeadLetterStore};
use ticketing_ports::log::streams::Position;

use super::fixtures::{at, full_metadata, recorded, stream};
use super::race::race;
use super::{Broken, Verdict, ensure, ensure_eq, suite};

suite! { $
    /// A macro that makes a test of each rule for dead letters. Its argument is an expression that returns a new
    /// `Arc<dyn DeadLetterStore>`.
    dead_letter_store_conformance in dead_letters for Arc<dyn DeadLetterStore> {
        a_parked_stream_is_known_to_be_parked,
        letters_are_listed_in_log_order,
        letters_are_listed_in_pages,
        a_letter_comes_back_as_it_was_parked,
        parking_the_same_event_twice_keeps_one_letter,
        racing_parkers_of_one_event_keep_one_letter,
        a_removed_letter_is_gone,
        a_stream_is_parked_until_its_last_letter_is_removed,
    }
}

const SALES: &str = "sales";
const EVENTS: &str = "events";

/// A dead letter with the fact at `position`, which belongs to stream number `stream_number`.
fn letter(projection: &str, stream_number: usize, position: u64) -> DeadLetter {
    DeadLetter {
        projection: projection.to_owned(),
        event: recorded(stream(stream_number), position, position),
        reason: format!("can't be read at {position}"),
        parked_at: at(position as i64),
    }
}

async fn positions(letters: &Arc<dyn DeadLetterStore>, after: u64, limit: usize) -> Result<Vec<u64>, Broken> {
    let letters = letters.letters(SALES, Position(after), limit).await?;
    Ok(letters.iter().map(|letter| letter.event.position.0).collect())
}

async fn a_parked_stream_is_known_to_be_parked(letters: &Arc<dyn DeadLetterStore>) -> Verdict {
    ensure!(
        !letters.is_parked(SALES, stream(1)).await?,
        "the stream is parked before any of its facts is a dead letter"
    );
    letters.park(letter(SALES, 1, 7)).await?;
    ensure!(
        letters.is_parked(SALES, stream(1)).await?,
        "the stream of a dead letter is not parked"
    );
    ensure!(
        !letters.is_parked(SALES, stream(2)).await?,
        "a stream without dead letters is parked"
    );
    ensure!(
        !letters.is_parked(EVENTS, stream(1)).await?,
        "the stream is parked for another projection"
    );
    Ok(())
}

async fn letters_are_listed_in_log_order(letters: &Arc<dyn DeadLetterStore>) -> Verdict {
    for position in [300, 9, 10, 2, 100] {
        letters.park(letter(SALES, position as usize % 2, position)).await?;
    }
    letters.park(letter(EVENTS, 1, 5)).await?;
    ensure_eq!(
        positions(letters, 0, 100).await?,
        [2, 9, 10, 100, 300],
        "positions of the letters"
    );
    Ok(())
}

async fn letters_are_listed_in_pages(letters: &Arc<dyn DeadLetterStore>) -> Verdict {
    for position in 1..=5 {
        letters.park(letter(SALES, 1, position)).await?;
    }
    ensure_eq!(positions(letters, 0, 2).await?, [1, 2], "letters of the first page");
    ensure_eq!(positions(letters, 2, 2).await?, [3, 4], "letters of the second page");
    ensure_eq!(
        positions(letters, 4, usize::MAX).await?,
        [5],
        "letters of the last page"
    );
    ensure_eq!(positions(letters, 5, 2).await?, [0; 0], "letters after the last page");
    ensure_eq!(
        positions(letters, u64::MAX, 2).await?,
        [0; 0],
        "letters after the greatest position"
    );
    Ok(())
}

async fn a_letter_comes_back_as_it_was_parked(letters: &Arc<dyn DeadLetterStore>) -> Verdict {
    let mut one = letter(SALES, 1, 7);
    one.reason = "'ä' \"\0\" at line 1\nand more".to_owned();
    one.event.data = vec![0, 255, b'{'];
    one.event.metadata = full_metadata();
    letters.park(one.clone()).await?;
    ensure_eq!(letters.letters(SALES, Position(6), 1).await?, [one], "letters");
    Ok(())
}

async fn parking_the_same_event_twice_keeps_one_letter(letters: &Arc<dyn DeadLetterStore>) -> Verdict {
    letters.park(letter(SALES, 1, 7)).await?;
    let again = DeadLetter {
        parked_at: at(100),
        ..letter(SALES, 1, 7)
    };
    letters.park(again).await?;
    ensure_eq!(positions(letters, 0, 100).await?, [7], "positions of the letters");
    ensure!(
        letters.remove(SALES, Position(7)).await?,
        "the letter that was to be removed was not found"
    );
    ensure!(
        !letters.is_parked(SALES, stream(1)).await?,
        "the stream is still parked"
    );
    Ok(())
}

async fn racing_parkers_of_one_event_keep_one_letter(letters: &Arc<dyn DeadLetterStore>) -> Verdict {
    for position in 1..=10 {
        let outcomes = race(16, |_| {
            let letters = Arc::clone(letters);
            async move { letters.park(letter(SALES, 1, position)).await }
        })
        .await?;
        for outcome in outcomes {
            outcome?;
        }
    }
    ensure_eq!(
        positions(letters, 0, 100).await?,
        (1..=10).collect::<Vec<_>>(),
        "positions of the letters"
    );
    Ok(())
}

async fn a_removed_letter_is_gone(letters: &Arc<dyn DeadLetterStore>) -> Verdict {
    for one in [letter(SALES, 1, 1), letter(SALES, 2, 2), letter(EVENTS, 1, 1)] {
        letters.park(one).await?;
    }
    ensure!(
        letters.remove(SALES, Position(1)).await?,
        "the letter that was to be removed was not found"
    );
    ensure_eq!(positions(letters, 0, 100).await?, [2], "positions of the letters");
    ensure!(!letters.remove(SALES, Position(1)).await?, "a letter was removed twice");
    ensure!(
        !letters.is_parked(SALES, stream(1)).await?,
        "the stream is still parked"
    );
    ensure!(
        letters.is_parked(EVENTS, stream(1)).await?,
        "the letter of another projection was removed"
    );
    Ok(())
}

async fn a_stream_is_parked_until_its_last_letter_is_removed(letters: &Arc<dyn DeadLetterStore>) -> Verdict {
    letters.park(letter(SALES, 1, 1)).await?;
    letters.park(letter(SALES, 1, 2)).await?;
    letters.remove(SALES, Position(1)).await?;
    ensure!(
        letters.is_parked(SALES, stream(1)).await?,
        "the stream is no longer parked, although a letter of it is left"
    );
    letters.remove(SALES, Position(2)).await?;
    ensure!(
        !letters.is_parked(SALES, stream(1)).await?,
        "the stream is still parked, although no letter of it is left"
    );
    Ok(())
}
