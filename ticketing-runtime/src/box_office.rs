//! The front door: one method for each thing an organiser or a customer can ask for.

use std::sync::Arc;
use std::time::Duration;

use ticketing_domain::book::Caller;
use ticketing_domain::catalog::EventDraft;
use ticketing_domain::command::{Address, Command, Question};
use ticketing_domain::commands::{
    AuthorizePayment, BlockSeats, CancelEvent, CancelReservation, CloseSales, CreateEvent, HoldSeats, OpenSales,
    PayReservation, PublishEvent, RefundPayment, ReportPayment, UnblockSeats,
};
use ticketing_domain::queries::{SeePayment, SeeReservation, SeeSection};
use ticketing_domain::refusal::Refusal;
use ticketing_domain::views::SectionView;
use ticketing_ports::Timestamp;
use ticketing_ports::log::idempotency::IdempotencyKey;
use ticketing_ports::log::lanes::LaneId;
use ticketing_ports::log::streams::{CorrelationId, Metadata, RecordedEvent, Version};
use ticketing_ports::outside::gateway::PaymentGateway;
use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::ids::{EventId, PaymentId, ReservationId, UserId};
use ticketing_ports::vocabulary::roles::Actor;
use ticketing_ports::vocabulary::trace_context::TraceContext;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::failure::{Failure, UnavailableCause};
use crate::known_log::KnownLog;
use crate::lane::{CommandJob, Delivered, Job, LaneIndex, Lanes, QuestionJob, RunningKey, RunningKeys};
use crate::setup::Ports;
use crate::token::ConsistencyToken;

/// A command with who asks and how the answer is remembered.
#[derive(Debug, Clone)]
pub struct Request<C> {
    pub by: Caller,
    pub correlation_id: CorrelationId,
    /// Kept beside every fact that the command leads to, as the correlation id is.
    pub trace: Option<TraceContext>,
    pub idempotency: Option<IdempotencyRequest>,
    pub command: C,
}

impl<C> Request<C> {
    /// The same request for another command.
    pub fn with<D>(self, command: impl FnOnce(C) -> D) -> Request<D> {
        Request {
            by: self.by,
            correlation_id: self.correlation_id,
            trace: self.trace,
            idempotency: self.idempotency,
            command: command(self.command),
        }
    }

    fn cause(&self) -> Metadata {
        Metadata {
            correlation_id: Some(self.correlation_id.clone()),
            actor: user_of(self.by),
            trace: self.trace.clone(),
        }
    }
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
    index: Arc<LaneIndex>,
    running: RunningKeys,
}

impl BoxOffice {
    pub(crate) fn new(ports: Ports, lanes: Arc<Lanes>) -> Self {
        Self {
            ports,
            lanes,
            index: Arc::default(),
            running: RunningKeys::default(),
        }
    }

    /// Asks for anything that there is a command for, also one of another crate, and answers when it is durable.
    ///
    /// # Errors
    /// When the command is refused, or something that it needs is down.
    pub async fn ask<C: Command>(&self, request: Request<C>) -> Result<Answer<C::Reply>, Failure> {
        let key = self.running_key(&request)?;
        // Before anything is written: an answer that cannot be told where it stands would look like a failure.
        self.lanes.log.identity().await?;
        let lane = self.lane_of(request.command.address()).await?;
        let (caller, answer) = oneshot::channel();
        let cause = request.cause();
        let mut job = Job::new(CommandJob::new(request.command, Some(caller)), request.by, cause);
        job.key = key;
        self.hand_in(lane, job, answer).await
    }

    /// Answers a question from the write side: always up to date.
    ///
    /// # Errors
    /// When there is nothing to see for the caller, or something that it needs is down.
    pub async fn see<Q: Question>(&self, by: Caller, question: Q) -> Result<Q::Answer, Failure> {
        Ok(self.look(by, question).await?.value)
    }

