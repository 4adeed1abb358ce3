//! An operator puts a log back from a backup, so that facts are lost which the read models were made from, and the
//! log then grows longer than it was before. Or an operator connects a server to another log by mistake.

use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters_external::{SystemClock, SystemIds};
use adapters_memory::{InMemoryDeadLetterStore, InMemoryGateway};
use adapters_postgres::{Database, DatabaseOptions, PostgresEventStore, Purpose};
use anyhow::{Context as _, ensure};
use serde_json::json;
use ticketing_ports::log::streams::CorrelationId;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId};
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_runtime::{Engine, EngineConfig, FollowPorts, HoldSeats, Ports, ProjectionFollower, Request, Runs};

use crate::support::bus::{headers_of, reader, value};
use crate::support::databases::{copy_of, number, put_back, rows_in};
use crate::support::fold::{Fold, answers_as_the_log_says};
use crate::support::office::{Person, customers_of};
use crate::support::readiness::{readiness, until_ready};
use crate::support::services::shared;
use crate::support::waiting::Patience;
use crate::support::{Installation, Server};

const EVENTS: &str = "DATABASE_URL_EVENTS";
const PROJECTIONS: &str = "DATABASE_URL_PROJECTIONS";
/// How many places are sold before the log is backed up.
const BEFORE: usize = 2;
/// How many places are sold after the backup. These sales are lost when the backup is put back.
const LOST: usize = 3;
/// How many places are sold on a log that lacks the lost sales: enough for it to grow longer than the old log was.
const AFTER: usize = 20;
const CUSTOMERS: usize = 6;
/// How long a follower of the log may take, on a busy machine, until it looks at the log again, also after a failure.
const ONE_TURN: Duration = Duration::from_secs(10);

/// Makes `times` holds of one place, each for the next customer. Pays every other hold right after it is made.
async fn sell(server: &Server, times: usize) -> anyhow::Result<()> {
    for number in 0..times {
        let mut customer = Person::customer(server, number % CUSTOMERS)?;
        let wanted = json!({"event_id": server.event, "section": "General", "quantity": 1});
        let mut held = customer.post("/api/reservations", wanted.clone()).await?;
        if let Some(pause) = held.retry_after.filter(|_| held.status == 503) {
            // The server may still have met a connection that was cut off when its database was copied or replaced.
            tokio::time::sleep(pause).await;
            held = customer.post("/api/reservations", wanted).await?;
        }
        let held = held.expect(201)?;
        if number % 2 == 1 {
            let reservation = held.text("reservation_id")?;
            let card = json!({"payment_method": {"type": "card", "token": "tok_visa"}});
            let pay = format!("/api/reservations/{reservation}/payment");
            customer.post(&pay, card).await?.expect(200)?;
        }
    }
    Ok(())
}

async fn is_right(installation: &Installation, server: &Server) -> anyhow::Result<()> {
    let right =
        async { answers_as_the_log_says(installation, server, &mut customers_of(server, CUSTOMERS).await?).await };
    right.await.map_err(|error| error.context(server.log()))
}

async fn ids_of(server: &Server) -> anyhow::Result<Vec<CustomerId>> {
    let customers = customers_of(server, CUSTOMERS).await?;
    Ok(customers.into_iter().map(|(id, _)| id).collect())
}

/// Lets the log grow longer than it was before it lost facts. Sells with an engine that neither reads nor writes the
/// read models in PostgreSQL.
async fn outgrow(log: &str, event: &str, customers: &[CustomerId]) -> anyhow::Result<()> {
    let alone = InMemory::start(log).await?;
    alone.outgrow(event, customers).await?;
    alone.engine.abort();
    Ok(())
}

/// An engine on the log that has its read models in memory, as in a program that embeds the engine.
struct InMemory {
    engine: Engine,
    rows: Fold,
}

