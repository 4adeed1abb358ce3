//! The newest facts that this process has written or read, kept in memory for its followers.
//!
//! A fact never changes and has one position, so a copy in memory equals what the log would return. Facts that are
//! not in the tail are read from the log: old facts, and those of other processes. Nothing depends on a fact being in
//! the tail.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use chrono::SubsecRound as _;
use ticketing_domain::facts::Fact;
use ticketing_ports::log::event_store::{Commit, CommitReceipt};
use ticketing_ports::log::identity::{Incarnation, LogIdentity, Mark};
use ticketing_ports::log::streams::{Position, RecordedEvent};
use tokio::sync::watch;

use super::facts::LoggedFact;

/// At most how many facts the tail keeps: several times as many as a follower gets at once.
const CAPACITY: usize = 16_384;

/// The newest facts of the log, as far as this process knows them.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    facts: Mutex<BTreeMap<Position, Arc<LoggedFact>>>,
    /// The identity of the log that the facts belong to. `None` until a follower has read it.
    log: Mutex<Option<LogIdentity>>,
    /// How many times followers were told to prove their marks again.
    past_checks: AtomicU64,
    /// One channel for each follower, in the order of their registration, so that followers wake in this order. The
    /// receivers of one shared channel would wake in random order.
    followers: Mutex<Vec<watch::Sender<Position>>>,
}

