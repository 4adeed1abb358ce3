//! A server is killed after it has published or applied facts, and before it has noted how far it came. The next
//! server publishes or applies these facts again. Whoever gets a fact twice recognises it by its position, so nothing
//! counts twice.

use std::collections::BTreeMap;
use std::time::Duration;

use adapters_redpanda::{BusOptions, RedpandaBus};
use anyhow::ensure;
use sqlx::{Connection as _, PgConnection};
use test_services::OwnedBroker;
use ticketing_ports::log::event_bus::{Delivered, EventSubscriber as _, Subscription};
use ticketing_ports::log::streams::{Position, StreamId, Version};

use crate::on_sale::{CUSTOMERS, IN_FULL_SWING, SECONDS, successor};
use crate::support::load::{Load, check_books, journals};
use crate::support::services::shared;
use crate::support::waiting::Patience;
use crate::support::{Installation, Server};

/// How long a fact may take to come onto the bus at most. A reader of the bus first has to be given its partitions, and
/// each of its looks takes up to two seconds.
const UNTIL_PUBLISHED: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread")]
async fn what_was_appended_and_not_published_by_a_server_that_was_killed_is_published_by_the_next() {
    let story = async {
        let broker = OwnedBroker::start().await?;
        let installation = on(&broker).await?;
        let folder = journals()?;
        let mut server = Server::start(&installation, CUSTOMERS)?;
        let mut load = Load::start(&server, &folder.path().join("journal"), SECONDS, None)?;
        load.wait_for_answers(IN_FULL_SWING)?;
        broker.kill().await?;
        load.wait_for_sales(IN_FULL_SWING)?;
        server.kill()?;
        load.outlive_the_server()?;
        let mut log = connect(&installation, "DATABASE_URL_EVENTS").await?;
        let (published, appended) = (noted(&mut log).await?, head(&mut log).await?);
        ensure!(
            published < appended,
            "the relay published every fact before the broker was killed, up to {published}"
        );

        broker.start_again().await?;
        let next = successor(&installation, &server)?;
        let mut witness = Witness::of(&installation).await?;
        witness.see_everything_upto(head(&mut log).await?).await?;
        check_books(&next, &load.journal).map_err(|error| error.context(next.log()))
    };
    story.await.expect("every fact is on the bus");
}

/// The test locks the relay's row in the database, so that the relay can publish facts but not note how far it has
/// come.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_and_not_noted_by_a_server_that_was_killed_is_published_again() {
    let story = async {
        let installation = shared().await?;
        let folder = journals()?;
        let mut server = Server::start(&installation, CUSTOMERS)?;
        let mut load = Load::start(&server, &folder.path().join("journal"), SECONDS, None)?;
        load.wait_for_answers(IN_FULL_SWING)?;
        let mut witness = Witness::of(&installation).await?;
        let mut log = connect(&installation, "DATABASE_URL_EVENTS").await?;
        let mut other = connect(&installation, "DATABASE_URL_EVENTS").await?;
        let patience = Patience::of(UNTIL_PUBLISHED);
        let (noted, published) = loop {
            let mut hold = other.begin().await?;
            let noted: i64 = sqlx::query_scalar("SELECT position FROM followers WHERE name = 'relay' FOR UPDATE")
                .fetch_one(&mut *hold)
                .await?;
            let noted = Position(noted.unsigned_abs());
            // A relay that waits for the locked row has usually just published facts. If no later fact arrives, it
            // waits only to renew its lease, and the test tries again.
            if let Some(published) = witness.see_more_than(noted).await? {
                server.kill()?;
                end_sessions_of_the_dead(&mut log).await?;
                hold.rollback().await?;
                break (noted, published);
            }
            hold.rollback().await?;
            patience
                .pause(|| "the relay has published no fact beyond its noted position")
                .await?;
        };
        load.outlive_the_server()?;
        ensure!(
            self::noted(&mut log).await? == noted,
            "the relay has noted its new position although the row was locked"
        );

        let next = successor(&installation, &server)?;
        witness.see_everything_upto(head(&mut log).await?).await?;
        witness.see_again(published).await?;
        check_books(&next, &load.journal).map_err(|error| error.context(next.log()))
    };
    story.await.expect("every fact is on the bus");
}

/// The broker is killed before a batch is applied, so that the server can apply the batch but not commit its
/// offsets.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_applied_and_not_acknowledged_by_a_server_that_was_killed_counts_once() {
    let story = async {
        let broker = OwnedBroker::start().await?;
        let installation = on(&broker).await?;
        let folder = journals()?;
        let mut server = Server::start(&installation, CUSTOMERS)?;
        let mut load = Load::start(&server, &folder.path().join("journal"), SECONDS, None)?;
        load.wait_for_answers(IN_FULL_SWING)?;
        let mut models = connect(&installation, "DATABASE_URL_PROJECTIONS").await?;
        let mut other = connect(&installation, "DATABASE_URL_PROJECTIONS").await?;
        let mut hold = other.begin().await?;
        sqlx::query("SELECT FROM read_models.checkpoint FOR UPDATE")
            .execute(&mut *hold)
            .await?;
        let before = checkpoint(&mut models).await?;
        until(
            async || Ok(waiting_for_a_lock(&mut models).await?),
            "no batch is applied",
        )
        .await?;
        broker.kill().await?;
        hold.rollback().await?;
        until(
            async || Ok(checkpoint(&mut models).await? > before),
            "the batch is not applied",
        )
        .await?;
        server.kill()?;
        load.outlive_the_server()?;

        broker.start_again().await?;
        let next = successor(&installation, &server)?;
        check_books(&next, &load.journal).map_err(|error| error.context(next.log()))
    };
    story.await.expect("every fact is applied once");
}

