//! Reads the streams of an event into a board.

use ticketing_domain::book::snapshot_format;
use ticketing_domain::inventory::Inventory;
use ticketing_domain::reducer::Reducer as _;
use ticketing_domain::refusal::Refusal;
use ticketing_domain::snapshot::read_state;
use ticketing_ports::log::event_store::EventStore;
use ticketing_ports::log::snapshots::SnapshotStore;
use ticketing_ports::log::streams::{Aggregate, StreamId, Version};
use ticketing_ports::vocabulary::ids::EventId;

use super::board::{Board, CannotApply};
use crate::failure::Failure;
use crate::follow::LoggedFact;
use crate::latest_snapshots::readable;

/// At most how many facts one read of the log returns.
const PAGE: usize = 2_000;

impl From<CannotApply> for Failure {
    fn from(why: CannotApply) -> Self {
        Self::Internal(why.into())
    }
}

/// Reads the event's catalog stream, and then the streams of its sections, each from its latest snapshot on.
///
/// # Errors
/// Fails with [`Refusal::EventNotFound`] if there is no such event.
pub(super) async fn read_board(
    log: &dyn EventStore,
    snapshots: &dyn SnapshotStore,
    event: EventId,
) -> Result<Board, Failure> {
    let mut board = Board::new(event);
    read_streams(log, &mut board, vec![(event.into(), Version::NONE)]).await?;
    if board.listing().is_none() {
        return Err(Refusal::EventNotFound(event).into());
    }
    let sections = board.begin_sections();
    begin_with_snapshots(snapshots, &mut board, &sections).await;
    let asked = sections.into_iter().map(|stream| {
        // The last fact in a snapshot is read too, because only the fact says when it was recorded.
        let Version(applied) = board.version_of(stream);
        (stream, Version(applied.saturating_sub(1)))
    });
    let asked = asked.collect();
    read_streams(log, &mut board, asked).await?;
    Ok(board)
}

/// Begins each section with its latest snapshot. A snapshot that cannot be read only costs time: the facts are read
/// instead.
async fn begin_with_snapshots(store: &dyn SnapshotStore, board: &mut Board, sections: &[StreamId]) {
    let Some(format) = snapshot_format(Aggregate::Inventory) else {
        return;
    };
    let wanted: Vec<_> = sections.iter().map(|stream| (*stream, format)).collect();
    let found = readable(store.latest(&wanted).await, "a live board", |snapshot| {
        let inventory = read_state(Inventory::SNAPSHOTS, snapshot)?;
        Ok((snapshot.stream, snapshot.version, inventory))
    });
    for (stream, version, inventory) in found {
        board.begin_with(stream, version, inventory);
    }
}

/// Applies the facts of these streams, each after the given version, page by page.
async fn read_streams(
    log: &dyn EventStore,
    board: &mut Board,
    mut asked: Vec<(StreamId, Version)>,
) -> Result<(), Failure> {
    loop {
        let facts = log.read_streams(&asked, PAGE).await?;
        let is_last = facts.len() < PAGE;
        if let Some(last) = facts.last() {
            let (stream, version) = (last.stream, last.version);
            let read = asked.iter().position(|(asked, _)| *asked == stream);
            asked.drain(..read.unwrap_or(0));
            if let Some(first) = asked.first_mut() {
                first.1 = version;
            }
        }
        for fact in facts {
            board.apply(&LoggedFact::from(fact))?;
        }
        if is_last {
            return Ok(());
        }
    }
}
