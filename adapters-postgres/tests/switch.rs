//! Tests of replacing the read models by rebuilt ones while other processes read and write them.

#[path = "support/log.rs"]
mod log;
#[path = "support/mod.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use adapters_postgres::{Database, PostgresReadModels, Purpose};
use sqlx::PgPool;
use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::Position;
use ticketing_ports::read_models::availability::AvailabilityQueries;
use ticketing_ports::read_models::reservations::ReservationQueries;
use ticketing_ports::read_models::sales::SalesQueries;
use ticketing_ports::read_models::store::{ApplyError, ProjectionStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::paging::Page;

use log::batch;

/// One database, to which a test opens as many stores as it needs, each as if in a process of its own.
struct Installation {
    url: String,
}

impl Installation {
    async fn new() -> Self {
        let url = support::fresh_url(Purpose::Projections).await;
        Self { url }
    }

    async fn database(&self) -> Database {
        support::connect(Purpose::Projections, &self.url).await
    }

    async fn process(&self) -> PostgresReadModels {
        PostgresReadModels::new(&self.database().await)
    }
}

async fn rebuilt(models: &PostgresReadModels, upto: u64) -> Arc<dyn ProjectionStore> {
    let patience = Instant::now() + Duration::from_secs(60);
    let twin = loop {
        // The server may not have noticed yet that the connection of an earlier rebuild is closed.
        match models.begin_rebuild().await {
            Err(StoreError::Unavailable(_)) if Instant::now() < patience => {}
            begun => break begun.expect("no other rebuild is running"),
        }
    };
    twin.apply(batch(0, upto))
        .await
        .expect("a batch from the start can be applied to empty tables");
    twin
}

/// Returns how many seats are held in each of the two sections. Fails if the two counts are not of the same moment.
async fn held(models: &PostgresReadModels) -> u64 {
    let found = models
        .availability(log::event_id(), Timestamp::UNIX_EPOCH)
        .await
        .expect("the store answers");
    let found = found.expect("the event has sections");
    let held: Vec<u32> = found.sections.iter().map(|section| section.counts.held).collect();
    assert_eq!(held[0], held[1], "two sections that change together");
    assert_eq!(
        found.sequence,
        u64::from(held[0] + held[1]),
        "the sequence beside the counts"
    );
    u64::from(held[0])
}

async fn schemas(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar("SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'read_models%' ORDER BY nspname")
        .fetch_all(pool)
        .await
        .expect("the system catalogue of PostgreSQL can be read")
}

/// Returns everything about the live tables that migrations determine: columns, keys, indexes and storage parameters.
async fn described(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT concat_ws(' ', table_name, column_name, udt_name, is_nullable, column_default, is_identity, ordinal_position)
         FROM information_schema.columns WHERE table_schema = 'read_models'
         UNION ALL
         SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
         WHERE relnamespace = 'read_models'::regnamespace
         UNION ALL
         SELECT concat_ws(' ', conrelid::regclass::text, conname, pg_get_constraintdef(oid)) FROM pg_constraint
         WHERE connamespace = 'read_models'::regnamespace
         UNION ALL
         SELECT concat_ws(' ', relname, reloptions::text) FROM pg_class
         WHERE relnamespace = 'read_models'::regnamespace AND relkind = 'r'
         ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .expect("the system catalogue of PostgreSQL can be read")
}

#[tokio::test]
async fn rebuilt_tables_are_what_the_migrations_made() {
    let installation = Installation::new().await;
    let (models, database) = (installation.process().await, installation.database().await);
    let migrated = described(database.pool()).await;
    assert!(migrated.len() > 40, "{migrated:#?}");
    for _ in 0..2 {
        let twin = rebuilt(&models, 3).await;
        models.switch_to(twin).await.unwrap();
        assert_eq!(described(database.pool()).await, migrated);
        assert_eq!(schemas(database.pool()).await, ["read_models"]);
    }
}

/// Each switch brings tables that are at another position than the old tables, so that a reader who saw a mix of both
/// would fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_and_projectors_of_other_processes_go_on_during_switches() {
    const SWITCHES: u64 = 40;
    let installation = Installation::new().await;
    let rebuilder = installation.process().await;
    rebuilder.apply(batch(0, 2)).await.unwrap();
    let done = Arc::new(AtomicBool::new(false));

    let projector = tokio::spawn({
        let (models, done) = (installation.process().await, Arc::clone(&done));
        async move {
            let mut position = models.checkpoint().await.unwrap().position.0;
            let mut set_back = 0;
            while !done.load(Ordering::SeqCst) {
                match models.apply(batch(position, position + 1)).await {
                    Ok(()) => position += 1,
                    Err(ApplyError::OutOfOrder { checkpoint, .. }) => {
                        position = checkpoint.position.0;
                        set_back += 1;
                    }
                    Err(error) => panic!("{error:?}"),
                }
            }
            set_back
        }
    });
    let reads = Arc::new(AtomicU64::new(0));
    let mut readers = Vec::new();
    for reader in 0..6 {
        let (models, done, reads) = (installation.process().await, Arc::clone(&done), Arc::clone(&reads));
        readers.push(tokio::spawn(async move {
            while !done.load(Ordering::SeqCst) {
                match reader % 3 {
                    0 => drop(held(&models).await),
                    1 => {
                        let page = Page::new(1, 100).unwrap();
                        let listed = models.reservations_of(log::customer(), page).await.unwrap();
                        assert_eq!(
                            listed.rows.len() as u64,
                            listed.total.min(100),
                            "rows beside their total"
                        );
                    }
                    _ => {
                        let sales = models.event_sales(log::event_id()).await.unwrap().unwrap();
                        assert_eq!(sales.total_capacity, u64::from(2 * log::CAPACITY));
                        let revenue = u64::try_from(sales.total_revenue.amount).unwrap();
                        assert_eq!(revenue, 1_500 * sales.tickets_sold, "revenue beside tickets");
                    }
                }
                reads.fetch_add(1, Ordering::SeqCst);
            }
        }));
    }
    for number in 0..SWITCHES {
        let seen = reads.load(Ordering::SeqCst);
        let twin = rebuilt(&rebuilder, 2 + number % 7 * 5).await;
        rebuilder.switch_to(twin).await.unwrap();
        while reads.load(Ordering::SeqCst) < seen + 10 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        reader
            .await
            .expect("no reader saw an error, or a mix of old and new rows");
    }
    let set_back = projector
        .await
        .expect("the projector met no error that it could not recover from");
    assert!(set_back > 0, "no switch was noticed by the projector");
    let position = rebuilder.checkpoint().await.unwrap().position.0;
    assert_eq!(held(&rebuilder).await, position - 1, "rows beside the checkpoint");
}

