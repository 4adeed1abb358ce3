//! What every [`EventStore`](ticketing_ports::log::event_store::EventStore) does.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{TimeDelta, TimeZone, Utc};
use ticketing_ports::log::event_store::{CommitError, CommitReceipt};
use ticketing_ports::log::identity::{Incarnation, SchemaGeneration};
use ticketing_ports::log::streams::{
    Aggregate, CorrelationId, Metadata, NewEvent, Position, RecordedEvent, StreamId, Version,
};
use ticketing_ports::vocabulary::trace_context::TraceContext;
use uuid::Uuid;

use super::fixtures::{
    answer, at, commit_id, deadline, event, events, found_answer, full_metadata, key, lane, leased, payloads, stream,
    trace, user, whole_log, whole_stream, write,
};
use super::race::race;
use super::{Backend, Broken, Verdict, ensure, ensure_eq, suite};

suite! { $
    /// Makes a test of every rule for an event store; the expression gives a fresh [`Backend`](crate::conformance::Backend).
    event_store_conformance in event_store for Backend {
        a_commit_is_all_or_nothing,
        a_conflict_in_one_of_several_streams_writes_none,
        versions_of_a_stream_count_from_1_without_gaps,
        a_stale_version_is_a_conflict_and_writes_nothing,
        a_version_from_the_future_is_a_conflict_and_writes_nothing,
        creating_a_stream_that_exists_is_a_conflict_and_writes_nothing,
        a_conflict_names_exactly_the_streams_that_are_elsewhere,
        exactly_one_racing_creator_of_a_stream_wins,
        racing_writers_of_one_stream_take_turns,
        an_append_without_events_only_insists_on_the_version,
        stale_streams_are_named,
        a_commit_that_rests_on_a_lost_past_writes_nothing,
        a_taken_idempotency_key_writes_nothing,
        positions_are_gapless_and_in_commit_order,
        positions_stay_gapless_under_racing_writers,
        the_events_of_one_commit_stand_together_in_the_order_of_its_appends,
        a_receipt_says_where_the_events_landed,
        a_reader_never_skips,
        what_was_read_once_is_read_again,
        what_is_written_is_read_back_unchanged,
        every_event_names_the_lane_of_its_commit,
        any_bytes_can_be_a_payload,
        a_payload_of_1_mib_is_kept,
        a_commit_of_5000_events_is_kept,
        types_and_schema_versions_are_kept,
        metadata_is_kept_present_or_absent,
        times_are_kept_to_the_microsecond,
        times_of_other_centuries_are_kept,
        streams_of_different_aggregates_with_one_id_are_apart,
        a_commit_can_be_looked_up_by_its_id,
        a_refused_commit_leaves_no_trace,
        the_same_commit_twice_is_written_once,
        the_same_commit_racing_with_itself_is_written_once,
        a_repeated_commit_leaves_later_deadlines_alone,
        a_commit_without_events_is_allowed,
        a_log_keeps_its_id_and_begins_with_its_first_incarnation,
        an_incarnation_is_raised_once_although_several_notice,
        an_incarnation_is_raised_above_any_that_was_seen,
        a_receipt_carries_the_incarnation_in_force,
        the_commit_at_a_position_is_the_one_that_wrote_the_fact_there,
        the_schema_floor_begins_with_the_first_generation_and_never_sinks,
        a_stream_is_read_page_by_page,
        several_streams_are_read_one_after_another,
        a_limit_counts_the_facts_of_all_streams,
        the_log_is_read_page_by_page,
        a_limit_of_0_reads_nothing,
        past_the_end_there_is_nothing,
        an_unknown_stream_is_empty,
        the_head_is_the_position_of_the_newest_event,
    }
}

async fn a_commit_is_all_or_nothing(backend: &Backend) -> Verdict {
    let receipt = write(1)
        .append(stream(1), 0, events(2))
        .append(stream(2), 0, events(1))
        .set(deadline(1, at(10)))
        .answer(answer(key(1, "buy"), "bought", at(0)))
        .to(backend)
        .await?;
    ensure_eq!(receipt, receipt_of(1, 3), "receipt");
    ensure_eq!(
        whole_stream(backend, stream(1)).await?.len(),
        2,
        "events of the first stream"
    );
    ensure_eq!(
        whole_stream(backend, stream(2)).await?.len(),
        1,
        "events of the second stream"
    );
    let due = leased(backend, at(10), SECOND, 10).await?;
    ensure_eq!(due, [deadline(1, at(10))], "deadlines");
    let found = found_answer(backend, &key(1, "buy")).await?;
    ensure!(found.is_some(), "the answer of the commit is missing");

    let before = whole_log(backend).await?;
    write(2)
        .append(stream(3), 0, events(1))
        .append(stream(2), 0, events(1))
        .set(deadline(2, at(10)))
        .answer(answer(key(1, "again"), "bought", at(0)))
        .conflicts_at(backend)
        .await?;
    ensure_eq!(whole_log(backend).await?, before, "the log after a conflict");
    let due = leased(backend, at(10), SECOND, 10).await?;
    ensure_eq!(due, [], "deadlines of a refused commit");
    let found = found_answer(backend, &key(1, "again")).await?;
    ensure_eq!(found, None, "answer of a refused commit");
    Ok(())
}

