//! The working store behind a wrapper that gets one thing wrong.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use adapters_memory::InMemoryEventStore;
use async_trait::async_trait;
use chrono::{DateTime, SubsecRound, TimeDelta};
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::{CausedDeadline, DeadlineKey, DeadlineKind, DeadlineStore, DeadlineWrite};
use ticketing_ports::log::event_store::{Commit, CommitError, CommitReceipt, EventStore};
use ticketing_ports::log::idempotency::{IdempotencyKey, IdempotencyRecord, IdempotencyStore};
use ticketing_ports::log::identity::{Incarnation, LogIdentity, SchemaGeneration};
use ticketing_ports::log::streams::{Aggregate, Metadata, Position, RecordedEvent, StreamId, Version};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::{CommitId, EventId, LogId, UserId};
use uuid::Uuid;

/// What the store gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lie {
    #[default]
    None,
    WritesStreamByStream,
    CountsVersionsFromZero,
    AcceptsStaleVersions,
    AcceptsFutureVersions,
    CreatesStreamsTwice,
    BlamesEveryStream,
    BlamesOneStream,
    WritesOnALostPast,
    LooksAtOneLandmark,
    IgnoresTakenKeys,
    LeavesGapsBetweenPositions,
    UsesUpPositionsOfRefusedCommits,
    SortsAppends,
    ReceiptsAreOffByOne,
    ShowsSomeEventsLate,
    RewritesHistory,
    ForgetsWhichCommitItWas,
    ForgetsTheEventType,
    ForgetsTheLane,
    PayloadsAreText,
    CutsPayloadsAt64Kib,
    CutsCommitsAt4096Events,
    SchemaVersionsAreBytes,
    ForgetsTheActor,
    InventsAnActor,
    ForgetsTheTrace,
    TimesAreMilliseconds,
    TimesStartIn1970,
    MixesUpAggregates,
    ForgetsCommits,
    RemembersRefusedCommits,
    RefusesRepeatedCommits,
    AppliesDeadlinesOfRepeatedCommits,
    RefusesCommitsWithoutEvents,
    LimitsAreOffByOne,
    StartsOverPastTheEnd,
    AnswersForUnknownStreams,
    HeadLagsBehind,
    NamesOneMovedStream,
    MintsAnIdForEachQuestion,
    CountsIncarnationsFromZero,
    RaisesForEachWhoNotices,
    RaisesByOne,
    ReceiptsForgetTheIncarnation,
    NamesTheNextCommit,
    NamesACommitPastTheEnd,
    LowersTheFloor,
    FloorsBeginWithNothing,
    SortsStreams,
    LimitsEachStream,
    DropsDeadlines,
    HandsOutDeadlinesEarly,
    HandsOutTheLatestDeadlineFirst,
    LeasesOneMore,
    IgnoresLeases,
    LeasesForEver,
    NeverClearsDeadlines,
    RefusesToClearUnknownDeadlines,
    ClearsEveryKind,
    KeepsTheFirstDeadline,
    FirstChangeWins,
    ForgetsTheLaneOfADeadline,
    ForgetsTheCauseOfADeadline,
    DropsAnswers,
    IgnoresTheUserOfAKey,
    ForgetsFingerprints,
    FoldsKeys,
    KeepsOneOfTwoAnswers,
    FindsOneAnswer,
    AnswersForEachAsking,
    NeverForgetsAnswers,
    ForgetsOneAnswerTooMany,
}

