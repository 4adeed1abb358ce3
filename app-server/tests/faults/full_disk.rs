//! A disk is really full: nothing can be sold, who only looks notices nothing, and the sale goes on by itself when there
//! is room again. Where no disk may be mounted, PostgreSQL raises the code of a full one and the files of the embedded
//! server may not grow.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use sqlx::{Connection as _, PgConnection};
use test_services::{OwnedPostgres, SmallDisk, limit_file_sizes};

use crate::on_sale::{
    CUSTOMERS, IN_FULL_SWING, SECONDS, databases_of, nothing_is_sold, nothing_is_sold_and_all_is_shown, on_sale_with,
    shared_redis,
};
use crate::support::load::{Load, check_books, journals};
use crate::support::services::{Places, brokers, installed};
use crate::support::{Installation, Server};

/// Until PostgreSQL is back when an operator looks after it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the tables are, PostgreSQL refuses what needs another page and goes on.
#[tokio::test(flavor = "multi_thread")]
async fn the_disk_of_the_tables_is_full_for_a_while() {
    let story = async {
        let Some(disk) = SmallDisk::mount(192)? else {
            return postgresql_says_that_its_disk_is_full().await;
        };
        let postgres = OwnedPostgres::start_with_tables_on(&disk).await?;
        let installation = on(&postgres).await?;
        on_sale_with(&installation, SECONDS, async |server, load| {
            disk.fill()?;
            nothing_is_sold_and_all_is_shown(server).await?;
            load.wait_for_doubts(CUSTOMERS)?;
            disk.make_room()?;
            load.wait_for_sales(IN_FULL_SWING)?;
            load.enough()?;
            load.everybody_was_told()
        })
        .await
    };
    story.await.expect("the books are right");
}

/// Where the write-ahead log is, PostgreSQL panics, and may not come back before there is room: then an operator starts
/// it again.
#[tokio::test(flavor = "multi_thread")]
async fn the_disk_of_the_write_ahead_log_is_full_for_a_while() {
    let story = async {
        let Some(disk) = SmallDisk::mount(192)? else {
            return postgresql_says_that_its_disk_is_full().await;
        };
        let postgres = OwnedPostgres::start_with_log_on(&disk).await?;
        let installation = on(&postgres).await?;
        on_sale_with(&installation, SECONDS, async |server, load| {
            disk.fill()?;
            nothing_is_sold(server).await?;
            load.wait_for_doubts(CUSTOMERS)?;
            disk.make_room()?;
            look_after(&postgres).await?;
            load.wait_for_sales(IN_FULL_SWING)?;
            load.enough()?;
            load.everybody_was_told()
        })
        .await
    };
    story.await.expect("the books are right");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_of_an_embedded_server_is_full_for_a_while_and_it_is_killed_when_it_is_full_again() {
    let story = async {
        let folder = journals()?;
        let disk = SmallDisk::mount(64)?;
        let place = disk.as_ref().map_or(folder.path(), SmallDisk::path);
        let installation = Installation::embedded(place);
        let mut server = Server::start(&installation, CUSTOMERS)?;
        let process = server.id();
        let fill = || match &disk {
            Some(disk) => disk.fill(),
            None => limit_file_sizes(process, Some(size_of_the_log(place)?)),
        };
        let make_room = || match &disk {
            Some(disk) => disk.make_room(),
            None => limit_file_sizes(process, None),
        };
        let mut load = Load::start(&server, &folder.path().join("journal"), SECONDS, None)?;
        load.wait_for_answers(IN_FULL_SWING)?;
        fill()?;
        nothing_is_sold_and_all_is_shown(&server).await?;
        load.wait_for_doubts(CUSTOMERS)?;
        make_room()?;
        load.wait_for_sales(IN_FULL_SWING)?;
        fill()?;
        load.wait_for_doubts(CUSTOMERS)?;
        server.kill()?;
        load.outlive_the_server()?;
        disk.as_ref().map_or(Ok(()), SmallDisk::make_room)?;
        let next = Server::start(&installation, CUSTOMERS)?;
        check_books(&next, &load.journal).map_err(|error| error.context(next.log()))
    };
    story.await.expect("the books are right");
}

/// The file that grows with every commit.
fn size_of_the_log(folder: &Path) -> anyhow::Result<u64> {
    Ok(std::fs::metadata(folder.join("box-office.db-wal"))?.len())
}

async fn postgresql_says_that_its_disk_is_full() -> anyhow::Result<String> {
    let postgres = OwnedPostgres::start().await?;
    let installation = on(&postgres).await?;
    on_sale_with(&installation, SECONDS, async |server, load| {
        let mut log = PgConnection::connect(installation.variable("DATABASE_URL_EVENTS")?).await?;
        sqlx::raw_sql(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
             CREATE TRIGGER full_disk BEFORE INSERT ON events EXECUTE FUNCTION full_disk();",
        )
        .execute(&mut log)
        .await?;
        nothing_is_sold_and_all_is_shown(server).await?;
        load.wait_for_doubts(CUSTOMERS)?;
        sqlx::raw_sql("DROP FUNCTION full_disk CASCADE")
            .execute(&mut log)
            .await?;
        load.wait_for_sales(IN_FULL_SWING)?;
        load.enough()?;
        load.everybody_was_told()
    })
    .await
}

async fn on(postgres: &OwnedPostgres) -> anyhow::Result<Installation> {
    installed(&Places {
        databases: databases_of(postgres).await?,
        redis: shared_redis().await?,
        brokers: brokers().await?,
    })
}

/// Starts PostgreSQL whenever it has ended, until it serves.
async fn look_after(postgres: &OwnedPostgres) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let started = postgres.start_again().await;
        match PgConnection::connect(postgres.url()).await {
            Ok(connection) => return Ok(connection.close().await?),
            Err(error) => ensure!(began.elapsed() < PATIENCE, "{error}: {started:?}"),
        }
    }
}