async fn a_conflict_in_one_of_several_streams_writes_none(backend: &Backend) -> Verdict {
    write(1).append(stream(5), 0, events(1)).to(backend).await?;
    for (number, stale) in (0..10).enumerate() {
        let mut draft = write(100 + number);
        for other in 0..10 {
            let stream = if other == stale {
                stream(5)
            } else {
                stream(1000 + other)
            };
            draft = draft.append(stream, 0, events(1));
        }
        let named = draft.conflicts_at(backend).await?;
        ensure_eq!(named, [stream(5)], "streams of the conflict");
    }
    ensure_eq!(whole_log(backend).await?.len(), 1, "events in the log");
    Ok(())
}

async fn versions_of_a_stream_count_from_1_without_gaps(backend: &Backend) -> Verdict {
    let mut expected = 0;
    for (number, size) in [1, 3, 1, 7].into_iter().enumerate() {
        write(number)
            .append(stream(1), expected, events(size))
            .append(stream(100 + number), 0, events(2))
            .to(backend)
            .await?;
        expected += size as u64;
    }
    let versions: Vec<u64> = whole_stream(backend, stream(1))
        .await?
        .iter()
        .map(|event| event.version.0)
        .collect();
    ensure_eq!(versions, (1..=12).collect::<Vec<u64>>(), "versions");
    Ok(())
}

async fn a_stale_version_is_a_conflict_and_writes_nothing(backend: &Backend) -> Verdict {
    write(1).append(stream(1), 0, events(3)).to(backend).await?;
    for stale in [1, 2] {
        let named = write(2)
            .append(stream(1), stale, events(1))
            .conflicts_at(backend)
            .await?;
        ensure_eq!(named, [stream(1)], "streams of the conflict");
    }
    ensure_eq!(whole_log(backend).await?.len(), 3, "events in the log");
    write(3).append(stream(1), 3, events(1)).to(backend).await?;
    Ok(())
}

async fn a_version_from_the_future_is_a_conflict_and_writes_nothing(backend: &Backend) -> Verdict {
    write(1).append(stream(1), 0, events(3)).to(backend).await?;
    for future in [4, 5, 1 << 40, u64::MAX] {
        let named = write(2)
            .append(stream(1), future, events(1))
            .conflicts_at(backend)
            .await?;
        ensure_eq!(named, [stream(1)], "streams of the conflict");
    }
    let named = write(2).append(stream(2), 1, events(1)).conflicts_at(backend).await?;
    ensure_eq!(named, [stream(2)], "a stream that does not exist yet");
    ensure_eq!(whole_log(backend).await?.len(), 3, "events in the log");
    Ok(())
}

async fn creating_a_stream_that_exists_is_a_conflict_and_writes_nothing(backend: &Backend) -> Verdict {
    write(1).append(stream(1), 0, events(1)).to(backend).await?;
    let named = write(2).append(stream(1), 0, events(1)).conflicts_at(backend).await?;
    ensure_eq!(named, [stream(1)], "streams of the conflict");
    ensure_eq!(whole_log(backend).await?.len(), 1, "events in the log");
    Ok(())
}

async fn a_conflict_names_exactly_the_streams_that_are_elsewhere(backend: &Backend) -> Verdict {
    for number in 1..=4 {
        write(number).append(stream(number), 0, events(2)).to(backend).await?;
    }
    let named = write(5)
        .append(stream(1), 2, events(1))
        .append(stream(2), 1, events(1))
        .append(stream(3), 9, events(1))
        .append(stream(4), 0, events(1))
        .append(stream(5), 0, events(1))
        .append(stream(6), 1, events(1))
        .conflicts_at(backend)
        .await?;
    ensure_eq!(
        named,
        [stream(2), stream(3), stream(4), stream(6)],
        "streams of the conflict"
    );
    Ok(())
}

