//! A disk is really full: nothing can be sold, readers notice nothing, and the sale goes on by itself when there is
//! room again. Where a test may not mount a small disk, PostgreSQL raises the error code of a full disk instead, and
//! the files of the embedded server are not allowed to grow.

use std::path::Path;

use sqlx::{Connection as _, PgConnection};
use test_services::{OwnedPostgres, SmallDisk, limit_file_sizes};

use crate::on_sale::{
    CUSTOMERS, IN_FULL_SWING, Readers, SECONDS, databases_of, nothing_is_sold, nothing_is_sold_and_all_is_shown,
    on_sale_with, shared_redis,
};
use crate::support::load::{Load, check_books, journals};
use crate::support::readiness::{readiness, until_ready};
use crate::support::services::{Places, brokers, installed};
use crate::support::waiting::Patience;
use crate::support::{Installation, Server};

/// The length beyond which no file may be written. Customers who buy soon need more than that. The present length of
/// the write-ahead log would be no limit, because SQLite begins that file anew when it has 16 MiB.
const LIMIT: u64 = 1024 * 1024;

/// If the disk with the tables is full, PostgreSQL refuses what needs another page, and keeps running.
#[tokio::test(flavor = "multi_thread")]
async fn the_disk_of_the_tables_is_full_for_a_while() {
    let story = async {
        let Some(disk) = SmallDisk::mount(192)? else {
            return postgresql_says_that_its_disk_is_full().await;
        };
        let postgres = OwnedPostgres::start_with_tables_on(&disk).await?;
        let installation = on(&postgres).await?;
        on_sale_with(&installation, async |server, load| {
            disk.fill()?;
            nothing_is_sold_and_all_is_shown(server, Readers::NoticeNothing).await?;
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

/// If the disk with the write-ahead log is full, PostgreSQL panics, and may not start before there is room again:
/// then an operator has to start it.
#[tokio::test(flavor = "multi_thread")]
async fn the_disk_of_the_write_ahead_log_is_full_for_a_while() {
    let story = async {
        let Some(disk) = SmallDisk::mount(192)? else {
            return postgresql_says_that_its_disk_is_full().await;
        };
        let postgres = OwnedPostgres::start_with_log_on(&disk).await?;
        let installation = on(&postgres).await?;
        on_sale_with(&installation, async |server, load| {
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
        match SmallDisk::mount(64)? {
            Some(disk) => embedded(disk.path(), |_| disk.fill(), |_| disk.make_room()).await,
            None => files_that_may_not_grow().await,
        }
    };
    story.await.expect("the books are right");
}

/// The test limits the size of the server's files. Writing then fails with an error, as it does under a disk quota.
#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_an_embedded_server_may_not_grow_for_a_while_and_it_is_killed_when_they_may_not_again() {
    files_that_may_not_grow().await.expect("the books are right");
}

async fn files_that_may_not_grow() -> anyhow::Result<String> {
    let folder = journals()?;
    embedded(
        folder.path(),
        |process| limit_file_sizes(process, Some(LIMIT)),
        // `make_room` runs a second time after the server was killed. The limit on file sizes has ended with the
        // process then, so an error is ignored.
        |process| limit_file_sizes(process, None).or(Ok(())),
    )
    .await
}

async fn embedded(
    place: &Path,
    fill: impl Fn(u32) -> anyhow::Result<()>,
    make_room: impl Fn(u32) -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    let folder = journals()?;
    let installation = Installation::embedded(place);
    let mut server = Server::start(&installation, CUSTOMERS)?;
    let mut load = Load::start(&server, &folder.path().join("journal"), SECONDS, None)?;
    load.wait_for_answers(IN_FULL_SWING)?;
    fill(server.id())?;
    nothing_is_sold_and_all_is_shown(&server, Readers::NoticeNothing).await?;
    load.wait_for_doubts(CUSTOMERS)?;
    readiness(&server.local_url(), |status, ready| {
        status == 503 && ready["checks"]["commits"]["healthy"] == false
    })
    .await?;
    make_room(server.id())?;
    load.wait_for_sales(IN_FULL_SWING)?;
    until_ready(&server).await?;
    fill(server.id())?;
    load.wait_for_doubts(CUSTOMERS)?;
    server.kill()?;
    load.outlive_the_server()?;
    make_room(server.id())?;
    let next = Server::start(&installation, CUSTOMERS)?;
    check_books(&next, &load.journal).map_err(|error| error.context(next.log()))
}

async fn postgresql_says_that_its_disk_is_full() -> anyhow::Result<String> {
    let postgres = OwnedPostgres::start().await?;
    let installation = on(&postgres).await?;
    on_sale_with(&installation, async |server, load| {
        let mut log = PgConnection::connect(installation.variable("DATABASE_URL_EVENTS")?).await?;
        sqlx::raw_sql(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
             CREATE TRIGGER full_disk BEFORE INSERT ON events EXECUTE FUNCTION full_disk();",
        )
        .execute(&mut log)
        .await?;
        nothing_is_sold_and_all_is_shown(server, Readers::NoticeNothing).await?;
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

/// Starts PostgreSQL again whenever it has ended, as an operator would, until it accepts connections.
async fn look_after(postgres: &OwnedPostgres) -> anyhow::Result<()> {
    let patience = Patience::new();
    loop {
        let started = postgres.start_again().await;
        match PgConnection::connect(postgres.url()).await {
            Ok(connection) => return Ok(connection.close().await?),
            Err(error) => patience.pause(|| format!("{error}: {started:?}")).await?,
        }
    }
}