/// Which lie breaks which rule of the event store.
pub(crate) const BROKEN_BY: &[(&str, Lie)] = &[
    ("a_commit_is_all_or_nothing", Lie::WritesStreamByStream),
    ("a_commit_is_all_or_nothing", Lie::DropsDeadlines),
    ("a_commit_is_all_or_nothing", Lie::DropsAnswers),
    (
        "a_conflict_in_one_of_several_streams_writes_none",
        Lie::WritesStreamByStream,
    ),
    (
        "versions_of_a_stream_count_from_1_without_gaps",
        Lie::CountsVersionsFromZero,
    ),
    (
        "a_stale_version_is_a_conflict_and_writes_nothing",
        Lie::AcceptsStaleVersions,
    ),
    (
        "a_version_from_the_future_is_a_conflict_and_writes_nothing",
        Lie::AcceptsFutureVersions,
    ),
    (
        "creating_a_stream_that_exists_is_a_conflict_and_writes_nothing",
        Lie::CreatesStreamsTwice,
    ),
    (
        "a_conflict_names_exactly_the_streams_that_are_elsewhere",
        Lie::BlamesEveryStream,
    ),
    (
        "a_conflict_names_exactly_the_streams_that_are_elsewhere",
        Lie::BlamesOneStream,
    ),
    ("exactly_one_racing_creator_of_a_stream_wins", Lie::CreatesStreamsTwice),
    ("racing_writers_of_one_stream_take_turns", Lie::AcceptsStaleVersions),
    (
        "an_append_without_events_only_insists_on_the_version",
        Lie::AcceptsStaleVersions,
    ),
    (
        "a_commit_that_rests_on_a_lost_past_writes_nothing",
        Lie::WritesOnALostPast,
    ),
    (
        "a_commit_that_rests_on_a_lost_past_writes_nothing",
        Lie::LooksAtOneLandmark,
    ),
    ("a_taken_idempotency_key_writes_nothing", Lie::IgnoresTakenKeys),
    (
        "positions_are_gapless_and_in_commit_order",
        Lie::LeavesGapsBetweenPositions,
    ),
    (
        "positions_are_gapless_and_in_commit_order",
        Lie::UsesUpPositionsOfRefusedCommits,
    ),
    (
        "positions_stay_gapless_under_racing_writers",
        Lie::UsesUpPositionsOfRefusedCommits,
    ),
    (
        "the_events_of_one_commit_stand_together_in_the_order_of_its_appends",
        Lie::SortsAppends,
    ),
    ("a_receipt_says_where_the_events_landed", Lie::ReceiptsAreOffByOne),
    ("a_reader_never_skips", Lie::ShowsSomeEventsLate),
    ("stale_streams_are_named", Lie::NamesOneMovedStream),
    ("what_was_read_once_is_read_again", Lie::RewritesHistory),
    ("what_is_written_is_read_back_unchanged", Lie::ForgetsWhichCommitItWas),
    ("every_event_names_the_lane_of_its_commit", Lie::ForgetsTheLane),
    ("any_bytes_can_be_a_payload", Lie::PayloadsAreText),
    ("a_payload_of_1_mib_is_kept", Lie::CutsPayloadsAt64Kib),
    ("a_commit_of_5000_events_is_kept", Lie::CutsCommitsAt4096Events),
    ("types_and_schema_versions_are_kept", Lie::SchemaVersionsAreBytes),
    ("types_and_schema_versions_are_kept", Lie::ForgetsTheEventType),
    ("metadata_is_kept_present_or_absent", Lie::ForgetsTheActor),
    ("metadata_is_kept_present_or_absent", Lie::InventsAnActor),
    ("metadata_is_kept_present_or_absent", Lie::ForgetsTheTrace),
    ("times_are_kept_to_the_microsecond", Lie::TimesAreMilliseconds),
    ("times_of_other_centuries_are_kept", Lie::TimesStartIn1970),
    (
        "streams_of_different_aggregates_with_one_id_are_apart",
        Lie::MixesUpAggregates,
    ),
    ("a_commit_can_be_looked_up_by_its_id", Lie::ForgetsCommits),
    ("a_refused_commit_leaves_no_trace", Lie::RemembersRefusedCommits),
    ("the_same_commit_twice_is_written_once", Lie::RefusesRepeatedCommits),
    (
        "the_same_commit_racing_with_itself_is_written_once",
        Lie::RefusesRepeatedCommits,
    ),
    (
        "a_repeated_commit_leaves_later_deadlines_alone",
        Lie::AppliesDeadlinesOfRepeatedCommits,
    ),
    ("a_commit_without_events_is_allowed", Lie::RefusesCommitsWithoutEvents),
    (
        "a_log_keeps_its_id_and_begins_with_its_first_incarnation",
        Lie::MintsAnIdForEachQuestion,
    ),
    (
        "a_log_keeps_its_id_and_begins_with_its_first_incarnation",
        Lie::CountsIncarnationsFromZero,
    ),
    (
        "an_incarnation_is_raised_once_although_several_notice",
        Lie::RaisesForEachWhoNotices,
    ),
    ("an_incarnation_is_raised_above_any_that_was_seen", Lie::RaisesByOne),
    (
        "a_receipt_carries_the_incarnation_in_force",
        Lie::ReceiptsForgetTheIncarnation,
    ),
    (
        "the_commit_at_a_position_is_the_one_that_wrote_the_fact_there",
        Lie::NamesTheNextCommit,
    ),
    (
        "the_commit_at_a_position_is_the_one_that_wrote_the_fact_there",
        Lie::NamesACommitPastTheEnd,
    ),
    (
        "the_schema_floor_begins_with_the_first_generation_and_never_sinks",
        Lie::LowersTheFloor,
    ),
    (
        "the_schema_floor_begins_with_the_first_generation_and_never_sinks",
        Lie::FloorsBeginWithNothing,
    ),
    ("a_stream_is_read_page_by_page", Lie::LimitsAreOffByOne),
    ("several_streams_are_read_one_after_another", Lie::SortsStreams),
    ("a_limit_counts_the_facts_of_all_streams", Lie::LimitsEachStream),
    ("a_limit_counts_the_facts_of_all_streams", Lie::LimitsAreOffByOne),
    ("the_log_is_read_page_by_page", Lie::LimitsAreOffByOne),
    ("a_limit_of_0_reads_nothing", Lie::LimitsAreOffByOne),
    ("past_the_end_there_is_nothing", Lie::StartsOverPastTheEnd),
    ("an_unknown_stream_is_empty", Lie::AnswersForUnknownStreams),
    ("the_head_is_the_position_of_the_newest_event", Lie::HeadLagsBehind),
];

