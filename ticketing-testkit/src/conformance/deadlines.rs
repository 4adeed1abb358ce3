//! The conformance tests that every [`DeadlineStore`](ticketing_ports::log::deadlines::DeadlineStore) must pass.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::{CausedDeadline, Deadline, DeadlineCount, DeadlineKey, DeadlineKind};
use ticketing_ports::log::streams::Metadata;

use super::fixtures::{Draft, at, deadline, full_metadata, lane, leased, stream, user, write};
use super::race::race;
use super::{Backend, Broken, Verdict, ensure, ensure_eq, suite};

suite! { $
    /// A macro that makes a test of each rule for deadlines. Its argument is an expression that returns a new
    /// [`Backend`](crate::conformance::Backend).
    deadline_store_conformance in deadlines for Backend {
        a_deadline_is_handed_out_when_it_is_due_and_not_before,
        the_earliest_deadline_comes_first,
        no_more_deadlines_are_leased_than_asked_for,
        a_leased_deadline_is_handed_to_nobody_else_until_its_lease_ends,
        racing_pollers_never_get_the_same_deadline,
        an_unsettled_deadline_comes_back_after_its_lease,
        a_cleared_deadline_is_gone,
        a_cleared_deadline_does_not_come_back_after_its_lease,
        clearing_a_deadline_that_does_not_exist_is_no_error,
        clearing_one_kind_leaves_the_others,
        setting_a_deadline_again_replaces_it,
        setting_a_leased_deadline_again_ends_its_lease,
        the_last_change_in_one_commit_wins,
        a_deadline_is_read_back_unchanged,
        a_deadline_comes_with_what_set_it_last,
        deadlines_are_counted_by_kind_and_by_whether_they_are_due,
        a_leased_deadline_still_counts,
    }
}

const LEASE: Duration = Duration::from_secs(30);

async fn lease_up_to(backend: &Backend, now: Timestamp, limit: usize) -> Result<Vec<Deadline>, Broken> {
    leased(backend, now, LEASE, limit).await
}

async fn a_deadline_is_handed_out_when_it_is_due_and_not_before(backend: &Backend) -> Verdict {
    write(1).set(deadline(1, at(10))).to(backend).await?;
    let just_before = at(10) - TimeDelta::microseconds(1);
    ensure_eq!(
        lease_up_to(backend, just_before, 10).await?,
        [],
        "deadlines just before they are due"
    );
    ensure_eq!(
        lease_up_to(backend, at(10), 10).await?,
        [deadline(1, at(10))],
        "deadlines when they are due"
    );
    Ok(())
}

async fn the_earliest_deadline_comes_first(backend: &Backend) -> Verdict {
    let mut draft = write(1);
    for (number, due) in [30, 10, 50, 20, 40].into_iter().enumerate() {
        draft = draft.set(deadline(number, at(due)));
    }
    draft.to(backend).await?;
    let mut order = Vec::new();
    for _ in 0..3 {
        order.extend(
            lease_up_to(backend, at(100), 2)
                .await?
                .iter()
                .map(|deadline| deadline.due_at),
        );
    }
    ensure_eq!(
        order,
        [at(10), at(20), at(30), at(40), at(50)],
        "times in the order in which the deadlines were leased"
    );
    Ok(())
}

async fn no_more_deadlines_are_leased_than_asked_for(backend: &Backend) -> Verdict {
    let draft = (0..10).fold(write(1), |draft, number| draft.set(deadline(number, at(1))));
    draft.to(backend).await?;
    for (limit, handed_out) in [(0, 0), (3, 3), (4, 4), (usize::MAX, 3)] {
        ensure_eq!(
            lease_up_to(backend, at(1), limit).await?.len(),
            handed_out,
            "deadlines with a limit of {limit}"
        );
    }
    Ok(())
}

async fn a_leased_deadline_is_handed_to_nobody_else_until_its_lease_ends(backend: &Backend) -> Verdict {
    write(1)
        .set(deadline(1, at(0)))
        .set(deadline(2, at(20)))
        .to(backend)
        .await?;
    ensure_eq!(
        lease_up_to(backend, at(0), 10).await?,
        [deadline(1, at(0))],
        "first lease"
    );
    let just_before = at(30) - TimeDelta::microseconds(1);
    for now in [at(0), at(19)] {
        ensure_eq!(
            lease_up_to(backend, now, 10).await?,
            [],
            "deadlines while the first is leased"
        );
    }
    ensure_eq!(
        lease_up_to(backend, just_before, 10).await?,
        [deadline(2, at(20))],
        "deadlines just before the first lease ends"
    );
    Ok(())
}

