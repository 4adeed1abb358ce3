//! What a lane has decided and not yet committed.

use std::collections::{BTreeMap, BTreeSet};

use ticketing_domain::book::{Question, StagedFact, Work};
use ticketing_domain::payment::GatewayCall;
use ticketing_ports::Timestamp;
use ticketing_ports::deadlines::{DeadlineKey, DeadlineWrite};
use ticketing_ports::event_store::{Append, Commit};
use ticketing_ports::idempotency::IdempotencyRecord;
use ticketing_ports::ids::CommitId;
use ticketing_ports::lanes::LaneId;
use ticketing_ports::streams::{Metadata, StreamId, Version};

use crate::failure::Failure;
use crate::job::{Job, Telling};

#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// In the order in which they were decided.
    pub(crate) entries: Vec<Entry>,
    appends: Vec<Append>,
    /// Where the append of a stream is.
    places: BTreeMap<StreamId, usize>,
    /// What was looked at and not changed, in the version it was looked at.
    relied_on: BTreeMap<StreamId, Version>,
    /// To be confirmed in a book that others can disappoint.
    pub(crate) staged: Vec<StagedFact>,
    deadlines: BTreeMap<DeadlineKey, DeadlineWrite>,
    records: Vec<IdempotencyRecord>,
    /// To be made once the facts are durable.
    pub(crate) calls: Vec<GatewayCall>,
    /// Streams that were loaded for this batch, changed or not.
    pub(crate) loaded: BTreeSet<StreamId>,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) job: Job,
    pub(crate) verdict: Verdict,
}

#[derive(Debug)]
pub(crate) enum Verdict {
    Answer(Result<Telling, Failure>),
    /// The gateway has to answer first.
    Pending(Question),
    /// Like `Answer`, for a job that was decided in an earlier batch and has waited since.
    AfterWaiting {
        question: Question,
        answer: Result<Telling, Failure>,
    },
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether committing it would write nothing.
    pub(crate) fn writes_nothing(&self) -> bool {
        self.appends.is_empty() && self.deadlines.is_empty() && self.records.is_empty()
    }

    pub(crate) fn touches(&self, stream: StreamId) -> bool {
        self.places.contains_key(&stream) || self.loaded.contains(&stream)
    }

    pub(crate) fn streams(&self) -> impl Iterator<Item = StreamId> + '_ {
        self.places.keys().chain(&self.loaded).copied()
    }

    /// What answers of this batch rest on; what the batch itself has changed needs no saying.
    pub(crate) fn rely_on(&mut self, streams: impl IntoIterator<Item = (StreamId, Version)>) {
        for (stream, version) in streams {
            if !self.places.contains_key(&stream) {
                self.relied_on.entry(stream).or_insert(version);
            }
        }
    }

    /// What has to be so still for the answers of a batch that writes nothing.
    pub(crate) fn take_relied_on(&mut self) -> Vec<(StreamId, Version)> {
        std::mem::take(&mut self.relied_on).into_iter().collect()
    }

    /// Takes in what a command has led to; `keep` when the facts are wanted again after the commit.
    pub(crate) fn stage(&mut self, work: Work, metadata: &Metadata, keep: bool) {
        self.rely_on(work.relied_on);
        for fact in work.facts {
            self.append(&fact, metadata);
            if keep {
                self.staged.push(fact);
            }
        }
        for change in work.deadlines {
            self.deadlines.insert(change.key(), change.caused_by(metadata));
        }
        self.calls.extend(work.calls);
    }

    fn append(&mut self, fact: &StagedFact, metadata: &Metadata) {
        let event = fact.to_new_event(metadata.clone());
        let appends = &mut self.appends;
        let place = *self.places.entry(fact.stream).or_insert_with(|| {
            let expected = Version(fact.version.0 - 1);
            appends.push(Append {
                stream: fact.stream,
                expected,
                events: Vec::new(),
            });
            appends.len() - 1
        });
        appends[place].events.push(event);
    }

    /// Remembers what a job waits for, together with the facts that made it wait: asked again, it must not do it again.
    pub(crate) fn record_question(&mut self, job: &Job, question: &Question, at: Timestamp) {
        self.records.extend(job.question_record(question, at));
    }

    pub(crate) fn answer(&mut self, job: Job, answer: Result<Telling, Failure>) {
        self.entries.push(Entry {
            job,
            verdict: Verdict::Answer(answer),
        });
    }

    /// Answers a job whose facts are its own or an earlier batch's, and remembers the answer under its key.
    pub(crate) fn answer_and_record(&mut self, job: Job, answer: Result<Telling, Failure>, at: Timestamp) {
        self.records.extend(job.record(&answer, at));
        self.answer(job, answer);
    }

    pub(crate) fn answer_after_waiting(
        &mut self,
        job: Job,
        question: Question,
        answer: Result<Telling, Failure>,
        at: Timestamp,
    ) {
        self.records.extend(job.record(&answer, at));
        self.entries.push(Entry {
            job,
            verdict: Verdict::AfterWaiting { question, answer },
        });
    }

    pub(crate) fn commit(&mut self, id: CommitId, lane: LaneId, at: Timestamp) -> Commit {
        let mut appends = std::mem::take(&mut self.appends);
        let unchanged = self
            .relied_on
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
            appends,
            deadlines: std::mem::take(&mut self.deadlines).into_values().collect(),
            idempotency: std::mem::take(&mut self.records),
        }
    }
}
