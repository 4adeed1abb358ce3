//! The conformance tests that every event bus must pass, its publisher and its subscribers together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ticketing_ports::log::event_bus::{Delivered, EventPublisher, EventSubscriber, Subscription};
use ticketing_ports::log::streams::{Aggregate, CorrelationId, Metadata, RecordedEvent, StreamId};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::fixtures::{full_metadata, log_identity, recorded, stream, trace};
use super::race::race;
use super::{Broken, Verdict, ensure, ensure_eq, suite};

suite! { $
    /// A macro that makes a test of each rule for an event bus. Its argument is an expression that returns a `Bus`
    /// that nobody has used.
    event_bus_conformance in event_bus for Bus {
        events_of_one_stream_arrive_in_order,
        answered_means_kept,
        a_group_sees_every_position,
        an_event_arrives_as_it_was_published,
        every_group_gets_every_event,
        each_event_goes_to_one_member_of_a_group,
        no_member_is_overtaken_within_a_stream,
        a_group_misses_nothing_while_members_come_and_go,
        no_event_is_lost_when_a_second_member_joins,
        no_event_is_lost_when_one_of_two_members_leaves,
        a_member_that_leaves_hands_over_to_one_that_waits,
        an_event_that_was_not_acknowledged_is_delivered_again,
        a_redelivered_event_keeps_its_place_in_its_stream,
        an_acknowledged_event_is_not_delivered_again,
        no_event_is_slept_through,
        a_delivery_has_at_least_one_event,
        no_more_than_the_limit_is_delivered_at_once,
    }
}

/// At most how long a rule waits for something that a bus may do but need not do.
const A_MOMENT: Duration = Duration::from_millis(500);

/// The publisher and the subscriber of one bus.
#[derive(Clone)]
pub struct Bus {
    pub publisher: Arc<dyn EventPublisher>,
    pub subscriber: Arc<dyn EventSubscriber>,
}

impl Bus {
    pub fn of<B: EventPublisher + EventSubscriber + 'static>(bus: B) -> Self {
        let bus = Arc::new(bus);
        Self {
            publisher: bus.clone(),
            subscriber: bus,
        }
    }

    async fn publish(&self, events: &[RecordedEvent]) -> Verdict {
        Ok(self.publisher.publish(log_identity(1), events).await?)
    }

    async fn join(&self, group: &str) -> Result<Box<dyn Subscription>, Broken> {
        Ok(self.subscriber.subscribe(group).await?)
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").finish_non_exhaustive()
    }
}

/// Returns the first `count` facts of a log. They belong to the streams in turn.
fn log(events: u64, streams: u64) -> Vec<RecordedEvent> {
    (0..events)
        .map(|number| recorded(any_stream(number % streams), number / streams + 1, number + 1))
        .collect()
}

/// Returns streams of every aggregate, because a bus may carry each aggregate in a topic of its own.
fn any_stream(number: u64) -> StreamId {
    const KINDS: [Aggregate; 4] = [
        Aggregate::Reservation,
        Aggregate::Payment,
        Aggregate::Inventory,
        Aggregate::Catalog,
    ];
    StreamId::new(KINDS[number as usize % KINDS.len()], stream(number as usize).id)
}

fn positions(events: &[RecordedEvent]) -> Vec<u64> {
    events.iter().map(|event| event.position.0).collect()
}

/// Sorts facts by stream, because a bus keeps their order only within a stream.
fn sorted(mut positions: Vec<u64>) -> Vec<u64> {
    positions.sort_unstable();
    positions
}

/// Takes one delivery. An empty delivery breaks the rule, because members ask again at once and would so loop without
/// a pause.
async fn delivery(member: &mut Box<dyn Subscription>, limit: usize) -> Result<Vec<RecordedEvent>, Broken> {
    let delivered = member.next(limit).await?;
    ensure!(!delivered.is_empty(), "a delivery has no fact");
    Ok(delivered.into_iter().map(|delivered| delivered.event).collect())
}

