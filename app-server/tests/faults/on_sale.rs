//! Plays an on-sale, during which a test breaks something.

use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;
use test_services::OwnedPostgres;

use crate::support::load::{Load, check_books, journals};
use crate::support::office::Person;
use crate::support::waiting::Patience;
use crate::support::{Installation, Server};

/// Once customers have got this many more answers, the load is in full swing.
pub(crate) const IN_FULL_SWING: usize = 200;
/// How many seconds an on-sale lasts at most. Each test ends it before; the limit is for a test that hangs.
pub(crate) const SECONDS: u32 = 600;
pub(crate) const CUSTOMERS: usize = 40;

/// How long a customer who cannot be served waits at most to be told so. A server whose request takes longer answers
/// something else, which the test refuses.
const SOON: Duration = Duration::from_secs(30);
/// How long places may still be sold after the fault at most, for instance while a file has room left that was written
/// before.
const UNTIL_NOTHING_IS_SOLD: Duration = Duration::from_secs(60);

/// Plays an on-sale, runs `fault` when the on-sale is in full swing, ends the on-sale, and checks the books.
pub(crate) async fn on_sale_with(
    installation: &Installation,
    fault: impl AsyncFnOnce(&mut Server, &mut Load) -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    let folder = journals()?;
    let mut server = Server::start(installation, CUSTOMERS)?;
    let mut load = Load::start(&server, &folder.path().join("journal"), SECONDS, None)?;
    load.wait_for_answers(IN_FULL_SWING)?;
    fault(&mut server, &mut load).await?;
    load.enough()?;
    let told = check_books(&server, &load.journal);
    told.map_err(|error| error.context(server.log()))
}

/// Starts a server in place of one that was killed. Customers are still signed in if their sessions are in Redis.
pub(crate) fn successor(installation: &Installation, dead: &Server) -> anyhow::Result<Server> {
    let mut next = Server::start(installation, CUSTOMERS)?;
    let sessions = std::fs::read(dead.sessions_file())?;
    std::fs::write(next.sessions_file(), sessions)?;
    next.admin_session.clone_from(&dead.admin_session);
    Ok(next)
}

/// Waits until a customer who wants to buy is told without delay to come back later. The server must be alive then.
pub(crate) async fn nothing_is_sold(server: &Server) -> anyhow::Result<()> {
    let mut customer = Person::customer(server, 0)?;
    let wanted = json!({"event_id": server.event, "section": "General", "quantity": 1});
    let patience = Patience::of(UNTIL_NOTHING_IS_SOLD);
    loop {
        let asked = Instant::now();
        let said = customer.post("/api/reservations", wanted.clone()).await?;
        ensure!(asked.elapsed() < SOON, "the answer took {:?}", asked.elapsed());
        if said.status != 201 {
            let said = said.expect(503)?;
            ensure!(said.code() == "UNAVAILABLE", "{}", said.body);
            ensure!(said.retry_after.is_some(), "the answer 503 has no Retry-After");
            break;
        }
        patience.pause(|| "places can still be sold").await?;
    }
    Person::anonymous(server)?.get("/health").await?.expect(200)?;
    Ok(())
}

/// What readers notice of a fault that lets nothing be sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// They are shown everything at once.
    NoticeNothing,
    /// A reader for whom the server uses a dead connection is answered 503 with `Retry-After`, and is shown everything
    /// when it asks again.
    ComeBack,
}

/// Waits until nothing can be sold, and demands that readers are still shown everything.
pub(crate) async fn nothing_is_sold_and_all_is_shown(server: &Server, readers: Readers) -> anyhow::Result<()> {
    nothing_is_sold(server).await?;
    let mut visitor = Person::anonymous(server)?;
    let event = format!("/api/events/{}", server.event);
    for resource in ["/availability", "/sections/VIP", ""] {
        let patience = Patience::new();
        loop {
            let shown = visitor.get(&format!("{event}{resource}")).await?;
            if shown.status == 200 {
                break;
            }
            ensure!(
                readers == Readers::ComeBack,
                "{resource}: {} {}",
                shown.status,
                shown.body
            );
            let told = shown.expect(503)?;
            ensure!(told.retry_after.is_some(), "the answer 503 has no Retry-After");
            patience.pause(|| format!("{resource} is not shown")).await?;
        }
    }
    Ok(())
}

pub(crate) async fn databases_of(postgres: &OwnedPostgres) -> anyhow::Result<[String; 4]> {
    Ok([
        postgres.fresh_database("events").await?,
        postgres.fresh_database("projections").await?,
        postgres.fresh_database("analytics").await?,
        postgres.fresh_database("auth").await?,
    ])
}

pub(crate) async fn shared_redis() -> anyhow::Result<String> {
    Ok(test_services::redis().await?.url().to_owned())
}