async fn racing_pollers_never_get_the_same_deadline(backend: &Backend) -> Verdict {
    const PROCESSES: usize = 8;
    const DEADLINES: usize = 200;
    let draft = (0..DEADLINES).fold(write(1), |draft, number| draft.set(deadline(number, at(number as i64))));
    draft.to(backend).await?;
    let leased = race(PROCESSES, |_| {
        let backend = backend.clone();
        async move {
            let mut mine = Vec::new();
            for _ in 0..DEADLINES {
                let more = lease_up_to(&backend, at(1000), 7).await?;
                if more.is_empty() {
                    break;
                }
                mine.extend(more);
            }
            Ok::<_, Broken>(mine)
        }
    })
    .await?;
    let leased: Vec<Vec<Deadline>> = leased.into_iter().collect::<Result<_, Broken>>()?;
    let leased: Vec<DeadlineKey> = leased.into_iter().flatten().map(|deadline| deadline.key).collect();
    let distinct: BTreeSet<DeadlineKey> = leased.iter().copied().collect();
    ensure_eq!(
        leased.len(),
        distinct.len(),
        "number of leases, of which none repeats a deadline"
    );
    ensure_eq!(distinct.len(), DEADLINES, "deadlines leased by anyone");
    Ok(())
}

async fn an_unsettled_deadline_comes_back_after_its_lease(backend: &Backend) -> Verdict {
    write(1).set(deadline(1, at(0))).to(backend).await?;
    for now in [at(0), at(30), at(60), at(1000)] {
        ensure_eq!(
            lease_up_to(backend, now, 10).await?,
            [deadline(1, at(0))],
            "deadlines when the lease has ended"
        );
    }
    Ok(())
}

async fn a_cleared_deadline_is_gone(backend: &Backend) -> Verdict {
    write(1)
        .set(deadline(1, at(0)))
        .set(deadline(2, at(0)))
        .to(backend)
        .await?;
    write(2).clear(deadline(1, at(0)).key).to(backend).await?;
    ensure_eq!(
        lease_up_to(backend, at(1000), 10).await?,
        [deadline(2, at(0))],
        "deadlines left"
    );
    Ok(())
}

async fn a_cleared_deadline_does_not_come_back_after_its_lease(backend: &Backend) -> Verdict {
    write(1).set(deadline(1, at(0))).to(backend).await?;
    ensure_eq!(lease_up_to(backend, at(0), 10).await?.len(), 1, "leased deadlines");
    write(2).clear(deadline(1, at(0)).key).to(backend).await?;
    ensure_eq!(
        lease_up_to(backend, at(1000), 10).await?,
        [],
        "deadlines after the settled one's lease"
    );
    Ok(())
}

async fn clearing_a_deadline_that_does_not_exist_is_no_error(backend: &Backend) -> Verdict {
    write(1).clear(deadline(1, at(0)).key).to(backend).await?;
    write(2).set(deadline(1, at(0))).to(backend).await?;
    write(3).clear(deadline(1, at(0)).key).to(backend).await?;
    write(4).clear(deadline(1, at(0)).key).to(backend).await?;
    ensure_eq!(lease_up_to(backend, at(1000), 10).await?, [], "deadlines left");
    Ok(())
}

async fn clearing_one_kind_leaves_the_others(backend: &Backend) -> Verdict {
    let of_kind = |kind, due| Deadline {
        key: DeadlineKey {
            stream: stream(1),
            kind,
        },
        ..deadline(1, at(due))
    };
    let all = DeadlineKind::ALL
        .into_iter()
        .zip(0..)
        .map(|(kind, due)| of_kind(kind, due));
    all.clone().fold(write(1), Draft::set).to(backend).await?;
    let cleared = of_kind(DeadlineKind::GatewayRetry, 0).key;
    write(2).clear(cleared).to(backend).await?;
    let left: Vec<Deadline> = all.filter(|deadline| deadline.key != cleared).collect();
    ensure_eq!(lease_up_to(backend, at(1000), 10).await?, left, "deadlines left");
    Ok(())
}

async fn setting_a_deadline_again_replaces_it(backend: &Backend) -> Verdict {
    write(1).set(deadline(1, at(10))).to(backend).await?;
    let moved = Deadline {
        lane: lane(9),
        ..deadline(1, at(20))
    };
    write(2).set(moved).to(backend).await?;
    ensure_eq!(lease_up_to(backend, at(19), 10).await?, [], "deadlines at the old time");
    ensure_eq!(
        lease_up_to(backend, at(20), 10).await?,
        [moved],
        "deadlines at the new time"
    );
    Ok(())
}

async fn setting_a_leased_deadline_again_ends_its_lease(backend: &Backend) -> Verdict {
    write(1).set(deadline(1, at(0))).to(backend).await?;
    ensure_eq!(lease_up_to(backend, at(0), 10).await?.len(), 1, "leased deadlines");
    write(2).set(deadline(1, at(5))).to(backend).await?;
    ensure_eq!(
        lease_up_to(backend, at(5), 10).await?,
        [deadline(1, at(5))],
        "deadlines set during a lease"
    );
    ensure_eq!(
        lease_up_to(backend, at(30), 10).await?,
        [],
        "deadlines when the replaced one's lease would have ended"
    );
    Ok(())
}

