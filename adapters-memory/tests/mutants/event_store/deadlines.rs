//! How the broken store leases deadlines.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::{CausedDeadline, DeadlineCount, DeadlineKind, DeadlineStore};
use ticketing_ports::vocabulary::errors::StoreError;

use super::{Lie, Mutant};

#[async_trait]
impl DeadlineStore for Mutant {
    async fn lease_due(
        &self,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<CausedDeadline>, StoreError> {
        let (now, lease, limit) = match self.lie {
            Lie::HandsOutDeadlinesEarly => (now + TimeDelta::milliseconds(1), lease, limit),
            Lie::IgnoresLeases => (now, Duration::ZERO, limit),
            Lie::LeasesForEver => (now, Duration::MAX, limit),
            Lie::LeasesOneMore => (now, lease, limit.saturating_add(1)),
            _ => (now, lease, limit),
        };
        let mut leased = self.inner.lease_due(now, lease, limit).await?;
        if self.lie == Lie::HandsOutTheLatestDeadlineFirst {
            leased.reverse();
        }
        self.leased.fetch_add(leased.len() as u64, Ordering::SeqCst);
        Ok(leased)
    }

    async fn count_deadlines(&self, now: Timestamp) -> Result<BTreeMap<DeadlineKind, DeadlineCount>, StoreError> {
        let mut counts = self.inner.count_deadlines(now).await?;
        match self.lie {
            Lie::CountsNoDeadlineAsDue => {
                for count in counts.values_mut() {
                    count.ahead += std::mem::take(&mut count.due);
                }
            }
            Lie::CountsNoLeasedDeadline => {
                for count in counts.values_mut() {
                    count.due = count.due.saturating_sub(self.leased.load(Ordering::SeqCst));
                }
            }
            _ => {}
        }
        Ok(counts)
    }
}
