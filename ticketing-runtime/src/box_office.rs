//! The box office: everything that an organiser or a customer can ask for.

mod codes;

use std::sync::Arc;
use std::time::Duration;

use ticketing_domain::book::Caller;
use ticketing_domain::catalog::EventDraft;
use ticketing_domain::command::{Address, Command, Question};
use ticketing_domain::commands::{
    AuthorizePayment, BlockSeats, CancelEvent, CancelReservation, CloseSales, CreateEvent, ExtendHold, HoldSeats,
    OpenSales, PayReservation, PublishEvent, RefundPayment, ReportPayment, UnblockSeats,
};
use ticketing_domain::questions::{Cancellation, SeeCancellation, SeePayment, SeeReservation, SeeSection};
use ticketing_domain::refusal::Refusal;
use ticketing_domain::views::SectionView;
use ticketing_ports::log::idempotency::IdempotencyKey;
use ticketing_ports::log::lanes::LaneId;
use ticketing_ports::log::streams::{Metadata, RecordedEvent, Version};
use ticketing_ports::outside::gateway::PaymentGateway;
use ticketing_ports::read_models::availability::SectionAvailability;
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::read_models::reservations::ReservationView;
use ticketing_ports::vocabulary::ids::{EventId, PaymentId, ReservationId, UserId};
use ticketing_ports::vocabulary::roles::Actor;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::failure::{Failure, UnavailableCause};
use crate::known_log::KnownLog;
use crate::lane::{CommandJob, Delivered, Job, LaneIndex, Lanes, QuestionJob, RunningKey, RunningKeys};
use crate::request::{Answer, HistoryEntry, Request};
use crate::setup::Ports;

/// At most how long a cancellation or a refund waits for the gateway. After that, its caller is answered with the
/// reservation or the payment as it is by then.
const GATEWAY_PATIENCE: Duration = Duration::from_secs(10);