/// Which lie breaks which rule of deadlines.
pub(crate) const DEADLINES_BROKEN_BY: &[(&str, Lie)] = &[
    (
        "a_deadline_is_handed_out_when_it_is_due_and_not_before",
        Lie::HandsOutDeadlinesEarly,
    ),
    ("the_earliest_deadline_comes_first", Lie::HandsOutTheLatestDeadlineFirst),
    ("no_more_deadlines_are_leased_than_asked_for", Lie::LeasesOneMore),
    (
        "a_leased_deadline_is_handed_to_nobody_else_until_its_lease_ends",
        Lie::IgnoresLeases,
    ),
    ("racing_pollers_never_get_the_same_deadline", Lie::IgnoresLeases),
    ("an_unsettled_deadline_comes_back_after_its_lease", Lie::LeasesForEver),
    ("a_cleared_deadline_is_gone", Lie::NeverClearsDeadlines),
    (
        "a_cleared_deadline_does_not_come_back_after_its_lease",
        Lie::NeverClearsDeadlines,
    ),
    (
        "clearing_a_deadline_that_does_not_exist_is_no_error",
        Lie::RefusesToClearUnknownDeadlines,
    ),
    ("clearing_one_kind_leaves_the_others", Lie::ClearsEveryKind),
    ("setting_a_deadline_again_replaces_it", Lie::KeepsTheFirstDeadline),
    (
        "setting_a_leased_deadline_again_ends_its_lease",
        Lie::KeepsTheFirstDeadline,
    ),
    ("the_last_change_in_one_commit_wins", Lie::FirstChangeWins),
    ("a_deadline_is_read_back_unchanged", Lie::ForgetsTheLaneOfADeadline),
    (
        "a_deadline_comes_with_what_set_it_last",
        Lie::ForgetsTheCauseOfADeadline,
    ),
    ("a_deadline_comes_with_what_set_it_last", Lie::KeepsTheFirstDeadline),
];

