//! Checks the books after a run, or after the restart of a server that was killed during one.

use std::time::Duration;

use anyhow::Context as _;
use box_office_tests::audit::{Audit, AuditError, Lists, Reader};
use box_office_tests::books::{self, Answers, Discrepancy};
use box_office_tests::client::Bearer;
use box_office_tests::journal::{self, Entry};
use hyper::header::HeaderValue;
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{EventId, ReservationId};

use crate::args::Arguments;
use crate::customer::Customer;
use crate::stage::Stage;

/// How many connections an administrator uses to read the books, by default.
const CONNECTIONS: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Verdict {
    Right,
    Wrong,
}

/// Reads the books with the sessions of the customers who shopped. Their lists also show reservations whose answers
/// were lost.
pub(crate) async fn this_run(
    arguments: &Arguments,
    stage: &Stage,
    sessions: &[Bearer],
    customers: &[Customer],
    answers: &Answers,
    now: Timestamp,
) -> anyhow::Result<Verdict> {
    let readers = customers.iter().map(|customer| {
        let own = answers.held.iter();
        let own = own.filter(|(_, held)| held.customer == customer.number && !held.guest);
        Reader {
            bearer: customer.bearer.clone(),
            reservations: own.map(|(&id, _)| id).collect(),
            // Customers who share a session see the same lists, so only the first of them reads the lists.
            lists: ((customer.number as usize) < sessions.len()).then(|| Lists {
                consistency: customer.consistency.clone(),
            }),
        }
    });
    let of_guests = answers.held.iter().filter(|(_, held)| held.guest).map(|(&id, _)| id);
    let of_guests = match &arguments.admin_session {
        Some(admin) => share_out(&of_guests.collect::<Vec<_>>(), admin, CONNECTIONS),
        None => Vec::new(),
    };
    let audit = Audit {
        target: arguments.url.clone(),
        event: stage.event,
        readers: readers.chain(of_guests).collect(),
        owner: arguments.admin_session.clone(),
        consistency: customers
            .iter()
            .filter_map(|customer| customer.consistency.clone())
            .collect(),
        now,
    };
    judge(&audit, answers, arguments.settle_seconds).await
}

/// Reads the books with the session of the administrator, because the customers' sessions may have ended when the
/// server was killed.
pub(crate) async fn earlier_runs(arguments: &Arguments, now: Timestamp) -> anyhow::Result<Verdict> {
    let (Some(path), Some(admin)) = (&arguments.journal, &arguments.admin_session) else {
        anyhow::bail!("checking earlier runs needs --journal and --admin-session");
    };
    let runs = journal::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut verdict = Verdict::Right;
    for run in &runs {
        let Some(Entry::Started { event, .. }) = run.first() else {
            continue;
        };
        let answers = Answers::from_entries(run);
        let audit = Audit {
            target: arguments.url.clone(),
            event: *event,
            readers: share_out(
                &answers.held.keys().copied().collect::<Vec<_>>(),
                admin,
                arguments.connections.map_or(CONNECTIONS, |n| n as usize),
            ),
            owner: Some(admin.clone()),
            consistency: run.iter().filter_map(consistency).collect(),
            now,
        };
        if judge(&audit, &answers, arguments.settle_seconds).await? == Verdict::Wrong {
            verdict = Verdict::Wrong;
        }
    }
    Ok(verdict)
}

fn share_out(reservations: &[ReservationId], admin: &Bearer, connections: usize) -> Vec<Reader> {
    reservations
        .chunks(reservations.len().div_ceil(connections).max(1))
        .map(|share| Reader {
            bearer: admin.clone(),
            reservations: share.to_vec(),
            lists: None,
        })
        .collect()
}

fn consistency(entry: &Entry) -> Option<HeaderValue> {
    match entry {
        Entry::Consistency { token } => token.parse().ok(),
        _ => None,
    }
}

/// Reads and checks the books and prints the outcome. If time may mend every fault, tries again each second, for at
/// most `settle_seconds` seconds.
async fn judge(audit: &Audit, answers: &Answers, settle_seconds: u32) -> anyhow::Result<Verdict> {
    println!(
        "reading {} reservations of event {} back",
        answers.held.len(),
        audit.event
    );
    for _ in 0..settle_seconds {
        match read_and_check(audit, answers).await {
            Ok(found) if found.is_empty() || !found.iter().all(Discrepancy::may_pass) => {
                return Ok(print(audit.event, answers, &found));
            }
            // If the read models are behind, they may not know the event yet. Payments of a server that was killed may
            // still be finished.
            Ok(_) | Err(AuditError::NoSuchEvent(_) | AuditError::NotAtRest) => {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => return Err(error).context("cannot read the books"),
        }
    }
    let found = read_and_check(audit, answers).await.context("cannot read the books")?;
    Ok(print(audit.event, answers, &found))
}

async fn read_and_check(audit: &Audit, answers: &Answers) -> Result<Vec<Discrepancy>, AuditError> {
    Ok(books::check(&audit.read_books().await?, answers))
}

fn print(event: EventId, answers: &Answers, found: &[Discrepancy]) -> Verdict {
    for discrepancy in found {
        println!("wrong: {discrepancy}");
    }
    if !found.is_empty() {
        println!("the books of event {event} are WRONG: {} discrepancies", found.len());
        return Verdict::Wrong;
    }
    println!(
        "the books of event {event} are right: {} held, {} paid, {} cancelled, {} in doubt",
        answers.held.len(),
        answers.paid.len(),
        answers.cancelled.len(),
        answers.holds_in_doubt + answers.in_doubt.len(),
    );
    Verdict::Right
}
