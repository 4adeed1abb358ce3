//! The conformance tests for a store whose data must survive the end of its process.

use async_trait::async_trait;
use ticketing_ports::log::identity::{Incarnation, SchemaGeneration};

use super::fixtures::{answer, at, commit_id, deadline, events, found_answer, key, leased, stream, whole_log, write};
use super::race::race;
use super::{Backend, Verdict, ensure_eq, suite};

/// Storage that can be opened several times.
///
/// ```
/// use std::sync::Arc;
///
/// use adapters_memory::InMemoryEventStore;
/// use async_trait::async_trait;
/// use ticketing_testkit::conformance::Backend;
/// use ticketing_testkit::conformance::durability::{Durable, RULES};
///
/// /// Memory that outlives the process that uses it.
/// struct LastingMemory(Backend);
///
/// #[async_trait]
/// impl Durable for LastingMemory {
///     async fn open(&self) -> Backend {
///         self.0.clone()
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// for rule in RULES {
///     let memory: Box<dyn Durable> = Box::new(LastingMemory(Backend::of(InMemoryEventStore::new())));
///     rule.try_on(memory.as_ref()).await.unwrap();
/// }
/// # }
/// ```
#[async_trait]
pub trait Durable: Send + Sync {
    /// Opens the storage as it is at this moment, as after a crash. Earlier backends are not closed first.
    async fn open(&self) -> Backend;
}

suite! { $
    /// A macro that makes a test of each rule for a durable store. Its argument is an expression that returns a
    /// [`Durable`](crate::conformance::durability::Durable) over empty storage.
    durability_conformance in durability for dyn Durable {
        answered_means_durable,
        what_many_writers_were_answered_is_durable,
        a_lease_outlives_a_crash,
        the_identity_of_a_log_outlives_a_crash,
        positions_and_versions_go_on_after_a_crash,
    }
}

async fn answered_means_durable(storage: &dyn Durable) -> Verdict {
    let before = storage.open().await;
    let receipt = write(1)
        .append(stream(1), 0, events(2))
        .set(deadline(1, at(1)))
        .answer(answer(key(1, "buy"), "bought", at(0)))
        .to(&before)
        .await?;
    let log = whole_log(&before).await?;

    let after = storage.open().await;
    ensure_eq!(whole_log(&after).await?, log, "the log after a crash");
    ensure_eq!(
        after.store.find_commit(commit_id(1)).await?,
        Some(receipt),
        "the commit after a crash"
    );
    let due = leased(&after, at(1), std::time::Duration::from_secs(1), 10).await?;
    ensure_eq!(due, [deadline(1, at(1))], "deadlines after a crash");
    let found = found_answer(&after, &key(1, "buy")).await?;
    ensure_eq!(
        found,
        Some(answer(key(1, "buy"), "bought", at(0))),
        "the answer after a crash"
    );
    Ok(())
}

async fn what_many_writers_were_answered_is_durable(storage: &dyn Durable) -> Verdict {
    let before = storage.open().await;
    let receipts = race(32, |writer| {
        let before = before.clone();
        async move { write(writer).append(stream(writer), 0, events(1)).to(&before).await }
    })
    .await?;
    let after = storage.open().await;
    for (writer, receipt) in receipts.into_iter().enumerate() {
        let found = after.store.find_commit(commit_id(writer)).await?;
        ensure_eq!(found, Some(receipt?), "commit {writer} after a crash");
    }
    ensure_eq!(whole_log(&after).await?.len(), 32, "events after a crash");
    Ok(())
}

async fn a_lease_outlives_a_crash(storage: &dyn Durable) -> Verdict {
    let lease = std::time::Duration::from_secs(30);
    let before = storage.open().await;
    write(1).set(deadline(1, at(0))).to(&before).await?;
    leased(&before, at(0), lease, 10).await?;
    let after = storage.open().await;
    ensure_eq!(
        leased(&after, at(29), lease, 10).await?,
        [],
        "deadlines during the lease"
    );
    let due = leased(&after, at(30), lease, 10).await?;
    ensure_eq!(due, [deadline(1, at(0))], "deadlines after the lease");
    Ok(())
}

async fn the_identity_of_a_log_outlives_a_crash(storage: &dyn Durable) -> Verdict {
    let before = storage.open().await;
    before.store.raise_incarnation(Incarnation::FIRST).await?;
    let floor = before.store.raise_schema_floor(SchemaGeneration(5)).await?;
    let identity = before.store.identity().await?;
    let after = storage.open().await;
    ensure_eq!(after.store.identity().await?, identity, "identity after a crash");
    ensure_eq!(after.store.schema_floor().await?, floor, "schema floor after a crash");
    Ok(())
}

async fn positions_and_versions_go_on_after_a_crash(storage: &dyn Durable) -> Verdict {
    let before = storage.open().await;
    write(1).append(stream(1), 0, events(3)).to(&before).await?;
    let after = storage.open().await;
    write(2).append(stream(1), 2, events(1)).conflicts_at(&after).await?;
    let receipt = write(3).append(stream(1), 3, events(1)).to(&after).await?;
    ensure_eq!(receipt.first.0, 4, "position of the next event");
    Ok(())
}