/// Which lie breaks which rule of recorded answers.
pub(crate) const ANSWERS_BROKEN_BY: &[(&str, Lie)] = &[
    (
        "an_answer_is_found_by_the_user_and_key_that_recorded_it",
        Lie::DropsAnswers,
    ),
    ("an_answer_is_found_by_nobody_else", Lie::IgnoresTheUserOfAKey),
    ("two_users_may_use_the_same_key", Lie::IgnoresTheUserOfAKey),
    ("several_answers_are_found_at_once", Lie::FindsOneAnswer),
    ("several_answers_are_found_at_once", Lie::AnswersForEachAsking),
    ("an_answer_is_read_back_unchanged", Lie::ForgetsFingerprints),
    ("keys_are_compared_byte_by_byte", Lie::FoldsKeys),
    ("exactly_one_of_racing_commits_with_one_key_wins", Lie::IgnoresTakenKeys),
    ("a_key_twice_in_one_commit_is_taken", Lie::KeepsOneOfTwoAnswers),
    (
        "answers_recorded_before_a_time_can_be_forgotten",
        Lie::NeverForgetsAnswers,
    ),
    (
        "answers_recorded_before_a_time_can_be_forgotten",
        Lie::ForgetsOneAnswerTooMany,
    ),
    ("a_forgotten_key_can_be_used_again", Lie::NeverForgetsAnswers),
];

/// A store that tells one lie.
pub(crate) struct Mutant {
    inner: InMemoryEventStore,
    lie: Lie,
    floor: Mutex<SchemaGeneration>,
    /// Ids for commits that the mutant makes up.
    made_up: AtomicU64,
    refused: AtomicU64,
    refused_ids: Mutex<BTreeSet<CommitId>>,
    known_deadlines: Mutex<BTreeSet<DeadlineKey>>,
    shown: Mutex<BTreeSet<Position>>,
}

impl Mutant {
    pub(crate) fn new(lie: Lie) -> Self {
        Self {
            inner: InMemoryEventStore::new(),
            lie,
            floor: Mutex::new(SchemaGeneration::FIRST),
            made_up: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            refused_ids: Mutex::default(),
            known_deadlines: Mutex::default(),
            shown: Mutex::default(),
        }
    }

    fn made_up_id(&self) -> CommitId {
        CommitId::new(Uuid::from_u64_pair(
            u64::MAX,
            self.made_up.fetch_add(1, Ordering::SeqCst),
        ))
    }

    async fn version(&self, stream: StreamId) -> Version {
        let events = self.inner.read_stream(stream, Version::NONE, usize::MAX).await;
        events
            .expect("memory is always there")
            .last()
            .map_or(Version::NONE, |event| event.version)
    }

