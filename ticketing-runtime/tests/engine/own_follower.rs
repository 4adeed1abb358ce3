//! Followers that are not part of the engine: a program that embeds the engine writes and registers them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters_memory::faults::{Fault, Operation};
use async_trait::async_trait;
use ticketing_ports::log::dead_letters::DeadLetterStore as _;
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::Position;
use ticketing_runtime::{
    Engine, EngineConfig, Facts, FactsFrom, FollowError, FollowPorts, Follower, FollowerCondition, FollowerSpec,
    MarkKept, OnBadFact, READ_MODELS, Runs, StartAt, Twin,
};

use crate::read_side::{ReadSide, shows};
use crate::world::{World, customer, hold};

const MAIL: FollowerSpec = FollowerSpec {
    name: "mail",
    edition: 1,
    runs: Runs::OnceInTheCluster,
    mark_kept: MarkKept::ByTheEngine,
    start_at: StartAt::Head,
    on_bad_fact: OnBadFact::SkipTheFact,
    max_facts: 100,
    gather_for: Duration::ZERO,
};

/// A follower that stands for sending mail: it notes the type of each fact, and fails on facts of the type in
/// `dislikes`.
#[derive(Debug, Clone)]
struct Mail {
    spec: FollowerSpec,
    sent: Arc<Mutex<Vec<String>>>,
    dislikes: Option<&'static str>,
}

impl Mail {
    fn new(spec: FollowerSpec, dislikes: Option<&'static str>) -> Self {
        let sent = Arc::default();
        Self { spec, sent, dislikes }
    }

    fn sent(&self, event_type: &str) -> usize {
        let sent = self.sent.lock().unwrap();
        sent.iter().filter(|sent| *sent == event_type).count()
    }
}

#[async_trait]
impl Follower for Mail {
    fn spec(&self) -> &FollowerSpec {
        &self.spec
    }

    async fn mark(&mut self) -> Result<Option<Mark>, FollowError> {
        Ok(None)
    }

    async fn handle(&mut self, facts: &Facts) -> Result<(), FollowError> {
        for fact in facts.iter() {
            let fact = fact.recorded();
            if self.dislikes == Some(&*fact.event_type) {
                let (at, why) = (fact.position, "the address makes no sense".into());
                return Err(FollowError::BadFact { at, why });
            }
        }
        let types = facts.iter().map(|fact| fact.recorded().event_type.to_string());
        self.sent.lock().unwrap().extend(types);
        Ok(())
    }

    async fn twin(&mut self) -> Result<Option<Box<dyn Twin>>, FollowError> {
        Ok(None)
    }
}

fn engine(world: &World, side: &ReadSide, follower: &Mail) -> Engine {
    let builder = Engine::builder(world.ports(), side.follow_ports());
    builder.follow(follower.clone()).start()
}

async fn a_moment() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}

