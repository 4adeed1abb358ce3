//! Gives each test topics and groups of its own, since all tests share one broker.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use adapters_redpanda::{BusOptions, RedpandaBus};
use test_services::Broker;

const BEYOND_THE_MOCK: [(&str, &str); 2] = [
    (
        "a_group_misses_nothing_while_members_come_and_go",
        "refuses what is acknowledged while a group changes hands",
    ),
    (
        "a_member_that_leaves_hands_over_to_one_that_waits",
        "lets each new group wait for three seconds, and here are twenty",
    ),
];

pub(crate) async fn fresh() -> RedpandaBus {
    let broker = test_services::broker()
        .await
        .expect("the broker of the tests can be started or found");
    connected(&broker, own_options()).await
}

/// Connects a bus to the broker. In a mock cluster, which lets no client create topics, it first makes the topics.
pub(crate) async fn connected(broker: &Broker, options: BusOptions) -> RedpandaBus {
    if let Broker::Mock(mock) = broker {
        refuse_what_only_a_real_broker_can_show();
        mock.make_topics(&options.topics(), options.partitions)
            .expect("the mock cluster has no topics with these names yet");
    }
    RedpandaBus::connect(broker.bootstrap(), options)
        .await
        .expect("the broker answers")
}

/// If the running test cannot pass on the mock cluster, fails it at once and says why, since it would otherwise wait
/// a minute for a timeout. The name of the thread is the name of the running test.
fn refuse_what_only_a_real_broker_can_show() {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or_default();
    if let Some((_, why)) = BEYOND_THE_MOCK.iter().find(|(name, _)| *name == test) {
        panic!("{test} needs a real broker: rdkafka's mock cluster {why}");
    }
}

pub(crate) fn own_options() -> BusOptions {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    BusOptions {
        prefix: format!("t{}-{number}", std::process::id()),
        partitions: 3,
        // The limit is long, so that no test fails only because the machine is busy.
        delivery_timeout: Duration::from_secs(60),
        session_timeout: Duration::from_secs(6),
        ..BusOptions::default()
    }
}
