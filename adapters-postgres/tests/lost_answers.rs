//! Tests commits whose answer is lost, or that meet a full disk or a read-only server: the caller can find out what
//! was written, and no commit is written in part.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adapters_postgres::{Database, DatabaseOptions, PostgresEventStore, Purpose};
use chrono::DateTime;
use ticketing_ports::log::event_store::{Append, Commit, CommitError, EventStore};
use ticketing_ports::log::streams::{Metadata, NewEvent, Position, Version};
use ticketing_ports::vocabulary::ids::{CommitId, EventId, ReservationId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use support::fresh;

fn commit(number: u128) -> Commit {
    Commit {
        id: CommitId::new(Uuid::from_u128(number)),
        lane: EventId::new(Uuid::nil()).into(),
        at: DateTime::UNIX_EPOCH,
        appends: vec![Append {
            stream: ReservationId::new(Uuid::from_u128(number)).into(),
            expected: Version::NONE,
            events: vec![NewEvent {
                event_type: "ReservationHeld".into(),
                event_version: 1,
                data: b"{}".to_vec(),
                metadata: Metadata::default(),
            }],
        }],
        deadlines: Vec::new(),
        idempotency: Vec::new(),
        landmarks: Vec::new(),
    }
}

/// Starts a proxy that passes everything on between its clients and the server. When a test sets `cut`, the proxy
/// cuts the connection instead of passing on the next answer of the server.
async fn cutting_proxy(server: String, cut: Arc<AtomicBool>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("the system has a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (server, cut) = (server.clone(), Arc::clone(&cut));
            tokio::spawn(async move {
                let server = TcpStream::connect(server).await?;
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                let upwards = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
                let mut buffer = vec![0; 64 * 1024];
                loop {
                    let read = from_server.read(&mut buffer).await?;
                    if read == 0 || cut.swap(false, Ordering::SeqCst) {
                        upwards.abort();
                        return std::io::Result::Ok(());
                    }
                    to_client.write_all(&buffer[..read]).await?;
                }
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_leaves_the_outcome_unknown_and_it_can_be_looked_up() {
    let postgres = test_services::postgres().await.unwrap();
    let url = postgres.fresh_database("lost").await.unwrap();
    let options = DatabaseOptions {
        acquire_timeout: Duration::from_secs(30),
        ..DatabaseOptions::default()
    };
    let direct = Database::connect(Purpose::Events, &url, &options).await.unwrap();
    direct.migrate().await.unwrap();
    let direct = PostgresEventStore::new(&direct);
    let (before, place) = url.split_once('@').unwrap();
    let (server, name) = place.split_once('/').unwrap();
    let cut = Arc::new(AtomicBool::new(false));
    let proxy = cutting_proxy(server.to_owned(), Arc::clone(&cut)).await;
    let through = format!("{before}@{proxy}/{name}");
    let options = DatabaseOptions {
        max_connections: 1,
        ..options
    };
    let through = Database::connect(Purpose::Events, &through, &options).await.unwrap();
    let store = PostgresEventStore::new(&through);
    // This first commit prepares the statement, so that the server's next message to this client is the answer to the
    // second commit.
    store.commit(commit(1)).await.unwrap();

    while through.pool().num_idle() == 0 {
        // Waits until the connection is back in the pool, since the pool exchanges a message with the server before
        // that.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }

    cut.store(true, Ordering::SeqCst);
    let lost = store.commit(commit(2)).await;

    assert!(matches!(lost, Err(CommitError::Unknown(_))), "{lost:?}");
    // The server may still be carrying out the first try of this commit; the second try waits until the first has
    // ended.
    let receipt = store.commit(commit(2)).await.unwrap();
    assert_eq!(receipt.first, Position(2));
    assert_eq!(direct.find_commit(commit(2).id).await.unwrap(), Some(receipt));
    assert_eq!(direct.head().await.unwrap(), Position(2), "it was written once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_may_not_be_written_to_refuses_and_reads_go_on() {
    let database = fresh(Purpose::Events).await;
    let store = PostgresEventStore::new(&database);
    store.commit(commit(1)).await.unwrap();
    // From here on every connection of the pool is read-only, as on a server that was made a standby.
    let mut connections = Vec::new();
    for _ in 0..20 {
        let mut connection = database.pool().acquire().await.unwrap();
        sqlx::query("SET default_transaction_read_only = on")
            .execute(&mut *connection)
            .await
            .unwrap();
        connections.push(connection);
    }
    drop(connections);

    let refused = store.commit(commit(2)).await;

    assert!(matches!(refused, Err(CommitError::Unavailable(_))), "{refused:?}");
    assert_eq!(store.head().await.unwrap(), Position(1));
    assert_eq!(store.find_commit(commit(2).id).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_the_whole_commit_and_the_next_one_may_succeed() {
    let database = fresh(Purpose::Events).await;
    let store = PostgresEventStore::new(&database);
    store.commit(commit(1)).await.unwrap();
    // Raises the error of a full disk after the rows of the events are written and before the transaction commits.
    sqlx::raw_sql(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
         CREATE TRIGGER full_disk AFTER INSERT ON commits FOR EACH ROW EXECUTE FUNCTION full_disk();",
    )
    .execute(database.pool())
    .await
    .unwrap();

    let refused = store.commit(commit(2)).await;

    assert!(matches!(refused, Err(CommitError::Unavailable(_))), "{refused:?}");
    assert_eq!(store.head().await.unwrap(), Position(1), "nothing by halves");
    sqlx::raw_sql("DROP TRIGGER full_disk ON commits")
        .execute(database.pool())
        .await
        .unwrap();
    let receipt = store.commit(commit(2)).await.unwrap();
    assert_eq!(receipt.first, Position(2), "positions have no gap");
}
