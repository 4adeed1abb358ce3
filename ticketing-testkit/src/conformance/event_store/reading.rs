//! Reading streams and the log in pages.

use ticketing_ports::log::streams::{Position, Version};

use crate::conformance::fixtures::{events, stream, whole_stream, write};
use crate::conformance::{Backend, Verdict, ensure, ensure_eq};

pub(super) async fn several_streams_are_read_one_after_another(backend: &Backend) -> Verdict {
    for number in 0..3 {
        write(number)
            .append(stream(1), 2 * number as u64, events(2))
            .append(stream(2), number as u64, events(1))
            .append(stream(3), 3 * number as u64, events(3))
            .to(backend)
            .await?;
    }
    let asked = [(3, 7), (1, 0), (9, 0), (2, 3), (1, 4), (2, 1), (3, u64::MAX)];
    let asked: Vec<_> = asked.map(|(id, after)| (stream(id), Version(after))).to_vec();
    let read = backend.store.read_streams(&asked, usize::MAX).await?;
    let mut one_by_one = Vec::new();
    for (stream, after) in asked {
        one_by_one.extend(backend.store.read_stream(stream, after, usize::MAX).await?);
    }
    ensure_eq!(read.len(), 2 + 6 + 2 + 2, "events of several streams");
    ensure!(
        read == one_by_one,
        "streams read together differ from streams read alone"
    );
    ensure_eq!(backend.store.read_streams(&[], 10).await?, [], "events of no stream");
    Ok(())
}

pub(super) async fn a_limit_counts_the_facts_of_all_streams(backend: &Backend) -> Verdict {
    write(1)
        .append(stream(1), 0, events(3))
        .append(stream(2), 0, events(4))
        .append(stream(3), 0, events(2))
        .to(backend)
        .await?;
    let asked = [(2, 1), (3, 0), (1, 0)].map(|(id, after)| (stream(id), Version(after)));
    let all = [(2, 2), (2, 3), (2, 4), (3, 1), (3, 2), (1, 1), (1, 2), (1, 3)];
    let all = all.map(|(id, version)| (stream(id), version));
    for limit in [0, 1, 3, 4, 5, 7, 8, 9, usize::MAX] {
        let read = backend.store.read_streams(&asked, limit).await?;
        let read: Vec<_> = read.iter().map(|event| (event.stream, event.version.0)).collect();
        ensure_eq!(read, all[..limit.min(8)], "events with a limit of {limit}");
    }
    Ok(())
}

pub(super) async fn a_stream_is_read_page_by_page(backend: &Backend) -> Verdict {
    for number in 0..5 {
        write(number)
            .append(stream(1), 2 * number as u64, events(2))
            .append(stream(2), 3 * number as u64, events(3))
            .to(backend)
            .await?;
    }
    let mut versions = Vec::new();
    loop {
        let after = Version(versions.len() as u64);
        let page = backend.store.read_stream(stream(1), after, 4).await?;
        ensure_eq!(page.len(), (10 - versions.len()).min(4), "events after version {after}");
        if page.is_empty() {
            break;
        }
        versions.extend(page.iter().map(|event| event.version.0));
    }
    ensure_eq!(versions, (1..=10).collect::<Vec<u64>>(), "versions");
    Ok(())
}

pub(super) async fn the_log_is_read_page_by_page(backend: &Backend) -> Verdict {
    for number in 0..5 {
        write(number)
            .append(stream(10 - number), 0, events(2))
            .to(backend)
            .await?;
    }
    let mut positions = Vec::new();
    loop {
        let after = Position(positions.len() as u64);
        let page = backend.store.read_all(after, 4).await?;
        ensure_eq!(
            page.len(),
            (10 - positions.len()).min(4),
            "events after position {after}"
        );
        if page.is_empty() {
            break;
        }
        positions.extend(page.iter().map(|event| event.position.0));
    }
    ensure_eq!(positions, (1..=10).collect::<Vec<u64>>(), "positions");
    Ok(())
}

pub(super) async fn a_limit_of_0_reads_nothing(backend: &Backend) -> Verdict {
    write(1).append(stream(1), 0, events(2)).to(backend).await?;
    ensure_eq!(
        backend.store.read_stream(stream(1), Version::NONE, 0).await?,
        [],
        "events of the stream"
    );
    ensure_eq!(
        backend.store.read_all(Position::START, 0).await?,
        [],
        "events of the log"
    );
    Ok(())
}

pub(super) async fn past_the_end_there_is_nothing(backend: &Backend) -> Verdict {
    write(1).append(stream(1), 0, events(2)).to(backend).await?;
    for after in [2, 3, u64::MAX] {
        let stream = backend.store.read_stream(stream(1), Version(after), usize::MAX).await?;
        ensure_eq!(stream, [], "events of the stream after {after}");
        let log = backend.store.read_all(Position(after), usize::MAX).await?;
        ensure_eq!(log, [], "events of the log after {after}");
    }
    Ok(())
}

pub(super) async fn an_unknown_stream_is_empty(backend: &Backend) -> Verdict {
    ensure_eq!(whole_stream(backend, stream(2)).await?, [], "a stream of an empty log");
    write(1)
        .append(stream(1), 0, events(2))
        .append(stream(3), 0, events(2))
        .to(backend)
        .await?;
    ensure_eq!(
        whole_stream(backend, stream(2)).await?,
        [],
        "a stream that nobody wrote"
    );
    Ok(())
}

pub(super) async fn the_head_is_the_position_of_the_newest_event(backend: &Backend) -> Verdict {
    ensure_eq!(backend.store.head().await?, Position::START, "head of an empty log");
    for number in 1..=3 {
        let receipt = write(number)
            .append(stream(number), 0, events(number))
            .to(backend)
            .await?;
        ensure_eq!(backend.store.head().await?, receipt.last, "head");
    }
    Ok(())
}
