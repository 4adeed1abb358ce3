//! When an event store must refuse a commit. A refused commit must write nothing.

use ticketing_ports::log::event_store::{CommitError, Memory};
use ticketing_ports::log::identity::Landmark;
use ticketing_ports::log::streams::{Position, Version};

use super::expected::{SECOND, receipt_of};
use crate::conformance::fixtures::{
    answer, at, commit_id, deadline, event, events, found_answer, key, leased, stream, whole_log, whole_stream, write,
};
use crate::conformance::race::race;
use crate::conformance::{Backend, Broken, Verdict, ensure, ensure_eq};

pub(super) async fn a_commit_is_all_or_nothing(backend: &Backend) -> Verdict {
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

pub(super) async fn a_conflict_in_one_of_several_streams_writes_none(backend: &Backend) -> Verdict {
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

pub(super) async fn versions_of_a_stream_count_from_1_without_gaps(backend: &Backend) -> Verdict {
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

pub(super) async fn a_stale_version_is_a_conflict_and_writes_nothing(backend: &Backend) -> Verdict {
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

pub(super) async fn a_version_from_the_future_is_a_conflict_and_writes_nothing(backend: &Backend) -> Verdict {
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

pub(super) async fn creating_a_stream_that_exists_is_a_conflict_and_writes_nothing(backend: &Backend) -> Verdict {
    write(1).append(stream(1), 0, events(1)).to(backend).await?;
    let named = write(2).append(stream(1), 0, events(1)).conflicts_at(backend).await?;
    ensure_eq!(named, [stream(1)], "streams of the conflict");
    ensure_eq!(whole_log(backend).await?.len(), 1, "events in the log");
    Ok(())
}

pub(super) async fn a_conflict_names_exactly_the_streams_that_are_elsewhere(backend: &Backend) -> Verdict {
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

pub(super) async fn exactly_one_racing_creator_of_a_stream_wins(backend: &Backend) -> Verdict {
    let outcomes = race(16, |racer| {
        let backend = backend.clone();
        async move { write(racer).append(stream(1), 0, events(2)).to(&backend).await }
    })
    .await?;
    let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    ensure_eq!(winners, 1, "number of racers whose commit was written");
    for loser in outcomes.into_iter().filter_map(Result::err) {
        ensure!(
            matches!(loser, CommitError::Conflict { .. }),
            "a racer that lost got {loser:?} instead of a conflict"
        );
    }
    ensure_eq!(whole_log(backend).await?.len(), 2, "events in the log");
    Ok(())
}

pub(super) async fn racing_writers_of_one_stream_take_turns(backend: &Backend) -> Verdict {
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
    ensure_eq!(counted.len(), WORKERS * TURNS, "number of increments in the stream");
    for (before, event) in counted.iter().enumerate() {
        ensure_eq!(
            event.data,
            before.to_string().into_bytes(),
            "number of events that the increment was decided on"
        );
    }
    Ok(())
}

/// Appends an event that says how many events there were before. Tries again after each conflict.
async fn add_one(backend: &Backend, first_commit: usize) -> Verdict {
    const MORE_THAN_ALL_TURNS: usize = 500;
    for attempt in 0..MORE_THAN_ALL_TURNS {
        let seen = whole_stream(backend, stream(1)).await?.len();
        // The other writers must be able to write between the read and the commit, even if the store never waits.
        tokio::task::yield_now().await;
        let draft = write(first_commit + attempt).append(stream(1), seen as u64, vec![event(seen.to_string())]);
        match draft.to(backend).await {
            Ok(_) => return Ok(()),
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Broken::because("a writer met a conflict at every attempt"))
}

pub(super) async fn an_append_without_events_only_insists_on_the_version(backend: &Backend) -> Verdict {
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
    // A stream that was only required not to exist still does not exist.
    write(4).append(stream(3), 0, Vec::new()).to(backend).await?;
    write(5)
        .append(stream(3), 0, events(1))
        .append(stream(1), 3, Vec::new())
        .to(backend)
        .await?;
    ensure_eq!(whole_log(backend).await?.len(), 5, "events in the log");
    Ok(())
}

pub(super) async fn stale_streams_are_named(backend: &Backend) -> Verdict {
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
        Ok::<_, Broken>(match backend.store.check_memory(&seen, &[]).await? {
            Memory::Stale(mut streams) => {
                streams.sort_unstable();
                streams
            }
            Memory::Current => Vec::new(),
            Memory::OfALostPast => {
                return Err(Broken::because(
                    "the past counts as lost, although no landmark was given",
                ));
            }
        })
    };
    ensure_eq!(
        stale_among(&[(1, 3), (2, 1), (3, 0)]).await?,
        [],
        "stale streams among those that have not changed"
    );
    ensure_eq!(stale_among(&[]).await?, [], "stale streams among no streams");
    for (first, second) in [(2, 0), (4, 2), (0, u64::MAX)] {
        let moved = stale_among(&[(1, first), (3, 0), (2, second)]).await?;
        ensure_eq!(
            moved,
            [stream(1), stream(2)],
            "stale streams among those that have another version"
        );
    }
    ensure_eq!(
        stale_among(&[(1, 3), (3, 1)]).await?,
        [stream(3)],
        "stale streams, one of which does not exist"
    );
    Ok(())
}

pub(super) async fn a_memory_with_a_lost_landmark_is_of_a_lost_past(backend: &Backend) -> Verdict {
    write(1).append(stream(1), 0, events(2)).to(backend).await?;
    write(2).append(stream(2), 0, events(1)).to(backend).await?;
    let check = async |version, landmarks: &[(u64, usize)]| {
        let landmarks: Vec<_> = landmarks
            .iter()
            .map(|(position, number)| Landmark {
                position: Position(*position),
                commit: commit_id(*number),
            })
            .collect();
        backend.store.check_memory(&[(stream(1), version)], &landmarks).await
    };
    let stale = Memory::Stale(vec![stream(1)]);
    for kept in [&[][..], &[(1, 1)], &[(2, 1), (3, 2)]] {
        ensure_eq!(
            check(Version(2), kept).await?,
            Memory::Current,
            "answer to a memory that is right"
        );
        ensure_eq!(
            check(Version(1), kept).await?,
            stale,
            "answer to a memory with an old version"
        );
    }
    // Each landmark names a position and a commit; in each list, the log has another fact at one of the positions, or
    // none. One such landmark is enough for a refusal.
    for lost in [
        &[(1, 2)][..],
        &[(4, 2)],
        &[(u64::MAX, 2)],
        &[(3, 2), (2, 9)],
        &[(2, 1), (4, 3)],
    ] {
        for version in [2, 1] {
            let memory = check(Version(version), lost).await?;
            ensure_eq!(memory, Memory::OfALostPast, "answer to a memory with a lost landmark");
        }
    }
    Ok(())
}

pub(super) async fn a_commit_that_rests_on_a_lost_past_writes_nothing(backend: &Backend) -> Verdict {
    write(1).append(stream(1), 0, events(2)).to(backend).await?;
    write(2).append(stream(2), 0, events(1)).to(backend).await?;
    let next = |number, version| {
        write(number)
            .append(stream(1), version, events(1))
            .set(deadline(1, at(10)))
            .answer(answer(key(1, "buy"), "bought", at(0)))
    };
    let before = whole_log(backend).await?;
    // Each of these commits has a landmark that is not in the log, first or last among several, and in one case a stale
    // version too.
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
            return Err(Broken::because(format!(
                "{outcome:?} instead of the error for a lost past"
            )));
        }
    }
    ensure_eq!(whole_log(backend).await?, before, "the log");
    ensure_eq!(leased(backend, at(10), SECOND, 10).await?, [], "deadlines");
    ensure_eq!(found_answer(backend, &key(1, "buy")).await?, None, "an answer");
    // A commit whose landmarks are all in the log is written. A commit that was written before is answered with its
    // receipt, whatever its landmarks are.
    let kept = next(3, 2).remembers(1, 1).remembers(2, 1).remembers(3, 2);
    let receipt = kept.to(backend).await?;
    ensure_eq!(receipt, receipt_of(4, 4), "receipt");
    let again = next(3, 2).remembers(1, 2).to(backend).await?;
    ensure_eq!(again, receipt, "the receipt of a commit that is there already");
    Ok(())
}

pub(super) async fn a_taken_idempotency_key_writes_nothing(backend: &Backend) -> Verdict {
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
        return Err(Broken::because(format!(
            "{second:?} instead of the error for a taken key"
        )));
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
