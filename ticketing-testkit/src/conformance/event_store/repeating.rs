//! What an event store knows about a commit that it has written, and what it does when the same commit is sent again.

use std::collections::BTreeMap;

use ticketing_ports::log::event_store::{CommitError, CommitReceipt};
use ticketing_ports::log::identity::Incarnation;
use ticketing_ports::log::streams::Position;

use super::expected::{SECOND, receipt_of};
use crate::conformance::fixtures::{
    answer, at, commit_id, deadline, events, found_answer, key, leased, stream, whole_log, write,
};
use crate::conformance::race::race;
use crate::conformance::{Backend, Verdict, ensure, ensure_eq};

pub(super) async fn a_commit_can_be_looked_up_by_its_id(backend: &Backend) -> Verdict {
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

pub(super) async fn a_refused_commit_leaves_no_trace(backend: &Backend) -> Verdict {
    write(1)
        .append(stream(1), 0, events(1))
        .answer(answer(key(1, "buy"), "bought", at(0)))
        .to(backend)
        .await?;
    write(2).append(stream(1), 0, events(1)).conflicts_at(backend).await?;
    let taken = write(3).answer(answer(key(1, "buy"), "again", at(0))).to(backend).await;
    ensure!(
        matches!(taken, Err(CommitError::KeyTaken { .. })),
        "{taken:?} instead of the error for a taken key"
    );
    for refused in [2, 3] {
        let found = backend.store.find_commit(commit_id(refused)).await?;
        ensure_eq!(found, None, "refused commit {refused}");
    }
    let corrected = write(2).append(stream(1), 1, events(1)).to(backend).await?;
    ensure_eq!(
        corrected,
        receipt_of(2, 2),
        "receipt of the refused commit after it was corrected"
    );
    Ok(())
}

pub(super) async fn the_same_commit_twice_is_written_once(backend: &Backend) -> Verdict {
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

pub(super) async fn the_same_commit_racing_with_itself_is_written_once(backend: &Backend) -> Verdict {
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

pub(super) async fn a_repeated_commit_leaves_later_deadlines_alone(backend: &Backend) -> Verdict {
    let set = write(1).set(deadline(1, at(1)));
    set.clone().to(backend).await?;
    write(2).clear(deadline(1, at(1)).key).to(backend).await?;
    set.to(backend).await?;
    let due = leased(backend, at(10), SECOND, 10).await?;
    ensure_eq!(due, [], "deadlines that were cleared after the commit's first arrival");
    Ok(())
}

pub(super) async fn a_commit_without_events_is_allowed(backend: &Backend) -> Verdict {
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