#[tokio::test]
async fn what_a_dead_rebuild_left_is_removed_by_the_next() {
    let installation = Installation::new().await;
    let (models, database) = (installation.process().await, installation.database().await);
    models.apply(batch(0, 3)).await.unwrap();
    sqlx::raw_sql("CREATE SCHEMA read_models_rebuild_7; CREATE TABLE read_models_rebuild_7.events (id bigint)")
        .execute(database.pool())
        .await
        .unwrap();
    let crashed = rebuilt(&models, 2).await;
    let left = schemas(database.pool()).await;
    assert!(
        left.len() == 2 && !left.contains(&"read_models_rebuild_7".to_owned()),
        "{left:?}"
    );
    drop(crashed);
    let twin = rebuilt(&models, 2).await;
    let fresh = schemas(database.pool()).await;
    assert!(fresh.len() == 2 && fresh != left, "{fresh:?} after {left:?}");
    models.switch_to(twin).await.unwrap();
    assert_eq!(schemas(database.pool()).await, ["read_models"]);
    assert_eq!(held(&models).await, 1);
}

#[tokio::test]
async fn a_rebuild_beside_a_running_one_is_refused_and_does_not_disturb_it() {
    let installation = Installation::new().await;
    let (first, second) = (installation.process().await, installation.process().await);
    let twin = rebuilt(&first, 5).await;
    let refused = second.begin_rebuild().await.map(drop);
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    twin.apply(batch(5, 6)).await.unwrap();
    first.switch_to(twin).await.unwrap();
    assert_eq!(held(&second).await, 5);
    drop(rebuilt(&second, 1).await);
}

