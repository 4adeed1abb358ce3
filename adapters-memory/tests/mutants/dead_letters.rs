//! A store of dead letters that makes one mistake on purpose, so that a conformance rule must fail on it.

use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::log::dead_letters::{DeadLetter, DeadLetterStore};
use ticketing_ports::log::streams::{Position, StreamId};
use ticketing_ports::vocabulary::errors::StoreError;

/// The mistakes that the broken store can be told to make on purpose. `None` makes no mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LetterLie {
    #[default]
    None,
    ParksNothing,
    ParksEveryStream,
    ParksForEveryProjection,
    ListsInTheOrderOfParking,
    SortsPositionsAsText,
    ListsEveryProjection,
    IgnoresTheLimit,
    RepeatsTheLastOfAPage,
    CutsReasons,
    KeepsPayloadsAsText,
    KeepsEveryLetter,
    LooksBeforeItParks,
    RemovesNothing,
    RemovesFromEveryProjection,
    FindsWhatIsGone,
    ReleasesAStreamWithItsFirstLetter,
}

/// The rules of the conformance suite, each beside a lie (a mistake made on purpose) that must make the rule fail.
pub(crate) const BROKEN_BY: &[(&str, LetterLie)] = &[
    ("a_parked_stream_is_known_to_be_parked", LetterLie::ParksNothing),
    ("a_parked_stream_is_known_to_be_parked", LetterLie::ParksEveryStream),
    (
        "a_parked_stream_is_known_to_be_parked",
        LetterLie::ParksForEveryProjection,
    ),
    ("letters_are_listed_in_log_order", LetterLie::ListsInTheOrderOfParking),
    ("letters_are_listed_in_log_order", LetterLie::SortsPositionsAsText),
    ("letters_are_listed_in_log_order", LetterLie::ListsEveryProjection),
    ("letters_are_listed_in_pages", LetterLie::IgnoresTheLimit),
    ("letters_are_listed_in_pages", LetterLie::RepeatsTheLastOfAPage),
    ("a_letter_comes_back_as_it_was_parked", LetterLie::CutsReasons),
    ("a_letter_comes_back_as_it_was_parked", LetterLie::KeepsPayloadsAsText),
    (
        "parking_the_same_event_twice_keeps_one_letter",
        LetterLie::KeepsEveryLetter,
    ),
    (
        "racing_parkers_of_one_event_keep_one_letter",
        LetterLie::LooksBeforeItParks,
    ),
    ("a_removed_letter_is_gone", LetterLie::RemovesNothing),
    ("a_removed_letter_is_gone", LetterLie::RemovesFromEveryProjection),
    ("a_removed_letter_is_gone", LetterLie::FindsWhatIsGone),
    (
        "a_stream_is_parked_until_its_last_letter_is_removed",
        LetterLie::ReleasesAStreamWithItsFirstLetter,
    ),
    (
        "a_stream_is_parked_until_its_last_letter_is_removed",
        LetterLie::RemovesNothing,
    ),
];

/// A store that keeps dead letters in a list, and makes the mistake `lie` on purpose.
#[derive(Debug)]
pub(crate) struct LyingLetters {
    lie: LetterLie,
    letters: Mutex<Vec<DeadLetter>>,
    released: Mutex<Vec<StreamId>>,
}

impl LyingLetters {
    pub(crate) fn new(lie: LetterLie) -> Self {
        Self {
            lie,
            letters: Mutex::default(),
            released: Mutex::default(),
        }
    }

    fn parked(&self) -> MutexGuard<'_, Vec<DeadLetter>> {
        self.letters.lock().expect("no code panics while it holds this lock")
    }

    fn released(&self) -> MutexGuard<'_, Vec<StreamId>> {
        self.released.lock().expect("no code panics while it holds this lock")
    }
}

#[async_trait]
impl DeadLetterStore for LyingLetters {
    async fn park(&self, mut letter: DeadLetter) -> Result<(), StoreError> {
        match self.lie {
            LetterLie::ParksNothing => return Ok(()),
            LetterLie::CutsReasons => letter.reason = letter.reason.lines().take(1).collect(),
            LetterLie::KeepsPayloadsAsText => {
                letter.event.data = String::from_utf8_lossy(&letter.event.data).into_owned().into_bytes();
            }
            _ => {}
        }
        let same =
            |known: &DeadLetter| known.projection == letter.projection && known.event.position == letter.event.position;
        if self.lie == LetterLie::LooksBeforeItParks {
            let known = self.parked().iter().any(same);
            tokio::task::yield_now().await;
            if !known {
                self.parked().push(letter);
            }
            return Ok(());
        }
        let mut letters = self.parked();
        if self.lie == LetterLie::KeepsEveryLetter || !letters.iter().any(same) {
            letters.push(letter);
        }
        Ok(())
    }

    async fn is_parked(&self, projection: &str, stream: StreamId) -> Result<bool, StoreError> {
        let released = self.released().contains(&stream);
        Ok(!released
            && self.parked().iter().any(|letter| {
                (letter.projection == projection || self.lie == LetterLie::ParksForEveryProjection)
                    && (letter.event.stream == stream || self.lie == LetterLie::ParksEveryStream)
            }))
    }

    async fn letters(&self, projection: &str, after: Position, limit: usize) -> Result<Vec<DeadLetter>, StoreError> {
        let listed = |letter: &&DeadLetter| {
            let position = letter.event.position;
            (letter.projection == projection || self.lie == LetterLie::ListsEveryProjection)
                && (position > after || position == after && self.lie == LetterLie::RepeatsTheLastOfAPage)
        };
        let mut letters: Vec<_> = self.parked().iter().filter(listed).cloned().collect();
        match self.lie {
            LetterLie::ListsInTheOrderOfParking => {}
            LetterLie::SortsPositionsAsText => letters.sort_by_key(|letter| letter.event.position.0.to_string()),
            _ => letters.sort_by_key(|letter| letter.event.position),
        }
        if self.lie != LetterLie::IgnoresTheLimit {
            letters.truncate(limit);
        }
        Ok(letters)
    }

    async fn remove(&self, projection: &str, position: Position) -> Result<bool, StoreError> {
        if self.lie == LetterLie::RemovesNothing {
            return Ok(true);
        }
        let mut letters = self.parked();
        let before = letters.len();
        letters.retain(|letter| {
            let named = letter.event.position == position
                && (letter.projection == projection || self.lie == LetterLie::RemovesFromEveryProjection);
            if named && self.lie == LetterLie::ReleasesAStreamWithItsFirstLetter {
                self.released().push(letter.event.stream);
            }
            !named
        });
        Ok(letters.len() < before || self.lie == LetterLie::FindsWhatIsGone)
    }
}
