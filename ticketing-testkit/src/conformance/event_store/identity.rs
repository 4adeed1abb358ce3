//! The id of a log, its incarnation and its schema floor.

use ticketing_ports::log::identity::{Incarnation, SchemaGeneration};
use ticketing_ports::log::streams::Position;

use crate::conformance::fixtures::{at, commit_id, deadline, events, stream, write};
use crate::conformance::race::race;
use crate::conformance::{Backend, Broken, Verdict, ensure_eq};

pub(super) async fn a_log_keeps_its_id_and_begins_with_its_first_incarnation(backend: &Backend) -> Verdict {
    let identity = backend.store.identity().await?;
    ensure_eq!(identity.incarnation, Incarnation::FIRST, "incarnation of a new log");
    write(1).append(stream(1), 0, events(2)).to(backend).await?;
    ensure_eq!(backend.store.identity().await?, identity, "identity after a commit");
    backend.store.raise_incarnation(Incarnation::FIRST).await?;
    let raised = backend.store.identity().await?;
    ensure_eq!(raised.log, identity.log, "id of the log in its next life");
    Ok(())
}

pub(super) async fn an_incarnation_is_raised_once_although_several_notice(backend: &Backend) -> Verdict {
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

pub(super) async fn an_incarnation_is_raised_above_any_that_was_seen(backend: &Backend) -> Verdict {
    let raised = backend.store.raise_incarnation(Incarnation(7)).await?;
    ensure_eq!(raised, Incarnation(8), "incarnation that is answered");
    let identity = backend.store.identity().await?;
    ensure_eq!(identity.incarnation, Incarnation(8), "incarnation in force");
    Ok(())
}

pub(super) async fn a_receipt_carries_the_incarnation_in_force(backend: &Backend) -> Verdict {
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

pub(super) async fn the_commit_at_a_position_is_the_one_that_wrote_the_fact_there(backend: &Backend) -> Verdict {
    let commit_at = async |position| Ok::<_, Broken>(backend.store.commit_at(Position(position)).await?);
    ensure_eq!(commit_at(0).await?, None, "commit at the start of an empty log");
    ensure_eq!(commit_at(1).await?, None, "commit past the end of an empty log");
    for number in 1..=3 {
        write(number)
            .append(stream(number), 0, events(number))
            .to(backend)
            .await?;
        write(10 + number).set(deadline(1, at(1))).to(backend).await?;
    }
    for (position, number) in [1, 2, 2, 3, 3, 3].into_iter().zip(1..) {
        ensure_eq!(
            commit_at(number).await?,
            Some(commit_id(position)),
            "commit at {number}"
        );
    }
    for nowhere in [0, 7, 8, u64::MAX] {
        ensure_eq!(commit_at(nowhere).await?, None, "commit at {nowhere}");
    }
    Ok(())
}

pub(super) async fn the_schema_floor_begins_with_the_first_generation_and_never_sinks(backend: &Backend) -> Verdict {
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