/// Takes `count` facts, in one or several deliveries.
async fn take(member: &mut Box<dyn Subscription>, count: usize) -> Result<Vec<u64>, Broken> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.extend(positions(&delivery(member, count - taken.len()).await?));
    }
    Ok(taken)
}

/// Handles deliveries in a task of its own until every position up to the last one was seen.
fn see_all(member: Box<dyn Subscription>, last: u64) -> JoinHandle<Verdict> {
    see_missing(member, (1..=last).collect(), Arc::default())
}

/// Handles deliveries in a task of its own until every missing position was seen.
fn see_missing(
    mut member: Box<dyn Subscription>,
    mut missing: BTreeSet<u64>,
    acknowledged: Arc<Notify>,
) -> JoinHandle<Verdict> {
    tokio::spawn(async move {
        while !missing.is_empty() {
            for position in positions(&delivery(&mut member, 3).await?) {
                missing.remove(&position);
            }
            // While a group rebalances, the bus may refuse the acknowledgement. Then it delivers the facts again.
            if member.acknowledge().await.is_ok() {
                acknowledged.notify_one();
            }
        }
        Ok(())
    })
}

/// The facts that the members of a group have handled, in the order in which they were handled.
#[derive(Default)]
struct Handled {
    events: Mutex<Vec<(StreamId, u64)>>,
    complete: Notify,
}

impl Handled {
    fn events(&self) -> Vec<(StreamId, u64)> {
        self.events
            .lock()
            .expect("no code panics while it holds this lock")
            .clone()
    }

    /// Handles deliveries until the group has handled `count` facts.
    async fn work(&self, mut member: Box<dyn Subscription>, limit: usize, enough: usize) -> Verdict {
        loop {
            let complete = self.complete.notified();
            tokio::pin!(complete);
            complete.as_mut().enable();
            if self.events().len() >= enough {
                return Ok(());
            }
            let delivered = tokio::select! {
                delivered = delivery(&mut member, limit) => delivered?,
                () = complete => continue,
            };
            {
                let mut events = self.events.lock().expect("no code panics while it holds this lock");
                events.extend(delivered.iter().map(|event| (event.stream, event.position.0)));
                if events.len() >= enough {
                    self.complete.notify_waiters();
                }
            }
            member.acknowledge().await?;
        }
    }
}

/// Three members of one group handle 600 events of seven streams while they are published.
async fn a_busy_group(bus: &Bus) -> Result<Vec<(StreamId, u64)>, Broken> {
    const EVENTS: u64 = 600;
    let handled = Arc::new(Handled::default());
    let mut members = Vec::new();
    for _ in 0..3 {
        members.push(Mutex::new(Some(bus.join("group").await?)));
    }
    let outcomes = race(4, |racer| {
        let (bus, handled) = (bus.clone(), Arc::clone(&handled));
        let member = members
            .get(racer)
            .and_then(|member| member.lock().expect("no code panics while it holds this lock").take());
        async move {
            match member {
                Some(member) => handled.work(member, racer * 5 + 1, EVENTS as usize).await,
                None => {
                    for batch in log(EVENTS, 7).chunks(17) {
                        bus.publish(batch).await?;
                        tokio::task::yield_now().await;
                    }
                    Ok(())
                }
            }
        }
    })
    .await?;
    for outcome in outcomes {
        outcome?;
    }
    Ok(handled.events())
}

/// The facts go to several members first, and then in large deliveries to a single one.
async fn events_of_one_stream_arrive_in_order(bus: &Bus) -> Verdict {
    let mut alone = bus.join("alone").await?;
    let shared = a_busy_group(bus).await?;
    let mut whole = Vec::new();
    while whole.len() < shared.len() {
        let delivered = delivery(&mut alone, 50).await?;
        whole.extend(delivered.iter().map(|event| (event.stream, event.position.0)));
    }
    for handled in [shared, whole] {
        let mut last: BTreeMap<StreamId, u64> = BTreeMap::new();
        for (stream, position) in handled {
            let before = last.insert(stream, position).unwrap_or(0);
            ensure!(
                before < position,
                "of stream {stream} the fact at position {position} arrived after the one at {before}"
            );
        }
    }
    Ok(())
}

