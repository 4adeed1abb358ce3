//! The task of a lane: it takes messages, starts what is due, and ends when it is no longer needed.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use ticketing_ports::log::event_store::CommitError;
use ticketing_ports::log::streams::{StreamId, Version};
use tokio::task::JoinError;
use tokio::time::Instant;
use tracing::error;

use super::background::BackgroundResult;
use super::job::{Job, LaneMessage};
use super::lanes::Lanes;
use super::state::{Committed, InFlight, Lane};
use crate::follow::Tail;
use crate::setup::{EngineConfig, Ports};

/// At most how many messages a lane takes from its mailbox before other tasks of the process get their turn.
const SLICE: usize = 100;

impl Lanes {
    /// Makes the lanes of a process, of which none runs yet.
    pub(crate) fn new(ports: Ports, config: EngineConfig, tail: Arc<Tail>) -> Arc<Self> {
        let run = |new, lanes| Lane::new(new, lanes).run().boxed();
        Self::run_by(run, ports, config, tail)
    }
}

impl Lane {
    /// Runs the lane until it ends. Returns the jobs that then still wait for the gateway.
    async fn run(mut self) -> Vec<Job> {
        let mut inbox = Vec::new();
        self.lanes.floor.tried().await;
        loop {
            self.start_pending_work();
            let room = self.lanes.config.batch.saturating_sub(self.gathering.entries.len());
            let until = self.last_busy + self.patience();
            let quiet = self.has_no_work() && !self.mailbox.is_closed();
            tokio::select! {
                biased;
                _ = self.payment_check.tick(), if self.shared && !self.waiting.is_empty() => self.check_waited_payments(),
                (flight, outcome) = outcome_of(&mut self.in_flight) => {
                    self.take_outcome(flight, outcome);
                    self.gather().await;
                }
                Some(result) = self.background.join_next() => self.take_background_result(result),
                received = self.mailbox.recv_many(&mut inbox, room.min(SLICE)), if room > 0 => {
                    if received == 0 {
                        break;
                    }
                    inbox.drain(..).for_each(|message| self.receive(message));
                    tokio::task::yield_now().await;
                }
                () = tokio::time::sleep_until(until), if quiet => self.retire(),
            }
            self.last_busy = Instant::now();
        }
        self.finish().await
    }

    /// Lets tasks that are ready submit their requests before the next commit, so that a busy process writes fewer
    /// and larger groups. In an idle process this takes no time. It takes at most as many messages as a group may have:
    /// messages that do not end up in the group, such as jobs that are parked, must not keep the commit waiting.
    async fn gather(&mut self) {
        tokio::task::yield_now().await;
        let mut taken = 0;
        while taken < self.lanes.config.batch
            && self.gathering.entries.len() < self.lanes.config.batch
            && let Ok(message) = self.mailbox.try_recv()
        {
            self.receive(message);
            taken += 1;
            if taken % SLICE == 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Finishes the jobs that the lane has accepted, after its mailbox has been closed, and returns those that wait for
    /// the gateway.
    async fn finish(mut self) -> Vec<Job> {
        loop {
            self.start_pending_work();
            tokio::select! {
                biased;
                (flight, outcome) = outcome_of(&mut self.in_flight), if self.in_flight.is_some() => {
                    self.take_outcome(flight, outcome);
                }
                Some(result) = self.background.join_next() => self.take_background_result(result),
                else => break,
            }
        }
        self.waiting.into_values().flatten().collect()
    }

    fn receive(&mut self, message: LaneMessage) {
        match message {
            LaneMessage::Job(job) => self.accept(job),
            LaneMessage::Barrier(finished) => self.barriers.push(finished),
        }
    }

    /// Starts the look-ups, reads and commits that are due. If the lane has nothing left to do, tells this to the
    /// drains that wait for it.
    fn start_pending_work(&mut self) {
        self.start_lookup();
        self.start_loading();
        self.start_commit();
        if self.has_no_work() {
            for finished in self.barriers.drain(..) {
                // The send fails only if the drain no longer waits.
                let _ = finished.send(());
            }
        }
    }

    fn take_background_result(&mut self, result: Result<BackgroundResult, JoinError>) {
        match result {
            Ok(BackgroundResult::StreamsRead {
                snapshots,
                landmarks,
                asked,
                facts,
            }) => self.take_page(snapshots, landmarks, asked, facts),
            Ok(BackgroundResult::KeysLookedUp { jobs, found }) => self.looked_up(jobs, found),
            Ok(BackgroundResult::PaymentsMoved(moved)) => self.decide_moved_payments(moved),
            Ok(BackgroundResult::JobEnded { job, end }) => job.end(end),
            // `answered` catches the panics of stores, so this panic is a bug in the lane itself.
            Err(panic) => {
                error!(lane = %self.id, error = &panic as &dyn std::error::Error, "a background task of a lane panicked");
            }
        }
    }

    /// How long the lane stays in memory without work.
    fn patience(&self) -> Duration {
        // An empty catalog stream means that the event does not exist. Its lane is dropped at once, so that requests
        // for random ids do not fill the memory.
        let catalog = self.id.event_id().map(StreamId::from);
        let made_up = catalog.is_some_and(|catalog| self.book.read_from(catalog) == Version::NONE);
        if made_up && self.waiting.is_empty() {
            Duration::ZERO
        } else {
            self.lanes.config.lane_idle
        }
    }

    /// Ends the lane, unless a caller still waits for the gateway. Messages in the mailbox are still answered.
    fn retire(&mut self) {
        for jobs in self.waiting.values_mut() {
            jobs.retain(|job| !job.work.is_abandoned());
        }
        self.waiting.retain(|_, jobs| !jobs.is_empty());
        if self.waiting.is_empty() {
            self.lanes.forget(self.id, self.number);
            self.mailbox.close();
        }
    }
}

/// Waits for the commit in flight and returns its group and outcome. Never returns while no commit is in flight.
async fn outcome_of(in_flight: &mut Option<InFlight>) -> (InFlight, Result<Committed, CommitError>) {
    if let Some(flight) = in_flight {
        let outcome = (&mut flight.commit).await;
        if let Some(flight) = in_flight.take() {
            // After a panic of the task it is unknown whether the commit was written.
            return (
                flight,
                outcome.unwrap_or_else(|panic| Err(CommitError::Unknown(panic.into()))),
            );
        }
    }
    std::future::pending().await
}