impl InMemory {
    async fn start(log: &str) -> anyhow::Result<Self> {
        let database = Database::connect(Purpose::Events, log, &DatabaseOptions::default()).await?;
        let log = Arc::new(PostgresEventStore::new(&database));
        let rows = Fold(Arc::default());
        let ports = Ports {
            events: log.clone(),
            snapshots: log.clone(),
            deadlines: log.clone(),
            idempotency: log.clone(),
            gateway: Arc::new(InMemoryGateway::new()),
            clock: Arc::new(SystemClock::new()),
            ids: Arc::new(SystemIds::new()),
        };
        let following = FollowPorts {
            followers: log,
            dead_letters: Arc::new(InMemoryDeadLetterStore::new()),
            bus: None,
        };
        let models = ProjectionFollower::read_models(rows.0.clone()).running(Runs::InEveryProcess);
        let engine = Engine::builder(ports, following)
            .config(EngineConfig {
                max_live_holds: None,
                ..EngineConfig::default()
            })
            .follow(models)
            .start();
        Ok(Self { engine, rows })
    }

    /// Holds more places for these customers than the restored backup has lost, so that the log grows longer than it
    /// was.
    async fn outgrow(&self, event: &str, customers: &[CustomerId]) -> anyhow::Result<()> {
        for customer in customers.iter().cycle().take(AFTER) {
            let by = Actor {
                user_id: (*customer).into(),
                role: Role::Customer,
            };
            let hold = HoldSeats::best(EventId::new(event.parse()?), "General", 1);
            let request = Request {
                by: by.into(),
                correlation_id: CorrelationId::parse("elsewhere").context("visible ASCII")?,
                trace: None,
                idempotency: None,
                command: hold,
            };
            self.engine.box_office().hold(request).await?;
        }
        Ok(())
    }

    /// Waits until the engine's read models agree with the log.
    async fn is_right(&self, installation: &Installation, server: &Server) -> anyhow::Result<()> {
        let event = EventId::new(server.event.parse()?);
        let customers = ids_of(server).await?;
        let patience = Patience::new();
        // The log is read anew for each try, because holds may run out meanwhile.
        while !self.agrees(&Fold::of(installation).await?, event, &customers).await? {
            patience.pause(|| format!("{:?}", self.engine.followers())).await?;
        }
        Ok(())
    }

