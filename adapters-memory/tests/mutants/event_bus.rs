//! A small bus that makes one mistake on purpose, so that a conformance rule must fail on it. For each group it keeps
//! a copy of the log, and to which member each fact was delivered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use chrono::SubsecRound as _;
use ticketing_ports::log::event_bus::{BusUnavailable, Delivered, EventPublisher, EventSubscriber, Subscription};
use ticketing_ports::log::identity::{Incarnation, LogIdentity};
use ticketing_ports::log::streams::{Aggregate, Metadata, RecordedEvent};
use tokio::sync::Notify;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lie {
    #[default]
    None,
    KeepsABatchBackwards,
    DeliversBackwards,
    LosesTheLastOfABatch,
    KeepsNothingForAGroupWithoutMembers,
    CarriesNoPayments,
    SendsPayloadsAsText,
    ForgetsMetadata,
    ForgetsTheIncarnation,
    RoundsTimes,
    HasOneGroup,
    GivesEveryMemberEverything,
    LetsOthersOvertake,
    ForgetsWhatALeavingMemberHad,
    ForgetsWhatIsOwedWhenAnotherJoins,
    ForgetsAGroupWithoutMembers,
    WakesNobodyWhenAMemberLeaves,
    AcknowledgesWhatItDelivers,
    AcknowledgesWithTheNextDelivery,
    AcknowledgesEverythingBefore,
    AcknowledgesTheLastDelivery,
    DeliversAgainAtTheEnd,
    LooksBeforeItListens,
    NeverWaits,
    IgnoresTheLimit,
}

/// The rules of the conformance suite, each beside a lie (a mistake made on purpose) that must make the rule fail.
pub(crate) const BROKEN_BY: &[(&str, Lie)] = &[
    ("events_of_one_stream_arrive_in_order", Lie::KeepsABatchBackwards),
    ("events_of_one_stream_arrive_in_order", Lie::DeliversBackwards),
    ("answered_means_kept", Lie::LosesTheLastOfABatch),
    ("answered_means_kept", Lie::KeepsNothingForAGroupWithoutMembers),
    ("a_group_sees_every_position", Lie::LosesTheLastOfABatch),
    ("a_group_sees_every_position", Lie::CarriesNoPayments),
    ("an_event_arrives_as_it_was_published", Lie::SendsPayloadsAsText),
    ("an_event_arrives_as_it_was_published", Lie::ForgetsMetadata),
    ("an_event_arrives_as_it_was_published", Lie::RoundsTimes),
    ("an_event_arrives_as_it_was_published", Lie::ForgetsTheIncarnation),
    ("every_group_gets_every_event", Lie::HasOneGroup),
    (
        "each_event_goes_to_one_member_of_a_group",
        Lie::GivesEveryMemberEverything,
    ),
    ("no_member_is_overtaken_within_a_stream", Lie::LetsOthersOvertake),
    (
        "a_group_misses_nothing_while_members_come_and_go",
        Lie::ForgetsWhatALeavingMemberHad,
    ),
    (
        "a_group_misses_nothing_while_members_come_and_go",
        Lie::AcknowledgesWhatItDelivers,
    ),
    (
        "no_event_is_lost_when_a_second_member_joins",
        Lie::ForgetsWhatIsOwedWhenAnotherJoins,
    ),
    (
        "no_event_is_lost_when_one_of_two_members_leaves",
        Lie::AcknowledgesEverythingBefore,
    ),
    (
        "a_member_that_leaves_hands_over_to_one_that_waits",
        Lie::WakesNobodyWhenAMemberLeaves,
    ),
    (
        "an_event_that_was_not_acknowledged_is_delivered_again",
        Lie::ForgetsWhatALeavingMemberHad,
    ),
    (
        "an_event_that_was_not_acknowledged_is_delivered_again",
        Lie::AcknowledgesWhatItDelivers,
    ),
    (
        "a_redelivered_event_keeps_its_place_in_its_stream",
        Lie::DeliversAgainAtTheEnd,
    ),
    (
        "a_redelivered_event_keeps_its_place_in_its_stream",
        Lie::AcknowledgesWithTheNextDelivery,
    ),
    (
        "an_acknowledged_event_is_not_delivered_again",
        Lie::ForgetsAGroupWithoutMembers,
    ),
    (
        "an_acknowledged_event_is_not_delivered_again",
        Lie::AcknowledgesTheLastDelivery,
    ),
    ("no_event_is_slept_through", Lie::LooksBeforeItListens),
    ("a_delivery_has_at_least_one_event", Lie::NeverWaits),
    ("no_more_than_the_limit_is_delivered_at_once", Lie::IgnoresTheLimit),
];