async fn exactly_one_racing_creator_of_a_stream_wins(backend: &Backend) -> Verdict {
    let outcomes = race(16, |racer| {
        let backend = backend.clone();
        async move { write(racer).append(stream(1), 0, events(2)).to(&backend).await }
    })
    .await?;
    let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    ensure_eq!(winners, 1, "winners");
    for loser in outcomes.into_iter().filter_map(Result::err) {
        ensure!(matches!(loser, CommitError::Conflict { .. }), "a loser got {loser:?}");
    }
    ensure_eq!(whole_log(backend).await?.len(), 2, "events in the log");
    Ok(())
}

async fn racing_writers_of_one_stream_take_turns(backend: &Backend) -> Verdict {
    const WORKERS: usize = 5;
    const TURNS: usize = 10;
    let outcomes = race(WORKERS, |worker| {
        let backend = backend.clone();
        async move {
            for turn in 0..TURNS {
                add_one(&backend, worker * 1000 + turn * 100_000).await?;
            }
            Ok::<_, Broken>(())
        }
    })
    .await?;
    outcomes.into_iter().collect::<Result<Vec<()>, Broken>>()?;
    let counted = whole_stream(backend, stream(1)).await?;
    ensure_eq!(counted.len(), WORKERS * TURNS, "increments");
    for (before, event) in counted.iter().enumerate() {
        ensure_eq!(
            event.data,
            before.to_string().into_bytes(),
            "what the increment was decided on"
        );
    }
    Ok(())
}

