//! Which positions an event store gives to events, and what a reader of the log sees meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ticketing_ports::log::streams::{Position, RecordedEvent, StreamId, Version};

use super::expected::{ensure_gapless, receipt_of};
use crate::conformance::fixtures::{at, commit_id, deadline, events, stream, whole_log, whole_stream, write};
use crate::conformance::race::race;
use crate::conformance::{Backend, Broken, Verdict, ensure, ensure_eq};

pub(super) async fn positions_are_gapless_and_in_commit_order(backend: &Backend) -> Verdict {
    let mut next = 1;
    for (number, size) in [2, 1, 5, 1].into_iter().enumerate() {
        let receipt = write(number)
            .append(stream(number), 0, events(size))
            .to(backend)
            .await?;
        ensure_eq!(receipt, receipt_of(next, next + size as u64 - 1), "receipt");
        next += size as u64;
        write(100 + number)
            .append(stream(number), 99, events(3))
            .conflicts_at(backend)
            .await?;
        write(200 + number).set(deadline(1, at(1))).to(backend).await?;
    }
    ensure_gapless(&whole_log(backend).await?, 9)
}

pub(super) async fn positions_stay_gapless_under_racing_writers(backend: &Backend) -> Verdict {
    const WRITERS: usize = 64;
    let receipts = race(WRITERS, |writer| {
        let backend = backend.clone();
        async move {
            let mut receipts = Vec::new();
            for turn in 0..4 {
                let number = writer * 10 + turn;
                receipts.push(
                    write(number)
                        .append(stream(number), 0, events(1 + writer % 3))
                        .to(&backend)
                        .await?,
                );
                // A refused commit must not use up positions.
                write(100_000 + number)
                    .append(stream(number), 0, events(1))
                    .conflicts_at(&backend)
                    .await?;
            }
            Ok::<_, Broken>(receipts)
        }
    })
    .await?;
    let mut total = 0;
    for receipts in receipts {
        let mut last_seen = Position::START;
        for receipt in receipts? {
            ensure!(
                receipt.first > last_seen,
                "a later commit of one writer got an earlier position"
            );
            last_seen = receipt.last;
            total += receipt.last.0 - receipt.first.0 + 1;
        }
    }
    ensure_gapless(&whole_log(backend).await?, total)
}

pub(super) async fn the_events_of_one_commit_stand_together_in_the_order_of_its_appends(backend: &Backend) -> Verdict {
    let receipts = race(16, |writer| {
        let backend = backend.clone();
        async move {
            // The appends name later streams first, so that their order is neither that of the ids nor that of the
            // streams.
            let mut draft = write(writer);
            for part in (0..3).rev() {
                draft = draft.append(stream(writer * 10 + part), 0, events(2));
            }
            draft.to(&backend).await
        }
    })
    .await?;
    let log = whole_log(backend).await?;
    for (writer, receipt) in receipts.into_iter().enumerate() {
        let receipt = receipt?;
        let written: Vec<(StreamId, u64)> = log
            .iter()
            .filter(|event| receipt.first <= event.position && event.position <= receipt.last)
            .map(|event| (event.stream, event.version.0))
            .collect();
        let appended: Vec<(StreamId, u64)> = [2, 2, 1, 1, 0, 0]
            .into_iter()
            .zip([1, 2, 1, 2, 1, 2])
            .map(|(part, version)| (stream(writer * 10 + part), version))
            .collect();
        ensure_eq!(written, appended, "events of one commit");
    }
    Ok(())
}

pub(super) async fn a_receipt_says_where_the_events_landed(backend: &Backend) -> Verdict {
    for number in 1..=3 {
        let receipt = write(number)
            .append(stream(number), 0, events(number))
            .to(backend)
            .await?;
        let mine: Vec<Position> = whole_log(backend)
            .await?
            .iter()
            .filter(|event| event.commit_id == commit_id(number))
            .map(|event| event.position)
            .collect();
        ensure_eq!(mine.first(), Some(&receipt.first), "first position");
        ensure_eq!(mine.last(), Some(&receipt.last), "last position");
    }
    Ok(())
}

/// Readers read while several writers commit at the same time. What a reader has seen must always be the beginning of
/// the log, without gaps.
pub(super) async fn a_reader_never_skips(backend: &Backend) -> Verdict {
    const WRITERS: usize = 12;
    const READERS: usize = 4;
    const COMMITS: usize = 25;
    let writing = Arc::new(AtomicUsize::new(WRITERS));
    let seen = race(WRITERS + READERS, |racer| {
        let (backend, writing) = (backend.clone(), Arc::clone(&writing));
        async move {
            if racer < READERS {
                return follow(&backend, &writing, 5 + racer).await;
            }
            for commit in 0..COMMITS {
                let number = racer * 1000 + commit;
                let written = write(number)
                    .append(stream(number), 0, events(1 + commit % 3))
                    .append(stream(1_000_000 + number), 0, events(1))
                    .to(&backend)
                    .await;
                if written.is_err() || commit + 1 == COMMITS {
                    writing.fetch_sub(1, Ordering::SeqCst);
                    written?;
                }
            }
            Ok(Vec::new())
        }
    })
    .await?;
    let log = whole_log(backend).await?;
    let seen: Vec<_> = seen.into_iter().collect::<Result<_, Broken>>()?;
    for reader in &seen[..READERS] {
        ensure_eq!(reader.len(), log.len(), "events a reader has seen");
        ensure!(
            *reader == log,
            "a reader has seen something that is no longer in the log"
        );
    }
    Ok(())
}

async fn follow(backend: &Backend, writing: &AtomicUsize, page: usize) -> Result<Vec<RecordedEvent>, Broken> {
    let mut seen: Vec<RecordedEvent> = Vec::new();
    loop {
        let writers_left = writing.load(Ordering::SeqCst);
        let head = backend.store.head().await?;
        let after = Position(seen.len() as u64);
        let news = backend.store.read_all(after, page).await?;
        ensure!(
            !news.is_empty() || head <= after,
            "the head is {head}, but nothing is read after {after}"
        );
        for event in &news {
            ensure_eq!(
                event.position,
                Position(seen.len() as u64 + 1),
                "position after {}",
                seen.len()
            );
            seen.push(event.clone());
        }
        if news.is_empty() && writers_left == 0 {
            return Ok(seen);
        }
        tokio::task::yield_now().await;
    }
}

pub(super) async fn what_was_read_once_is_read_again(backend: &Backend) -> Verdict {
    write(1).append(stream(1), 0, events(3)).to(backend).await?;
    let first = whole_stream(backend, stream(1)).await?;
    for number in 2..=10 {
        write(number)
            .append(stream(1), number as u64 + 1, events(1))
            .append(stream(number), 0, events(1))
            .to(backend)
            .await?;
        let again = backend.store.read_stream(stream(1), Version::NONE, 3).await?;
        ensure_eq!(again, first, "the first events of the stream");
        let again = backend.store.read_all(Position::START, 3).await?;
        ensure_eq!(again, first, "the first events of the log");
    }
    Ok(())
}