#[tokio::test]
async fn a_twin_is_switched_to_once() {
    let models = PostgresReadModels::new(&support::fresh(Purpose::Projections).await);
    let twin = rebuilt(&models, 3).await;
    models.switch_to(Arc::clone(&twin)).await.unwrap();
    models.apply(batch(3, 5)).await.unwrap();
    let again = models.switch_to(twin).await;
    assert!(matches!(again, Err(StoreError::Unavailable(_))), "{again:?}");
    assert_eq!(held(&models).await, 4);
}

#[tokio::test]
async fn a_long_query_delays_the_switch_and_nobody_else() {
    let installation = Installation::new().await;
    let (models, reader) = (installation.process().await, installation.process().await);
    let database = installation.database().await;
    models.apply(batch(0, 3)).await.unwrap();
    let twin = rebuilt(&models, 6).await;

    let mut long = database.pool().begin().await.unwrap();
    let position: i64 = sqlx::query_scalar("SELECT position FROM read_models.checkpoint, read_models.events")
        .fetch_one(&mut *long)
        .await
        .unwrap();
    assert_eq!(position, 3);
    let switch = tokio::spawn(async move { models.switch_to(twin).await });
    let waits = "SELECT EXISTS (
                     SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";
    while !sqlx::query_scalar::<_, bool>(waits)
        .fetch_one(database.pool())
        .await
        .unwrap()
    {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for _ in 0..20 {
        assert_eq!(held(&reader).await, 2);
    }
    long.commit().await.unwrap();
    switch.await.unwrap().unwrap();
    assert_eq!(held(&reader).await, 5);
}

#[tokio::test]
async fn a_rebuild_that_lost_its_connection_is_not_switched_to() {
    let installation = Installation::new().await;
    let (models, database) = (installation.process().await, installation.database().await);
    models.apply(batch(0, 3)).await.unwrap();
    let twin = rebuilt(&models, 6).await;
    let cut: Vec<bool> = sqlx::query_scalar(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks
         WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .fetch_all(database.pool())
    .await
    .unwrap();
    assert_eq!(cut, [true]);
    // Since the lock is free again, another process can begin a rebuild before the first process notices that it has
    // lost the lock.
    let next = rebuilt(&installation.process().await, 5).await;
    let late = twin.apply(batch(6, 7)).await;
    assert!(
        matches!(late, Err(ApplyError::Store(StoreError::Unavailable(_)))),
        "{late:?}"
    );
    let lost = models.switch_to(twin).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    assert_eq!(held(&models).await, 2);
    models.switch_to(next).await.unwrap();
    assert_eq!(held(&models).await, 4);
}

#[tokio::test]
async fn a_rebuild_during_which_the_tables_were_migrated_is_not_switched_to() {
    let installation = Installation::new().await;
    let (models, database) = (installation.process().await, installation.database().await);
    models.apply(batch(0, 3)).await.unwrap();
    let twin = rebuilt(&models, 6).await;
    sqlx::raw_sql(
        "ALTER TABLE read_models.events ADD COLUMN more bigint;
         INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'more', true, '', 0)",
    )
    .execute(database.pool())
    .await
    .unwrap();
    let stale = models.switch_to(twin).await;
    assert!(matches!(stale, Err(StoreError::Unavailable(_))), "{stale:?}");
    assert_eq!(held(&models).await, 2);
    assert_eq!(models.checkpoint().await.unwrap().position, Position(3));
}