impl Tail {
    fn facts(&self) -> MutexGuard<'_, BTreeMap<Position, Arc<LoggedFact>>> {
        self.facts.lock().expect("no code panics while it holds this lock")
    }

    fn followers(&self) -> MutexGuard<'_, Vec<watch::Sender<Position>>> {
        self.followers.lock().expect("no code panics while it holds this lock")
    }

    fn log(&self) -> MutexGuard<'_, Option<LogIdentity>> {
        self.log.lock().expect("no code panics while it holds this lock")
    }

    /// Sets which log the followers follow. Drops all facts in memory if the log or its incarnation is not the same
    /// as before, because the log may not have these facts.
    pub(super) fn follow_log(&self, identity: LogIdentity) {
        let before = self.log().replace(identity);
        if before.is_some_and(|before| before != identity) {
            self.facts().clear();
        }
    }

    /// Returns whether `identity` is the log that is followed, in its current incarnation. Makes the followers prove
    /// their marks again if `identity` has a newer incarnation than this process knows.
    pub(super) fn is_current(&self, identity: LogIdentity) -> bool {
        let Some(known) = *self.log() else {
            return false;
        };
        if known.log == identity.log && known.incarnation < identity.incarnation {
            self.request_past_check();
        }
        known == identity
    }

    /// Makes every follower prove its mark before it handles more facts. Called when the log fails, because the log
    /// may have been restored from an older copy meanwhile.
    pub(crate) fn request_past_check(&self) {
        self.past_checks.fetch_add(1, Ordering::Relaxed);
    }

    /// How many times followers were told to prove their marks again. A follower that sees the number change does so.
    pub(super) fn past_checks(&self) -> u64 {
        self.past_checks.load(Ordering::Relaxed)
    }

    /// Whether facts of this incarnation may be added. If the incarnation is newer than the known one, drops all
    /// facts first.
    fn admits(&self, incarnation: Incarnation) -> bool {
        let mut log = self.log();
        let Some(known) = log.as_mut() else {
            return true;
        };
        if known.incarnation < incarnation {
            known.incarnation = incarnation;
            self.facts().clear();
        }
        known.incarnation == incarnation
    }

    /// Adds the facts of a durable commit and wakes the followers. `decided` has the commit's facts as Rust types, in
    /// order. If it is empty, the facts are decoded from the bytes that were written.
    pub(crate) fn take(&self, commit: Commit, decided: Vec<Fact>, receipt: CommitReceipt) {
        if !self.admits(receipt.incarnation) {
            return;
        }
        // Logs keep times to the microsecond, so the fact in memory must too.
        let recorded_at = commit.at.trunc_subsecs(6);
        let mut position = receipt.first;
        let mut decided = decided.into_iter();
        let mut facts = Vec::new();
        for append in commit.appends {
            let mut version = append.expected;
            for event in append.events {
                version = version.next();
                let fact = RecordedEvent {
                    position,
                    stream: append.stream,
                    version,
                    lane: commit.lane,
                    commit_id: commit.id,
                    event_type: event.event_type,
                    event_version: event.event_version,
                    data: event.data,
                    metadata: event.metadata,
                    recorded_at,
                };
                facts.push(Arc::new(match decided.next() {
                    Some(typed) => LoggedFact::decided(fact, typed),
                    None => LoggedFact::from(fact),
                }));
                position = position.plus(1);
            }
        }
        self.keep(facts);
    }

    /// Adds facts that a follower has read or received, so that the other followers need not read them. Wakes the
    /// followers.
    pub(crate) fn keep(&self, news: Vec<Arc<LoggedFact>>) {
        let Some(last) = news.iter().map(|fact| fact.recorded().position).max() else {
            return;
        };
        let mut facts = self.facts();
        for fact in news {
            facts.insert(fact.recorded().position, fact);
        }
        while facts.len() > CAPACITY {
            facts.pop_first();
        }
        drop(facts);
        for follower in self.followers().iter() {
            follower.send_if_modified(|known| {
                let news = last > *known;
                *known = last.max(*known);
                news
            });
        }
    }

    /// The newest fact in memory: the log that it belongs to, and its position. `None` if there is no fact in memory, or
    /// no follower has read which log it follows.
    pub(crate) fn newest(&self) -> Option<(LogIdentity, Position)> {
        let log = self.log();
        let facts = self.facts();
        let (newest, _) = facts.last_key_value()?;
        log.map(|log| (log, *newest))
    }

    /// Returns up to `limit` facts that follow `mark` without a gap. Empty if the tail does not have the next fact,
    /// or if the tail's fact at the mark's position was written by another commit.
    pub(crate) fn after(&self, mark: Mark, limit: usize) -> Vec<Arc<LoggedFact>> {
        let facts = self.facts();
        let after = mark.position;
        let there = facts.get(&after);
        if there.is_some_and(|fact| fact.recorded().commit_id != mark.commit) {
            return Vec::new();
        }
        facts
            .range(after.plus(1)..)
            .zip(1..)
            .take(limit)
            .take_while(|((position, _), place)| **position == after.plus(*place))
            .map(|((_, fact), _)| Arc::clone(fact))
            .collect()
    }

    /// Makes a channel that carries the newest position that this process knows of. Commits of other processes change
    /// it only once a follower here has read them.
    pub(crate) fn news(&self) -> watch::Receiver<Position> {
        let (follower, news) = watch::channel(Position::START);
        let mut followers = self.followers();
        followers.retain(|follower| !follower.is_closed());
        followers.push(follower);
        news
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use ticketing_ports::log::event_store::Append;
    use ticketing_ports::log::identity::Incarnation;
    use ticketing_ports::log::streams::{Metadata, NewEvent, StreamId, Version};
    use ticketing_ports::vocabulary::ids::{CommitId, EventId, LogId, ReservationId};
    use uuid::Uuid;

    use super::*;

    fn stream(number: u128) -> StreamId {
        ReservationId::new(Uuid::from_u128(number)).into()
    }

    /// Makes a commit that adds `each` facts to each of two streams.
    fn commit(each: u64) -> Commit {
        let event = NewEvent {
            event_type: "ReservationHeld".into(),
            event_version: 1,
            data: b"{}".to_vec(),
            metadata: Metadata::default(),
        };
        let append = |number| Append {
            stream: stream(number),
            expected: Version(2),
            events: vec![event.clone(); each as usize],
        };
        Commit {
            id: CommitId::new(Uuid::from_u128(9)),
            lane: EventId::new(Uuid::from_u128(1)).into(),
            at: DateTime::from_timestamp_nanos(1_234_567_891_234_567_891),
            appends: vec![append(1), append(2)],
            deadlines: Vec::new(),
            idempotency: Vec::new(),
            landmarks: Vec::new(),
        }
    }

    fn receipt(first: u64, last: u64) -> CommitReceipt {
        CommitReceipt {
            first: Position(first),
            last: Position(last),
            incarnation: Incarnation::FIRST,
        }
    }

    /// Makes a mark at this position, with the commit id that all commits of these tests have.
    fn at(position: u64) -> Mark {
        Mark {
            log: LogId::new(Uuid::from_u128(1)),
            position: Position(position),
            commit: CommitId::new(Uuid::from_u128(9)),
        }
    }

    fn positions(facts: &[Arc<LoggedFact>]) -> Vec<u64> {
        facts.iter().map(|fact| fact.recorded().position.0).collect()
    }

    #[test]
    fn facts_get_the_places_that_the_log_gave_them() {
        let tail = Tail::default();
        tail.take(commit(2), Vec::new(), receipt(11, 14));
        let facts = tail.after(at(10), 10);
        assert_eq!(positions(&facts), [11, 12, 13, 14]);
        let places: Vec<_> = facts.iter().map(|fact| fact.recorded()).collect();
        let places: Vec<_> = places.iter().map(|fact| (fact.stream, fact.version.0)).collect();
        assert_eq!(places, [(stream(1), 3), (stream(1), 4), (stream(2), 3), (stream(2), 4)]);
        assert_eq!(facts[0].recorded().recorded_at.timestamp_subsec_nanos(), 234_567_000);
    }

    #[test]
    fn nothing_is_returned_across_a_gap() {
        let tail = Tail::default();
        tail.take(commit(1), Vec::new(), receipt(5, 6));
        tail.take(commit(1), Vec::new(), receipt(1, 2));
        assert_eq!(positions(&tail.after(at(0), 10)), [1, 2]);
        assert_eq!(positions(&tail.after(at(2), 10)), [0; 0]);
        // Another commit fills the gap, so now all facts are returned.
        tail.take(commit(1), Vec::new(), receipt(3, 4));
        assert_eq!(positions(&tail.after(at(0), 10)), [1, 2, 3, 4, 5, 6]);
        assert_eq!(positions(&tail.after(at(1), 3)), [2, 3, 4]);
    }

    #[test]
    fn what_others_wrote_fills_the_gap_once_it_is_read() {
        let (tail, read) = (Tail::default(), Tail::default());
        read.take(commit(2), Vec::new(), receipt(1, 4));
        tail.take(commit(1), Vec::new(), receipt(5, 6));
        tail.keep(read.after(at(1), 3));
        tail.keep(Vec::new());
        assert_eq!(positions(&tail.after(at(1), 10)), [2, 3, 4, 5, 6]);
    }

    #[test]
    fn the_oldest_facts_are_dropped_when_there_are_too_many() {
        let tail = Tail::default();
        let half = CAPACITY as u64 / 2;
        for round in 0..3 {
            let first = round * 2 * half + 1;
            tail.take(commit(half), Vec::new(), receipt(first, first + 2 * half - 1));
        }
        assert_eq!(tail.facts().len(), CAPACITY);
        assert!(tail.after(at(0), 1).is_empty());
        assert_eq!(positions(&tail.after(at(4 * half), 1)), [4 * half + 1]);
    }

    #[test]
    fn news_never_go_back_and_a_commit_without_facts_is_none() {
        let tail = Tail::default();
        let news = tail.news();
        tail.take(commit(1), Vec::new(), receipt(5, 6));
        tail.take(commit(1), Vec::new(), receipt(3, 4));
        tail.take(commit(0), Vec::new(), receipt(0, 0));
        assert_eq!(*news.borrow(), Position(6));
    }

    #[test]
    fn nothing_follows_a_mark_of_another_past() {
        let tail = Tail::default();
        tail.take(commit(2), Vec::new(), receipt(1, 4));
        assert_eq!(positions(&tail.after(at(2), 10)), [3, 4]);
        let other = Mark {
            commit: CommitId::new(Uuid::from_u128(8)),
            ..at(2)
        };
        assert_eq!(positions(&tail.after(other, 10)), [0; 0]);
    }

    #[test]
    fn facts_of_an_earlier_incarnation_are_dropped() {
        let identity = |incarnation| LogIdentity {
            log: at(0).log,
            incarnation,
        };
        let tail = Tail::default();
        tail.follow_log(identity(Incarnation::FIRST));
        tail.take(commit(2), Vec::new(), receipt(1, 4));
        let second = CommitReceipt {
            incarnation: Incarnation::FIRST.next(),
            ..receipt(3, 6)
        };
        tail.take(commit(2), Vec::new(), second);
        assert_eq!(positions(&tail.after(at(0), 10)), [0; 0]);
        assert_eq!(positions(&tail.after(at(2), 10)), [3, 4, 5, 6]);
        // A receipt of an earlier incarnation comes late, and its facts are not added.
        tail.take(commit(1), Vec::new(), receipt(1, 2));
        assert_eq!(positions(&tail.after(at(0), 10)), [0; 0]);
        tail.follow_log(identity(Incarnation(3)));
        assert_eq!(positions(&tail.after(at(2), 10)), [0; 0]);
    }
}