/// Checks that no member gets a later fact of a stream while another member has not acknowledged an earlier one, unless
/// the earlier one is delivered again first.
async fn no_member_is_overtaken_within_a_stream(bus: &Bus) -> Verdict {
    let mut first = bus.join("group").await?;
    bus.publish(&log(2, 1)).await?;
    ensure_eq!(take(&mut first, 1).await?, [1], "the first delivery");
    let mut second = bus.join("group").await?;
    let other = tokio::spawn(async move { take(&mut second, 1).await });
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    if other.is_finished() {
        ensure_eq!(other.await??, [1], "what another member got meanwhile");
        return Ok(());
    }
    first.acknowledge().await?;
    drop(first);
    ensure_eq!(other.await??, [2], "what the other member gets afterwards");
    Ok(())
}

async fn each_event_goes_to_one_member_of_a_group(bus: &Bus) -> Verdict {
    let handled = a_busy_group(bus).await?;
    let distinct: BTreeSet<u64> = handled.iter().map(|(_, position)| *position).collect();
    ensure_eq!(distinct.len(), 600, "number of different facts that were handled");
    ensure_eq!(
        handled.len(),
        600,
        "number of facts that were handled, with repeated ones"
    );
    Ok(())
}

async fn answered_means_kept(bus: &Bus) -> Verdict {
    drop(bus.join("group").await?);
    bus.publish(&log(10, 3)).await?;
    bus.publish(&[]).await?;
    let mut late = bus.join("group").await?;
    ensure_eq!(
        sorted(take(&mut late, 10).await?),
        (1..=10).collect::<Vec<_>>(),
        "events of a member that came late"
    );
    Ok(())
}

/// Members join, leave without acknowledging and join again while facts are published. The group must have seen every
/// fact.
async fn a_group_misses_nothing_while_members_come_and_go(bus: &Bus) -> Verdict {
    const EVENTS: u64 = 300;
    let mut seen = BTreeSet::new();
    let mut steady = bus.join("group").await?;
    for (round, batch) in log(EVENTS, 5).chunks(60).enumerate() {
        let mut passing = bus.join("group").await?;
        bus.publish(batch).await?;
        tokio::select! {
            biased;
            // The passing member acknowledges nothing, so its facts go to the other members.
            delivered = delivery(&mut passing, 7) => drop(delivered?),
            delivered = delivery(&mut steady, 7) => seen.extend(positions(&delivered?)),
        }
        drop(passing);
        while seen.len() < (round + 1) * 60 {
            seen.extend(positions(&delivery(&mut steady, 50).await?));
            steady.acknowledge().await?;
        }
    }
    ensure_eq!(seen, (1..=EVENTS).collect(), "positions that the group has seen");
    Ok(())
}

/// A group that gets the facts of all streams sees every position from 1 on without a gap.
async fn a_group_sees_every_position(bus: &Bus) -> Verdict {
    const EVENTS: u64 = 200;
    let mut member = bus.join("group").await?;
    for batch in log(EVENTS, 12).chunks(7) {
        bus.publish(batch).await?;
    }
    let mut seen = BTreeSet::from_iter(take(&mut member, 90).await?);
    member.acknowledge().await?;
    drop(member);
    let mut next = bus.join("group").await?;
    while seen.len() < EVENTS as usize {
        seen.extend(positions(&delivery(&mut next, 9).await?));
        next.acknowledge().await?;
    }
    ensure_eq!(seen, (1..=EVENTS).collect(), "positions that the group has seen");
    Ok(())
}

