//! The front door: one method for each thing an organiser or a customer can ask for.

use std::sync::Arc;
use std::time::Duration;

use ticketing_domain::book::{Command, Reply};
use ticketing_domain::catalog::EventDraft;
use ticketing_domain::refusal::Refusal;
use ticketing_domain::views::SectionView;
use ticketing_ports::Timestamp;
use ticketing_ports::event_details::EventView;
use ticketing_ports::idempotency::IdempotencyKey;
use ticketing_ports::ids::{CustomerId, EventId, PaymentId, ReservationId};
use ticketing_ports::money::Money;
use ticketing_ports::payment::{PaymentMethod, PaymentView};
use ticketing_ports::reservation::ReservationView;
use ticketing_ports::roles::Actor;
use ticketing_ports::seating::{Label, SeatId};
use ticketing_ports::streams::{CorrelationId, Metadata, RecordedEvent, Version};
use ticketing_ports::trace_context::TraceContext;
use tokio::sync::oneshot;

use crate::desk::ConsistencyToken;
use crate::engine::Ports;
use crate::failure::{Failure, UnavailableCause};
use crate::idempotency;
use crate::job::{Ask, Job, RunningKeys, Telling, Told, question_key};
use crate::known_log::KnownLog;
use crate::lanes::Lanes;
use crate::routes::Routes;

/// A command with who asks and how the answer is remembered.
#[derive(Debug, Clone)]
pub struct Request<C> {
    pub by: Actor,
    pub correlation_id: CorrelationId,
    /// Kept beside every fact that the command leads to at once, as the correlation id is.
    pub trace: Option<TraceContext>,
    pub idempotency: Option<IdempotencyRequest>,
    pub command: C,
}

/// The caller's idempotency key and a digest of everything the request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRequest {
    pub key: String,
    pub fingerprint: [u8; 32],
}

/// An answer whose facts are durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    pub value: T,
    pub consistency: ConsistencyToken,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelEvent {
    pub event_id: EventId,
    pub reason: Option<Label>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldSeats {
    pub event_id: EventId,
    pub section: String,
    pub quantity: u32,
    /// These seats or none; otherwise the best available.
    pub specific_seats: Option<Vec<SeatId>>,
    /// The caller itself unless an admin buys for somebody.
    pub customer_id: Option<CustomerId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizePayment {
    pub reservation_id: ReservationId,
    pub method: PaymentMethod,
}

/// Captures an authorised payment, or authorises and captures in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayReservation {
    pub reservation_id: ReservationId,
    /// A payment authorised before, or the caller's own id for this attempt, which then charges once.
    pub payment_id: Option<PaymentId>,
    pub method: Option<PaymentMethod>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundPayment {
    pub payment_id: PaymentId,
    /// All that is left when absent.
    pub amount: Option<Money>,
    pub reason: Label,
}

/// One fact in the history of a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    pub sequence: Version,
    pub event_type: String,
    pub event_version: u16,
    pub at: Timestamp,
    /// JSON.
    pub data: Vec<u8>,
}

/// How long a cancellation or refund waits for the gateway before it answers with what is known.
const SETTLING_PATIENCE: Duration = Duration::from_secs(10);

/// The box office of every event on sale. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BoxOffice {
    ports: Ports,
    lanes: Arc<Lanes>,
    routes: Arc<Routes>,
    running: RunningKeys,
}

impl BoxOffice {
    pub(crate) fn new(ports: Ports, lanes: Arc<Lanes>) -> Self {
        Self {
            ports,
            lanes,
            routes: Arc::default(),
            running: RunningKeys::default(),
        }
    }

    /// # Errors
    /// When the caller may not create events or the draft is not acceptable.
    pub async fn create_event(&self, request: Request<EventDraft>) -> Result<Answer<EventView>, Failure> {
        let event = EventId::new(self.ports.ids.uuid());
        let command = Command::CreateEvent {
            by: request.by,
            draft: Box::new(request.command.clone()),
        };
        self.command(&request, event, command).await?.event()
    }

    /// # Errors
    /// When the caller may not manage the event, or its status does not allow it.
    pub async fn publish(&self, request: Request<EventId>) -> Result<Answer<EventView>, Failure> {
        self.command(&request, request.command, Command::Publish { by: request.by })
            .await?
            .event()
    }

    /// # Errors
    /// When the caller may not manage the event, or its status does not allow it.
    pub async fn open_sales(&self, request: Request<EventId>) -> Result<Answer<EventView>, Failure> {
        self.command(&request, request.command, Command::OpenSales { by: request.by })
            .await?
            .event()
    }

    /// # Errors
    /// When the caller may not manage the event, or its status does not allow it.
    pub async fn close_sales(&self, request: Request<EventId>) -> Result<Answer<EventView>, Failure> {
        self.command(&request, request.command, Command::CloseSales { by: request.by })
            .await?
            .event()
    }

