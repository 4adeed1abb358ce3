//! What several rules expect of receipts and of the log.

use std::time::Duration;

use ticketing_ports::log::event_store::CommitReceipt;
use ticketing_ports::log::identity::Incarnation;
use ticketing_ports::log::streams::{Position, RecordedEvent};

use crate::conformance::{Verdict, ensure};

pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) fn receipt_of(first: u64, last: u64) -> CommitReceipt {
    CommitReceipt {
        first: Position(first),
        last: Position(last),
        incarnation: Incarnation::FIRST,
    }
}

pub(super) fn ensure_gapless(log: &[RecordedEvent], count: u64) -> Verdict {
    let positions: Vec<u64> = log.iter().map(|event| event.position.0).collect();
    ensure!(
        positions.iter().copied().eq(1..=count),
        "positions are not 1 to {count}: {positions:?}"
    );
    Ok(())
}
