//! How the broken store finds and forgets recorded answers.

use async_trait::async_trait;
use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::log::idempotency::{IdempotencyKey, IdempotencyRecord, IdempotencyStore};
use ticketing_ports::vocabulary::errors::StoreError;

use super::{Lie, Mutant};

#[async_trait]
impl IdempotencyStore for Mutant {
    async fn find_answers(&self, keys: &[IdempotencyKey]) -> Result<Vec<IdempotencyRecord>, StoreError> {
        let mut keys = keys.to_vec();
        keys.iter_mut().for_each(|key| self.distort_key(key));
        match self.lie {
            Lie::FindsOneAnswer => keys.truncate(1),
            Lie::AnswersForEachAsking => {
                let mut found = Vec::new();
                for key in keys {
                    found.extend(self.inner.find_answers(&[key]).await?);
                }
                return Ok(found);
            }
            _ => {}
        }
        self.inner.find_answers(&keys).await
    }

    async fn forget_answers(&self, before: Timestamp) -> Result<u64, StoreError> {
        match self.lie {
            Lie::NeverForgetsAnswers => Ok(0),
            Lie::ForgetsOneAnswerTooMany => self.inner.forget_answers(before + TimeDelta::microseconds(1)).await,
            _ => self.inner.forget_answers(before).await,
        }
    }
}