/// The first member has unacknowledged facts when the second joins. It goes on for a moment, and leaves without
/// acknowledging.
async fn no_event_is_lost_when_a_second_member_joins(bus: &Bus) -> Verdict {
    const EVENTS: u64 = 60;
    let mut first = bus.join("group").await?;
    bus.publish(&log(EVENTS, 20)).await?;
    delivery(&mut first, 3).await?;
    let second = see_all(bus.join("group").await?, EVENTS);
    if let Ok(more) = timeout(A_MOMENT, delivery(&mut first, 3)).await {
        more?;
    }
    drop(first);
    second.await?
}

/// Of two members, the first receives a fact and leaves without acknowledging it. The second may have acknowledged
/// later facts by then.
async fn no_event_is_lost_when_one_of_two_members_leaves(bus: &Bus) -> Verdict {
    const EVENTS: u64 = 60;
    let mut leaving = bus.join("group").await?;
    let mut staying = bus.join("group").await?;
    bus.publish(&log(EVENTS, 20)).await?;
    let mut missing: BTreeSet<u64> = (1..=EVENTS).collect();
    // Both members are asked, because a bus may wait for the one before it gives the other its share.
    loop {
        tokio::select! {
            biased;
            delivered = delivery(&mut leaving, 1) => {
                delivered?;
                break;
            }
            delivered = delivery(&mut staying, 1) => {
                for position in positions(&delivered?) {
                    missing.remove(&position);
                }
            }
        }
    }
    let acknowledged = Arc::new(Notify::new());
    let staying = see_missing(staying, missing, Arc::clone(&acknowledged));
    // The other member may get the missing facts now, or only after this one has left: a bus is free to do either.
    let _ = timeout(A_MOMENT, acknowledged.notified()).await;
    drop(leaving);
    staying.await?
}

async fn every_group_gets_every_event(bus: &Bus) -> Verdict {
    let mut quick = bus.join("quick").await?;
    let mut slow = bus.join("slow").await?;
    bus.publish(&log(6, 2)).await?;
    let all: Vec<u64> = (1..=6).collect();
    ensure_eq!(sorted(take(&mut quick, 6).await?), all, "events of one group");
    quick.acknowledge().await?;
    ensure_eq!(sorted(take(&mut slow, 6).await?), all, "events of the other group");
    Ok(())
}

async fn an_event_that_was_not_acknowledged_is_delivered_again(bus: &Bus) -> Verdict {
    let mut first = bus.join("group").await?;
    bus.publish(&log(6, 1)).await?;
    ensure_eq!(take(&mut first, 2).await?, [1, 2], "the first delivery");
    first.acknowledge().await?;
    ensure_eq!(take(&mut first, 2).await?, [3, 4], "the second delivery");
    drop(first);
    let mut second = bus.join("group").await?;
    ensure_eq!(take(&mut second, 4).await?, [3, 4, 5, 6], "what the next member gets");
    Ok(())
}

async fn a_redelivered_event_keeps_its_place_in_its_stream(bus: &Bus) -> Verdict {
    let mut first = bus.join("group").await?;
    bus.publish(&log(4, 1)).await?;
    ensure_eq!(take(&mut first, 1).await?, [1], "the first delivery");
    ensure_eq!(
        take(&mut first, 2).await?,
        [2, 3],
        "a delivery before the acknowledgement"
    );
    let second = bus.join("group").await?;
    drop(second);
    drop(first);
    let mut third = bus.join("group").await?;
    ensure_eq!(take(&mut third, 4).await?, [1, 2, 3, 4], "what the next member gets");
    third.acknowledge().await?;
    drop(third);
    let more = recorded(stream(0), 5, 5);
    bus.publish(&[more]).await?;
    let mut fourth = bus.join("group").await?;
    ensure_eq!(take(&mut fourth, 1).await?, [5], "what the last member gets");
    Ok(())
}

