//! What a lane has decided and not yet committed.

use std::collections::{BTreeMap, BTreeSet};

use ticketing_domain::book::{JournalMark, Staged, StagedFact};
use ticketing_domain::facts::Fact;
use ticketing_domain::payment::GatewayCall;
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::{DeadlineKey, DeadlineWrite};
use ticketing_ports::log::event_store::{Append, Commit};
use ticketing_ports::log::idempotency::IdempotencyRecord;
use ticketing_ports::log::lanes::LaneId;
use ticketing_ports::log::snapshots::Snapshot;
use ticketing_ports::log::streams::{Metadata, StreamId, Version};
use ticketing_ports::vocabulary::ids::{CommitId, PaymentId};

use super::job::Job;

#[derive(Debug, Default)]
pub(super) struct Group {
    /// Where the book's journal stood before it.
    pub(super) from: JournalMark,
    /// In the order in which they were decided.
    pub(super) entries: Vec<Entry>,
    appends: Vec<Append>,
    /// The facts of each append, as they were decided.
    facts: Vec<Vec<Fact>>,
    /// Where the append of a stream is.
    places: BTreeMap<StreamId, usize>,
    /// What was looked at and not changed, in the version it was looked at.
    read_set: BTreeMap<StreamId, Version>,
    deadlines: BTreeMap<DeadlineKey, DeadlineWrite>,
    records: Vec<IdempotencyRecord>,
    /// To be made once the facts are durable, with what caused them.
    pub(super) calls: Vec<(GatewayCall, Metadata)>,
    /// Streams that were loaded for it, changed or not.
    loaded: BTreeSet<StreamId>,
    /// Of what it makes of its streams; to be kept once the facts are durable.
    pub(super) snapshots: Vec<Snapshot>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) job: Job,
    pub(super) verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The job has its answer.
    Answered,
    /// The gateway has to answer first.
    Awaits(PaymentId),
}

impl Group {
    pub(super) fn starting_at(from: JournalMark) -> Self {
        Self {
            from,
            ..Self::default()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether committing it would write nothing.
    pub(super) fn writes_nothing(&self) -> bool {
        self.appends.is_empty() && self.deadlines.is_empty() && self.records.is_empty()
    }

    pub(super) fn changed(&self) -> impl Iterator<Item = StreamId> + '_ {
        self.places.keys().copied()
    }

    /// Streams that were changed or loaded for it.
    pub(super) fn streams(&self) -> impl Iterator<Item = StreamId> + '_ {
        self.places.keys().chain(&self.loaded).copied()
    }

    pub(super) fn touches(&self, stream: StreamId) -> bool {
        self.places.contains_key(&stream) || self.loaded.contains(&stream)
    }

    /// Notes what answers of this group rest on; what the group itself has changed needs no saying.
    pub(super) fn rest_on(&mut self, read_set: BTreeMap<StreamId, Version>) {
        for (stream, version) in read_set {
            if !self.places.contains_key(&stream) {
                self.read_set.entry(stream).or_insert(version);
            }
        }
    }

    /// What has to be so still for the answers of a group that writes nothing.
    pub(super) fn take_read_set(&mut self) -> Vec<(StreamId, Version)> {
        std::mem::take(&mut self.read_set).into_iter().collect()
    }

    /// Takes in what a command has led to.
    pub(super) fn stage(&mut self, staged: Staged, cause: &Metadata) {
        self.rest_on(staged.read_set);
        for fact in staged.facts {
            self.append(fact, cause);
        }
        for change in staged.deadlines {
            self.deadlines.insert(change.key(), change.caused_by(cause));
        }
        self.calls
            .extend(staged.calls.into_iter().map(|call| (call, cause.clone())));
    }

    fn append(&mut self, staged: StagedFact, cause: &Metadata) {
        let StagedFact { stream, version, fact } = staged;
        let (appends, facts) = (&mut self.appends, &mut self.facts);
        let place = *self.places.entry(stream).or_insert_with(|| {
            appends.push(Append {
                stream,
                expected: Version(version.0 - 1),
                events: Vec::new(),
            });
            facts.push(Vec::new());
            appends.len() - 1
        });
        appends[place].events.push(fact.to_new_event(cause.clone()));
        facts[place].push(fact);
    }

    /// The facts of its commit in their order, as they were decided.
    pub(super) fn take_facts(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.facts).into_iter().flatten().collect()
    }

    /// Remembers what a job was answered, or waits for, under its key if it has one.
    pub(super) fn record(&mut self, job: &Job, at: Timestamp) {
        if let (Some(running), Some(said)) = (&job.key, job.work.said()) {
            self.records.push(running.record(&said, at));
        }
    }

    pub(super) fn push(&mut self, mut job: Job, verdict: Verdict) {
        self.loaded.extend(std::mem::take(&mut job.progress.loaded));
        self.entries.push(Entry { job, verdict });
    }

    /// Takes out the jobs that wait for this payment.
    pub(super) fn take_who_awaits(&mut self, payment: PaymentId) -> Vec<Job> {
        let awaits = |entry: &mut Entry| entry.verdict == Verdict::Awaits(payment);
        self.entries.extract_if(.., awaits).map(|entry| entry.job).collect()
    }

    pub(super) fn commit(&mut self, id: CommitId, lane: LaneId, at: Timestamp) -> Commit {
        let mut appends = std::mem::take(&mut self.appends);
        let unchanged = self
            .read_set
            .iter()
            .filter(|(stream, _)| !self.places.contains_key(stream));
        appends.extend(unchanged.map(|(stream, expected)| Append {
            stream: *stream,
            expected: *expected,
            events: Vec::new(),
        }));
        Commit {
            id,
            lane,
            at,
            landmarks: Vec::new(),
            appends,
            deadlines: std::mem::take(&mut self.deadlines).into_values().collect(),
            idempotency: std::mem::take(&mut self.records),
        }
    }
}
