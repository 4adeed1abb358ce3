//! Plays many customers of a running box office at once, measures it, and checks its books afterwards.
#![expect(clippy::print_stdout, reason = "a report is what this tool is for")]
#![expect(
    clippy::print_stderr,
    reason = "progress and errors must not mix with the report on standard output"
)]

mod args;
mod check;
mod customer;
mod progress;
mod run;
mod stage;
mod statistics;

use std::hash::{BuildHasher as _, RandomState};
use std::io::{sink, stdin, stdout};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use box_office_tests::books::Answers;
use box_office_tests::client::{Bearer, Connection};
use box_office_tests::journal::{Entry, Journal};
use ticketing_ports::Timestamp;
use tokio::runtime;
use tokio::task::JoinSet;

use crate::args::Arguments;
use crate::check::Verdict;
use crate::customer::Customer;
use crate::run::Run;
use crate::stage::Stage;

/// This allocator saves processor time: the tool runs on the same machine as the server that is measured, and must
/// not slow it down.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BOOKS_WRONG: u8 = 1;
const WRONG_FLAG: u8 = 2;
const SERVER_UNUSABLE: u8 = 3;

fn main() -> ExitCode {
    let arguments = Arguments::read();
    let sessions = if arguments.check_only {
        Ok(Vec::new())
    } else {
        stage::sessions(&arguments)
    };
    let sessions = match sessions {
        Ok(sessions) => sessions,
        Err(error) => return end(WRONG_FLAG, &error),
    };
    match start(&arguments, &sessions) {
        Ok(Verdict::Right) => ExitCode::SUCCESS,
        Ok(Verdict::Wrong) => ExitCode::from(BOOKS_WRONG),
        Err(error) => end(SERVER_UNUSABLE, &error),
    }
}

fn end(code: u8, error: &anyhow::Error) -> ExitCode {
    eprintln!("load: {error:#}");
    ExitCode::from(code)
}

fn start(arguments: &Arguments, sessions: &[Bearer]) -> anyhow::Result<Verdict> {
    let runtime = match arguments.threads {
        1 => runtime::Builder::new_current_thread().enable_all().build()?,
        threads => runtime::Builder::new_multi_thread()
            .worker_threads(threads as usize)
            .enable_all()
            .build()?,
    };
    runtime.block_on(async {
        if arguments.check_only {
            check::earlier_runs(arguments, now()).await
        } else {
            load(arguments, sessions).await
        }
    })
}

async fn load(arguments: &Arguments, sessions: &[Bearer]) -> anyhow::Result<Verdict> {
    let stage = stage::set(arguments, now()).await?;
    println!("event {}, {} sections", stage.event, stage.sections.len());
    // A prefix of the idempotency keys of this run. It differs even if the seed is the same, because the server would
    // answer a key that was used before without doing anything.
    let run_number = RandomState::new().hash_one("run");
    let run = Arc::new(Run::new(
        arguments,
        &stage,
        open_journal(arguments, &stage)?,
        run_number,
    ));

    if arguments.until_input_ends {
        stop_when_input_ends(Arc::clone(&run));
    }
    let progress = tokio::spawn(progress::report(Arc::clone(&run)));
    let shopped = shop(
        &run,
        customers(arguments, sessions, arguments.seed.unwrap_or(run_number)),
        arguments,
    )
    .await;
    progress.abort();
    progress::finish();
    run.statistics().print(run.elapsed(), &mut stdout().lock())?;
    run.journal().flush().context("cannot write the journal")?;
    let customers = shopped.context("the run ended early and the books were not checked")?;

    remember_consistency(&run, &customers)?;
    if arguments.skip_check {
        return Ok(Verdict::Right);
    }
    let answers = Answers::from_entries(run.journal().entries());
    check::this_run(arguments, &stage, sessions, &customers, &answers, now()).await
}

/// The run ends when the standard input of the tool is closed.
fn stop_when_input_ends(run: Arc<Run>) {
    std::thread::spawn(move || {
        // If the standard input cannot be read, it counts as ended.
        drop(std::io::copy(&mut stdin().lock(), &mut sink()));
        run.stop();
    });
}

fn open_journal(arguments: &Arguments, stage: &Stage) -> anyhow::Result<Journal> {
    let mut journal = match &arguments.journal {
        Some(path) => Journal::append_to(path).with_context(|| format!("cannot open {}", path.display()))?,
        None => Journal::in_memory(),
    };
    journal.record(Entry::Started {
        event: stage.event,
        sole_seller: stage.sole_seller,
    })?;
    Ok(journal)
}

fn customers(arguments: &Arguments, sessions: &[Bearer], seed: u64) -> Vec<Customer> {
    (0..arguments.customers)
        .zip(sessions.iter().cycle())
        .map(|(number, session)| Customer::new(number, session.clone(), seed))
        .collect()
}

/// Divides the customers among the connections and lets them buy until the run ends.
async fn shop(run: &Arc<Run>, customers: Vec<Customer>, arguments: &Arguments) -> anyhow::Result<Vec<Customer>> {
    let connections = arguments
        .connections
        .unwrap_or(arguments.customers)
        .min(arguments.customers);
    let mut groups: Vec<Vec<Customer>> = (0..connections).map(|_| Vec::new()).collect();
    for (customer, group) in customers.into_iter().zip((0..groups.len()).cycle()) {
        groups[group].push(customer);
    }
    let mut shopping = JoinSet::new();
    for mut group in groups {
        let run = Arc::clone(run);
        let connection = Connection::new(arguments.url.clone());
        shopping.spawn(async move { customer::shop(&run, connection, &mut group).await.map(|()| group) });
    }
    let mut customers = Vec::new();
    let mut first_error = None;
    while let Some(ended) = shopping.join_next().await {
        match ended? {
            Ok(group) => customers.extend(group),
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    first_error.map_or(Ok(customers), Err)
}

fn remember_consistency(run: &Run, customers: &[Customer]) -> anyhow::Result<()> {
    let tokens = customers
        .iter()
        .filter_map(|customer| customer.consistency.as_ref()?.to_str().ok());
    for token in tokens {
        run.record(Entry::Consistency {
            token: token.to_owned(),
        })?;
    }
    run.journal().flush().context("cannot write the journal")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the edge: a client of a real server lives by the real clock"
)]
fn now() -> Timestamp {
    chrono::Utc::now()
}
