//! The conformance tests that every [`IdempotencyStore`](ticketing_ports::log::idempotency::IdempotencyStore) must
//! pass.

use chrono::TimeDelta;
use ticketing_ports::log::event_store::CommitError;
use ticketing_ports::log::idempotency::IdempotencyRecord;

use super::fixtures::{answer, at, events, found_answer, key, stream, whole_log, write};
use super::race::race;
use super::{Backend, Verdict, ensure, ensure_eq, suite};

suite! { $
    /// A macro that makes a test of each rule for recorded answers. Its argument is an expression that returns a new
    /// [`Backend`](crate::conformance::Backend).
    idempotency_store_conformance in idempotency for Backend {
        an_answer_is_found_by_the_user_and_key_that_recorded_it,
        an_answer_is_found_by_nobody_else,
        two_users_may_use_the_same_key,
        several_answers_are_found_at_once,
        an_answer_is_read_back_unchanged,
        keys_are_compared_byte_by_byte,
        exactly_one_of_racing_commits_with_one_key_wins,
        a_key_twice_in_one_commit_is_taken,
        answers_recorded_before_a_time_can_be_forgotten,
        a_forgotten_key_can_be_used_again,
    }
}

async fn an_answer_is_found_by_the_user_and_key_that_recorded_it(backend: &Backend) -> Verdict {
    for name in ["buy", "cancel"] {
        let draft = write(name.len()).answer(answer(key(1, name), name, at(0)));
        draft.to(backend).await?;
    }
    for name in ["buy", "cancel"] {
        let found = found_answer(backend, &key(1, name)).await?;
        ensure_eq!(found, Some(answer(key(1, name), name, at(0))), "answer of {name:?}");
    }
    Ok(())
}

async fn an_answer_is_found_by_nobody_else(backend: &Backend) -> Verdict {
    write(1)
        .answer(answer(key(1, "buy"), "bought", at(0)))
        .to(backend)
        .await?;
    for other in [key(2, "buy"), key(1, "sell"), key(1, "")] {
        ensure_eq!(found_answer(backend, &other).await?, None, "answer of {other:?}");
    }
    Ok(())
}

async fn two_users_may_use_the_same_key(backend: &Backend) -> Verdict {
    for user in [1, 2] {
        let draft = write(user).answer(answer(key(user, "buy"), &format!("for {user}"), at(0)));
        draft.to(backend).await?;
    }
    for user in [1, 2] {
        let found = found_answer(backend, &key(user, "buy")).await?;
        let recorded = answer(key(user, "buy"), &format!("for {user}"), at(0));
        ensure_eq!(found, Some(recorded), "answer of user {user}");
    }
    Ok(())
}

async fn several_answers_are_found_at_once(backend: &Backend) -> Verdict {
    ensure_eq!(backend.idempotency.find_answers(&[]).await?, [], "answers to no keys");
    let recorded: Vec<IdempotencyRecord> = (0..50)
        .map(|number| answer(key(number % 7, &format!("key {number}")), &number.to_string(), at(0)))
        .collect();
    let all = recorded.iter().cloned();
    all.fold(write(1), super::fixtures::Draft::answer).to(backend).await?;
    let unknown = [key(1, "key 0"), key(9, "key 1"), key(1, "")];
    let asked: Vec<_> = recorded.iter().step_by(2).map(|record| record.key.clone()).collect();
    let twice = [&asked[..], &unknown, &asked[..3]].concat();
    let mut found = backend.idempotency.find_answers(&twice).await?;
    found.sort_by(|one, other| one.key.cmp(&other.key));
    let mut expected: Vec<_> = recorded.into_iter().step_by(2).collect();
    expected.sort_by(|one, other| one.key.cmp(&other.key));
    ensure_eq!(found, expected, "answers");
    Ok(())
}

async fn an_answer_is_read_back_unchanged(backend: &Backend) -> Verdict {
    let every_byte: Vec<u8> = (0..=255).collect();
    for (number, bytes) in [Vec::new(), every_byte.repeat(300)].into_iter().enumerate() {
        let recorded = IdempotencyRecord {
            key: key(number, "buy"),
            request_hash: std::array::from_fn(|index| if index == 31 { number as u8 } else { 0xFF - index as u8 }),
            answer: bytes,
            recorded_at: at(7) + TimeDelta::microseconds(1),
        };
        write(number).answer(recorded.clone()).to(backend).await?;
        let found = found_answer(backend, &recorded.key).await?;
        ensure_eq!(found, Some(recorded), "recorded answer");
    }
    Ok(())
}