/// Compare and set: writes down how many events there were, until nobody was faster.
async fn add_one(backend: &Backend, first_commit: usize) -> Verdict {
    const MORE_THAN_ALL_TURNS: usize = 500;
    for attempt in 0..MORE_THAN_ALL_TURNS {
        let seen = whole_stream(backend, stream(1)).await?.len();
        // Between reading and writing the others get a chance, also when the store never waits.
        tokio::task::yield_now().await;
        let draft = write(first_commit + attempt).append(stream(1), seen as u64, vec![event(seen.to_string())]);
        match draft.to(backend).await {
            Ok(_) => return Ok(()),
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Broken::because("a writer never got its turn"))
}

async fn an_append_without_events_only_insists_on_the_version(backend: &Backend) -> Verdict {
    write(1).append(stream(1), 0, events(3)).to(backend).await?;
    let insisting = |number, version| {
        write(number)
            .append(stream(2), 0, events(1))
            .append(stream(1), version, Vec::new())
    };
    for elsewhere in [0, 2, 4] {
        let named = insisting(2, elsewhere).conflicts_at(backend).await?;
        ensure_eq!(named, [stream(1)], "streams of the conflict");
    }
    ensure_eq!(whole_log(backend).await?.len(), 3, "events in the log");
    insisting(3, 3).to(backend).await?;
    ensure_eq!(
        whole_stream(backend, stream(1)).await?.len(),
        3,
        "events that were insisted on"
    );
    // A stream that must not exist does not come into being, and neither does its version move.
    write(4).append(stream(3), 0, Vec::new()).to(backend).await?;
    write(5)
        .append(stream(3), 0, events(1))
        .append(stream(1), 3, Vec::new())
        .to(backend)
        .await?;
    ensure_eq!(whole_log(backend).await?.len(), 5, "events in the log");
    Ok(())
}

async fn stale_streams_are_named(backend: &Backend) -> Verdict {
    write(1)
        .append(stream(1), 0, events(3))
        .append(stream(2), 0, events(1))
        .to(backend)
        .await?;
    let stale_among = async |seen: &[(usize, u64)]| {
        let seen: Vec<_> = seen
            .iter()
            .map(|(id, version)| (stream(*id), Version(*version)))
            .collect();
        let mut moved = backend.store.stale_among(&seen).await?;
        moved.sort_unstable();
        Ok::<_, Broken>(moved)
    };
    ensure_eq!(
        stale_among(&[(1, 3), (2, 1), (3, 0)]).await?,
        [],
        "streams as they were seen"
    );
    ensure_eq!(stale_among(&[]).await?, [], "of no streams");
    for (first, second) in [(2, 0), (4, 2), (0, u64::MAX)] {
        let moved = stale_among(&[(1, first), (3, 0), (2, second)]).await?;
        ensure_eq!(moved, [stream(1), stream(2)], "streams elsewhere");
    }
    ensure_eq!(
        stale_among(&[(1, 3), (3, 1)]).await?,
        [stream(3)],
        "a stream that does not exist"
    );
    Ok(())
}

async fn a_commit_that_rests_on_a_lost_past_writes_nothing(backend: &Backend) -> Verdict {
    write(1).append(stream(1), 0, events(2)).to(backend).await?;
    write(2).append(stream(2), 0, events(1)).to(backend).await?;
    let next = |number, version| {
        write(number)
            .append(stream(1), version, events(1))
            .set(deadline(1, at(10)))
            .answer(answer(key(1, "buy"), "bought", at(0)))
    };
    let before = whole_log(backend).await?;
    // Another fact stands there, or none: also when it is the last of several, or the commit would conflict besides.
    for lost in [
        next(3, 2).remembers(1, 2),
        next(3, 2).remembers(3, 1),
        next(3, 2).remembers(4, 2),
        next(3, 2).remembers(u64::MAX, 2),
        next(3, 2).remembers(3, 2).remembers(2, 9),
        next(3, 2).remembers(2, 1).remembers(4, 3),
        next(3, 7).remembers(4, 3),
    ] {
        let outcome = lost.to(backend).await;
        if !matches!(outcome, Err(CommitError::LostPast)) {
            return Err(Broken::because(format!("{outcome:?} instead of a lost past")));
        }
    }
    ensure_eq!(whole_log(backend).await?, before, "the log");
    ensure_eq!(leased(backend, at(10), SECOND, 10).await?, [], "deadlines");
    ensure_eq!(found_answer(backend, &key(1, "buy")).await?, None, "an answer");
    // What is remembered rightly is in nobody's way, and who has written already is told so whatever is remembered.
    let kept = next(3, 2).remembers(1, 1).remembers(2, 1).remembers(3, 2);
    let receipt = kept.to(backend).await?;
    ensure_eq!(receipt, receipt_of(4, 4), "receipt");
    let again = next(3, 2).remembers(1, 2).to(backend).await?;
    ensure_eq!(again, receipt, "the receipt of a commit that is there already");
    Ok(())
}

async fn a_taken_idempotency_key_writes_nothing(backend: &Backend) -> Verdict {
    write(1)
        .answer(answer(key(1, "buy"), "first", at(0)))
        .to(backend)
        .await?;
    let second = write(2)
        .append(stream(1), 0, events(1))
        .set(deadline(1, at(10)))
        .answer(answer(key(1, "other"), "second", at(0)))
        .answer(answer(key(1, "buy"), "second", at(0)))
        .to(backend)
        .await;
    let Err(CommitError::KeyTaken { key: taken }) = second else {
        return Err(Broken::because(format!("{second:?} instead of a taken key")));
    };
    ensure_eq!(taken, key(1, "buy"), "the taken key");
    ensure_eq!(whole_log(backend).await?, [], "the log");
    ensure_eq!(leased(backend, at(10), SECOND, 10).await?, [], "deadlines");
    let other = found_answer(backend, &key(1, "other")).await?;
    ensure_eq!(other, None, "another answer of the same commit");
    let kept = found_answer(backend, &key(1, "buy")).await?;
    ensure_eq!(kept, Some(answer(key(1, "buy"), "first", at(0))), "the first answer");
    Ok(())
}

async fn positions_are_gapless_and_in_commit_order(backend: &Backend) -> Verdict {
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

async fn positions_stay_gapless_under_racing_writers(backend: &Backend) -> Verdict {
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

async fn the_events_of_one_commit_stand_together_in_the_order_of_its_appends(backend: &Backend) -> Verdict {
    let receipts = race(16, |writer| {
        let backend = backend.clone();
        async move {
            // Later numbers first: neither the order of the ids nor that of the streams is that of the appends.
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

async fn a_receipt_says_where_the_events_landed(backend: &Backend) -> Verdict {
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

/// Readers poll while writers race; whatever they have seen has to be a prefix of the log, gap by gap.
async fn a_reader_never_skips(backend: &Backend) -> Verdict {
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

async fn what_was_read_once_is_read_again(backend: &Backend) -> Verdict {
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

async fn what_is_written_is_read_back_unchanged(backend: &Backend) -> Verdict {
    let first = NewEvent {
        event_type: Cow::Borrowed("seats_held"),
        event_version: 3,
        data: br#"{"seats":["A-1","A-2"]}"#.to_vec(),
        metadata: full_metadata(),
    };
    let second = event("{}");
    write(1)
        .at(at(99))
        .of(lane(7))
        .append(stream(1), 0, vec![first.clone(), second.clone()])
        .to(backend)
        .await?;
    let recorded: Vec<RecordedEvent> = [first, second]
        .into_iter()
        .zip(1..)
        .map(|(new, number)| RecordedEvent {
            position: Position(number),
            stream: stream(1),
            version: Version(number),
            lane: lane(7),
            commit_id: commit_id(1),
            event_type: new.event_type,
            event_version: new.event_version,
            data: new.data,
            metadata: new.metadata,
            recorded_at: at(99),
        })
        .collect();
    ensure_eq!(whole_stream(backend, stream(1)).await?, recorded, "the stream");
    ensure_eq!(whole_log(backend).await?, recorded, "the log");
    Ok(())
}

async fn every_event_names_the_lane_of_its_commit(backend: &Backend) -> Verdict {
    for number in 1..=3 {
        write(number)
            .of(lane(number))
            .append(stream(number), 0, events(2))
            .append(stream(10 + number), 0, events(1))
            .to(backend)
            .await?;
    }
    let lanes: Vec<_> = [1, 1, 1, 2, 2, 2, 3, 3, 3].map(lane).to_vec();
    let told: Vec<_> = whole_log(backend).await?.iter().map(|event| event.lane).collect();
    ensure_eq!(told, lanes, "lanes of the log");
    let told: Vec<_> = whole_stream(backend, stream(12))
        .await?
        .iter()
        .map(|event| event.lane)
        .collect();
    ensure_eq!(told, [lane(2)], "lanes of a stream");
    Ok(())
}

async fn any_bytes_can_be_a_payload(backend: &Backend) -> Verdict {
    let every_byte: Vec<u8> = (0..=255).collect();
    let written: [&[u8]; 6] = [
        b"",
        b"\0",
        b"  padded\r\n\t",
        "Zażółć gęślą jaźń 🎟 \u{202e}".as_bytes(),
        br#"{"b":1, "a":1.0, "a":1e400}"#,
        &every_byte,
    ];
    let new = written.iter().copied().map(event).collect();
    write(1).append(stream(1), 0, new).to(backend).await?;
    ensure_eq!(payloads(&whole_stream(backend, stream(1)).await?), written, "payloads");
    ensure_eq!(payloads(&whole_log(backend).await?), written, "payloads");
    Ok(())
}

async fn a_payload_of_1_mib_is_kept(backend: &Backend) -> Verdict {
    let large: Vec<u8> = (0..1 << 20).map(|byte: u32| (byte % 251) as u8).collect();
    write(1)
        .append(
            stream(1),
            0,
            vec![event("before"), event(large.clone()), event("after")],
        )
        .to(backend)
        .await?;
    let stored = whole_stream(backend, stream(1)).await?;
    ensure_eq!(payloads(&stored), [b"before".as_slice(), &large, b"after"], "payloads");
    Ok(())
}

async fn a_commit_of_5000_events_is_kept(backend: &Backend) -> Verdict {
    let mut draft = write(1).append(stream(0), 0, events(2000));
    for number in 1..=1000 {
        draft = draft
            .append(stream(number), 0, events(3))
            .set(deadline(number, at(number as i64)))
            .answer(answer(key(number, "bulk"), "done", at(0)));
    }
    let receipt = draft.to(backend).await?;
    ensure_eq!(receipt, receipt_of(1, 5000), "receipt");
    let log = whole_log(backend).await?;
    ensure_gapless(&log, 5000)?;
    let written: Vec<NewEvent> = events(2000)
        .into_iter()
        .chain((0..1000).flat_map(|_| events(3)))
        .collect();
    ensure!(
        log.iter()
            .map(|event| &event.data)
            .eq(written.iter().map(|event| &event.data)),
        "the payloads of a large commit are mixed up"
    );
    let due = leased(backend, at(1000), SECOND, 5000).await?;
    ensure_eq!(due.len(), 1000, "deadlines");
    for number in [1, 500, 1000] {
        let found = found_answer(backend, &key(number, "bulk")).await?;
        ensure!(found.is_some(), "answer {number} of a large commit is missing");
    }
    Ok(())
}

async fn types_and_schema_versions_are_kept(backend: &Backend) -> Verdict {
    let long = "x".repeat(200);
    let written: Vec<(&str, u16)> = vec![("seats_held", 1), ("héld-ß", 255), ("A b", 256), (&long, u16::MAX)];
    let new = written
        .iter()
        .map(|&(name, version)| NewEvent {
            event_type: Cow::Owned(name.to_owned()),
            event_version: version,
            ..event("{}")
        })
        .collect();
    write(1).append(stream(1), 0, new).to(backend).await?;
    let stored = whole_stream(backend, stream(1)).await?;
    let stored: Vec<(&str, u16)> = stored
        .iter()
        .map(|event| (&*event.event_type, event.event_version))
        .collect();
    ensure_eq!(stored, written, "types and schema versions");
    Ok(())
}

async fn metadata_is_kept_present_or_absent(backend: &Backend) -> Verdict {
    let longest = "~".repeat(CorrelationId::MAX_LENGTH);
    let longest_state = format!("quo\"te=\\{}", "~".repeat(TraceContext::MAX_STATE_LENGTH - 8));
    let correlations = [
        None,
        CorrelationId::parse(r#"quo"te\and{brace}"#),
        CorrelationId::parse(&longest),
    ];
    let written: Vec<Metadata> = correlations
        .into_iter()
        .flat_map(|correlation_id| {
            [None, Some(user(1))].map(|actor| Metadata {
                correlation_id: correlation_id.clone(),
                actor,
                trace: None,
            })
        })
        .chain([None, trace(&[]), trace(&[&longest_state])].map(|trace| Metadata {
            trace,
            ..Metadata::default()
        }))
        .collect();
    let new = written
        .iter()
        .map(|metadata| NewEvent {
            metadata: metadata.clone(),
            ..event("{}")
        })
        .collect();
    write(1).append(stream(1), 0, new).to(backend).await?;
    let stored: Vec<Metadata> = whole_log(backend)
        .await?
        .into_iter()
        .map(|event| event.metadata)
        .collect();
    ensure_eq!(stored, written, "metadata");
    Ok(())
}

async fn times_are_kept_to_the_microsecond(backend: &Backend) -> Verdict {
    let written: Vec<_> = [0, 1, 999_999]
        .map(|micros| at(0) + TimeDelta::microseconds(micros))
        .to_vec();
    for (number, time) in written.iter().enumerate() {
        write(number)
            .at(*time)
            .append(stream(number), 0, events(1))
            .to(backend)
            .await?;
    }
    let stored: Vec<_> = whole_log(backend)
        .await?
        .iter()
        .map(|event| event.recorded_at)
        .collect();
    ensure_eq!(stored, written, "times");
    Ok(())
}

async fn times_of_other_centuries_are_kept(backend: &Backend) -> Verdict {
    let written: Vec<_> = [(1, 1, 1), (1969, 12, 31), (1970, 1, 1), (9999, 12, 31)]
        .into_iter()
        .filter_map(|(year, month, day)| Utc.with_ymd_and_hms(year, month, day, 23, 59, 59).single())
        .map(|time| time + TimeDelta::microseconds(999_999))
        .collect();
    for (number, time) in written.iter().enumerate() {
        write(number)
            .at(*time)
            .append(stream(number), 0, events(1))
            .to(backend)
            .await?;
    }
    let stored: Vec<_> = whole_log(backend)
        .await?
        .iter()
        .map(|event| event.recorded_at)
        .collect();
    ensure_eq!(stored, written, "times");
    Ok(())
}

async fn streams_of_different_aggregates_with_one_id_are_apart(backend: &Backend) -> Verdict {
    let streams = Aggregate::ALL.map(|aggregate| StreamId::new(aggregate, Uuid::from_u128(7)));
    for (number, stream) in streams.into_iter().enumerate() {
        write(number).append(stream, 0, events(number + 1)).to(backend).await?;
    }
    for (number, stream) in streams.into_iter().enumerate() {
        let stored = whole_stream(backend, stream).await?;
        ensure_eq!(stored.len(), number + 1, "events of {stream}");
        ensure!(
            stored.iter().all(|event| event.stream == stream),
            "an event of {stream} names another stream"
        );
    }
    Ok(())
}

async fn a_commit_can_be_looked_up_by_its_id(backend: &Backend) -> Verdict {
    let mut written = BTreeMap::new();
    for number in 1..=3 {
        let receipt = write(number)
            .append(stream(number), 0, events(number))
            .to(backend)
            .await?;
        written.insert(number, receipt);
    }
    for (number, receipt) in written {
        let found = backend.store.find_commit(commit_id(number)).await?;
        ensure_eq!(found, Some(receipt), "commit {number}");
    }
    ensure_eq!(
        backend.store.find_commit(commit_id(4)).await?,
        None,
        "a commit that nobody sent"
    );
    Ok(())
}

async fn a_refused_commit_leaves_no_trace(backend: &Backend) -> Verdict {
    write(1)
        .append(stream(1), 0, events(1))
        .answer(answer(key(1, "buy"), "bought", at(0)))
        .to(backend)
        .await?;
    write(2).append(stream(1), 0, events(1)).conflicts_at(backend).await?;
    let taken = write(3).answer(answer(key(1, "buy"), "again", at(0))).to(backend).await;
    ensure!(
        matches!(taken, Err(CommitError::KeyTaken { .. })),
        "{taken:?} instead of a taken key"
    );
    for refused in [2, 3] {
        let found = backend.store.find_commit(commit_id(refused)).await?;
        ensure_eq!(found, None, "refused commit {refused}");
    }
    let corrected = write(2).append(stream(1), 1, events(1)).to(backend).await?;
    ensure_eq!(corrected, receipt_of(2, 2), "the refused commit, corrected");
    Ok(())
}

async fn the_same_commit_twice_is_written_once(backend: &Backend) -> Verdict {
    let draft = write(1)
        .append(stream(1), 0, events(2))
        .answer(answer(key(1, "buy"), "bought", at(0)));
    let first = draft.clone().to(backend).await?;
    write(2).append(stream(1), 2, events(1)).to(backend).await?;
    let second = draft.to(backend).await?;
    ensure_eq!(second, first, "receipt of the second call");
    ensure_eq!(whole_log(backend).await?.len(), 3, "events in the log");
    Ok(())
}

async fn the_same_commit_racing_with_itself_is_written_once(backend: &Backend) -> Verdict {
    let receipts = race(16, |_| {
        let backend = backend.clone();
        async move {
            let draft = write(1).append(stream(1), 0, events(2));
            draft.answer(answer(key(1, "buy"), "bought", at(0))).to(&backend).await
        }
    })
    .await?;
    for receipt in receipts {
        ensure_eq!(receipt?, receipt_of(1, 2), "receipt");
    }
    ensure_eq!(whole_log(backend).await?.len(), 2, "events in the log");
    Ok(())
}

async fn a_repeated_commit_leaves_later_deadlines_alone(backend: &Backend) -> Verdict {
    let set = write(1).set(deadline(1, at(1)));
    set.clone().to(backend).await?;
    write(2).clear(deadline(1, at(1)).key).to(backend).await?;
    set.to(backend).await?;
    let due = leased(backend, at(10), SECOND, 10).await?;
    ensure_eq!(due, [], "deadlines that were cleared after the commit's first arrival");
    Ok(())
}

async fn a_commit_without_events_is_allowed(backend: &Backend) -> Verdict {
    let nowhere = CommitReceipt {
        first: Position::START,
        last: Position::START,
        incarnation: Incarnation::FIRST,
    };
    write(1).append(stream(1), 0, events(1)).to(backend).await?;
    let receipt = write(2)
        .set(deadline(1, at(1)))
        .answer(answer(key(1, "buy"), "bought", at(0)))
        .to(backend)
        .await?;
    ensure_eq!(receipt, nowhere, "receipt");
    let found = backend.store.find_commit(commit_id(2)).await?;
    ensure_eq!(found, Some(nowhere), "the commit when it is looked up");
    ensure_eq!(
        write(3).to(backend).await?,
        nowhere,
        "receipt of a commit with nothing in it"
    );
    ensure_eq!(backend.store.head().await?, Position(1), "head");
    let due = leased(backend, at(1), SECOND, 10).await?;
    ensure_eq!(due, [deadline(1, at(1))], "deadlines");
    let found = found_answer(backend, &key(1, "buy")).await?;
    ensure!(found.is_some(), "the answer of a commit without events is missing");
    Ok(())
}

async fn a_log_keeps_its_id_and_begins_with_its_first_incarnation(backend: &Backend) -> Verdict {
    let identity = backend.store.identity().await?;
    ensure_eq!(identity.incarnation, Incarnation::FIRST, "incarnation of a new log");
    write(1).append(stream(1), 0, events(2)).to(backend).await?;
    ensure_eq!(backend.store.identity().await?, identity, "identity after a commit");
    backend.store.raise_incarnation(Incarnation::FIRST).await?;
    let raised = backend.store.identity().await?;
    ensure_eq!(raised.log, identity.log, "id of the log in its next life");
    Ok(())
}

async fn an_incarnation_is_raised_once_although_several_notice(backend: &Backend) -> Verdict {
    for life in 1..=3 {
        let seen = Incarnation(life);
        let answers = race(8, |_| {
            let backend = backend.clone();
            async move { backend.store.raise_incarnation(seen).await }
        })
        .await?;
        for answer in answers {
            ensure_eq!(answer?, seen.next(), "incarnation that is answered");
        }
        ensure_eq!(
            backend.store.identity().await?.incarnation,
            seen.next(),
            "incarnation in force"
        );
    }
    let late = backend.store.raise_incarnation(Incarnation::FIRST).await?;
    ensure_eq!(late, Incarnation(4), "incarnation for who has seen an old one");
    Ok(())
}

async fn an_incarnation_is_raised_above_any_that_was_seen(backend: &Backend) -> Verdict {
    let raised = backend.store.raise_incarnation(Incarnation(7)).await?;
    ensure_eq!(raised, Incarnation(8), "incarnation that is answered");
    let identity = backend.store.identity().await?;
    ensure_eq!(identity.incarnation, Incarnation(8), "incarnation in force");
    Ok(())
}

async fn a_receipt_carries_the_incarnation_in_force(backend: &Backend) -> Verdict {
    let draft = write(1).append(stream(1), 0, events(1));
    let first = draft.clone().to(backend).await?;
    ensure_eq!(first.incarnation, Incarnation::FIRST, "incarnation of a receipt");
    let raised = backend.store.raise_incarnation(Incarnation::FIRST).await?;
    for (what, receipt) in [
        ("repeated", Some(draft.to(backend).await?)),
        ("looked up", backend.store.find_commit(commit_id(1)).await?),
        ("new", Some(write(2).append(stream(1), 1, events(1)).to(backend).await?)),
        ("without events", Some(write(3).to(backend).await?)),
    ] {
        let incarnation = receipt.map(|receipt| receipt.incarnation);
        ensure_eq!(incarnation, Some(raised), "incarnation of the receipt that is {what}");
    }
    Ok(())
}

async fn the_commit_at_a_position_is_the_one_that_wrote_the_fact_there(backend: &Backend) -> Verdict {
    let at = async |position| Ok::<_, Broken>(backend.store.commit_at(Position(position)).await?);
    ensure_eq!(at(0).await?, None, "commit at the start of an empty log");
    ensure_eq!(at(1).await?, None, "commit past the end of an empty log");
    for number in 1..=3 {
        write(number)
            .append(stream(number), 0, events(number))
            .to(backend)
            .await?;
        write(10 + number)
            .set(deadline(1, super::fixtures::at(1)))
            .to(backend)
            .await?;
    }
    for (position, number) in [1, 2, 2, 3, 3, 3].into_iter().zip(1..) {
        ensure_eq!(at(number).await?, Some(commit_id(position)), "commit at {number}");
    }
    for nowhere in [0, 7, 8, u64::MAX] {
        ensure_eq!(at(nowhere).await?, None, "commit at {nowhere}");
    }
    Ok(())
}

async fn several_streams_are_read_one_after_another(backend: &Backend) -> Verdict {
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

async fn a_limit_counts_the_facts_of_all_streams(backend: &Backend) -> Verdict {
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

async fn the_schema_floor_begins_with_the_first_generation_and_never_sinks(backend: &Backend) -> Verdict {
    let floor = backend.store.schema_floor().await?;
    ensure_eq!(floor, SchemaGeneration::FIRST, "floor of a new log");
    for (to, in_force) in [(3, 3), (2, 3), (3, 3), (7, 7), (1, 7)] {
        let raised = backend.store.raise_schema_floor(SchemaGeneration(to)).await?;
        ensure_eq!(raised, SchemaGeneration(in_force), "floor when it is raised to {to}");
        let floor = backend.store.schema_floor().await?;
        ensure_eq!(floor, raised, "floor in force");
    }
    Ok(())
}

async fn a_stream_is_read_page_by_page(backend: &Backend) -> Verdict {
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

async fn the_log_is_read_page_by_page(backend: &Backend) -> Verdict {
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

async fn a_limit_of_0_reads_nothing(backend: &Backend) -> Verdict {
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

async fn past_the_end_there_is_nothing(backend: &Backend) -> Verdict {
    write(1).append(stream(1), 0, events(2)).to(backend).await?;
    for after in [2, 3, u64::MAX] {
        let stream = backend.store.read_stream(stream(1), Version(after), usize::MAX).await?;
        ensure_eq!(stream, [], "events of the stream after {after}");
        let log = backend.store.read_all(Position(after), usize::MAX).await?;
        ensure_eq!(log, [], "events of the log after {after}");
    }
    Ok(())
}

async fn an_unknown_stream_is_empty(backend: &Backend) -> Verdict {
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

async fn the_head_is_the_position_of_the_newest_event(backend: &Backend) -> Verdict {
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

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

fn receipt_of(first: u64, last: u64) -> CommitReceipt {
    CommitReceipt {
        first: Position(first),
        last: Position(last),
        incarnation: Incarnation::FIRST,
    }
}

fn ensure_gapless(log: &[RecordedEvent], count: u64) -> Verdict {
    let positions: Vec<u64> = log.iter().map(|event| event.position.0).collect();
    ensure!(
        positions.iter().copied().eq(1..=count),
        "positions are not 1 to {count}: {positions:?}"
    );
    Ok(())
}