    /// Changes what is asked for.
    fn distort(&self, commit: &mut Commit) {
        match self.lie {
            Lie::SortsAppends => commit.appends.sort_by_key(|append| append.stream),
            Lie::CutsPayloadsAt64Kib => {
                let events = commit.appends.iter_mut().flat_map(|append| &mut append.events);
                events.for_each(|event| event.data.truncate(1 << 16));
            }
            Lie::CutsCommitsAt4096Events => {
                let mut room = 4096_usize;
                for append in &mut commit.appends {
                    append.events.truncate(room);
                    room -= append.events.len();
                }
            }
            Lie::MixesUpAggregates => {
                let streams = commit.appends.iter_mut().map(|append| &mut append.stream);
                streams.for_each(|stream| stream.aggregate = Aggregate::Catalog);
            }
            Lie::DropsDeadlines => commit.deadlines.clear(),
            Lie::NeverClearsDeadlines => {
                commit
                    .deadlines
                    .retain(|change| matches!(change, DeadlineWrite::Set(_)));
            }
            Lie::ClearsEveryKind => {
                let of_every_kind = |change: &DeadlineWrite| match change {
                    DeadlineWrite::Set(_) => vec![change.clone()],
                    DeadlineWrite::Clear(key) => DeadlineKind::ALL
                        .map(|kind| DeadlineWrite::Clear(DeadlineKey { kind, ..*key }))
                        .to_vec(),
                };
                commit.deadlines = commit.deadlines.iter().flat_map(of_every_kind).collect();
            }
            Lie::KeepsTheFirstDeadline => {
                let mut known = self.known_deadlines.lock().expect("no test panics with it");
                commit.deadlines.retain(|change| match change {
                    DeadlineWrite::Set(caused) => known.insert(caused.deadline.key),
                    DeadlineWrite::Clear(key) => known.remove(key),
                });
            }
            Lie::FirstChangeWins => commit.deadlines.reverse(),
            Lie::ForgetsTheLaneOfADeadline | Lie::ForgetsTheCauseOfADeadline => {
                for write in &mut commit.deadlines {
                    if let DeadlineWrite::Set(caused) = write {
                        match self.lie {
                            Lie::ForgetsTheCauseOfADeadline => caused.cause = Metadata::default(),
                            _ => caused.deadline.lane = EventId::new(Uuid::nil()).into(),
                        }
                    }
                }
            }
            Lie::DropsAnswers => commit.idempotency.clear(),
            Lie::ForgetsFingerprints => {
                commit
                    .idempotency
                    .iter_mut()
                    .for_each(|record| record.fingerprint = [0; 32]);
            }
            Lie::IgnoresTheUserOfAKey | Lie::FoldsKeys => {
                commit
                    .idempotency
                    .iter_mut()
                    .for_each(|record| self.distort_key(&mut record.key));
            }
            Lie::WritesOnALostPast => commit.landmarks.clear(),
            Lie::LooksAtOneLandmark => commit.landmarks.truncate(1),
            Lie::KeepsOneOfTwoAnswers => {
                let mut seen = BTreeSet::new();
                commit.idempotency.retain(|record| seen.insert(record.key.clone()));
            }
            _ => {}
        }
    }

    fn distort_key(&self, key: &mut IdempotencyKey) {
        match self.lie {
            Lie::IgnoresTheUserOfAKey => key.user_id = UserId::new(Uuid::nil()),
            Lie::FoldsKeys => key.key = key.key.trim().to_lowercase(),
            _ => {}
        }
    }

    /// Lets a commit pass that should be a conflict.
    async fn forgive(&self, commit: &mut Commit) {
        for append in &mut commit.appends {
            let version = self.version(append.stream).await;
            let forgiven = match self.lie {
                Lie::AcceptsStaleVersions => append.expected < version,
                Lie::AcceptsFutureVersions => append.expected > version,
                Lie::CreatesStreamsTwice => append.expected == Version::NONE,
                _ => false,
            };
            if forgiven {
                append.expected = version;
            }
        }
    }

