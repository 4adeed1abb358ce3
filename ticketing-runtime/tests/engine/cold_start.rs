//! Snapshots under faults: a snapshot may be lost, damaged, late, or of facts that the log has lost. What is sold is
//! right in every case.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters_memory::InMemoryEventStore;
use adapters_memory::faults::{Fault, Operation};
use async_trait::async_trait;
use ticketing_domain::book::{Book, FromSnapshot, Page, snapshot_format};
use ticketing_domain::refusal::Refusal;
use ticketing_ports::log::event_store::EventStore as _;
use ticketing_ports::log::snapshots::{Snapshot, SnapshotStore};
use ticketing_ports::log::streams::{Aggregate, StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::EventId;
use ticketing_runtime::{BoxOffice, Engine, EngineConfig, Failure, Ports};

use crate::world::{World, customer, hold, request, settle};

/// The number of facts of a section after which the engine takes a snapshot of it.
const OFTEN: u64 = 10;
const FORMAT: u16 = 4;

/// Settings by which the engine takes a snapshot of a section every [`OFTEN`] facts.
fn snapshots_often() -> EngineConfig {
    EngineConfig {
        snapshot_after: OFTEN,
        ..EngineConfig::default()
    }
}

fn engine(world: &World) -> Engine {
    world.engine_with(snapshots_often())
}

/// Lets this number of customers, one after another, hold a place and give it back.
async fn come_and_go(office: &BoxOffice, event: EventId, customers: u128) {
    for number in 0..customers {
        let held = hold(office, customer(number), event, 1).await.unwrap().value;
        let cancel = request(customer(number), held.reservation_id);
        office.cancel_reservation(cancel).await.unwrap();
    }
    settle().await;
}

/// Runs an engine with these settings until `visits` customers have held and given back a place of an event with 5
/// places. Then aborts the engine, and returns what is left: the world and the event.
async fn past_of(visits: u128, settings: EngineConfig) -> (World, EventId) {
    let world = World::new();
    let gone = world.engine_with(settings);
    let event = world.on_sale(&gone.box_office(), 5).await;
    come_and_go(&gone.box_office(), event, visits).await;
    gone.abort();
    (world, event)
}

/// Runs an engine that takes snapshots often: one customer holds two of 5 places and keeps them, then 40 others each
/// hold a place and give it back. Then aborts the engine, and returns what is left: the world and the event.
async fn past_with_two_held() -> (World, EventId) {
    let world = World::new();
    let gone = engine(&world);
    let event = world.on_sale(&gone.box_office(), 5).await;
    hold(&gone.box_office(), customer(50), event, 2).await.unwrap();
    come_and_go(&gone.box_office(), event, 40).await;
    gone.abort();
    (world, event)
}

async fn is_sold_out_after(office: &BoxOffice, event: EventId, places: u128) {
    for number in 0..places {
        hold(office, customer(100 + number), event, 1).await.unwrap();
    }
    let answer = hold(office, customer(99), event, 1).await;
    assert!(
        matches!(
            answer,
            Err(Failure::Refused(Refusal::InsufficientInventory { available: 0, .. }))
        ),
        "{answer:?}"
    );
}

async fn section(world: &World) -> StreamId {
    let facts = world.facts().await;
    let mut streams = facts.iter().map(|fact| fact.stream);
    let section = streams.find(|stream| stream.aggregate == Aggregate::Inventory);
    section.expect("the log has the facts of a section")
}

async fn latest(world: &World) -> Option<Snapshot> {
    let section = section(world).await;
    world.log.latest(&[(section, FORMAT)]).await.unwrap().pop()
}

/// Builds a snapshot from the facts of the section up to this version, to compare a stored one with.
async fn folded(world: &World, upto: Version) -> Snapshot {
    let section = section(world).await;
    let limit = usize::try_from(upto.0).unwrap();
    let facts = world.log.read_stream(section, Version::NONE, limit).await.unwrap();
    let last = facts.last().unwrap();
    let mut book = Book::new(last.lane);
    book.absorb(section, Version::NONE, &facts, Page::Last).unwrap();
    book.snapshot(section, last.commit_id).unwrap()
}

/// A snapshot store that passes each snapshot on to the store of the log. It notes in `wrong` each snapshot that the
/// log does not return right afterwards.
#[derive(Debug)]
struct Checking {
    log: Arc<InMemoryEventStore>,
    seen: Mutex<Vec<Snapshot>>,
    wrong: Mutex<Vec<Snapshot>>,
}

impl Checking {
    fn before(world: &World) -> Arc<Self> {
        Arc::new(Self {
            log: Arc::clone(&world.log),
            seen: Mutex::default(),
            wrong: Mutex::default(),
        })
    }

    /// Starts an engine that stores its snapshots in this store.
    fn engine(self: &Arc<Self>, world: &World) -> Engine {
        let ports = Ports {
            snapshots: Arc::clone(self) as _,
            ..world.ports()
        };
        Engine::start_write_side(ports, snapshots_often())
    }
}

#[async_trait]
impl SnapshotStore for Checking {
    async fn keep(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.log.keep(snapshot.clone()).await?;
        let found = self.log.latest(&[(snapshot.stream, snapshot.format)]).await?;
        self.seen.lock().unwrap().push(snapshot.clone());
        if found != [snapshot.clone()] {
            self.wrong.lock().unwrap().push(snapshot);
        }
        Ok(())
    }

    async fn latest(&self, of: &[(StreamId, u16)]) -> Result<Vec<Snapshot>, StoreError> {
        self.log.latest(of).await
    }

    async fn drop_all(&self) -> Result<(), StoreError> {
        self.log.drop_all().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_what_the_facts_come_to_and_the_next_engine_goes_on_from_it() {
    assert_eq!(snapshot_format(Aggregate::Inventory), Some(FORMAT));
    let (world, event) = past_with_two_held().await;

    let kept = latest(&world).await.expect("the engine stored a snapshot");
    assert!(kept.version.0 > 82 - OFTEN, "{:?}", kept.version);
    assert_eq!(kept, folded(&world, kept.version).await);

    let two = engine(&world);
    is_sold_out_after(&two.box_office(), event, 3).await;
    two.abort();
}

#[tokio::test(start_paused = true)]
async fn a_short_past_is_no_reason_for_a_snapshot() {
    let (world, _) = past_of(u128::from(OFTEN / 2 - 1), snapshots_often()).await;
    assert_eq!(latest(&world).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_long_past_that_is_only_looked_at_is_read_once() {
    let (world, event) = past_of(40, EngineConfig::default()).await;
    assert_eq!(
        latest(&world).await,
        None,
        "the first engine took a snapshot of a stream that was too short for its settings"
    );

    let two = engine(&world);
    two.box_office().section(None, event, "Floor").await.unwrap();
    settle().await;
    two.abort();
    let kept = latest(&world).await.expect("the engine stored a snapshot");
    assert_eq!(kept, folded(&world, Version(81)).await);
}

#[tokio::test(start_paused = true)]
async fn what_the_log_did_not_take_is_in_no_snapshot() {
    for fault in [Fault::FailBefore, Fault::UnknownNotWritten, Fault::LoseAnswer] {
        let world = World::new();
        let checking = Checking::before(&world);
        let engine = checking.engine(&world);
        let office = engine.box_office();
        let event = world.on_sale(&office, 100).await;
        // Every second commit meets a fault, also when a snapshot is due with that commit.
        let mut commits = 0;
        world.on_store(move |operation| {
            commits += usize::from(operation == Operation::Commit);
            match operation {
                Operation::Commit if commits % 2 == 0 => fault,
                _ => Fault::None,
            }
        });
        for number in 0..80 {
            // Some of these holds fail because of the faults. The test does not care which.
            drop(hold(&office, customer(number), event, 1).await);
        }
        settle().await;
        engine.abort();
        let seen = checking.seen.lock().unwrap().clone();
        assert!(seen.len() >= 2, "{fault:?}: {} snapshots", seen.len());
        assert_eq!(*checking.wrong.lock().unwrap(), [], "{fault:?}");
        for snapshot in seen {
            assert_eq!(snapshot, folded(&world, snapshot.version).await, "{fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_engines_that_overtake_each_other_keep_only_what_is_true() {
    let world = World::new();
    let checking = Checking::before(&world);
    let (one, two) = (checking.engine(&world), checking.engine(&world));
    let event = world.on_sale(&one.box_office(), 200).await;
    for number in 0..60 {
        let (left, right) = (one.box_office(), two.box_office());
        let (left, right) = tokio::join!(
            hold(&left, customer(number), event, 1),
            hold(&right, customer(100 + number), event, 1),
        );
        left.unwrap();
        right.unwrap();
    }
    settle().await;
    let seen = checking.seen.lock().unwrap().clone();
    assert!(seen.len() > 5, "{} snapshots", seen.len());
    for snapshot in seen {
        assert_eq!(snapshot, folded(&world, snapshot.version).await);
    }
    one.abort();
    two.abort();
}

#[tokio::test(start_paused = true)]
async fn whoever_cannot_have_a_snapshot_reads_the_facts() {
    let (world, event) = past_with_two_held().await;
    let kept = latest(&world).await.expect("the engine stored a snapshot");

    world.on_store(|operation| match operation {
        Operation::LatestSnapshots | Operation::KeepSnapshot => Fault::FailBefore,
        _ => Fault::None,
    });
    let two = engine(&world);
    is_sold_out_after(&two.box_office(), event, 3).await;
    two.abort();
    world.on_store(|_| Fault::None);

    for damaged in [Vec::new(), b"nonsense".to_vec(), kept.state[1..].to_vec(), {
        let mut bytes = kept.state.clone();
        bytes.push(0);
        bytes
    }] {
        world.log.drop_all().await.unwrap();
        let state = damaged;
        world.log.keep(Snapshot { state, ..kept.clone() }).await.unwrap();
        let three = engine(&world);
        is_sold_out_after(&three.box_office(), event, 0).await;
        three.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn another_format_is_left_to_the_build_that_reads_it() {
    let (world, event) = past_of(40, snapshots_often()).await;
    let kept = latest(&world).await.expect("the engine stored a snapshot");
    let of_a_newer_build = Snapshot {
        format: FORMAT + 1,
        state: b"what only a newer build reads".to_vec(),
        ..kept.clone()
    };
    assert!(FromSnapshot::read(&of_a_newer_build).is_err());
    world.log.drop_all().await.unwrap();
    world.log.keep(of_a_newer_build.clone()).await.unwrap();

    let two = engine(&world);
    is_sold_out_after(&two.box_office(), event, 5).await;
    come_and_go_is_refused(&two.box_office(), event).await;
    settle().await;
    two.abort();
    assert!(
        latest(&world).await.is_some(),
        "the engine stored no snapshot in its own format"
    );
    let theirs = world.log.latest(&[(kept.stream, FORMAT + 1)]).await.unwrap();
    assert_eq!(theirs, [of_a_newer_build]);
}

async fn come_and_go_is_refused(office: &BoxOffice, event: EventId) {
    hold(office, customer(1), event, 1).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_hangs_stands_in_nobodys_way_not_even_in_that_of_a_drain() {
    let world = World::new();
    world.on_store(|operation| match operation {
        Operation::KeepSnapshot => Fault::Delay(Duration::from_secs(86_400)),
        _ => Fault::None,
    });
    let engine = engine(&world);
    let office = engine.box_office();
    let event = world.on_sale(&office, 5).await;
    let asked = tokio::time::Instant::now();
    come_and_go(&office, event, 40).await;
    assert!(
        engine.shut_down(Duration::from_secs(5)).await,
        "the drain waited for a snapshot to be stored"
    );
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(latest(&world).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_a_past_that_the_log_has_lost_sells_nothing() {
    let world = World::new();
    let one = engine(&world);
    let event = world.on_sale(&one.box_office(), 5).await;
    hold(&one.box_office(), customer(50), event, 2).await.unwrap();
    let backup = world.log.copy();
    // The facts from here on are lost later, when the backup is put back. A snapshot made of them is handed to the
    // store before the backup is put back, but the store takes a minute, so it would keep the snapshot only
    // afterwards.
    world.on_store(|operation| match operation {
        Operation::KeepSnapshot => Fault::Delay(Duration::from_secs(60)),
        _ => Fault::None,
    });
    let mut lost = Vec::new();
    for number in 0..3 {
        lost.push(hold(&one.box_office(), customer(number), event, 1).await.unwrap().value);
    }
    for number in 0..3 {
        let cancel = request(customer(number), lost[number as usize].reservation_id);
        one.box_office().cancel_reservation(cancel).await.unwrap();
    }
    for number in 0..3 {
        hold(&one.box_office(), customer(number), event, 1).await.unwrap();
    }
    settle().await;
    world.log.put_back(&backup);
    tokio::time::sleep(Duration::from_secs(59)).await;
    // In the restored log the three places of the lost holds are free.
    let two = engine(&world);
    come_and_go(&two.box_office(), event, 2).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    two.abort();
    one.abort();
    world.on_store(|_| Fault::None);
    assert_eq!(
        latest(&world).await,
        None,
        "a snapshot of facts that the log has lost was stored"
    );

    let three = engine(&world);
    is_sold_out_after(&three.box_office(), event, 3).await;
    come_and_go_is_refused(&three.box_office(), event).await;
    three.abort();

    // The section in the restored log now gets more facts than the lost past had. The engine takes a snapshot of it,
    // which must be made of the facts that are in the restored log.
    let four = engine(&world);
    let reservations = world.count("ReservationHeld").await;
    assert_eq!(reservations, 6);
    tokio::time::sleep(Duration::from_secs(400)).await;
    come_and_go(&four.box_office(), event, 20).await;
    four.abort();
    let kept = latest(&world).await.expect("the engine stored a snapshot");
    assert_eq!(kept, folded(&world, kept.version).await);
}
