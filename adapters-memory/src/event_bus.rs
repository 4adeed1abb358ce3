//! A bus that carries facts within one process, without a network.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use ticketing_ports::log::event_bus::{BusUnavailable, Delivered, EventPublisher, EventSubscriber, Subscription};
use ticketing_ports::log::identity::LogIdentity;
use ticketing_ports::log::streams::RecordedEvent;
use tokio::sync::Notify;

/// How many facts may wait for the slowest group at most. While that many wait, publishers are held up.
const CAPACITY: usize = 10_000;

/// Delivers each fact to one member of each group that has ever subscribed. A fact is dropped once all groups have
/// acknowledged it.
#[derive(Debug, Clone, Default)]
pub struct InProcessBus(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    groups: Mutex<BTreeMap<String, Group>>,
    published: Notify,
    acknowledged: Notify,
}

#[derive(Debug, Default)]
struct Group {
    waiting: VecDeque<Arc<Delivered>>,
    /// The facts that a member was given and has not acknowledged yet, by the number of the member.
    delivered: BTreeMap<u64, Vec<Arc<Delivered>>>,
    members: u64,
}

impl Group {
    fn backlog(&self) -> usize {
        self.waiting.len() + self.delivered.values().map(Vec::len).sum::<usize>()
    }
}

impl InProcessBus {
    pub fn new() -> Self {
        Self::default()
    }
}

impl Shared {
    fn groups(&self) -> MutexGuard<'_, BTreeMap<String, Group>> {
        self.groups.lock().expect("no code panics while it holds this lock")
    }

    fn try_publish(&self, from: LogIdentity, events: &[RecordedEvent]) -> bool {
        let mut groups = self.groups();
        if groups.values().any(|group| group.backlog() >= CAPACITY) {
            return false;
        }
        if groups.is_empty() {
            return true;
        }
        for event in events {
            let event = Arc::new(Delivered {
                from,
                event: event.clone(),
            });
            for group in groups.values_mut() {
                group.waiting.push_back(Arc::clone(&event));
            }
        }
        self.published.notify_waiters();
        true
    }
}

#[async_trait]
impl EventPublisher for InProcessBus {
    async fn publish(&self, from: LogIdentity, events: &[RecordedEvent]) -> Result<(), BusUnavailable> {
        loop {
            let room = self.0.acknowledged.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            if self.0.try_publish(from, events) {
                return Ok(());
            }
            room.await;
        }
    }
}

#[async_trait]
impl EventSubscriber for InProcessBus {
    async fn subscribe(&self, group: &str) -> Result<Box<dyn Subscription>, BusUnavailable> {
        let mut groups = self.0.groups();
        let entry = groups.entry(group.to_owned()).or_default();
        entry.members += 1;
        Ok(Box::new(Member {
            bus: Arc::clone(&self.0),
            group: group.to_owned(),
            number: entry.members,
        }))
    }
}

#[derive(Debug)]
struct Member {
    bus: Arc<Shared>,
    group: String,
    number: u64,
}

impl Member {
    fn take(&self, limit: usize) -> Vec<Delivered> {
        let mut groups = self.bus.groups();
        let Some(group) = groups.get_mut(&self.group) else {
            return Vec::new();
        };
        // Nothing is delivered while another member has facts that it has not acknowledged. Otherwise this member
        // could handle a later fact of a stream before the other member has handled an earlier one.
        if group
            .delivered
            .iter()
            .any(|(member, events)| *member != self.number && !events.is_empty())
        {
            return Vec::new();
        }
        let count = limit.min(group.waiting.len());
        let taken: Vec<_> = group.waiting.drain(..count).collect();
        let events = taken.iter().map(|event| Delivered::clone(event)).collect();
        group.delivered.entry(self.number).or_default().extend(taken);
        events
    }

    /// Ends the delivery of what the member has taken. What it has not handled goes to other members of the group.
    fn end_delivery(&self, handled: bool) {
        let mut groups = self.bus.groups();
        if let Some(group) = groups.get_mut(&self.group) {
            let delivered = group.delivered.remove(&self.number).unwrap_or_default();
            if !handled {
                for event in delivered.into_iter().rev() {
                    group.waiting.push_front(event);
                }
            }
        }
        drop(groups);
        self.bus.acknowledged.notify_waiters();
        self.bus.published.notify_waiters();
    }
}

#[async_trait]
impl Subscription for Member {
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivered>, BusUnavailable> {
        let bus = Arc::clone(&self.bus);
        loop {
            let news = bus.published.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            let events = self.take(limit);
            if !events.is_empty() {
                return Ok(events);
            }
            news.await;
        }
    }

    async fn acknowledge(&mut self) -> Result<(), BusUnavailable> {
        self.end_delivery(true);
        Ok(())
    }
}

/// Gives back the facts that the member has not acknowledged, so that other members of the group get them.
impl Drop for Member {
    fn drop(&mut self) {
        self.end_delivery(false);
    }
}
