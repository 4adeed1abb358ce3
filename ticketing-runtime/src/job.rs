//! One request on its way through a lane.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use ticketing_domain::book::{Command, Question, Reply, Unanswered};
use ticketing_domain::refusal::Refusal;
use ticketing_domain::views::SectionView;
use ticketing_ports::Timestamp;
use ticketing_ports::gateway::DeclineReason;
use ticketing_ports::idempotency::{IdempotencyKey, IdempotencyRecord};
use ticketing_ports::ids::{PaymentId, ReservationId};
use ticketing_ports::roles::Actor;
use ticketing_ports::streams::{Metadata, Position};
use tokio::sync::oneshot;

use crate::failure::{Failure, UnavailableCause};

#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) ask: Ask,
    pub(crate) metadata: Metadata,
    pub(crate) key: Option<RunningKey>,
    /// What the same request waited for when it was decided before.
    pub(crate) asked: Option<Question>,
    /// Nobody waits for the answer to a report.
    pub(crate) reply: Option<oneshot::Sender<Result<Told, Failure>>>,
    /// How often it has been decided again because somebody else was faster.
    pub(crate) retries: u32,
}

#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Command(Command),
    /// Decided already, by another lane or process; only the gateway's answer is still to be told.
    Outcome(Question),
    Reservation {
        by: Actor,
        id: ReservationId,
    },
    Payment {
        by: Actor,
        id: PaymentId,
    },
    Section {
        viewer: Option<Actor>,
        name: String,
    },
    /// Answered when everything before it is durable.
    Barrier,
}

#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) what: Telling,
    /// How far the log reached when this became true.
    pub(crate) position: Position,
}

#[derive(Debug)]
pub(crate) enum Telling {
    Reply(Reply),
    Section(SectionView),
}

impl Job {
    pub(crate) fn report(command: Command) -> Self {
        Self::ask(Ask::Command(command))
    }

    pub(crate) fn barrier(reply: oneshot::Sender<Result<Told, Failure>>) -> Self {
        Self {
            reply: Some(reply),
            ..Self::ask(Ask::Barrier)
        }
    }

    pub(crate) fn ask(ask: Ask) -> Self {
        Self {
            ask,
            metadata: Metadata::default(),
            key: None,
            asked: None,
            reply: None,
            retries: 0,
        }
    }

    /// The payment of which it reports what the gateway said.
    pub(crate) fn brings_news_of(&self) -> Option<PaymentId> {
        match &self.ask {
            Ask::Command(Command::GatewayAnswered { payment_id, .. }) => Some(*payment_id),
            _ => None,
        }
    }

    pub(crate) fn tell(self, what: Result<Telling, Failure>, position: Position) {
        if let Some(reply) = self.reply {
            // A caller that has gone away finds the answer under its idempotency key.
            drop(reply.send(what.map(|what| Told { what, position })));
        }
    }

    /// The record that lets a repeated request wait for the same thing instead of doing it twice.
    pub(crate) fn question_record(&self, question: &Question, at: Timestamp) -> Option<IdempotencyRecord> {
        let key = self.key.as_ref().filter(|_| self.asked.is_none())?;
        Some(IdempotencyRecord {
            key: question_key(&key.key),
            fingerprint: key.fingerprint,
            answer: serde_json::to_vec(question).expect("questions are plain data with string keys"),
            recorded_at: at,
        })
    }

    /// The record that lets a repeated request be answered from the store.
    pub(crate) fn record(&self, answer: &Result<Telling, Failure>, at: Timestamp) -> Option<IdempotencyRecord> {
        let key = self.key.as_ref()?;
        let answer = StoredAnswer::of(answer)?;
        Some(IdempotencyRecord {
            key: key.key.clone(),
            fingerprint: key.fingerprint,
            answer: serde_json::to_vec(&answer).expect("answers are plain data with string keys"),
            recorded_at: at,
        })
    }
}

/// Under which key a question is kept until it has an answer. Callers' own keys are visible ASCII.
pub(crate) fn question_key(key: &IdempotencyKey) -> IdempotencyKey {
    IdempotencyKey {
        user_id: key.user_id,
        key: format!("{}\u{1f}question", key.key),
    }
}

/// An answer as it is kept under an idempotency key. Refusals that wrote nothing are not kept: they are decided again.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StoredAnswer {
    Reply(Box<Reply>),
    PaymentFailed {
        reason: DeclineReason,
        attempts_left: u32,
    },
    ReservationExpired {
        reservation_id: ReservationId,
        expired_at: Timestamp,
    },
}

impl StoredAnswer {
    fn of(answer: &Result<Telling, Failure>) -> Option<Self> {
        match answer {
            Ok(Telling::Reply(reply)) => Some(Self::Reply(Box::new(reply.clone()))),
            Err(Failure::Refused(Refusal::PaymentFailed { reason, attempts_left })) => Some(Self::PaymentFailed {
                reason: *reason,
                attempts_left: *attempts_left,
            }),
            Err(Failure::Refused(Refusal::ReservationExpired {
                reservation_id,
                expired_at,
            })) => Some(Self::ReservationExpired {
                reservation_id: *reservation_id,
                expired_at: *expired_at,
            }),
            _ => None,
        }
    }

    pub(crate) fn into_answer(self) -> Result<Reply, Failure> {
        match self {
            Self::Reply(reply) => Ok(*reply),
            Self::PaymentFailed { reason, attempts_left } => {
                Err(Refusal::PaymentFailed { reason, attempts_left }.into())
            }
            Self::ReservationExpired {
                reservation_id,
                expired_at,
            } => Err(Refusal::ReservationExpired {
                reservation_id,
                expired_at,
            }
            .into()),
        }
    }
}

pub(crate) fn telling(answer: Result<Reply, Unanswered>) -> Result<Telling, Failure> {
    match answer {
        Ok(reply) => Ok(Telling::Reply(reply)),
        Err(Unanswered::Refused(refusal)) => Err(refusal.into()),
        Err(Unanswered::GatewayUnavailable) => Err(Failure::Unavailable(UnavailableCause::Gateway)),
    }
}

/// Idempotency keys whose requests have not been answered yet, in this process.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunningKeys(Arc<Mutex<HashSet<IdempotencyKey>>>);

/// A key that is taken until its request is answered or dropped.
#[derive(Debug)]
pub(crate) struct RunningKey {
    pub(crate) key: IdempotencyKey,
    pub(crate) fingerprint: [u8; 32],
    running: RunningKeys,
}

impl RunningKey {
    pub(crate) fn is_recorded_under(&self, key: &IdempotencyKey) -> bool {
        self.key == *key || question_key(&self.key) == *key
    }
}

impl RunningKeys {
    /// Returns nothing while another request with the key is running.
    pub(crate) fn take(&self, key: IdempotencyKey, fingerprint: [u8; 32]) -> Option<RunningKey> {
        let fresh = self
            .0
            .lock()
            .expect("no code panics while it holds this lock")
            .insert(key.clone());
        fresh.then(|| RunningKey {
            key,
            fingerprint,
            running: self.clone(),
        })
    }
}

impl Drop for RunningKey {
    fn drop(&mut self) {
        if let Ok(mut running) = self.running.0.lock() {
            running.remove(&self.key);
        }
    }
}
