//! A rolling update on one set of services, while customers go on buying: a build that can only read the next
//! version of a fact is replaced by a build that writes that version. The version is made up. The servers are
//! separate processes, and everything else is real.

#[path = "../support/mod.rs"]
mod support;

mod selling;

use std::env;
use std::ffi::OsString;
use std::time::Duration;

use anyhow::{bail, ensure};
use app_server::config::{Command, CommandLine, Stop};
use app_server::dead_letters::dead_letters;
use app_server::demo::demo;
use app_server::migrate::migrate;
use app_server::telemetry;
use serde_json::Value;
use ticketing_domain::generations;
use ticketing_domain::inventory::InventoryEvent;
use ticketing_domain::made_up_version::{MadeUpVersion, declare};
use ticketing_domain::stored::StoredEvent as _;

use selling::Selling;
use support::databases::number;
use support::fold::{Fold, answers_as_the_log_says};
use support::office::customers_of;
use support::readiness::until_ready;
use support::services::shared;
use support::waiting::Patience;
use support::{ARGUMENTS, BUILD, Server};

/// The name of the build that can read the next version and never writes it.
const READS: &str = "reads";
/// The name of the build that can read the next version of a fact, and writes that version once every other server can read it.
const WRITES: &str = "writes";
const CUSTOMERS: usize = 8;
/// After this many more answers to customers, the test can tell whether a server works.
const SOME: usize = 40;
/// How long a server may take to notice that the update has come further. Servers look every ten seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// Turns `SeatsHeld` into its next version, which has the same fields one level further down.
fn raise(data: &[u8]) -> Vec<u8> {
    let old: Value = serde_json::from_slice(data).expect("facts are JSON");
    serde_json::to_vec(&serde_json::json!({ "hold": old })).expect("a JSON value can be written")
}

fn lower(data: &[u8]) -> Vec<u8> {
    let new: Value = serde_json::from_slice(data).expect("facts are JSON");
    serde_json::to_vec(&new["hold"]).expect("a JSON value can be written")
}

/// The version of `SeatsHeld` that this build writes, and the one that no build has yet.
const CURRENT: u16 = 4;
const NEXT: u16 = 5;

fn declare_the_next_version(written: bool) {
    let current = InventoryEvent::SCHEMAS.iter().find(|(name, _)| *name == "SeatsHeld");
    assert_eq!(
        current,
        Some(&("SeatsHeld", CURRENT)),
        "this test has to be told the new version"
    );
    declare(MadeUpVersion {
        event_type: "SeatsHeld",
        version: NEXT,
        since: generations::newest().next(),
        written,
        raise,
        lower,
    });
}

/// Turns this process into a server of another build if the environment variable for that is set. Otherwise it does
/// nothing.
#[test]
fn another_build() -> anyhow::Result<()> {
    let Ok(build) = env::var(BUILD) else {
        return Ok(());
    };
    declare_the_next_version(build == WRITES);
    let arguments = env::var(ARGUMENTS)?;
    let words = ["app-server"].into_iter().chain(arguments.split('\n'));
    let line = match CommandLine::read(words.map(OsString::from)) {
        Ok(line) => line,
        Err(Stop::Told(text)) => bail!("{text}"),
        Err(Stop::Wrong(mistake)) => bail!("{mistake}"),
    };
    telemetry::start(&line.settings.log)?;
    let ended = tokio::runtime::Runtime::new()?.block_on(async {
        let told = match line.to_run() {
            Command::Demo(wanted) => return demo(&line.settings, &wanted).await,
            Command::Migrate(wanted) => migrate(&line.settings.storage, wanted).await?,
            Command::DeadLetters(wanted) => dead_letters(&line.settings, &wanted).await?,
            other => bail!("the made-up builds do not have the command {other:?}"),
        };
        println!("{told}");
        Ok(())
    });
    telemetry::finish();
    ended
}

/// Counts the facts `SeatsHeld` that the log has in this version.
async fn holds(log: &str, version: u16) -> anyhow::Result<i64> {
    let count = match version {
        CURRENT => "SELECT count(*) FROM events WHERE event_type = 'SeatsHeld' AND event_version = 4",
        _ => "SELECT count(*) FROM events WHERE event_type = 'SeatsHeld' AND event_version = 5",
    };
    number(log, count).await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_one_build_gives_way_to_the_next_everybody_is_served_and_the_books_are_right() {
    // This test program reads the log too, so it must know the next version.
    declare_the_next_version(true);
    let story = async {
        let installation = shared().await?;
        let log = installation.variable("DATABASE_URL_EVENTS")?.to_owned();
        let (reads, writes) = (installation.clone().run_by(READS), installation.clone().run_by(WRITES));

        let mut old = Server::start(&reads, CUSTOMERS)?;
        let mut at_old = Selling::start(&old, 0..CUSTOMERS / 2)?;
        at_old.wait_for(SOME).await?;
        let new = Server::start(&writes, CUSTOMERS)?;
        let mut at_new = Selling::start(&new, CUSTOMERS / 2..CUSTOMERS)?;
        at_old.wait_for(SOME).await?;
        at_new.wait_for(SOME).await?;
        ensure!(
            holds(&log, NEXT).await? == 0,
            "the next version was written before every server could read it"
        );

        let finished = writes.run(&["migrate", "--finish"])?;
        let next = generations::newest();
        let wanted = format!("up to generation {next} are written from now on");
        ensure!(finished.contains(&wanted), "{finished}");
        let patience = Patience::of(PATIENCE);
        while holds(&log, NEXT).await? == 0 {
            let told = || {
                format!(
                    "the new build does not notice that the update is finished\n{}",
                    new.log()
                )
            };
            patience.pause(told).await?;
            at_new.wait_for(1).await?;
        }
        let (by_old, by_new) = (holds(&log, CURRENT).await?, holds(&log, NEXT).await?);
        at_old.wait_for(SOME).await?;
        at_new.wait_for(SOME).await?;
        ensure!(
            holds(&log, CURRENT).await? > by_old,
            "the old build must go on writing the old version"
        );
        ensure!(
            holds(&log, NEXT).await? > by_new,
            "the new build must go on writing the next version"
        );

        let sold_by_old = at_old.end().await?;
        until_ready(&old).await?;
        old.stop()?;
        at_new.wait_for(SOME).await?;
        let sold_by_new = at_new.end().await?;

        let letters = writes.run(&["dead-letters", "list"])?;
        ensure!(letters.contains("no dead letters"), "{letters}");
        let mut customers = customers_of(&new, CUSTOMERS).await?;
        answers_as_the_log_says(&installation, &new, &mut customers).await?;
        let fold = Fold::of(&installation).await?;
        let mut booked = Vec::new();
        for (customer, _) in &customers {
            booked.extend(fold.reservations(*customer).await?);
        }
        let mut answered = [sold_by_old, sold_by_new].concat();
        booked.sort();
        answered.sort();
        ensure!(booked == answered, "the log and what customers were told differ");

        let refused = installation
            .run(&["serve"])
            .expect_err("an older build cannot read the facts that are written now");
        let why = format!("the log has facts of generation {next}, but this version reads only up to");
        ensure!(refused.to_string().contains(&why), "{refused}");
        ensure!(refused.to_string().contains("run a newer version"), "{refused}");
        Ok(())
    };
    let told: anyhow::Result<()> = story.await;
    told.expect("no customer notices the update");
}