    async fn agrees(&self, fold: &Fold, event: EventId, customers: &[CustomerId]) -> anyhow::Result<bool> {
        // The engine may not know the event yet.
        if self.rows.availability(event).await.ok() != Some(fold.availability(event).await?) {
            return Ok(false);
        }
        for customer in customers {
            if self.rows.reservations(*customer).await? != fold.reservations(*customer).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

async fn incarnation(installation: &Installation) -> anyhow::Result<i64> {
    number(
        installation.variable(EVENTS)?,
        "SELECT incarnation::bigint FROM log_head",
    )
    .await
}

/// Demands that the database `log` has more facts than the read models in PostgreSQL were made from.
async fn has_outgrown_its_rows(installation: &Installation, log: &str) -> anyhow::Result<()> {
    let head = number(log, "SELECT position FROM log_head").await?;
    let rows = installation.variable(PROJECTIONS)?;
    let rows = number(rows, "SELECT position FROM read_models.checkpoint").await?;
    ensure!(
        head > rows,
        "the log has only {head} facts, and the read models were made from {rows}"
    );
    Ok(())
}

/// Waits until the read models in PostgreSQL were made from every fact of the log.
async fn rows_are_complete(installation: &Installation) -> anyhow::Result<()> {
    let (log, rows) = (installation.variable(EVENTS)?, installation.variable(PROJECTIONS)?);
    let patience = Patience::new();
    loop {
        let head = number(log, "SELECT position FROM log_head").await?;
        let rows = number(rows, "SELECT position FROM read_models.checkpoint").await?;
        if rows >= head {
            return Ok(());
        }
        patience
            .pause(|| format!("the read models have only {rows} of {head} facts"))
            .await?;
    }
}

/// Waits until a server is ready and says that its read models follow the log.
async fn is_well(server: &Server) -> anyhow::Result<()> {
    let well = readiness(&server.local_url(), |status, ready| {
        let rows = &ready["checks"]["projections"];
        status == 200 && rows["condition"] == "works" && rows["lag_facts"].is_u64() && rows["lag_ms"].is_u64()
    })
    .await;
    well.map(drop).map_err(|error| error.context(server.log()))
}

/// Waits until a server answers its health check with 503, and gives `error` and `condition` for its read models.
async fn refuses(server: &Server, error: &str, condition: &str) -> anyhow::Result<()> {
    let refused = readiness(&server.local_url(), |status, ready| {
        let said = &ready["checks"]["projections"];
        status == 503 && said["error"] == error && said["condition"] == condition
    })
    .await;
    refused.map(drop).map_err(|error| error.context(server.log()))
}

/// Sells, and reads a topic from its beginning, until there is a message from the incarnation `life` of the log.
async fn the_bus_tells_of(installation: &Installation, server: &Server, life: i64) -> anyhow::Result<()> {
    let reader = reader(installation, "reservations")?;
    let mut lives = Vec::new();
    let patience = Patience::new();
    while lives.last() != Some(&life) {
        let told = || {
            format!(
                "the bus has only messages of the incarnations {lives:?}\n{}",
                server.log()
            )
        };
        patience.pause(told).await?;
        sell(server, 1).await?;
        while let Ok(message) = tokio::time::timeout(Duration::from_secs(1), reader.recv()).await {
            let headers = headers_of(&message?);
            let incarnation = value(&headers, "ticketing-incarnation").context("each message has one")?;
            lives.push(incarnation.parse()?);
        }
    }
    // The order of messages is not checked, because a reader takes partitions in any order.
    ensure!(lives.contains(&1), "{lives:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_put_back_and_has_outgrown_its_rows_is_noticed_at_the_start() {
    let story = async {
        let installation = shared().await?;
        let log = installation.variable(EVENTS)?.to_owned();
        let mut first = Server::start(&installation, CUSTOMERS)?;
        sell(&first, BEFORE).await?;
        the_bus_tells_of(&installation, &first, 1).await?;
        first.stop()?;
        let backup = copy_of(&log).await?;
        let next = Server::start(&installation, CUSTOMERS)?;
        sell(&next, LOST).await?;
        is_right(&installation, &next).await?;
        let (event, customers) = (next.event.clone(), ids_of(&next).await?);
        drop(next);
        put_back(&log, &backup).await?;
        outgrow(&log, &event, &customers).await?;
        has_outgrown_its_rows(&installation, &log).await?;
        ensure!(
            incarnation(&installation).await? == 1,
            "the incarnation was raised, although no server with older read models was running"
        );

        let server = Server::start(&installation, CUSTOMERS)?;
        is_right(&installation, &server).await?;
        ensure!(incarnation(&installation).await? == 2, "{}", server.log());
        is_well(&server).await?;
        the_bus_tells_of(&installation, &server, 2).await?;
        is_right(&installation, &server).await
    };
    story.await.expect("readers are shown only what the log says");
}

/// Both a server with read models in PostgreSQL and an engine with read models in memory run all the time.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_put_back_and_has_outgrown_its_rows_is_noticed_within_a_turn() {
    let story = async {
        let installation = shared().await?;
        let log = installation.variable(EVENTS)?.to_owned();
        let server = Server::start(&installation, CUSTOMERS)?;
        let in_memory = InMemory::start(&log).await?;
        sell(&server, BEFORE).await?;
        the_bus_tells_of(&installation, &server, 1).await?;
        let backup = copy_of(&log).await?;
        // The copy cut off the server's connections, and until they are back the server may be not ready.
        until_ready(&server).await?;
        sell(&server, LOST).await?;
        is_right(&installation, &server).await?;
        in_memory.is_right(&installation, &server).await?;

        outgrow(&backup, &server.event, &ids_of(&server).await?).await?;
        has_outgrown_its_rows(&installation, &backup).await?;
        put_back(&log, &backup).await?;
        let patience = Patience::new();
        while incarnation(&installation).await? == 1 {
            patience.pause(|| format!("nobody notices\n{}", server.log())).await?;
        }
        is_right(&installation, &server).await?;
        is_well(&server).await?;
        in_memory.is_right(&installation, &server).await?;
        ensure!(
            incarnation(&installation).await? == 2,
            "one loss must raise the incarnation once"
        );
        the_bus_tells_of(&installation, &server, 2).await?;
        in_memory.is_right(&installation, &server).await?;
        in_memory.engine.abort();
        Ok(())
    };
    let told: anyhow::Result<()> = story.await;
    told.expect("readers are shown only what the log says");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_lost_past_are_left_alone_where_that_is_wanted_and_health_says_so() {
    const LOST_FACTS: &str = "the log has lost facts that the read models were made of";
    let story = async {
        let installation = shared().await?.with("READ_MODELS_OF_A_LOST_PAST", "refuse");
        let log = installation.variable(EVENTS)?.to_owned();
        let server = Server::start(&installation, CUSTOMERS)?;
        sell(&server, BEFORE).await?;
        let backup = copy_of(&log).await?;
        until_ready(&server).await?;
        sell(&server, LOST).await?;
        is_right(&installation, &server).await?;
        outgrow(&backup, &server.event, &ids_of(&server).await?).await?;
        has_outgrown_its_rows(&installation, &backup).await?;
        rows_are_complete(&installation).await?;
        let rows = rows_in(installation.variable(PROJECTIONS)?).await?;
        put_back(&log, &backup).await?;

        refuses(&server, LOST_FACTS, "of_a_lost_past").await?;
        sell(&server, 1).await.context("sales go on")?;
        drop(server);
        let next = Server::start(&installation, CUSTOMERS)?;
        refuses(&next, LOST_FACTS, "of_a_lost_past").await?;
        ensure!(
            rows_in(installation.variable(PROJECTIONS)?).await? == rows,
            "the server has changed rows of the read models"
        );
        // With this command the operator, who has looked into the case, decides that the read models are made again.
        installation.run(&["rebuild-projections"])?;
        is_right(&installation, &next).await?;
        is_well(&next).await
    };
    story.await.expect("read models change only when the operator says so");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_another_log_changes_nothing_of_the_rows_and_says_so() {
    let story = async {
        let installation = shared().await?;
        let here = Server::start(&installation, CUSTOMERS)?;
        sell(&here, LOST).await?;
        is_right(&installation, &here).await?;
        rows_are_complete(&installation).await?;
        let rows = rows_in(installation.variable(PROJECTIONS)?).await?;

        let mut mistaken = shared().await?;
        let before = Server::start(&mistaken, CUSTOMERS)?;
        sell(&before, AFTER).await?;
        let (event, customer) = (before.event.clone(), 0);
        drop(before);
        mistaken.set(PROJECTIONS, installation.variable(PROJECTIONS)?);
        let there = Server::start(&mistaken, CUSTOMERS)?;
        refuses(&there, "the read models were made from another log", "of_another_log").await?;
        let wanted = json!({"event_id": event, "section": "General", "quantity": 1});
        Person::customer(&there, customer)?
            .post("/api/reservations", wanted)
            .await?
            .expect(201)?;
        let told = "a follower has handled facts of another log, so this process gives it no facts";
        ensure!(there.log().contains(told), "{}", there.log());
        // Waits longer than a turn, so that the server has looked at the rows again.
        let patience = Instant::now() + ONE_TURN;
        while Instant::now() < patience {
            refuses(&there, "the read models were made from another log", "of_another_log").await?;
            is_well(&here).await?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        ensure!(
            rows_in(installation.variable(PROJECTIONS)?).await? == rows,
            "the server has changed rows of the read models"
        );

        sell(&here, 1).await?;
        is_right(&installation, &here).await?;
        for log in [&installation, &mistaken] {
            ensure!(
                incarnation(log).await? == 1,
                "the incarnation was raised, although no log has lost facts"
            );
        }
        Ok(())
    };
    story.await.expect("a server never shows the sales of another log");
}