    /// Commits in a way that a store never should.
    async fn commit_badly(&self, commit: Commit) -> Result<CommitReceipt, CommitError> {
        let broken = || CommitError::Unavailable("the mutant does not want to".into());
        match self.lie {
            Lie::WritesStreamByStream => {
                let mut rest = commit.clone();
                let last = rest.appends.pop();
                for append in rest.appends.drain(..) {
                    let part = Commit {
                        id: self.made_up_id(),
                        appends: vec![append],
                        deadlines: Vec::new(),
                        idempotency: Vec::new(),
                        landmarks: Vec::new(),
                        ..commit
                    };
                    self.inner.commit(part).await?;
                }
                rest.appends.extend(last);
                let last = self.inner.commit(rest).await?;
                let events: usize = commit.appends.iter().map(|append| append.events.len()).sum();
                Ok(CommitReceipt {
                    first: Position(last.last.0 + 1 - events.max(1) as u64),
                    ..last
                })
            }
            Lie::AcceptsStaleVersions | Lie::AcceptsFutureVersions | Lie::CreatesStreamsTwice => {
                // Racing creators may all see nothing; the second attempt sees who was faster.
                for _ in 0..100 {
                    let mut forgiven = commit.clone();
                    self.forgive(&mut forgiven).await;
                    match self.inner.commit(forgiven).await {
                        Err(CommitError::Conflict { .. }) => {}
                        outcome => return outcome,
                    }
                }
                self.inner.commit(commit).await
            }
            Lie::IgnoresTakenKeys => match self.inner.commit(commit.clone()).await {
                Err(CommitError::KeyTaken { .. }) => {
                    let idempotency = Vec::new();
                    self.inner.commit(Commit { idempotency, ..commit }).await
                }
                outcome => outcome,
            },
            Lie::RefusesRepeatedCommits
                if self
                    .inner
                    .find_commit(commit.id)
                    .await
                    .is_ok_and(|found| found.is_some()) =>
            {
                Err(broken())
            }
            Lie::AppliesDeadlinesOfRepeatedCommits => {
                let again = Commit {
                    id: self.made_up_id(),
                    appends: Vec::new(),
                    idempotency: Vec::new(),
                    ..commit.clone()
                };
                self.inner.commit(again).await?;
                self.inner.commit(commit).await
            }
            Lie::RefusesCommitsWithoutEvents if commit.appends.is_empty() => Err(broken()),
            Lie::RefusesToClearUnknownDeadlines => {
                let mut known = self.known_deadlines.lock().expect("no test panics with it").clone();
                for change in &commit.deadlines {
                    match change {
                        DeadlineWrite::Set(caused) => _ = known.insert(caused.deadline.key),
                        DeadlineWrite::Clear(key) if known.remove(key) => {}
                        DeadlineWrite::Clear(_) => return Err(broken()),
                    }
                }
                *self.known_deadlines.lock().expect("no test panics with it") = known;
                self.inner.commit(commit).await
            }
            _ => self.inner.commit(commit).await,
        }
    }

    /// Changes what is answered to a commit.
    fn distort_outcome(
        &self,
        asked: &Commit,
        outcome: Result<CommitReceipt, CommitError>,
    ) -> Result<CommitReceipt, CommitError> {
        if outcome.is_err() {
            self.refused.fetch_add(1, Ordering::SeqCst);
            self.refused_ids
                .lock()
                .expect("no test panics with it")
                .insert(asked.id);
        }
        match (self.lie, outcome) {
            (Lie::BlamesEveryStream, Err(CommitError::Conflict { .. })) => Err(CommitError::Conflict {
                streams: asked.appends.iter().map(|append| append.stream).collect(),
            }),
            (Lie::BlamesOneStream, Err(CommitError::Conflict { mut streams })) => {
                streams.truncate(1);
                Err(CommitError::Conflict { streams })
            }
            (Lie::ReceiptsAreOffByOne, Ok(receipt)) => Ok(CommitReceipt {
                first: receipt.first.plus(1),
                ..receipt
            }),
            (Lie::ReceiptsForgetTheIncarnation, Ok(receipt)) => Ok(CommitReceipt {
                incarnation: Incarnation::FIRST,
                ..receipt
            }),
            (_, Ok(receipt)) => Ok(CommitReceipt {
                first: self.distort_position(receipt.first),
                last: self.distort_position(receipt.last),
                ..receipt
            }),
            (_, outcome) => outcome,
        }
    }

    fn distort_position(&self, position: Position) -> Position {
        match self.lie {
            Lie::LeavesGapsBetweenPositions => position.plus(position.0 / 4),
            Lie::UsesUpPositionsOfRefusedCommits if position > Position::START => {
                position.plus(self.refused.load(Ordering::SeqCst))
            }
            _ => position,
        }
    }