async fn keys_are_compared_byte_by_byte(backend: &Backend) -> Verdict {
    let long = "k".repeat(255);
    let names = [
        "buy", "Buy", "buy ", " buy", "bu%", "b_y", "'; --", "żółć", "zolc", "1", "01", "1.0", &long,
    ];
    for (number, name) in names.into_iter().enumerate() {
        write(number)
            .answer(answer(key(1, name), name, at(0)))
            .to(backend)
            .await?;
    }
    for name in names {
        let found = found_answer(backend, &key(1, name)).await?;
        ensure_eq!(found, Some(answer(key(1, name), name, at(0))), "answer of {name:?}");
    }
    Ok(())
}

async fn exactly_one_of_racing_commits_with_one_key_wins(backend: &Backend) -> Verdict {
    let outcomes = race(16, |racer| {
        let backend = backend.clone();
        async move {
            let draft = write(racer).append(stream(racer), 0, events(1));
            draft
                .answer(answer(key(1, "buy"), &racer.to_string(), at(0)))
                .to(&backend)
                .await
        }
    })
    .await?;
    let winners: Vec<usize> = (0..16).filter(|racer| outcomes[*racer].is_ok()).collect();
    ensure_eq!(winners.len(), 1, "number of racers whose commit was written");
    for loser in outcomes.into_iter().filter_map(Result::err) {
        ensure!(
            matches!(loser, CommitError::KeyTaken { .. }),
            "a racer that lost got {loser:?} instead of the error for a taken key"
        );
    }
    let log = whole_log(backend).await?;
    ensure!(
        log.len() == 1 && log[0].stream == stream(winners[0]),
        "the log has events of a racer that lost"
    );
    let found = found_answer(backend, &key(1, "buy")).await?;
    ensure_eq!(
        found,
        Some(answer(key(1, "buy"), &winners[0].to_string(), at(0))),
        "the recorded answer of the racer that won"
    );
    Ok(())
}

async fn a_key_twice_in_one_commit_is_taken(backend: &Backend) -> Verdict {
    let twice = write(1)
        .answer(answer(key(1, "buy"), "first", at(0)))
        .answer(answer(key(1, "buy"), "second", at(0)))
        .to(backend)
        .await;
    ensure!(
        matches!(twice, Err(CommitError::KeyTaken { .. })),
        "{twice:?} instead of the error for a taken key"
    );
    ensure_eq!(found_answer(backend, &key(1, "buy")).await?, None, "answer");
    Ok(())
}

async fn answers_recorded_before_a_time_can_be_forgotten(backend: &Backend) -> Verdict {
    for (number, name) in ["old", "older", "just", "new"].into_iter().enumerate() {
        let recorded_at = [at(1), at(0), at(10), at(20)][number];
        write(number)
            .answer(answer(key(1, name), name, recorded_at))
            .to(backend)
            .await?;
    }
    ensure_eq!(
        backend.idempotency.forget_answers(at(0)).await?,
        0,
        "number of forgotten answers that are older than the oldest"
    );
    ensure_eq!(
        backend.idempotency.forget_answers(at(10)).await?,
        2,
        "number of forgotten answers"
    );
    ensure_eq!(
        backend.idempotency.forget_answers(at(10)).await?,
        0,
        "number of answers that were forgotten twice"
    );
    for (name, kept) in [("old", false), ("older", false), ("just", true), ("new", true)] {
        let found = found_answer(backend, &key(1, name)).await?;
        ensure_eq!(found.is_some(), kept, "whether {name:?} is kept");
    }
    Ok(())
}

async fn a_forgotten_key_can_be_used_again(backend: &Backend) -> Verdict {
    write(1)
        .answer(answer(key(1, "buy"), "first", at(0)))
        .to(backend)
        .await?;
    backend.idempotency.forget_answers(at(1)).await?;
    write(2)
        .answer(answer(key(1, "buy"), "second", at(2)))
        .to(backend)
        .await?;
    let found = found_answer(backend, &key(1, "buy")).await?;
    ensure_eq!(found, Some(answer(key(1, "buy"), "second", at(2))), "answer");
    Ok(())
}