/// An installation on the services that all tests share, except that it uses the given broker.
async fn on(broker: &OwnedBroker) -> anyhow::Result<Installation> {
    let mut installation = shared().await?;
    installation.set("REDPANDA_BROKERS", broker.bootstrap());
    Ok(installation)
}

async fn connect(installation: &Installation, variable: &str) -> anyhow::Result<PgConnection> {
    Ok(PgConnection::connect(installation.variable(variable)?).await?)
}

async fn position(connection: &mut PgConnection, query: &'static str) -> anyhow::Result<Position> {
    let position: i64 = sqlx::query_scalar(query).fetch_one(connection).await?;
    Ok(Position(position.unsigned_abs()))
}

async fn head(log: &mut PgConnection) -> anyhow::Result<Position> {
    position(log, "SELECT position FROM log_head").await
}

/// Returns the position up to which the relay has noted that it published the log.
async fn noted(log: &mut PgConnection) -> anyhow::Result<Position> {
    position(log, "SELECT position FROM followers WHERE name = 'relay'").await
}

async fn checkpoint(models: &mut PgConnection) -> anyhow::Result<Position> {
    position(models, "SELECT position FROM read_models.checkpoint").await
}

async fn waiting_for_a_lock(connection: &mut PgConnection) -> anyhow::Result<bool> {
    let query = "SELECT count(*) > 0 FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    Ok(sqlx::query_scalar(query).fetch_one(connection).await?)
}

/// Ends the database sessions of a server that was killed: PostgreSQL would otherwise still carry out what the
/// server has sent.
async fn end_sessions_of_the_dead(connection: &mut PgConnection) -> anyhow::Result<()> {
    let theirs = "datname = current_database() AND application_name = 'box-office'";
    let end = format!("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {theirs}");
    sqlx::query(sqlx::AssertSqlSafe(end)).execute(connection).await?;
    Ok(())
}

async fn until(
    mut condition: impl AsyncFnMut() -> anyhow::Result<bool>,
    otherwise: &'static str,
) -> anyhow::Result<()> {
    let patience = Patience::new();
    while !condition().await? {
        patience.pause(|| otherwise).await?;
    }
    Ok(())
}

/// A reader of the bus that belongs to no server, and that reads from the beginning.
struct Witness {
    subscription: Box<dyn Subscription>,
    /// How many times each fact was on the bus.
    seen: BTreeMap<Position, usize>,
    versions: BTreeMap<StreamId, Version>,
}

impl Witness {
    async fn of(installation: &Installation) -> anyhow::Result<Self> {
        let options = BusOptions {
            prefix: installation.variable("REDPANDA_TOPIC_PREFIX")?.to_owned(),
            ..BusOptions::default()
        };
        let bus = RedpandaBus::connect(installation.variable("REDPANDA_BROKERS")?, options).await?;
        Ok(Self {
            subscription: bus.subscribe("witness").await?,
            seen: BTreeMap::new(),
            versions: BTreeMap::new(),
        })
    }

    /// Takes what has arrived on the bus, and demands that the facts of each stream come in order. Returns false if
    /// nothing has arrived for two seconds.
    async fn listen(&mut self) -> anyhow::Result<bool> {
        let Ok(delivered) = tokio::time::timeout(Duration::from_secs(2), self.subscription.next(1_000)).await else {
            return Ok(false);
        };
        for Delivered { event, .. } in delivered? {
            let version = self.versions.entry(event.stream).or_insert(Version::NONE);
            ensure!(
                event.version.0 <= version.0 + 1,
                "{} came in version {} after {version}",
                event.stream,
                event.version,
            );
            *version = (*version).max(event.version);
            *self.seen.entry(event.position).or_default() += 1;
        }
        Ok(true)
    }

    /// Returns the newest position that was seen, once it is after `position`. `None` if no later fact arrives.
    async fn see_more_than(&mut self, position: Position) -> anyhow::Result<Option<Position>> {
        loop {
            let last = self.seen.keys().last().copied();
            if last > Some(position) {
                return Ok(last);
            }
            if !self.listen().await? {
                return Ok(None);
            }
        }
    }

    async fn see_everything_upto(&mut self, head: Position) -> anyhow::Result<()> {
        let patience = Patience::of(UNTIL_PUBLISHED);
        loop {
            let missing = (1..=head.0).find(|position| !self.seen.contains_key(&Position(*position)));
            let Some(missing) = missing else {
                return Ok(());
            };
            self.listen().await?;
            patience
                .pause(|| format!("the fact at {missing} (of {head}) is not on the bus"))
                .await?;
        }
    }

    async fn see_again(&mut self, position: Position) -> anyhow::Result<()> {
        let patience = Patience::of(UNTIL_PUBLISHED);
        while self.seen.get(&position).is_none_or(|times| *times < 2) {
            self.listen().await?;
            patience
                .pause(|| format!("the fact at {position} was not published a second time"))
                .await?;
        }
        Ok(())
    }
}
