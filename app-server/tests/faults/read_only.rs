//! A database accepts no writes for a while, as after a failover to a replica or when an operator has closed it.
//! Readers notice nothing, and the sale goes on by itself when the database accepts writes again.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use test_services::OwnedPostgres;

use crate::on_sale::{
    CUSTOMERS, IN_FULL_SWING, Readers, databases_of, nothing_is_sold_and_all_is_shown, on_sale_with, shared_redis,
};
use crate::support::services::{Places, brokers, installed};

/// Runs the statements one by one, because some of them are not allowed in a transaction.
async fn operate(postgres: &OwnedPostgres, statements: &[String]) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(postgres.url()).await?;
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement.clone()))
            .execute(&mut connection)
            .await?;
    }
    connection.close().await?;
    Ok(())
}

/// Plays an on-sale. In its middle the statements `close` stop writes to a database, and later the statements `open`
/// allow them again.
async fn closed_to_writers(
    postgres: OwnedPostgres,
    databases: [String; 4],
    close: &[String],
    open: &[String],
    readers: Readers,
) -> anyhow::Result<()> {
    let installation = installed(&Places {
        databases,
        redis: shared_redis().await?,
        brokers: brokers().await?,
    })?;
    on_sale_with(&installation, async |server, load| {
        operate(&postgres, close).await?;
        nothing_is_sold_and_all_is_shown(server, readers).await?;
        load.wait_for_doubts(CUSTOMERS)?;
        nothing_is_sold_and_all_is_shown(server, readers).await?;
        operate(&postgres, open).await?;
        load.wait_for_sales(IN_FULL_SWING)?;
        load.enough()?;
        load.everybody_was_told()
    })
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_is_read_only_for_a_while() {
    let story = async {
        let postgres = OwnedPostgres::start().await?;
        let databases = databases_of(&postgres).await?;
        let reload = "SELECT pg_reload_conf()";
        let close = ["ALTER SYSTEM SET default_transaction_read_only = on", reload];
        let open = ["ALTER SYSTEM RESET default_transaction_read_only", reload];
        closed_to_writers(
            postgres,
            databases,
            &close.map(str::to_owned),
            &open.map(str::to_owned),
            Readers::NoticeNothing,
        )
        .await
    };
    story.await.expect("the books are right");
}

/// Ending the sessions of the database also cuts off commits that are under way. The server does not test a connection
/// before it uses it, so a reader whose section has to be read from the log again may meet a dead one.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_alone_is_read_only_for_a_while_and_its_sessions_are_ended() {
    let story = async {
        let postgres = OwnedPostgres::start().await?;
        let databases = databases_of(&postgres).await?;
        let log = databases[0].rsplit('/').next().unwrap_or_default().to_owned();
        // Returns when the sessions have ended: the server would otherwise meet dead ones later than this test expects.
        let end_sessions =
            format!("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{log}'");
        let close = [
            format!("ALTER DATABASE {log} SET default_transaction_read_only = on"),
            end_sessions.clone(),
        ];
        let open = [
            format!("ALTER DATABASE {log} RESET default_transaction_read_only"),
            end_sessions,
        ];
        closed_to_writers(postgres, databases, &close, &open, Readers::ComeBack).await
    };
    story.await.expect("the books are right");
}
