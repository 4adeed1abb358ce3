//! What every event bus does: the publisher and its subscribers together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use ticketing_ports::event_bus::{EventPublisher, EventSubscriber, Subscription};
use ticketing_ports::streams::{RecordedEvent, StreamId};
use tokio::sync::Notify;

use super::fixtures::{full_metadata, recorded, stream, trace};
use super::race::race;
use super::{Broken, Verdict, ensure, ensure_eq, suite};

suite! { $
    /// Makes a test of every rule for an event bus; the expression gives a `Bus` that nobody has used.
    event_bus_conformance in event_bus for Bus {
        events_of_one_stream_arrive_in_order,
        no_member_is_overtaken_within_a_stream,
        answered_means_kept,
        every_group_gets_every_event,
        each_event_goes_to_one_member_of_a_group,
        an_event_that_was_not_acknowledged_is_delivered_again,
        a_redelivered_event_keeps_its_place_in_its_stream,
        an_acknowledged_event_is_not_delivered_again,
        a_member_that_leaves_hands_over_to_one_that_waits,
        a_group_misses_nothing_while_members_come_and_go,
        no_event_is_slept_through,
        no_more_than_the_limit_is_delivered_at_once,
        an_event_arrives_as_it_was_published,
    }
}

/// Both ends of one bus.
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
        Ok(self.publisher.publish(events).await?)
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

/// A log of so many events, which belong to the streams in turn.
fn log(events: u64, streams: u64) -> Vec<RecordedEvent> {
    (0..events)
        .map(|number| recorded(stream((number % streams) as usize), number / streams + 1, number + 1))
        .collect()
}

fn positions(events: &[RecordedEvent]) -> Vec<u64> {
    events.iter().map(|event| event.position.0).collect()
}

/// Only within a stream is there an order.
fn sorted(mut positions: Vec<u64>) -> Vec<u64> {
    positions.sort_unstable();
    positions
}

/// Takes so many events, in as many deliveries as it takes.
async fn take(member: &mut Box<dyn Subscription>, count: usize) -> Result<Vec<u64>, Broken> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.extend(positions(&member.next(count - taken.len()).await?));
    }
    Ok(taken)
}

/// What the members of a group have handled, in the order in which they did.
#[derive(Default)]
struct Handled {
    events: Mutex<Vec<(StreamId, u64)>>,
    complete: Notify,
}

impl Handled {
    fn events(&self) -> Vec<(StreamId, u64)> {
        self.events.lock().expect("no rule panics with it").clone()
    }

    /// Handles what arrives until the group has handled so many events.
    async fn work(&self, mut member: Box<dyn Subscription>, limit: usize, enough: usize) -> Verdict {
        loop {
            let complete = self.complete.notified();
            tokio::pin!(complete);
            complete.as_mut().enable();
            if self.events().len() >= enough {
                return Ok(());
            }
            let delivered = tokio::select! {
                delivered = member.next(limit) => delivered?,
                () = complete => continue,
            };
            {
                let mut events = self.events.lock().expect("no rule panics with it");
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
            .and_then(|member| member.lock().expect("no rule panics with it").take());
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

async fn events_of_one_stream_arrive_in_order(bus: &Bus) -> Verdict {
    let mut last: BTreeMap<StreamId, u64> = BTreeMap::new();
    for (stream, position) in a_busy_group(bus).await? {
        let before = last.insert(stream, position).unwrap_or(0);
        ensure!(before < position, "{position} of {stream} arrived after {before}");
    }
    Ok(())
}

/// While one member has not acknowledged an event, no other gets a later one of its stream (unless after that event).
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
    ensure_eq!(distinct.len(), 600, "different events");
    ensure_eq!(handled.len(), 600, "deliveries");
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

/// Members join, leave without a word and join again while events are published: what the group has seen has no gaps.
async fn a_group_misses_nothing_while_members_come_and_go(bus: &Bus) -> Verdict {
    const EVENTS: u64 = 300;
    let mut seen = BTreeSet::new();
    let mut steady = bus.join("group").await?;
    for (round, batch) in log(EVENTS, 5).chunks(60).enumerate() {
        let mut passing = bus.join("group").await?;
        bus.publish(batch).await?;
        tokio::select! {
            // What it was given and has not acknowledged goes to the others.
            delivered = passing.next(7) => drop(delivered?),
            delivered = steady.next(7) => seen.extend(positions(&delivered?)),
        }
        drop(passing);
        while seen.len() < (round + 1) * 60 {
            seen.extend(positions(&steady.next(50).await?));
            steady.acknowledge().await?;
        }
    }
    ensure_eq!(seen, (1..=EVENTS).collect(), "positions that the group has seen");
    Ok(())
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
    take(&mut first, 3).await?;
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
                // The publisher races with this member going to sleep again.
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

async fn no_more_than_the_limit_is_delivered_at_once(bus: &Bus) -> Verdict {
    let mut member = bus.join("group").await?;
    bus.publish(&log(10, 4)).await?;
    let mut taken = 0;
    while taken < 10 {
        let delivered = member.next(3).await?.len();
        ensure!((1..=3).contains(&delivered), "{delivered} events at a limit of 3");
        taken += delivered;
    }
    Ok(())
}

async fn an_event_arrives_as_it_was_published(bus: &Bus) -> Verdict {
    let mut member = bus.join("group").await?;
    let mut odd = recorded(stream(1), 7, u64::from(u32::MAX));
    odd.data = vec![0, 255, b'{'];
    odd.event_version = u16::MAX;
    odd.metadata = full_metadata();
    let mut traced = recorded(stream(1), 8, 1 << 40);
    traced.metadata.trace = trace(&[]);
    let published = vec![recorded(stream(1), 1, 1), odd, traced];
    bus.publish(&published).await?;
    let mut arrived = Vec::new();
    while arrived.len() < published.len() {
        arrived.extend(member.next(1).await?);
    }
    ensure_eq!(arrived, published, "events");
    Ok(())
}