    /// Cancels the event at once; its reservations are settled in the background, surviving restarts.
    ///
    /// # Errors
    /// When the caller may not manage the event, or its status does not allow it.
    pub async fn cancel_event(&self, request: Request<CancelEvent>) -> Result<Answer<EventView>, Failure> {
        let command = Command::CancelEvent {
            by: request.by,
            reason: request.command.reason.clone(),
        };
        self.command(&request, request.command.event_id, command).await?.event()
    }

    /// Holds seats at the price in force now.
    ///
    /// # Errors
    /// When they are not to be had on these terms.
    pub async fn hold(&self, request: Request<HoldSeats>) -> Result<Answer<ReservationView>, Failure> {
        let hold = &request.command;
        let command = Command::Hold {
            by: request.by,
            customer_id: hold.customer_id,
            section: hold.section.clone(),
            quantity: hold.quantity,
            specific_seats: hold.specific_seats.clone(),
        };
        let answer = self.command(&request, hold.event_id, command).await?.reservation()?;
        self.routes.learn(answer.value.reservation_id.into(), hold.event_id);
        Ok(answer)
    }

    /// Sets the money for a reservation aside.
    ///
    /// # Errors
    /// When the reservation cannot be paid, or the payment is declined.
    pub async fn authorize(&self, request: Request<AuthorizePayment>) -> Result<Answer<PaymentView>, Failure> {
        let AuthorizePayment { reservation_id, method } = request.command.clone();
        let event = self.event_of_reservation(reservation_id).await?;
        let command = Command::Authorize {
            by: request.by,
            reservation_id,
            method,
        };
        self.command(&request, event, command).await?.payment()
    }

    /// Pays and waits for the gateway, however long it takes; the payment goes on when the caller stops waiting.
    ///
    /// # Errors
    /// When the reservation cannot be paid, or the payment is declined.
    pub async fn pay(&self, request: Request<PayReservation>) -> Result<Answer<ReservationView>, Failure> {
        let PayReservation {
            reservation_id,
            payment_id,
            method,
        } = request.command.clone();
        let event = self.event_of_reservation(reservation_id).await?;
        let command = Command::Pay {
            by: request.by,
            reservation_id,
            payment_id,
            method,
        };
        self.command(&request, event, command).await?.reservation()
    }

    /// Gives up a hold, or a paid reservation for what the event's policy gives back.
    ///
    /// # Errors
    /// When the status does not allow it.
    pub async fn cancel_reservation(
        &self,
        request: Request<ReservationId>,
    ) -> Result<Answer<ReservationView>, Failure> {
        let reservation_id = request.command;
        let event = self.event_of_reservation(reservation_id).await?;
        let command = Command::CancelReservation {
            by: request.by,
            reservation_id,
        };
        match tokio::time::timeout(SETTLING_PATIENCE, self.command(&request, event, command)).await {
            Ok(answer) => answer?.reservation(),
            Err(_) => {
                let ask = Ask::Reservation {
                    by: request.by,
                    id: reservation_id,
                };
                self.answered(self.ask(event, ask).await?).await?.reservation()
            }
        }
    }

    /// Gives (a part of) a captured payment back, outside the event's policy.
    ///
    /// # Errors
    /// When the caller may not, or there is not so much left.
    pub async fn refund(&self, request: Request<RefundPayment>) -> Result<Answer<PaymentView>, Failure> {
        let RefundPayment {
            payment_id,
            amount,
            reason,
        } = request.command.clone();
        let event = self.event_of_payment(payment_id).await?;
        let command = Command::Refund {
            by: request.by,
            payment_id,
            amount,
            reason,
        };
        match tokio::time::timeout(SETTLING_PATIENCE, self.command(&request, event, command)).await {
            Ok(answer) => answer?.payment(),
            Err(_) => {
                let ask = Ask::Payment {
                    by: request.by,
                    id: payment_id,
                };
                self.answered(self.ask(event, ask).await?).await?.payment()
            }
        }
    }

    /// From the write side: always up to date.
    ///
    /// # Errors
    /// When there is no such reservation, or it is somebody else's.
    pub async fn reservation(&self, by: Actor, id: ReservationId) -> Result<ReservationView, Failure> {
        let event = self.event_of_reservation(id).await?;
        let told = self.ask(event, Ask::Reservation { by, id }).await?;
        Ok(self.answered(told).await?.reservation()?.value)
    }

    /// From the write side: always up to date.
    ///
    /// # Errors
    /// When there is no such payment, or it is somebody else's.
    pub async fn payment(&self, by: Actor, id: PaymentId) -> Result<PaymentView, Failure> {
        let event = self.event_of_payment(id).await?;
        let told = self.ask(event, Ask::Payment { by, id }).await?;
        Ok(self.answered(told).await?.payment()?.value)
    }

    /// Everything that ever happened to a reservation.
    ///
    /// # Errors
    /// When there is no such reservation, or it is somebody else's.
    pub async fn history(&self, by: Actor, id: ReservationId) -> Result<Vec<HistoryEntry>, Failure> {
        self.reservation(by, id).await?;
        // A reservation ends after a handful of facts; each declined payment adds two.
        let events = self.ports.events.read_stream(id.into(), Version::NONE, 1_000).await?;
        let entry = |event: RecordedEvent| HistoryEntry {
            sequence: event.version,
            event_type: event.event_type.into_owned(),
            event_version: event.event_version,
            at: event.recorded_at,
            data: event.data,
        };
        Ok(events.into_iter().map(entry).collect())
    }