    /// # Errors
    /// When the caller may not create events or the draft is not acceptable.
    pub async fn create_event(&self, request: Request<EventDraft>) -> Result<Answer<EventView>, Failure> {
        let event_id = EventId::new(self.ports.ids.uuid());
        let create = |draft| CreateEvent {
            event_id,
            draft: Box::new(draft),
        };
        self.ask(request.with(create)).await
    }

    /// # Errors
    /// When the caller may not manage the event, or its status does not allow it.
    pub async fn publish(&self, request: Request<EventId>) -> Result<Answer<EventView>, Failure> {
        self.ask(request.with(|event_id| PublishEvent { event_id })).await
    }

    /// # Errors
    /// When the caller may not manage the event, or its status does not allow it.
    pub async fn open_sales(&self, request: Request<EventId>) -> Result<Answer<EventView>, Failure> {
        self.ask(request.with(|event_id| OpenSales { event_id })).await
    }

    /// # Errors
    /// When the caller may not manage the event, or its status does not allow it.
    pub async fn close_sales(&self, request: Request<EventId>) -> Result<Answer<EventView>, Failure> {
        self.ask(request.with(|event_id| CloseSales { event_id })).await
    }

    /// Cancels the event at once; its reservations are settled in the background, surviving restarts.
    ///
    /// # Errors
    /// When the caller may not manage the event, or its status does not allow it.
    pub async fn cancel_event(&self, request: Request<CancelEvent>) -> Result<Answer<EventView>, Failure> {
        self.ask(request).await
    }

    /// Takes free places off sale.
    ///
    /// # Errors
    /// When the caller may not manage the event, or a place is not free.
    pub async fn block_seats(&self, request: Request<BlockSeats>) -> Result<Answer<SectionAvailability>, Failure> {
        self.ask(request).await
    }

    /// Puts blocked places back on sale.
    ///
    /// # Errors
    /// When the caller may not manage the event, or a place is not blocked.
    pub async fn unblock_seats(&self, request: Request<UnblockSeats>) -> Result<Answer<SectionAvailability>, Failure> {
        self.ask(request).await
    }

    /// Holds seats at the price in force now.
    ///
    /// # Errors
    /// When they are not to be had on these terms.
    pub async fn hold(&self, request: Request<HoldSeats>) -> Result<Answer<ReservationView>, Failure> {
        self.ask(request).await
    }

    /// Sets the money for a reservation aside. A payment that the provider does not decide at once is answered as pending.
    ///
    /// # Errors
    /// When the reservation cannot be paid, or the payment is declined.
    pub async fn authorize(&self, request: Request<AuthorizePayment>) -> Result<Answer<PaymentView>, Failure> {
        self.ask(request).await
    }

    /// Pays and waits for the gateway, however long it takes; the payment goes on when the caller stops waiting. It does not
    /// wait for the customer, or for a provider that takes its time: then the reservation is answered as it is, with its
    /// payment under way.
    ///
    /// # Errors
    /// When the reservation cannot be paid, or the payment is declined.
    pub async fn pay(&self, request: Request<PayReservation>) -> Result<Answer<ReservationView>, Failure> {
        self.ask(request).await
    }

    /// Gives up a hold, or a paid reservation for what the event's policy gives back.
    ///
    /// # Errors
    /// When the status does not allow it.
    pub async fn cancel_reservation(
        &self,
        request: Request<ReservationId>,
    ) -> Result<Answer<ReservationView>, Failure> {
        let (by, reservation_id) = (request.by, request.command);
        let cancel = self.ask(request.with(|reservation_id| CancelReservation { reservation_id }));
        match tokio::time::timeout(SETTLING_PATIENCE, cancel).await {
            Ok(answer) => answer,
            Err(_) => self.look(by, SeeReservation { reservation_id }).await,
        }
    }

    /// Gives (a part of) a captured payment back, outside the event's policy.
    ///
    /// # Errors
    /// When the caller may not, or there is not so much left.
    pub async fn refund(&self, request: Request<RefundPayment>) -> Result<Answer<PaymentView>, Failure> {
        let (by, payment_id) = (request.by, request.command.payment_id);
        match tokio::time::timeout(SETTLING_PATIENCE, self.ask(request)).await {
            Ok(answer) => answer,
            Err(_) => self.look(by, SeePayment { payment_id }).await,
        }
    }

