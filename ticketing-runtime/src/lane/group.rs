//! What a lane has decided and not yet committed.

use std::collections::{BTreeMap, BTreeSet};

use ticketing_domain::book::{Savepoint, Staged, StagedFact};
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

/// The jobs whose decisions one commit writes, with everything that the commit contains.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Where the book's undo journal stood before the first job of the group. If the commit fails, the book rolls
    /// back to this point.
    pub(super) from: Savepoint,
    /// The jobs, in the order in which they were decided.
    pub(super) entries: Vec<Entry>,
    appends: Vec<Append>,
    /// The typed facts of each append, in the order of `appends`.
    facts: Vec<Vec<Fact>>,
    /// The index in `appends` of each stream that the group changes.
    places: BTreeMap<StreamId, usize>,
    /// The streams that decisions of the group have read and not changed, with the versions that they had.
    read_set: BTreeMap<StreamId, Version>,
    deadlines: BTreeMap<DeadlineKey, DeadlineWrite>,
    records: Vec<IdempotencyRecord>,
    /// Calls to the gateway, each with its metadata. They are made once the facts are durable.
    pub(super) calls: Vec<(GatewayCall, Metadata)>,
    /// Streams that were loaded for jobs of the group, changed or not.
    loaded: BTreeSet<StreamId>,
    /// Snapshots of streams. They are stored once the facts are durable.
    pub(super) snapshots: Vec<Snapshot>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) job: Job,
    pub(super) verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The job is decided. Its caller gets the answer once the commit is durable.
    Answered,
    /// The job waits for the gateway to decide this payment.
    Awaits(PaymentId),
}

impl Group {
    pub(super) fn starting_at(from: Savepoint) -> Self {
        Self {
            from,
            ..Self::default()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a commit of the group would write nothing.
    pub(super) fn writes_nothing(&self) -> bool {
        self.appends.is_empty() && self.deadlines.is_empty() && self.records.is_empty()
    }

    /// The streams that the group changes.
    pub(super) fn changed(&self) -> impl Iterator<Item = StreamId> + '_ {
        self.places.keys().copied()
    }

    /// The streams that the group changes, and those that were loaded for its jobs.
    pub(super) fn streams(&self) -> impl Iterator<Item = StreamId> + '_ {
        self.places.keys().chain(&self.loaded).copied()
    }

    pub(super) fn touches(&self, stream: StreamId) -> bool {
        self.places.contains_key(&stream) || self.loaded.contains(&stream)
    }

    /// Adds streams and the versions in which decisions have read them. Streams that the group changes are left out,
    /// because the commit checks their versions anyway.
    pub(super) fn add_to_read_set(&mut self, read_set: BTreeMap<StreamId, Version>) {
        for (stream, version) in read_set {
            if !self.places.contains_key(&stream) {
                self.read_set.entry(stream).or_insert(version);
            }
        }
    }

    /// Takes the read set out of a group that writes nothing, so that it can be checked without a commit.
    pub(super) fn take_read_set(&mut self) -> Vec<(StreamId, Version)> {
        std::mem::take(&mut self.read_set).into_iter().collect()
    }

    /// Adds what a command has decided: facts, deadlines, calls to the gateway and its read set.
    pub(super) fn stage(&mut self, staged: Staged, cause: &Metadata) {
        self.add_to_read_set(staged.read_set);
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

    /// Takes the typed facts of the commit out of the group, in the order in which the commit writes them.
    pub(super) fn take_facts(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.facts).into_iter().flatten().collect()
    }

    /// Adds the record for the job's idempotency key. Does nothing if the job has no key or there is nothing to record.
    pub(super) fn record(&mut self, job: &Job, at: Timestamp) {
        if let (Some(running), Some(record)) = (&job.key, job.work.answer_record()) {
            self.records.push(running.stored_record(&record, at));
        }
    }

    pub(super) fn push(&mut self, mut job: Job, verdict: Verdict) {
        self.loaded.extend(std::mem::take(&mut job.progress.loaded));
        self.entries.push(Entry { job, verdict });
    }

    /// Removes the jobs that wait for this payment from the group and returns them.
    pub(super) fn take_jobs_awaiting(&mut self, payment: PaymentId) -> Vec<Job> {
        let awaits = |entry: &mut Entry| entry.verdict == Verdict::Awaits(payment);
        self.entries.extract_if(.., awaits).map(|entry| entry.job).collect()
    }

    /// Builds the commit. Each stream of the read set becomes an append without facts, so that the store checks its
    /// version.
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
