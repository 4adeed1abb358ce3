//! Tests of read models whose database crashes, or loses its connection, at a bad moment.

#[path = "support/cut.rs"]
mod cut;
#[path = "support/log.rs"]
mod log;
#[expect(
    dead_code,
    reason = "these tests need only the URL of a database, to reach it through a proxy"
)]
mod support;

use std::time::{Duration, Instant};

use adapters_postgres::{Database, DatabaseOptions, PostgresReadModels, Purpose};
use test_services::OwnedPostgres;
use ticketing_ports::Timestamp;
use ticketing_ports::log::streams::Position;
use ticketing_ports::read_models::availability::AvailabilityQueries;
use ticketing_ports::read_models::events::EventQueries;
use ticketing_ports::read_models::reservations::ReservationQueries;
use ticketing_ports::read_models::sales::SalesQueries;
use ticketing_ports::read_models::store::{ApplyError, ProjectionStore};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::paging::Page;

use cut::{Cut, CuttingProxy};
use log::batch;

/// How long a request may take at most to fail. It waits 3 seconds for a connection; waiting for the time limit of a
/// statement would take 15.
const SOON: Duration = Duration::from_secs(12);

async fn seats_held(models: &PostgresReadModels) -> Result<u64, StoreError> {
    let found = models.availability(log::event_id(), Timestamp::UNIX_EPOCH).await?;
    let sections = found.map(|found| found.sections).unwrap_or_default();
    Ok(sections.first().map_or(0, |section| u64::from(section.counts.held)))
}