#[derive(Debug)]
pub(crate) struct LyingBus(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    lie: Lie,
    log: Mutex<Log>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Log {
    events: Vec<Delivered>,
    groups: BTreeMap<String, Group>,
    /// How many members have joined any group so far; numbers the next member.
    joined: u64,
}

#[derive(Debug, Default)]
struct Group {
    copies: Vec<(Delivered, Place)>,
    members: BTreeSet<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Waiting,
    With { member: u64, delivery: u64 },
    Done,
}

impl Place {
    fn is_with(self, number: u64) -> bool {
        matches!(self, Self::With { member, .. } if member == number)
    }
}

impl LyingBus {
    pub(crate) fn new(lie: Lie) -> Self {
        Self(Arc::new(Shared {
            lie,
            log: Mutex::default(),
            news: Notify::new(),
        }))
    }
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().expect("no code panics while it holds this lock")
    }

    /// Returns the fact as this bus delivers it, changed if its lie is to change facts; `None` if its lie is to lose
    /// this fact.
    fn carried(&self, mut from: LogIdentity, event: &RecordedEvent) -> Option<Delivered> {
        let mut event = event.clone();
        match self.lie {
            Lie::CarriesNoPayments if event.stream.aggregate == Aggregate::Payment => return None,
            Lie::SendsPayloadsAsText => event.data = String::from_utf8_lossy(&event.data).into_owned().into_bytes(),
            Lie::ForgetsMetadata => event.metadata = Metadata::default(),
            Lie::ForgetsTheIncarnation => from.incarnation = Incarnation::FIRST,
            Lie::RoundsTimes => event.recorded_at = event.recorded_at.trunc_subsecs(3),
            _ => {}
        }
        Some(Delivered { from, event })
    }
}

#[async_trait]
impl EventPublisher for LyingBus {
    async fn publish(&self, from: LogIdentity, events: &[RecordedEvent]) -> Result<(), BusUnavailable> {
        let mut kept: Vec<_> = events.iter().filter_map(|event| self.0.carried(from, event)).collect();
        match self.0.lie {
            Lie::KeepsABatchBackwards => kept.reverse(),
            Lie::LosesTheLastOfABatch => drop(kept.pop()),
            _ => {}
        }
        let mut log = self.0.log();
        for group in log.groups.values_mut() {
            if self.0.lie == Lie::KeepsNothingForAGroupWithoutMembers && group.members.is_empty() {
                continue;
            }
            group
                .copies
                .extend(kept.iter().map(|event| (event.clone(), Place::Waiting)));
        }
        log.events.extend(kept);
        drop(log);
        self.0.news.notify_waiters();
        Ok(())
    }
}

#[async_trait]
impl EventSubscriber for LyingBus {
    async fn subscribe(&self, group: &str) -> Result<Box<dyn Subscription>, BusUnavailable> {
        let mut log = self.0.log();
        log.joined += 1;
        let number = log.joined;
        let name = match self.0.lie {
            Lie::HasOneGroup => String::new(),
            Lie::GivesEveryMemberEverything => format!("{group} of {number}"),
            _ => group.to_owned(),
        };
        let published = log.events.clone();
        let group = log.groups.entry(name.clone()).or_insert_with(|| Group {
            copies: published.into_iter().map(|event| (event, Place::Waiting)).collect(),
            members: BTreeSet::new(),
        });
        group.members.insert(number);
        if self.0.lie == Lie::ForgetsWhatIsOwedWhenAnotherJoins {
            for (_, place) in &mut group.copies {
                if *place != Place::Waiting {
                    *place = Place::Done;
                }
            }
        }
        Ok(Box::new(Member {
            bus: Arc::clone(&self.0),
            group: name,
            number,
            deliveries: 0,
        }))
    }
}

