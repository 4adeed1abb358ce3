use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::log::dead_letters::{DeadLetter, DeadLetterStore};
use ticketing_ports::log::streams::{Position, StreamId};
use ticketing_ports::vocabulary::errors::StoreError;

type Letters = BTreeMap<(String, Position), DeadLetter>;

#[derive(Debug, Default)]
pub struct InMemoryDeadLetterStore(Mutex<Letters>);

impl InMemoryDeadLetterStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn parked(&self) -> MutexGuard<'_, Letters> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

#[async_trait]
impl DeadLetterStore for InMemoryDeadLetterStore {
    async fn park(&self, letter: DeadLetter) -> Result<(), StoreError> {
        self.parked()
            .entry((letter.projection.clone(), letter.event.position))
            .or_insert(letter);
        Ok(())
    }

    async fn is_parked(&self, projection: &str, stream: StreamId) -> Result<bool, StoreError> {
        let of_stream = |letter: &DeadLetter| letter.projection == projection && letter.event.stream == stream;
        Ok(self.parked().values().any(of_stream))
    }

    async fn letters(&self, projection: &str, after: Position, limit: usize) -> Result<Vec<DeadLetter>, StoreError> {
        let from = Excluded((projection.to_owned(), after));
        let to = Included((projection.to_owned(), Position(u64::MAX)));
        Ok(self
            .parked()
            .range((from, to))
            .take(limit)
            .map(|(_, letter)| letter.clone())
            .collect())
    }

    async fn remove(&self, projection: &str, position: Position) -> Result<bool, StoreError> {
        Ok(self.parked().remove(&(projection.to_owned(), position)).is_some())
    }
}