async fn healed(models: &PostgresReadModels) -> Position {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        match models.checkpoint().await {
            Ok(checkpoint) => return checkpoint.position,
            Err(error) => assert!(Instant::now() < patience, "the store does not heal: {error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn on(server: &OwnedPostgres) -> PostgresReadModels {
    let url = server
        .fresh_database("projections")
        .await
        .expect("a database can be made");
    let database = Database::connect(Purpose::Projections, &url, &DatabaseOptions::default())
        .await
        .expect("the server answers");
    database.migrate().await.expect("an empty database can be migrated");
    PostgresReadModels::new(&database)
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_down_everything_is_unavailable_soon_and_afterwards_all_is_well() {
    let server = OwnedPostgres::start().await.unwrap();
    let models = on(&server).await;
    models.apply(batch(0, 3)).await.unwrap();
    server.kill().await.unwrap();

    let asked = Instant::now();
    let page = Page::new(1, 10).unwrap();
    let (applied, begun, event, held, listed, sales) = tokio::join!(
        models.apply(batch(3, 4)),
        models.begin_rebuild(),
        models.event(log::event_id()),
        seats_held(&models),
        models.reservations_of(log::customer(), page),
        models.event_sales(log::event_id()),
    );
    let answers = [
        applied.err().map(|error| match error {
            ApplyError::Store(error) => error.is_transient(),
            ApplyError::OutOfOrder { .. } => false,
        }),
        begun.err().map(|error| error.is_transient()),
        event.err().map(|error| error.is_transient()),
        held.err().map(|error| error.is_transient()),
        listed.err().map(|error| error.is_transient()),
        sales.err().map(|error| error.is_transient()),
    ];
    assert_eq!(answers, [Some(true); 6]);
    assert!(asked.elapsed() < SOON, "the answers took {:?}", asked.elapsed());

    server.start_again().await.unwrap();
    assert_eq!(healed(&models).await, Position(3));
    models.apply(batch(3, 4)).await.unwrap();
    assert_eq!(seats_held(&models).await.unwrap(), 3);
}

/// The task in this test does what a projector does after a failure: it reads the checkpoint and goes on from there.
#[tokio::test(flavor = "multi_thread")]
async fn batches_count_once_whenever_the_server_crashes() {
    let server = OwnedPostgres::start().await.unwrap();
    let models = on(&server).await;
    let (crashing, stop) = tokio::sync::oneshot::channel();
    let projector = tokio::spawn({
        let models = models.clone();
        async move {
            let (mut stop, mut position, mut failures) = (stop, 0, 0);
            while stop.try_recv().is_err() {
                match models.apply(batch(position, position + 5)).await {
                    Ok(()) => position += 5,
                    Err(error) => {
                        assert!(
                            matches!(&error, ApplyError::Store(StoreError::Unavailable(_))),
                            "{error:?}"
                        );
                        failures += 1;
                        position = healed(&models).await.0;
                    }
                }
            }
            (position, failures)
        }
    });
    for crash in 1..=4 {
        while healed(&models).await.0 < crash * 50 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        server.kill().await.unwrap();
        server.start_again().await.unwrap();
    }
    crashing.send(()).unwrap();
    let (position, failures) = projector.await.unwrap();
    assert!(failures > 0, "no batch met a crash");
    assert_eq!(healed(&models).await, Position(position));
    assert_eq!(seats_held(&models).await.unwrap(), position - 1);
    let page = Page::new(1, 1).unwrap();
    let listed = models.reservations_of(log::customer(), page).await.unwrap();
    assert_eq!(listed.total, position - 1);
}

/// The connection breaks after the server has got the statement that switches, and before the client gets the answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_switch_whose_answer_was_lost_is_known_to_have_happened() {
    let direct = support::fresh_url(Purpose::Projections).await;
    let reader = PostgresReadModels::new(&support::connect(Purpose::Projections, &direct).await);
    reader.apply(batch(0, 2)).await.unwrap();
    let proxy = CuttingProxy::before(&direct).await;
    let models = PostgresReadModels::new(&support::connect(Purpose::Projections, proxy.url()).await);

    let twin = models.begin_rebuild().await.unwrap();
    twin.apply(batch(0, 5)).await.unwrap();
    proxy.cut(Cut::AfterPassingOn("DROP SCHEMA read_models_old"));
    models.switch_to(twin).await.unwrap();
    assert!(proxy.has_cut(), "the answer was not lost");
    assert_eq!(seats_held(&reader).await.unwrap(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_never_reached_the_server_is_an_error() {
    let direct = support::fresh_url(Purpose::Projections).await;
    let reader = PostgresReadModels::new(&support::connect(Purpose::Projections, &direct).await);
    reader.apply(batch(0, 2)).await.unwrap();
    let proxy = CuttingProxy::before(&direct).await;
    let models = PostgresReadModels::new(&support::connect(Purpose::Projections, proxy.url()).await);

    let twin = models.begin_rebuild().await.unwrap();
    twin.apply(batch(0, 5)).await.unwrap();
    proxy.cut(Cut::InsteadOfPassingOn("DROP SCHEMA read_models_old"));
    let lost = models.switch_to(twin).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    assert!(proxy.has_cut(), "the statement was not lost");
    assert_eq!(seats_held(&reader).await.unwrap(), 1);
    let again = models.begin_rebuild().await.unwrap();
    again.apply(batch(0, 6)).await.unwrap();
    models.switch_to(again).await.unwrap();
    assert_eq!(seats_held(&reader).await.unwrap(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_answer_was_lost_is_skipped_when_it_comes_again() {
    let direct = support::fresh_url(Purpose::Projections).await;
    let proxy = CuttingProxy::before(&direct).await;
    let models = PostgresReadModels::new(&support::connect(Purpose::Projections, proxy.url()).await);
    models.apply(batch(0, 2)).await.unwrap();
    proxy.cut(Cut::AfterPassingOn("COMMIT"));
    let lost = models.apply(batch(2, 4)).await;
    assert!(
        matches!(&lost, Err(ApplyError::Store(StoreError::Unavailable(_)))),
        "{lost:?}"
    );
    assert!(proxy.has_cut(), "the answer was not lost");
    // The server may still be committing the first try; the second try then waits for the lock on the row of the
    // checkpoint.
    models.apply(batch(2, 4)).await.unwrap();
    assert_eq!(healed(&models).await, Position(4));
    assert_eq!(seats_held(&models).await.unwrap(), 3);
}
