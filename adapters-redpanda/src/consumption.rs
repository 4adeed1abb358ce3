//! Counts what the consumers of a process have consumed, and how far they are behind.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::Statistics;

/// A topic and the number of a partition.
pub(crate) type Place = (String, i32);

/// What the consumers of this process have consumed since it started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consumption {
    /// How far each partition is consumed, by topic and number.
    pub partitions: BTreeMap<(String, i32), PartitionProgress>,
    /// How many messages of each topic were consumed.
    pub messages: BTreeMap<String, u64>,
    /// How many messages of each topic the box office did not write. They were skipped.
    pub foreign: BTreeMap<String, u64>,
    /// How many times messages could not be read or acknowledged.
    pub failures: u64,
}

/// How far the consumers of this process are in one partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PartitionProgress {
    /// The offset after the last message that was acknowledged.
    pub offset: u64,
    /// How many messages of the partition are not acknowledged yet, a few seconds ago. 0 if the partition is not assigned
    /// to this process, or if none of its messages were ever acknowledged.
    pub lag: u64,
}

/// Counts for a bus, which shows the counts to others.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Mutex<Consumption>,
    /// How many consumers there are.
    members: AtomicUsize,
}

impl Tally {
    fn counts(&self) -> MutexGuard<'_, Consumption> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn read(&self) -> Consumption {
        self.counts().clone()
    }

    /// Counts messages that were acknowledged: the offset after the last of them and how many they are, by partition.
    pub(crate) fn acknowledged(&self, delivered: &BTreeMap<Place, Unacknowledged>) {
        let mut counts = self.counts();
        for (place, Unacknowledged { next, messages }) in delivered {
            *counts.messages.entry(place.0.clone()).or_default() += messages;
            let progress = counts.partitions.entry(place.clone()).or_default();
            progress.offset = u64::try_from(*next).unwrap_or_default();
        }
    }

    pub(crate) fn foreign(&self, topic: &str) {
        *self.counts().foreign.entry(topic.to_owned()).or_default() += 1;
    }

    pub(crate) fn failed(&self) {
        self.counts().failures += 1;
    }

    /// Takes the lag of each partition from the statistics of a consumer.
    pub(crate) fn lags(&self, statistics: &Statistics) {
        let mut counts = self.counts();
        for (topic, figures) in &statistics.topics {
            for (number, partition) in &figures.partitions {
                let place = (topic.clone(), *number);
                match u64::try_from(partition.consumer_lag) {
                    Ok(lag) => counts.partitions.entry(place).or_default().lag = lag,
                    // A lag of -1 is that of a partition that this consumer does not have.
                    Err(_) => {
                        if let Some(known) = counts.partitions.get_mut(&place) {
                            known.lag = 0;
                        }
                    }
                }
            }
        }
    }

    pub(crate) fn joins(&self) {
        self.members.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn leaves(&self) {
        self.members.fetch_sub(1, Ordering::SeqCst);
    }

    /// Forgets how far those who have left were behind, unless there is another consumer: that one tells its lag itself.
    pub(crate) fn forget_lags_of_nobody(&self) {
        if self.members.load(Ordering::SeqCst) > 0 {
            return;
        }
        for progress in self.counts().partitions.values_mut() {
            progress.lag = 0;
        }
    }
}

/// Messages of one partition that were delivered and not acknowledged yet.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Unacknowledged {
    /// The offset after the last of the messages.
    pub(crate) next: i64,
    /// How many messages they are.
    pub(crate) messages: u64,
}

#[cfg(test)]
mod tests {
    use rdkafka::statistics::{Partition, Topic};

    use super::*;

    fn statistics(lag: i64) -> Statistics {
        let partition = Partition {
            consumer_lag: lag,
            ..Partition::default()
        };
        let topic = Topic {
            partitions: [(3, partition)].into(),
            ..Topic::default()
        };
        Statistics {
            topics: [("orders".to_owned(), topic)].into(),
            ..Statistics::default()
        }
    }

    #[test]
    fn a_partition_that_went_to_another_process_has_no_lag() {
        let tally = Tally::default();
        let place = ("orders".to_owned(), 3);
        tally.lags(&statistics(-1));
        assert_eq!(
            tally.read(),
            Consumption::default(),
            "a partition that was never ours is not shown"
        );
        tally.lags(&statistics(12));
        assert_eq!(tally.read().partitions[&place].lag, 12);
        tally.lags(&statistics(-1));
        assert_eq!(tally.read().partitions[&place].lag, 0);
    }

    #[test]
    fn the_lag_is_forgotten_only_once_nobody_consumes() {
        let tally = Tally::default();
        let place = ("orders".to_owned(), 3);
        tally.joins();
        tally.lags(&statistics(12));
        tally.leaves();
        tally.joins();
        tally.forget_lags_of_nobody();
        assert_eq!(tally.read().partitions[&place].lag, 12);
        tally.leaves();
        tally.forget_lags_of_nobody();
        assert_eq!(tally.read().partitions[&place].lag, 0);
    }
}