/// The front door of the engine: every command and every question about a single thing goes through it.
///
/// Clones are cheap and share the same lanes.
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

    /// Sends a command to its lane and returns the reply once its facts are durable. The command may be defined in
    /// another crate.
    ///
    /// # Errors
    /// Fails if the command is refused, if the event's mailbox is full, or if a store or the gateway is down.
    pub async fn ask<C: Command>(&self, request: Request<C>) -> Result<Answer<C::Reply>, Failure> {
        let key = self.running_key(&request)?;
        // The reply's token needs the identity of the log. The identity is read before the command is written: if it
        // were read afterwards and that failed, a command that was written would look failed.
        self.lanes.log.identity().await?;
        let lane = self.lane_of(request.command.address()).await?;
        let (caller, answer) = oneshot::channel();
        let cause = request.cause();
        let mut job = Job::new(CommandJob::new(request.command, Some(caller)), request.by, cause);
        job.key = key;
        self.hand_in(lane, job, answer).await
    }

    /// Answers a question from the write side, so the answer is always up to date.
    ///
    /// # Errors
    /// Fails if the caller may not see what is asked for, or if it does not exist, or if a store is down.
    pub async fn see<Q: Question>(&self, by: Caller, question: Q) -> Result<Q::Answer, Failure> {
        Ok(self.answer_with_token(by, question).await?.value)
    }

    /// Creates an event on sale, as a draft.
    ///
    /// # Errors
    /// Fails if the caller may not create events, or if the draft breaks a rule.
    pub async fn create_event(&self, request: Request<EventDraft>) -> Result<Answer<EventView>, Failure> {
        let event_id = EventId::new(self.ports.ids.uuid());
        let create = |draft| CreateEvent {
            event_id,
            draft: Box::new(draft),
        };
        self.ask(request.with(create)).await
    }

    /// Publishes a draft, so that everybody can see the event.
    ///
    /// # Errors
    /// Fails if the caller may not manage the event, or if its status does not allow it.
    pub async fn publish(&self, request: Request<EventId>) -> Result<Answer<EventView>, Failure> {
        self.ask(request.with(|event_id| PublishEvent { event_id })).await
    }

    /// Opens the sales of a published event.
    ///
    /// # Errors
    /// Fails if the caller may not manage the event, or if its status does not allow it.
    pub async fn open_sales(&self, request: Request<EventId>) -> Result<Answer<EventView>, Failure> {
        self.ask(request.with(|event_id| OpenSales { event_id })).await
    }

    /// Closes the sales of an event. Reservations that exist can still be paid.
    ///
    /// # Errors
    /// Fails if the caller may not manage the event, or if its status does not allow it.
    pub async fn close_sales(&self, request: Request<EventId>) -> Result<Answer<EventView>, Failure> {
        self.ask(request.with(|event_id| CloseSales { event_id })).await
    }

    /// Cancels an event at once. Its reservations are ended and refunded in the background, even if the process
    /// restarts meanwhile.
    ///
    /// # Errors
    /// Fails if the caller may not manage the event, or if its status does not allow it.
    pub async fn cancel_event(&self, request: Request<CancelEvent>) -> Result<Answer<EventView>, Failure> {
        self.ask(request).await
    }

    /// Takes free seats off sale.
    ///
    /// # Errors
    /// Fails if the caller may not manage the event, or if one of the seats is not free.
    pub async fn block_seats(&self, request: Request<BlockSeats>) -> Result<Answer<SectionAvailability>, Failure> {
        self.ask(request).await
    }

    /// Puts blocked seats back on sale.
    ///
    /// # Errors
    /// Fails if the caller may not manage the event, or if one of the seats is not blocked.
    pub async fn unblock_seats(&self, request: Request<UnblockSeats>) -> Result<Answer<SectionAvailability>, Failure> {
        self.ask(request).await
    }

    /// Holds seats for a customer, at the current price.
    ///
    /// # Errors
    /// Fails if sales are not open, if the seats are not available, or if the customer asks for more seats than the
    /// event allows.
    pub async fn hold(&self, request: Request<HoldSeats>) -> Result<Answer<ReservationView>, Failure> {
        self.ask(request).await
    }

    /// Asks the gateway to set money aside for a reservation. If the gateway does not decide at once, the payment is
    /// returned as pending.
    ///
    /// # Errors
    /// Fails if the reservation cannot be paid, or if the payment is declined.
    pub async fn authorize(&self, request: Request<AuthorizePayment>) -> Result<Answer<PaymentView>, Failure> {
        self.ask(request).await
    }

    /// Pays for a reservation and waits until the gateway has answered. The payment continues if the caller stops
    /// waiting.
    ///
    /// If the customer has to act first, or the provider decides later, `pay` returns at once: the reservation then
    /// shows a payment under way.
    ///
    /// # Errors
    /// Fails if the reservation cannot be paid, or if the payment is declined.
    pub async fn pay(&self, request: Request<PayReservation>) -> Result<Answer<ReservationView>, Failure> {
        self.ask(request).await
    }

    /// Lets the hold of a reservation last longer, as often as the event allows.
    ///
    /// # Errors
    /// Fails if the seats are not held any more, a payment is under way, or the event does not allow it.
    pub async fn extend_hold(&self, request: Request<ReservationId>) -> Result<Answer<ReservationView>, Failure> {
        self.ask(request.with(|reservation_id| ExtendHold { reservation_id }))
            .await
    }

    /// Cancels a reservation, which may be given by its id alone. If it has been paid, the customer gets back what the
    /// event's refund policy says.
    ///
    /// # Errors
    /// Fails if the status of the reservation does not allow it, or if another amount goes back than the caller has agreed
    /// to.
    pub async fn cancel_reservation<C>(&self, request: Request<C>) -> Result<Answer<ReservationView>, Failure>
    where
        C: Into<CancelReservation>,
    {
        let request = request.with(C::into);
        let (by, reservation_id) = (request.by, request.command.reservation_id);
        let cancel = self.ask(request);
        match tokio::time::timeout(GATEWAY_PATIENCE, cancel).await {
            Ok(answer) => answer,
            Err(_) => self.answer_with_token(by, SeeReservation { reservation_id }).await,
        }
    }

    /// Refunds a captured payment or a part of it, whatever the event's refund policy says.
    ///
    /// # Errors
    /// Fails if the caller may not refund, or if less money than asked for is left to refund.
    pub async fn refund(&self, request: Request<RefundPayment>) -> Result<Answer<PaymentView>, Failure> {
        let (by, payment_id) = (request.by, request.command.payment_id);
        match tokio::time::timeout(GATEWAY_PATIENCE, self.ask(request)).await {
            Ok(answer) => answer,
            Err(_) => self.answer_with_token(by, SeePayment { payment_id }).await,
        }
    }

    /// Records what the payment gateway reports about a payment, for instance in a webhook. A repeated report changes
    /// nothing, and neither does a report that a later one has overtaken.
    ///
    /// # Errors
    /// Fails if there is no such payment.
    pub async fn report_payment(&self, request: Request<ReportPayment>) -> Result<Answer<PaymentView>, Failure> {
        self.ask(request).await
    }

    /// Returns a reservation from the write side, so it is always up to date.
    ///
    /// # Errors
    /// Fails if there is no such reservation, or if it belongs to another customer.
    pub async fn reservation(&self, by: impl Into<Caller>, id: ReservationId) -> Result<ReservationView, Failure> {
        self.see(by.into(), SeeReservation { reservation_id: id }).await
    }

    /// Returns what a customer who gives a reservation up gets back, from the write side.
    ///
    /// # Errors
    /// Fails as the cancellation itself would.
    pub async fn cancellation(&self, by: impl Into<Caller>, id: ReservationId) -> Result<Cancellation, Failure> {
        self.see(by.into(), SeeCancellation { reservation_id: id }).await
    }

    /// Returns a payment from the write side, so it is always up to date.
    ///
    /// # Errors
    /// Fails if there is no such payment, or if it belongs to another customer.
    pub async fn payment(&self, by: impl Into<Caller>, id: PaymentId) -> Result<PaymentView, Failure> {
        self.see(by.into(), SeePayment { payment_id: id }).await
    }

    /// Returns every fact about a reservation, in order.
    ///
    /// # Errors
    /// Fails if there is no such reservation, or if it belongs to another customer.
    pub async fn history(&self, by: impl Into<Caller>, id: ReservationId) -> Result<Vec<HistoryEntry>, Failure> {
        self.reservation(by, id).await?;
        // The limit is never reached: a reservation has few facts, and each declined payment adds only two.
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

    /// Returns a section with its seats from the write side, so it is always up to date. Drafts are shown only to those
    /// who may manage them.
    ///
    /// # Errors
    /// Fails if there is no such event or section, or if the caller may not see the event.
    pub async fn section(&self, by: Option<Actor>, event: EventId, section: &str) -> Result<SectionView, Failure> {
        let see = SeeSection {
            event_id: event,
            name: section.to_owned(),
        };
        let section = self.see(by.map_or(Caller::World, Caller::Person), see).await?;
        // The lane does not keep when facts were recorded, so the last fact of the section is read from the log.
        let before = Version(section.version.0.saturating_sub(1));
        let last = self.ports.events.read_streams(&[(section.stream(), before)], 1).await?;
        let last = last.first().filter(|last| last.version == section.version);
        let last =
            last.ok_or_else(|| Failure::Unavailable(UnavailableCause::Store("the log lost a fact meanwhile".into())))?;
        Ok(section.dated(last.recorded_at))
    }

    /// Lets the write side answer a question, and adds a consistency token. A read that carries the token shows at least
    /// what this answer shows.
    async fn answer_with_token<Q: Question>(&self, by: Caller, question: Q) -> Result<Answer<Q::Answer>, Failure> {
        let lane = self.lane_of(question.address()).await?;
        let (caller, answer) = oneshot::channel();
        let job = Job::new(QuestionJob::new(question, caller), by, Metadata::default());
        self.hand_in(lane, job, answer).await
    }

    /// Submits a job to its lane and waits for the reply.
    async fn hand_in<T>(
        &self,
        lane: LaneId,
        job: Job,
        answer: oneshot::Receiver<Result<Delivered<T>, Failure>>,
    ) -> Result<Answer<T>, Failure> {
        // The reply's token needs the identity of the log. The identity is read before the command is written: if it
        // were read afterwards and that failed, a command that was written would look failed.
        self.lanes.log.identity().await?;
        self.lanes.submit(lane, job);
        // The channel closes without a reply if the engine was aborted or the lane panicked.
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

    /// The log that this box office writes to: its identity, as far as this process knows it.
    pub(crate) fn log(&self) -> &KnownLog {
        &self.lanes.log
    }

    /// Reserves the idempotency key of a request for as long as the request runs. `None` if the request has no key.
    ///
    /// # Errors
    /// Fails with [`Failure::RequestInProgress`] if another request with the same key is running.
    fn running_key<C>(&self, request: &Request<C>) -> Result<Option<RunningKey>, Failure> {
        let Some(wanted) = &request.idempotency else {
            return Ok(None);
        };
        let key = IdempotencyKey {
            user_id: keeper_of_keys(request.by),
            key: wanted.key.clone(),
        };
        let running = self.running.take(key, wanted.request_hash);
        running.map(Some).ok_or(Failure::RequestInProgress)
    }

    /// Makes a new id for a person.
    pub(crate) fn fresh_person(&self) -> UserId {
        UserId::new(self.ports.ids.uuid())
    }

    /// Finds the lane of a command or question.
    ///
    /// # Errors
    /// Fails if the address names a stream that does not exist.
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

/// Returns under which id the idempotency keys of a caller are kept. Those of a guest are kept under the first half of the
/// digest of the order's secret, so that nobody without the secret is told the answer.
fn keeper_of_keys(caller: Caller) -> UserId {
    match caller {
        Caller::Person(actor) => actor.user_id,
        Caller::Guest(guest) => {
            let [first, _] = guest.secret.as_bytes().as_chunks().0 else {
                unreachable!("a digest has twice as many bytes as an id")
            };
            UserId::new(Uuid::from_bytes(*first))
        }
        Caller::World => UserId::new(Uuid::nil()),
    }
}