#[derive(Debug)]
struct Member {
    bus: Arc<Shared>,
    group: String,
    number: u64,
    deliveries: u64,
}

impl Member {
    fn take(&mut self, limit: usize) -> Vec<Delivered> {
        let lie = self.bus.lie;
        let mut log = self.bus.log();
        let Some(group) = log.groups.get_mut(&self.group) else {
            return Vec::new();
        };
        let limit = if lie == Lie::IgnoresTheLimit { usize::MAX } else { limit };
        self.deliveries += 1;
        let mut owed = BTreeSet::new();
        let mut taken = Vec::new();
        for (event, place) in &mut group.copies {
            match place {
                Place::With { member, .. } if *member != self.number => {
                    owed.insert(event.event.stream);
                }
                Place::With { .. } if lie == Lie::AcknowledgesWithTheNextDelivery => *place = Place::Done,
                Place::Waiting if taken.len() < limit => {
                    if owed.contains(&event.event.stream) && lie != Lie::LetsOthersOvertake {
                        continue;
                    }
                    *place = match lie {
                        Lie::AcknowledgesWhatItDelivers => Place::Done,
                        _ => Place::With {
                            member: self.number,
                            delivery: self.deliveries,
                        },
                    };
                    taken.push(event.clone());
                }
                _ => {}
            }
        }
        if lie == Lie::DeliversBackwards {
            taken.reverse();
        }
        taken
    }

    fn leave(&self, group: &mut Group) {
        group.members.remove(&self.number);
        let held: Vec<usize> = (0..group.copies.len())
            .filter(|index| group.copies[*index].1.is_with(self.number))
            .collect();
        for index in held.into_iter().rev() {
            match self.bus.lie {
                Lie::ForgetsWhatALeavingMemberHad => group.copies[index].1 = Place::Done,
                Lie::DeliversAgainAtTheEnd => {
                    let (event, _) = group.copies.remove(index);
                    group.copies.push((event, Place::Waiting));
                }
                _ => group.copies[index].1 = Place::Waiting,
            }
        }
    }
}

#[async_trait]
impl Subscription for Member {
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivered>, BusUnavailable> {
        let bus = Arc::clone(&self.bus);
        loop {
            // Registers for notifications before it looks for facts, so that no fact published in between is missed.
            let news = bus.news.notified();
            let events = self.take(limit);
            match bus.lie {
                Lie::NeverWaits => return Ok(events),
                _ if !events.is_empty() => return Ok(events),
                Lie::LooksBeforeItListens => {
                    tokio::task::yield_now().await;
                    bus.news.notified().await;
                }
                _ => news.await,
            }
        }
    }

    async fn acknowledge(&mut self) -> Result<(), BusUnavailable> {
        let lie = self.bus.lie;
        let mut log = self.bus.log();
        if let Some(group) = log.groups.get_mut(&self.group) {
            let newest = group.copies.iter().rposition(|(_, place)| place.is_with(self.number));
            for (index, (_, place)) in group.copies.iter_mut().enumerate() {
                let handled = match *place {
                    Place::With { member, delivery } if member == self.number => {
                        lie != Lie::AcknowledgesTheLastDelivery || delivery == self.deliveries
                    }
                    _ => lie == Lie::AcknowledgesEverythingBefore && Some(index) < newest,
                };
                if handled {
                    *place = Place::Done;
                }
            }
        }
        drop(log);
        self.bus.news.notify_waiters();
        Ok(())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut log = self.bus.log();
        if let Some(group) = log.groups.get_mut(&self.group) {
            self.leave(group);
            if self.bus.lie == Lie::ForgetsAGroupWithoutMembers && group.members.is_empty() {
                log.groups.remove(&self.group);
            }
        }
        drop(log);
        if self.bus.lie != Lie::WakesNobodyWhenAMemberLeaves {
            self.bus.news.notify_waiters();
        }
    }
}