    /// Changes what is read.
    fn distort_events(&self, events: &mut [RecordedEvent]) {
        for event in events {
            event.position = self.distort_position(event.position);
            match self.lie {
                Lie::CountsVersionsFromZero => event.version.0 -= 1,
                Lie::RewritesHistory if !self.first_time(event.position) => event.data.reverse(),
                Lie::ForgetsWhichCommitItWas => event.commit_id = CommitId::new(Uuid::nil()),
                Lie::ForgetsTheLane => event.lane = EventId::new(Uuid::nil()).into(),
                Lie::ForgetsTheEventType => event.event_type = Cow::Borrowed("event"),
                Lie::PayloadsAreText => event.data = String::from_utf8_lossy(&event.data).into_owned().into_bytes(),
                Lie::SchemaVersionsAreBytes => event.event_version &= 0xFF,
                Lie::ForgetsTheActor => event.metadata.actor = None,
                Lie::InventsAnActor => {
                    event.metadata.actor.get_or_insert(UserId::new(Uuid::nil()));
                }
                Lie::ForgetsTheTrace => event.metadata.trace = None,
                Lie::TimesAreMilliseconds => event.recorded_at = event.recorded_at.trunc_subsecs(3),
                Lie::TimesStartIn1970 => event.recorded_at = event.recorded_at.max(DateTime::UNIX_EPOCH),
                _ => {}
            }
        }
    }

    /// Whether the event is about to be shown for the first time.
    fn first_time(&self, position: Position) -> bool {
        self.shown.lock().expect("no test panics with it").insert(position)
    }

    fn distort_limit(&self, limit: usize) -> usize {
        match self.lie {
            Lie::LimitsAreOffByOne => limit.saturating_add(1),
            _ => limit,
        }
    }
}

#[async_trait]
impl EventStore for Mutant {
    async fn commit(&self, commit: Commit) -> Result<CommitReceipt, CommitError> {
        let mut distorted = commit.clone();
        self.distort(&mut distorted);
        let outcome = self.commit_badly(distorted).await;
        self.distort_outcome(&commit, outcome)
    }

    async fn find_commit(&self, id: CommitId) -> Result<Option<CommitReceipt>, StoreError> {
        let refused = self.refused_ids.lock().expect("no test panics with it").contains(&id);
        match self.lie {
            Lie::ForgetsCommits => Ok(None),
            Lie::RemembersRefusedCommits if refused => Ok(Some(CommitReceipt {
                first: Position::START,
                last: Position::START,
                incarnation: Incarnation::FIRST,
            })),
            _ => self.inner.find_commit(id).await,
        }
    }

    async fn read_stream(
        &self,
        mut stream: StreamId,
        mut after: Version,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let version = self.version(stream).await;
        match self.lie {
            Lie::MixesUpAggregates => stream.aggregate = Aggregate::Catalog,
            Lie::StartsOverPastTheEnd if after > version => after = Version::NONE,
            Lie::AnswersForUnknownStreams if version == Version::NONE => {
                return self.inner.read_all(Position::START, limit).await;
            }
            _ => {}
        }
        let mut events = self.inner.read_stream(stream, after, self.distort_limit(limit)).await?;
        self.distort_events(&mut events);
        Ok(events)
    }

    async fn read_streams(
        &self,
        streams: &[(StreamId, Version)],
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let mut streams = streams.to_vec();
        if self.lie == Lie::SortsStreams {
            streams.sort_unstable();
        }
        if self.lie != Lie::LimitsEachStream {
            return self.inner.read_streams(&streams, self.distort_limit(limit)).await;
        }
        let mut events = Vec::new();
        for (stream, after) in streams {
            events.extend(self.inner.read_stream(stream, after, limit).await?);
        }
        Ok(events)
    }

    async fn read_all(&self, mut after: Position, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        if self.lie == Lie::StartsOverPastTheEnd && after > self.inner.head().await? {
            after = Position::START;
        }
        let mut events = self.inner.read_all(after, self.distort_limit(limit)).await?;
        self.distort_events(&mut events);
        if self.lie == Lie::ShowsSomeEventsLate {
            events.retain(|event| event.position.0 % 7 != 0 || !self.first_time(event.position));
        }
        Ok(events)
    }

    async fn head(&self) -> Result<Position, StoreError> {
        let head = self.inner.head().await?;
        Ok(match self.lie {
            Lie::HeadLagsBehind => Position(head.0.saturating_sub(1)),
            _ => self.distort_position(head),
        })
    }