#[tokio::test(start_paused = true)]
async fn an_old_sale_sends_no_mail_and_a_new_one_sends_one_also_after_a_restart() {
    let (world, side) = (World::new(), ReadSide::new(<[_]>::to_vec));
    let old = world.engine();
    let event = world.on_sale(&old.box_office(), 20).await;
    hold(&old.box_office(), customer(1), event, 1).await.unwrap();
    old.abort();

    let mail = Mail::new(MAIL, Some("ReservationHeld"));
    let first = engine(&world, &side, &mail);
    a_moment().await;
    assert!(mail.sent.lock().unwrap().is_empty(), "an old sale sent mail");
    hold(&first.box_office(), customer(2), event, 1).await.unwrap();
    a_moment().await;
    assert_eq!((mail.sent("SeatsHeld"), mail.sent("ReservationHeld")), (1, 0));
    first.abort();

    let between = world.engine();
    hold(&between.box_office(), customer(3), event, 1).await.unwrap();
    between.abort();
    let next = engine(&world, &side, &mail);
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!(
        mail.sent("SeatsHeld"),
        2,
        "the follower missed a sale that was made while it did not run"
    );
    let letters = side.letters.letters("mail", Position::START, 10).await.unwrap();
    assert_eq!(letters.len(), 2);
    assert_eq!(
        next.follower("mail").unwrap().reached.borrow().position,
        world.facts().await.last().unwrap().position
    );
    next.abort();
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_stops_at_a_bad_fact_reports_it_and_handles_nothing_more() {
    let (world, side) = (World::new(), ReadSide::new(<[_]>::to_vec));
    let spec = FollowerSpec {
        on_bad_fact: OnBadFact::Stop,
        start_at: StartAt::Beginning,
        max_facts: 1,
        ..MAIL
    };
    let mail = Mail::new(spec, Some("SeatsHeld"));
    let engine = engine(&world, &side, &mail);
    let event = world.on_sale(&engine.box_office(), 20).await;
    hold(&engine.box_office(), customer(1), event, 1).await.unwrap();
    a_moment().await;
    assert_eq!(
        (
            mail.sent("SectionOpened"),
            mail.sent("SeatsHeld"),
            mail.sent("ReservationHeld")
        ),
        (1, 0, 0)
    );
    let condition = engine.follower("mail").unwrap().condition.borrow().clone();
    assert!(matches!(condition, FollowerCondition::Stopped(_)), "{condition:?}");
    engine.abort();
}

#[tokio::test(start_paused = true)]
async fn settings_count_for_the_read_models_whether_they_are_given_first_or_last() {
    let (world, side) = (World::new(), ReadSide::new(<[_]>::to_vec));
    for projector in [true, false] {
        let config = EngineConfig {
            projector,
            ..EngineConfig::default()
        };
        let ports = side.follow_ports();
        let first = Engine::builder(world.ports(), ports).config(config.clone());
        let first = first.read_models(side.models.clone()).start();
        let ports = side.follow_ports();
        let last = Engine::builder(world.ports(), ports).read_models(side.models.clone());
        let last = last.config(config).start();
        for engine in [first, last] {
            assert_eq!(engine.follower(READ_MODELS).is_some(), projector);
            engine.abort();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_is_far_behind_reads_on_without_a_pause() {
    for facts_from in [FactsFrom::ThisProcess, FactsFrom::TheBus] {
        let (world, side) = (World::new(), ReadSide::new(<[_]>::to_vec));
        let old = world.engine();
        let event = world.on_sale(&old.box_office(), 20).await;
        for number in 0..10 {
            hold(&old.box_office(), customer(number), event, 1).await.unwrap();
        }
        old.abort();

        let mail = Mail::new(
            FollowerSpec {
                start_at: StartAt::Beginning,
                max_facts: 1,
                ..MAIL
            },
            None,
        );
        let ports = FollowPorts {
            bus: side.ports().bus,
            ..side.follow_ports()
        };
        let config = EngineConfig {
            facts_from,
            relay: false,
            ..EngineConfig::default()
        };
        let next = Engine::builder(world.ports(), ports)
            .config(config)
            .follow(mail.clone());
        let next = next.start();
        // With a pause before each read this would not be long enough.
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(mail.sent("SeatsHeld"), 10, "{facts_from:?}");
        next.abort();
    }
}

/// In this test, reads of the whole log in its order fail. So the follower can get the facts only from the bus.
#[tokio::test(start_paused = true)]
async fn a_process_that_only_reads_gets_all_facts_from_the_bus() {
    let (world, side) = (World::new(), ReadSide::new(<[_]>::to_vec));
    let (writer, reader) = (side.writer(&world), side.reader(&world));
    let event = world.on_sale(&writer.box_office(), 20).await;
    assert!(shows(&side, event, 20).await);
    world.on_store(|operation| match operation {
        Operation::ReadAll => Fault::FailBefore,
        _ => Fault::None,
    });
    for number in 1..=5 {
        hold(&writer.box_office(), customer(number), event, 1).await.unwrap();
        assert!(shows(&side, event, 20 - u32::try_from(number).unwrap()).await);
    }
    writer.abort();
    reader.abort();
}