async fn the_last_change_in_one_commit_wins(backend: &Backend) -> Verdict {
    write(1)
        .set(deadline(1, at(1)))
        .clear(deadline(1, at(1)).key)
        .clear(deadline(2, at(2)).key)
        .set(deadline(2, at(2)))
        .set(deadline(3, at(1)))
        .set(deadline(3, at(3)))
        .to(backend)
        .await?;
    let due = lease_up_to(backend, at(1000), 10).await?;
    ensure_eq!(due, [deadline(2, at(2)), deadline(3, at(3))], "deadlines");
    Ok(())
}

async fn a_deadline_is_read_back_unchanged(backend: &Backend) -> Verdict {
    let century = TimeDelta::days(36_525);
    for (number, due_at) in [at(0) - century, at(0), at(0) + century].into_iter().enumerate() {
        write(number).set(deadline(number, due_at)).to(backend).await?;
        let due = lease_up_to(backend, at(0) + century, 1).await?;
        ensure!(
            due == [deadline(number, due_at)],
            "the due deadlines are {due:?}, not the one that was set last"
        );
    }
    Ok(())
}

async fn a_deadline_comes_with_what_set_it_last(backend: &Backend) -> Verdict {
    let asked = Metadata {
        actor: Some(user(3)),
        ..Metadata::default()
    };
    let causes = [full_metadata(), Metadata::default(), asked.clone(), full_metadata()];
    let draft = (1..).zip(&causes).fold(write(1), |draft, (number, cause)| {
        draft.set_because(deadline(number, at(number as i64)), cause.clone())
    });
    draft.to(backend).await?;
    // Sets deadlines 1 to 3 again. Each replaces the deadline that was set before, and its cause with it.
    write(2)
        .set_because(deadline(1, at(1)), asked.clone())
        .set_because(deadline(2, at(2)), full_metadata())
        .set(deadline(3, at(3)))
        .to(backend)
        .await?;
    let due = backend.deadlines.lease_due(at(100), LEASE, 10).await?;
    let expected: Vec<CausedDeadline> = (1..)
        .zip([asked, full_metadata(), Metadata::default(), full_metadata()])
        .map(|(number, cause)| CausedDeadline {
            deadline: deadline(number, at(number as i64)),
            cause,
        })
        .collect();
    ensure_eq!(due, expected, "deadlines with their causes");
    Ok(())
}

/// Returns the counts of all kinds that have deadlines.
async fn counted(backend: &Backend, now: Timestamp) -> Result<BTreeMap<DeadlineKind, DeadlineCount>, Broken> {
    let mut counts = backend.deadlines.count_deadlines(now).await?;
    counts.retain(|_, count| *count != DeadlineCount::default());
    Ok(counts)
}

async fn deadlines_are_counted_by_kind_and_by_whether_they_are_due(backend: &Backend) -> Verdict {
    ensure_eq!(counted(backend, at(0)).await?, BTreeMap::new(), "counts in a new store");
    let of_kind = |kind, number, due| Deadline {
        key: DeadlineKey {
            stream: stream(number),
            kind,
        },
        ..deadline(number, at(due))
    };
    let hold = |number, due| of_kind(DeadlineKind::HoldExpiry, number, due);
    let retry = |number, due| of_kind(DeadlineKind::GatewayRetry, number, due);
    write(1)
        .set(hold(1, 10))
        .set(hold(2, 20))
        .set(hold(3, 30))
        .set(retry(1, 10))
        .set(retry(3, 20))
        .to(backend)
        .await?;
    write(2).clear(retry(3, 20).key).to(backend).await?;
    let just_before = at(20) - TimeDelta::microseconds(1);
    for (now, holds, retries) in [
        (at(0), (3, 0), (1, 0)),
        (at(10), (2, 1), (0, 1)),
        (just_before, (2, 1), (0, 1)),
        (at(20), (1, 2), (0, 1)),
        (at(100), (0, 3), (0, 1)),
    ] {
        let count = |(ahead, due)| DeadlineCount { ahead, due };
        let expected = BTreeMap::from([
            (DeadlineKind::HoldExpiry, count(holds)),
            (DeadlineKind::GatewayRetry, count(retries)),
        ]);
        ensure_eq!(counted(backend, now).await?, expected, "counts at {now}");
    }
    Ok(())
}

async fn a_leased_deadline_still_counts(backend: &Backend) -> Verdict {
    write(1)
        .set(deadline(1, at(0)))
        .set(deadline(2, at(0)))
        .to(backend)
        .await?;
    let kind = deadline(1, at(0)).key.kind;
    let due = |due| BTreeMap::from([(kind, DeadlineCount { ahead: 0, due })]);
    ensure_eq!(lease_up_to(backend, at(0), 10).await?.len(), 2, "leased deadlines");
    ensure_eq!(counted(backend, at(0)).await?, due(2), "counts while both are leased");
    write(2).clear(deadline(1, at(0)).key).to(backend).await?;
    ensure_eq!(counted(backend, at(0)).await?, due(1), "counts after one is removed");
    Ok(())
}