    /// Takes note of what the payment gateway has to say, by whatever way it came here. It counts once, in any order.
    ///
    /// # Errors
    /// When there is no such payment.
    pub async fn report_payment(&self, request: Request<ReportPayment>) -> Result<Answer<PaymentView>, Failure> {
        self.ask(request).await
    }

    /// From the write side: always up to date.
    ///
    /// # Errors
    /// When there is no such reservation, or it is somebody else's.
    pub async fn reservation(&self, by: Actor, id: ReservationId) -> Result<ReservationView, Failure> {
        self.see(by.into(), SeeReservation { reservation_id: id }).await
    }

    /// From the write side: always up to date.
    ///
    /// # Errors
    /// When there is no such payment, or it is somebody else's.
    pub async fn payment(&self, by: Actor, id: PaymentId) -> Result<PaymentView, Failure> {
        self.see(by.into(), SeePayment { payment_id: id }).await
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
        let see = SeeSection {
            event_id: event,
            name: section.to_owned(),
        };
        self.see(by.map_or(Caller::World, Caller::Person), see).await
    }

    async fn look<Q: Question>(&self, by: Caller, question: Q) -> Result<Answer<Q::Answer>, Failure> {
        let lane = self.lane_of(question.address()).await?;
        let (caller, answer) = oneshot::channel();
        let job = Job::new(QuestionJob::new(question, caller), by, Metadata::default());
        self.hand_in(lane, job, answer).await
    }

    async fn hand_in<T>(
        &self,
        lane: LaneId,
        job: Job,
        answer: oneshot::Receiver<Result<Delivered<T>, Failure>>,
    ) -> Result<Answer<T>, Failure> {
        // Before anything is written: an answer that cannot be told where it stands would look like a failure.
        self.lanes.log.identity().await?;
        self.lanes.submit(lane, job);
        // A lane drops a job unanswered when the engine is stopped under it, or when it panics.
        let delivered = match answer.await {
            Ok(answer) => answer?,
            Err(_) if self.lanes.is_stopped() => return Err(Failure::Unavailable(UnavailableCause::ShuttingDown)),
            Err(dropped) => return Err(Failure::Internal(dropped.into())),
        };
        if let Some(stream) = delivered.stream {
            self.index.learn(stream, lane);
        }
        Ok(Answer {
            value: delivered.value,
            consistency: self.lanes.log.token(delivered.position).await?,
        })
    }

    pub(crate) fn gateway(&self) -> &dyn PaymentGateway {
        self.ports.gateway.as_ref()
    }

    /// Which log the answers are about.
    pub(crate) fn log(&self) -> &KnownLog {
        &self.lanes.log
    }

    /// Keeps a second request with the same key out while the first one is running.
    fn running_key<C>(&self, request: &Request<C>) -> Result<Option<RunningKey>, Failure> {
        let Some(wanted) = &request.idempotency else {
            return Ok(None);
        };
        let key = IdempotencyKey {
            user_id: user_of(request.by).unwrap_or(UserId::new(Uuid::nil())),
            key: wanted.key.clone(),
        };
        let running = self.running.take(key, wanted.fingerprint);
        running.map(Some).ok_or(Failure::RequestInProgress)
    }

    async fn lane_of(&self, address: Address) -> Result<LaneId, Failure> {
        match address {
            Address::Lane(lane) => Ok(lane),
            Address::Stream(stream) => {
                let lane = self.index.find(self.ports.events.as_ref(), stream).await?;
                lane.ok_or_else(|| Refusal::not_found(stream).into())
            }
        }
    }
}

fn user_of(caller: Caller) -> Option<UserId> {
    match caller {
        Caller::Person(actor) => Some(actor.user_id),
        Caller::World => None,
    }
}
