//! Services and servers go down in the middle of an on-sale: afterwards the books are right, and nothing that was
//! answered is gone.

#[path = "../support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::load::{Load, check_books, journals};
use support::office::Person;
use support::services::{Places, brokers, installed};
use support::{Installation, Server};
use test_services::{OwnedBroker, OwnedPostgres, OwnedRedis};

/// Answers after which a load is in full swing.
const IN_FULL_SWING: usize = 200;
/// Long enough for a service to be away and back on a busy machine.
const SECONDS: u32 = 30;
/// How long the broker is away, which is long enough for clients to give up on it.
const OUTAGE: Duration = Duration::from_secs(30);
const CUSTOMERS: usize = 40;

async fn databases_of(postgres: &OwnedPostgres) -> anyhow::Result<[String; 4]> {
    Ok([
        postgres.fresh_database("events").await?,
        postgres.fresh_database("projections").await?,
        postgres.fresh_database("analytics").await?,
        postgres.fresh_database("auth").await?,
    ])
}

/// An event with its sales open that nobody sells out within a test, and that both servers show.
async fn large_event(server: &Server, other: &Server) -> anyhow::Result<String> {
    let mut organiser = Person::admin(server)?;
    let demonstration = organiser
        .get(&format!("/api/events/{}", server.event))
        .await?
        .expect(200)?;
    let price = json!({"amount": 5000, "currency": "EUR"});
    let draft = json!({
        "name": "Large",
        "currency": "EUR",
        "starts_at": demonstration.text("starts_at")?,
        "venue": {"name": "Field", "city": "Antwerp", "country": "BE", "timezone": "Europe/Brussels"},
        "sections": [{"name": "Field", "seating": {"kind": "general_admission", "capacity": 100_000}}],
        "pricing_tiers": [{"section": "Field", "tier": "regular", "price": price,
                           "available_from": null, "available_until": null}],
        "hold_seconds": 3600,
    });
    let event = organiser
        .post("/api/events", draft)
        .await?
        .expect(201)?
        .text("event_id")?;
    for step in ["publish", "sales/open"] {
        organiser
            .post(&format!("/api/events/{event}/{step}"), Value::Null)
            .await?
            .expect(200)?;
    }
    let mut there = Person::admin(other)?;
    there.see_what_was_written_by(&organiser);
    for _ in 0..10 {
        // Answered 503 while its read models are behind.
        if there.get(&format!("/api/events/{event}")).await?.status == 200 {
            return Ok(event);
        }
    }
    anyhow::bail!("the other server does not show the event")
}

async fn shared_redis() -> anyhow::Result<String> {
    Ok(test_services::redis().await?.url().to_owned())
}

/// Plays an on-sale, does something to it in full swing, and checks the books when it is over.
async fn on_sale_with(
    installation: &Installation,
    seconds: u32,
    fault: impl AsyncFnOnce(&mut Server, &mut Load) -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    let folder = journals()?;
    let mut server = Server::start(installation, CUSTOMERS)?;
    let mut load = Load::start(&server, &folder.path().join("journal"), seconds, None)?;
    load.wait_for_answers(IN_FULL_SWING)?;
    fault(&mut server, &mut load).await?;
    load.finish()?;
    let told = check_books(&server, &load.journal);
    told.map_err(|error| error.context(server.log()))
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_is_killed_and_comes_back() {
    let story = async {
        let postgres = OwnedPostgres::start().await?;
        let installation = installed(&Places {
            databases: databases_of(&postgres).await?,
            redis: shared_redis().await?,
            brokers: brokers().await?,
        })?;
        on_sale_with(&installation, SECONDS, async |_, load| {
            postgres.kill().await?;
            postgres.start_again().await?;
            load.wait_for_answers(IN_FULL_SWING)
        })
        .await
    };
    story.await.expect("the books are right");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_killed_and_comes_back() {
    let story = async {
        let postgres = OwnedPostgres::start().await?;
        let redis = OwnedRedis::start().await?;
        let installation = installed(&Places {
            databases: databases_of(&postgres).await?,
            redis: redis.url().to_owned(),
            brokers: brokers().await?,
        })?;
        on_sale_with(&installation, SECONDS, async |_, load| {
            redis.restart().await?;
            load.wait_for_answers(IN_FULL_SWING)
        })
        .await
    };
    story.await.expect("the books are right");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_is_away_for_half_a_minute_and_nobody_notices_but_the_readers() {
    let story = async {
        let postgres = OwnedPostgres::start().await?;
        let broker = OwnedBroker::start().await?;
        let installation = installed(&Places {
            databases: databases_of(&postgres).await?,
            redis: shared_redis().await?,
            brokers: broker.bootstrap().to_owned(),
        })?;
        on_sale_with(&installation, 2 * SECONDS, async |_, load| {
            broker.kill().await?;
            let gone = Instant::now();
            while gone.elapsed() < OUTAGE {
                // Sales go on without it.
                load.wait_for_answers(IN_FULL_SWING)?;
            }
            broker.start_again().await
        })
        .await
    };
    story.await.expect("the books are right");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_killed_and_another_takes_over() {
    let story = async {
        let installation = support::services::shared().await?;
        let folder = journals()?;
        let mut server = Server::start(&installation, CUSTOMERS)?;
        let mut load = Load::start(&server, &folder.path().join("journal"), SECONDS, None)?;
        load.wait_for_answers(IN_FULL_SWING)?;
        server.kill()?;
        load.outlive_the_server()?;
        // Its customers are signed in still: their sessions are in Redis.
        let mut next = Server::start(&installation, CUSTOMERS)?;
        let sessions = std::fs::read(server.sessions_file())?;
        std::fs::write(next.sessions_file(), sessions)?;
        next.admin_session.clone_from(&server.admin_session);
        check_books(&next, &folder.path().join("journal")).map_err(|error| error.context(next.log()))
    };
    story.await.expect("the books are right");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_sell_one_event() {
    let story = async {
        let installation = support::services::shared().await?;
        let folder = journals()?;
        let first = Server::start(&installation, CUSTOMERS)?;
        let second = Server::start(&installation, CUSTOMERS)?;
        let journal = |name: &str| folder.path().join(name);
        let event = large_event(&first, &second).await?;
        let mut here = Load::start(&first, &journal("first"), SECONDS, Some(&event))?;
        let mut there = Load::start(&second, &journal("second"), SECONDS, Some(&event))?;
        there.wait_for_answers(IN_FULL_SWING)?;
        here.wait_for_answers(IN_FULL_SWING)?;
        let mut loads = [here, there];
        for load in &mut loads {
            load.finish()?;
        }
        check_books(&first, &loads[0].journal).map_err(|error| error.context(first.log()))?;
        check_books(&second, &loads[1].journal).map_err(|error| error.context(second.log()))
    };
    story.await.expect("the books are right");
}
