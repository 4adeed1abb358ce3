//! Copies, replaces and reads whole databases without the knowledge of the servers that use them.

use anyhow::{Context as _, ensure};
use sqlx::error::DatabaseError;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::waiting::Patience;

/// The SQLSTATE `object_in_use`: a database still has sessions.
const IN_USE: &str = "55006";

/// Every table whose rows are made from the facts.
const TABLES: [&str; 10] = [
    "read_models.checkpoint",
    "read_models.events",
    "read_models.sections",
    "read_models.holds",
    "read_models.further_holds",
    "read_models.reservations",
    "read_models.payments",
    "read_models.sales",
    "read_models.sale_lines",
    "dead_letters",
];

pub(crate) async fn connect(url: &str) -> anyhow::Result<PgConnection> {
    PgConnection::connect(url).await.context("no connection to a database")
}

/// Copies a database while servers are connected to it. Returns the URL of the copy.
pub(crate) async fn copy_of(url: &str) -> anyhow::Result<String> {
    let postgres = test_services::postgres().await?;
    let copy = postgres.fresh_database("backup").await?;
    let (from, to) = (name_in(url)?, name_in(&copy)?);
    let mut server = connect(postgres.url()).await?;
    run(&mut server, format!("DROP DATABASE \"{to}\"")).await?;
    // Connections are refused only while the database is copied; its servers connect again afterwards.
    run(
        &mut server,
        format!("ALTER DATABASE \"{from}\" ALLOW_CONNECTIONS false"),
    )
    .await?;
    run_alone(
        &mut server,
        from,
        &format!("CREATE DATABASE \"{to}\" TEMPLATE \"{from}\""),
    )
    .await?;
    for database in [from, to] {
        run(
            &mut server,
            format!("ALTER DATABASE \"{database}\" ALLOW_CONNECTIONS true"),
        )
        .await?;
    }
    Ok(copy)
}

/// Replaces a database by its backup under the same name, while servers are connected to it.
pub(crate) async fn put_back(url: &str, backup: &str) -> anyhow::Result<()> {
    let (to, from) = (name_in(url)?, name_in(backup)?);
    let mut server = connect(test_services::postgres().await?.url()).await?;
    run_alone(&mut server, to, &format!("DROP DATABASE \"{to}\" WITH (FORCE)")).await?;
    run_alone(
        &mut server,
        from,
        &format!("ALTER DATABASE \"{from}\" RENAME TO \"{to}\""),
    )
    .await
}

async fn run(server: &mut PgConnection, statement: String) -> anyhow::Result<()> {
    sqlx::query(AssertSqlSafe(statement)).execute(server).await?;
    Ok(())
}

/// Runs a statement that needs a database for itself. Ends the sessions of the database before, and tries again if one
/// has begun meanwhile or takes long to end.
async fn run_alone(server: &mut PgConnection, database: &str, statement: &str) -> anyhow::Result<()> {
    let patience = Patience::new();
    loop {
        let end = format!("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{database}'");
        run(server, end).await?;
        let done = sqlx::query(AssertSqlSafe(statement.to_owned()))
            .execute(&mut *server)
            .await;
        let Err(error) = done else { return Ok(()) };
        let code = error.as_database_error().and_then(DatabaseError::code);
        ensure!(code.is_some_and(|code| code == IN_USE), error);
        patience.pause(|| error).await?;
    }
}

fn name_in(url: &str) -> anyhow::Result<&str> {
    let path = url.rsplit_once('/').context("a URL has a path")?.1;
    Ok(path.split('?').next().unwrap_or(path))
}

/// Returns all rows of the read models, and their checkpoint, as texts.
pub(crate) async fn rows_in(url: &str) -> anyhow::Result<Vec<String>> {
    let mut connection = connect(url).await?;
    let mut rows = Vec::new();
    for table in TABLES {
        let query = format!("SELECT '{table} ' || to_jsonb(t)::text FROM {table} AS t ORDER BY 1");
        let query = sqlx::query_scalar(AssertSqlSafe(query));
        rows.extend(query.fetch_all(&mut connection).await?);
    }
    Ok(rows)
}

pub(crate) async fn number(url: &str, query: &'static str) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar(query).fetch_one(&mut connect(url).await?).await?)
}