    async fn stale_among(&self, seen: &[(StreamId, Version)]) -> Result<Vec<StreamId>, StoreError> {
        let mut moved = self.inner.stale_among(seen).await?;
        if self.lie == Lie::NamesOneMovedStream {
            moved.truncate(1);
        }
        Ok(moved)
    }

    async fn identity(&self) -> Result<LogIdentity, StoreError> {
        let mut identity = self.inner.identity().await?;
        match self.lie {
            Lie::MintsAnIdForEachQuestion => identity.log = LogId::new(self.made_up_id().uuid()),
            Lie::CountsIncarnationsFromZero => identity.incarnation.0 -= 1,
            _ => {}
        }
        Ok(identity)
    }

    async fn commit_at(&self, position: Position) -> Result<Option<CommitId>, StoreError> {
        let head = self.inner.head().await?;
        let position = match self.lie {
            Lie::NamesTheNextCommit => position.plus(1),
            Lie::NamesACommitPastTheEnd => position.min(head),
            _ => position,
        };
        self.inner.commit_at(position).await
    }

    async fn raise_incarnation(&self, seen: Incarnation) -> Result<Incarnation, StoreError> {
        let in_force = self.inner.identity().await?.incarnation;
        let seen = match self.lie {
            Lie::RaisesForEachWhoNotices => in_force,
            Lie::RaisesByOne => seen.min(in_force),
            _ => seen,
        };
        self.inner.raise_incarnation(seen).await
    }

    async fn schema_floor(&self) -> Result<SchemaGeneration, StoreError> {
        Ok(match self.lie {
            Lie::LowersTheFloor => *self.floor.lock().expect("no test panics with it"),
            Lie::FloorsBeginWithNothing => SchemaGeneration(self.inner.schema_floor().await?.0 - 1),
            _ => self.inner.schema_floor().await?,
        })
    }

    async fn raise_schema_floor(&self, to: SchemaGeneration) -> Result<SchemaGeneration, StoreError> {
        if self.lie == Lie::LowersTheFloor {
            *self.floor.lock().expect("no test panics with it") = to;
            return Ok(to);
        }
        self.inner.raise_schema_floor(to).await
    }
}

#[async_trait]
impl DeadlineStore for Mutant {
    async fn lease_due(
        &self,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<CausedDeadline>, StoreError> {
        let (now, lease, limit) = match self.lie {
            Lie::HandsOutDeadlinesEarly => (now + TimeDelta::milliseconds(1), lease, limit),
            Lie::IgnoresLeases => (now, Duration::ZERO, limit),
            Lie::LeasesForEver => (now, Duration::MAX, limit),
            Lie::LeasesOneMore => (now, lease, limit.saturating_add(1)),
            _ => (now, lease, limit),
        };
        let mut leased = self.inner.lease_due(now, lease, limit).await?;
        if self.lie == Lie::HandsOutTheLatestDeadlineFirst {
            leased.reverse();
        }
        Ok(leased)
    }
}

#[async_trait]
impl IdempotencyStore for Mutant {
    async fn find_answers(&self, keys: &[IdempotencyKey]) -> Result<Vec<IdempotencyRecord>, StoreError> {
        let mut keys = keys.to_vec();
        keys.iter_mut().for_each(|key| self.distort_key(key));
        match self.lie {
            Lie::FindsOneAnswer => keys.truncate(1),
            Lie::AnswersForEachAsking => {
                let mut found = Vec::new();
                for key in keys {
                    found.extend(self.inner.find_answers(&[key]).await?);
                }
                return Ok(found);
            }
            _ => {}
        }
        self.inner.find_answers(&keys).await
    }

    async fn forget_answers(&self, before: Timestamp) -> Result<u64, StoreError> {
        match self.lie {
            Lie::NeverForgetsAnswers => Ok(0),
            Lie::ForgetsOneAnswerTooMany => self.inner.forget_answers(before + TimeDelta::microseconds(1)).await,
            _ => self.inner.forget_answers(before).await,
        }
    }
}