async fn an_acknowledged_event_is_not_delivered_again(bus: &Bus) -> Verdict {
    let mut first = bus.join("group").await?;
    bus.publish(&log(3, 1)).await?;
    // One acknowledgement covers everything that was delivered before.
    take(&mut first, 1).await?;
    take(&mut first, 2).await?;
    first.acknowledge().await?;
    first.acknowledge().await?;
    drop(first);
    bus.publish(&[recorded(stream(0), 4, 4)]).await?;
    let mut second = bus.join("group").await?;
    ensure_eq!(take(&mut second, 1).await?, [4], "what the next member gets");
    Ok(())
}

async fn a_member_that_leaves_hands_over_to_one_that_waits(bus: &Bus) -> Verdict {
    for round in 0..20 {
        let group = format!("group {round}");
        let mut leaving = bus.join(&group).await?;
        bus.publish(&log(3, 1)).await?;
        take(&mut leaving, 3).await?;
        let mut waiting = bus.join(&group).await?;
        let waiter = tokio::spawn(async move { take(&mut waiting, 3).await });
        tokio::task::yield_now().await;
        drop(leaving);
        ensure_eq!(waiter.await??, [1, 2, 3], "what the waiting member gets");
    }
    Ok(())
}

async fn no_event_is_slept_through(bus: &Bus) -> Verdict {
    const EVENTS: u64 = 500;
    let mut member = bus.join("group").await?;
    let woken = Arc::new(Notify::new());
    let reader = tokio::spawn({
        let woken = Arc::clone(&woken);
        async move {
            for position in 1..=EVENTS {
                ensure_eq!(take(&mut member, 1).await?, [position], "the next event");
                // The publisher waits for this signal, so it publishes while this member is about to wait for facts
                // again.
                woken.notify_one();
                member.acknowledge().await?;
            }
            Ok(())
        }
    });
    for event in log(EVENTS, 1) {
        bus.publish(&[event]).await?;
        woken.notified().await;
    }
    reader.await?
}

async fn a_delivery_has_at_least_one_event(bus: &Bus) -> Verdict {
    let mut member = bus.join("group").await?;
    let waiter = tokio::spawn(async move { delivery(&mut member, 5).await });
    tokio::task::yield_now().await;
    let published = log(1, 1);
    bus.publish(&published).await?;
    ensure_eq!(waiter.await??, published, "facts for which the member has waited");
    Ok(())
}

async fn no_more_than_the_limit_is_delivered_at_once(bus: &Bus) -> Verdict {
    let mut member = bus.join("group").await?;
    bus.publish(&log(10, 4)).await?;
    let mut taken = 0;
    while taken < 10 {
        let delivered = delivery(&mut member, 3).await?.len();
        ensure!(
            delivered <= 3,
            "a delivery has {delivered} facts, although the limit is 3"
        );
        taken += delivered;
    }
    Ok(())
}

async fn an_event_arrives_as_it_was_published(bus: &Bus) -> Verdict {
    let mut member = bus.join("group").await?;
    let mut odd = recorded(stream(1), 7, u64::from(u32::MAX));
    odd.data = vec![0, 255, b'{'];
    odd.event_version = u16::MAX;
    odd.event_type = "a_type_that_nobody_knows".into();
    odd.metadata = Metadata {
        correlation_id: CorrelationId::parse("req-42;%20='\""),
        ..full_metadata()
    };
    let mut traced = recorded(stream(1), 8, u64::from(u32::MAX) + 1);
    traced.metadata.trace = trace(&[]);
    // A bus that several logs share must keep apart their facts, and those of different incarnations of one log.
    let facts = (1..).zip([recorded(stream(1), 1, 1), odd, traced]);
    let published: Vec<Delivered> = facts
        .map(|(number, event)| Delivered {
            from: log_identity(number),
            event,
        })
        .collect();
    for Delivered { from, event } in &published {
        bus.publisher.publish(*from, std::slice::from_ref(event)).await?;
    }
    let mut arrived = Vec::new();
    while arrived.len() < published.len() {
        arrived.extend(member.next(1).await?);
    }
    ensure_eq!(arrived, published, "events");
    Ok(())
}