    /// From the write side: always up to date. Drafts are only for who may manage them.
    ///
    /// # Errors
    /// When there is no such event or section.
    pub async fn section(&self, by: Option<Actor>, event: EventId, section: &str) -> Result<SectionView, Failure> {
        let ask = Ask::Section {
            viewer: by,
            name: section.to_owned(),
        };
        match self.ask(event, ask).await?.what {
            Telling::Section(view) => Ok(view),
            Telling::Reply(_) => Err(wrong_reply()),
        }
    }

    async fn command<C>(
        &self,
        request: &Request<C>,
        event: EventId,
        command: Command,
    ) -> Result<Answer<Reply>, Failure> {
        let mut asked = None;
        let key = match &request.idempotency {
            None => None,
            Some(wanted) => {
                let key = IdempotencyKey {
                    user_id: request.by.user_id,
                    key: wanted.key.clone(),
                };
                let running = self
                    .running
                    .take(key.clone(), wanted.fingerprint)
                    .ok_or(Failure::RequestInProgress)?;
                let question = question_key(&key);
                let records = self
                    .ports
                    .idempotency
                    .find_answers(&[key.clone(), question.clone()])
                    .await?;
                if let Some(record) = records.iter().find(|record| record.key == key) {
                    let value = idempotency::replay(record, wanted.fingerprint)?;
                    let head = self.ports.events.head().await?;
                    let consistency = self.lanes.log.token(head).await?;
                    return Ok(Answer { value, consistency });
                }
                if command.may_wait()
                    && let Some(record) = records.iter().find(|record| record.key == question)
                {
                    asked = Some(idempotency::resume(record, wanted.fingerprint)?);
                }
                Some(running)
            }
        };
        let metadata = Metadata {
            correlation_id: Some(request.correlation_id.clone()),
            actor: Some(request.by.user_id),
            trace: request.trace.clone(),
        };
        let told = self
            .hand_in(
                event,
                Job {
                    metadata,
                    key,
                    asked,
                    ..Job::report(command)
                },
            )
            .await?;
        self.answered(told).await
    }

    /// With how far the log reached. The log was asked which it is before anything was written.
    async fn answered(&self, told: Told) -> Result<Answer<Reply>, Failure> {
        match told.what {
            Telling::Reply(value) => Ok(Answer {
                value,
                consistency: self.lanes.log.token(told.position).await?,
            }),
            Telling::Section(_) => Err(wrong_reply()),
        }
    }

    /// Which log the answers are about.
    pub(crate) fn log(&self) -> &KnownLog {
        &self.lanes.log
    }

    async fn ask(&self, event: EventId, ask: Ask) -> Result<Told, Failure> {
        self.hand_in(event, Job::ask(ask)).await
    }

    async fn hand_in(&self, event: EventId, mut job: Job) -> Result<Told, Failure> {
        let (reply, answer) = oneshot::channel();
        job.reply = Some(reply);
        // Before anything is written: an answer that cannot be told where it stands would look like a failure.
        self.lanes.log.identity().await?;
        self.lanes.submit(event, job);
        // A lane drops a job unanswered only when the engine is stopped under it.
        answer
            .await
            .unwrap_or(Err(Failure::Unavailable(UnavailableCause::ShuttingDown)))
    }

    async fn event_of_reservation(&self, id: ReservationId) -> Result<EventId, Failure> {
        let event = self.routes.find(self.ports.events.as_ref(), id.into()).await?;
        event.ok_or_else(|| Refusal::ReservationNotFound(id).into())
    }

    async fn event_of_payment(&self, id: PaymentId) -> Result<EventId, Failure> {
        let event = self.routes.find(self.ports.events.as_ref(), id.into()).await?;
        event.ok_or_else(|| Refusal::PaymentNotFound(id).into())
    }
}

impl Answer<Reply> {
    fn event(self) -> Result<Answer<EventView>, Failure> {
        match self.value {
            Reply::Event(value) => Ok(Answer {
                value,
                consistency: self.consistency,
            }),
            _ => Err(wrong_reply()),
        }
    }

    fn reservation(self) -> Result<Answer<ReservationView>, Failure> {
        match self.value {
            Reply::Reservation(value) => Ok(Answer {
                value,
                consistency: self.consistency,
            }),
            _ => Err(wrong_reply()),
        }
    }

    fn payment(self) -> Result<Answer<PaymentView>, Failure> {
        match self.value {
            Reply::Payment(value) => Ok(Answer {
                value,
                consistency: self.consistency,
            }),
            _ => Err(wrong_reply()),
        }
    }
}

/// Only a bug, or a record written by another build, answers one question with the reply to another.
fn wrong_reply() -> Failure {
    Failure::Internal("the reply is of another kind than the question".into())
}
