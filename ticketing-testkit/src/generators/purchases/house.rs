//! One book that people, gateways and timers get at, and the log of everything it staged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::DateTime;
use ticketing_domain::book::{Book, Caller, Page, Ran, Staged};
use ticketing_domain::catalog::{CatalogEvent, EventDraft};
use ticketing_domain::command::{self, Performed, Question, ViewOf};
use ticketing_domain::commands::{
    AuthorizePayment, BlockSeats, CancelEvent, CancelReservation, CloseSales, CompleteEvent, CreateEvent, ExpireHold,
    GatewayAnswer, HoldFor, HoldSeats, OpenSales, PayReservation, PublishEvent, RefundPayment, ReportPayment,
    RetryPayment, SettleCancellation, UnblockSeats,
};
use ticketing_domain::generations::newest;
use ticketing_domain::inventory::TakenSeats;
use ticketing_domain::payment::GatewayCall;
use ticketing_domain::queries::SeeSection;
use ticketing_domain::reducer::Context;
use ticketing_domain::refusal::Refusal;
use ticketing_domain::stored::StoredEvent as _;
use ticketing_domain::views::SectionView;
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::{Deadline, DeadlineChange, DeadlineKey, DeadlineKind};
use ticketing_ports::log::streams::{Aggregate, Metadata, Position, RecordedEvent, StreamId, Version};
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::vocabulary::event_details::EventDetails;
use ticketing_ports::vocabulary::ids::{CommitId, EventId, PaymentId, ReservationId, UserId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::payment::{MethodKind, MethodToken, NextAction, PaymentMethod};
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::{Label, SeatId, Seating};
use uuid::Uuid;

use super::Step;
use crate::scenario::CountingIds;

macro_rules! any_command {
    ($($name:ident,)+) => {
        /// Any command of the box office.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum AnyCommand {
            $($name($name),)+
        }

        $(impl From<$name> for AnyCommand {
            fn from(command: $name) -> Self {
                Self::$name(command)
            }
        })+

        impl AnyCommand {
            /// Runs it on a book, whatever it answers.
            pub fn run(&self, book: &mut Book, ctx: &Context<'_>, caller: Caller) -> Ran<()> {
                match self {
                    $(Self::$name(command) => without_answer(command::perform(book, ctx, caller, command)),)+
                }
            }
        }
    };
}
any_command! {
    AuthorizePayment, BlockSeats, CancelEvent, CancelReservation, CloseSales, CompleteEvent, CreateEvent, ExpireHold,
    HoldSeats, OpenSales, PayReservation, PublishEvent, RefundPayment, ReportPayment, RetryPayment, SettleCancellation,
    UnblockSeats,
}

fn without_answer<C: command::Command>(ran: Ran<Performed<C>>) -> Ran<()> {
    match ran {
        Ran::Done { staged, .. } => Ran::Done { value: (), staged },
        Ran::Refused { refusal, read_set } => Ran::Refused { refusal, read_set },
        Ran::Load(wants) => Ran::Load(wants),
    }
}

/// A command and who asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub caller: Caller,
    pub command: AnyCommand,
}

/// Whose event it is, and an admin, so that refunds are this actor's business too.
pub const ORGANISER: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(1)),
    role: Role::Admin,
};

/// The customer of that number.
pub fn customer(number: u128) -> Actor {
    Actor {
        user_id: UserId::new(Uuid::from_u128(10 + number)),
        role: Role::Customer,
    }
}

/// One event on sale without an engine: what is asked is decided at once, and nothing is ever lost.
#[derive(Debug)]
pub struct House {
    pub draft: EventDraft,
    pub book: Book,
    pub now: Timestamp,
    /// Every fact, in the order of their commits.
    pub log: Vec<RecordedEvent>,
    /// Every stream that the book has been asked about.
    pub streams: BTreeSet<StreamId>,
    ids: CountingIds,
    deadlines: BTreeMap<DeadlineKey, Deadline>,
    calls: Vec<GatewayCall>,
    reservations: Vec<(ReservationId, Actor)>,
    payments: Vec<PaymentId>,
}

impl House {
    pub const EVENT: EventId = EventId::new(Uuid::from_u128(2));

    /// Creates the event, publishes it and opens sales, all at `now`.
    ///
    /// # Panics
    /// When the draft is not acceptable.
    pub fn on_sale(draft: EventDraft, now: Timestamp) -> Self {
        let mut house = Self::drafted(draft, now);
        for step in [Step::Publish, Step::OpenSales] {
            if let Some((_, Err(refusal))) = house.take(&step) {
                panic!("the event cannot go on sale: {refusal:?}");
            }
        }
        house
    }

    /// Creates the event at `now`.
    ///
    /// # Panics
    /// When the draft is not acceptable.
    pub fn drafted(draft: EventDraft, now: Timestamp) -> Self {
        let mut house = Self {
            draft: draft.clone(),
            book: Book::new(Self::EVENT.into()),
            now,
            log: Vec::new(),
            streams: BTreeSet::new(),
            ids: CountingIds::default(),
            deadlines: BTreeMap::new(),
            calls: Vec::new(),
            reservations: Vec::new(),
            payments: Vec::new(),
        };
        let create = CreateEvent {
            event_id: Self::EVENT,
            draft: Box::new(draft),
        };
        if let Err(refusal) = house.ask(&by(ORGANISER, create)) {
            panic!("the event cannot be created: {refusal:?}");
        }
        house
    }

    /// Does what the step says, if there is anything it could mean right now; returns the command and its answer.
    pub fn take(&mut self, step: &Step) -> Option<(Asked, Result<Staged, Refusal>)> {
        let asked = self.asked(step)?;
        let answer = self.ask(&asked);
        Some((asked, answer))
    }

    /// Runs a command on the book without writing what follows: that is only assumed.
    pub fn assume(&mut self, asked: &Asked) -> Result<Staged, Refusal> {
        loop {
            let ids = std::mem::take(&mut self.ids);
            let ctx = Context {
                now: self.now,
                ids: &ids,
                floor: newest(),
            };
            let ran = asked.command.run(&mut self.book, &ctx, asked.caller);
            self.ids = ids;
            match ran {
                Ran::Done { staged, .. } => return Ok(staged),
                Ran::Refused { refusal, .. } => return Err(refusal),
                Ran::Load(wants) => wants.0.into_iter().for_each(|(stream, after)| self.load(stream, after)),
            }
        }
    }

    /// Runs a command and writes what follows.
    pub fn ask(&mut self, asked: &Asked) -> Result<Staged, Refusal> {
        let staged = self.assume(asked)?;
        self.write(&staged, asked.caller);
        self.book.confirm(self.book.mark());
        Ok(staged)
    }

    fn load(&mut self, stream: StreamId, after: Version) {
        self.streams.insert(stream);
        let later = self
            .log
            .iter()
            .filter(|fact| fact.stream == stream && fact.version > after);
        let facts: Vec<_> = later.cloned().collect();
        self.book
            .absorb(stream, after, &facts, Page::Last)
            .expect("the log has what the book staged");
    }

    /// Writes what a command has led to into the log.
    pub fn write(&mut self, staged: &Staged, caller: Caller) {
        for fact in &staged.facts {
            let new = fact.fact.to_new_event(Metadata::default());
            self.streams.insert(fact.stream);
            self.log.push(RecordedEvent {
                position: Position(self.log.len() as u64 + 1),
                stream: fact.stream,
                version: fact.version,
                lane: self.book.lane(),
                commit_id: CommitId::new(Uuid::nil()),
                event_type: new.event_type,
                event_version: new.event_version,
                data: new.data,
                metadata: new.metadata,
                recorded_at: self.now,
            });
            let is_new = fact.version.0 == 1;
            if is_new && fact.stream.aggregate == Aggregate::Reservation {
                let Caller::Person(customer) = caller else {
                    panic!("people open reservations");
                };
                self.reservations.push((ReservationId::new(fact.stream.id), customer));
            }
            if is_new && fact.stream.aggregate == Aggregate::Payment {
                self.payments.push(PaymentId::new(fact.stream.id));
            }
        }
        for change in &staged.deadlines {
            match change {
                DeadlineChange::Set(deadline) => drop(self.deadlines.insert(deadline.key, *deadline)),
                DeadlineChange::Clear(key) => drop(self.deadlines.remove(key)),
            }
        }
        self.calls.extend(staged.calls.iter().cloned());
    }

    /// What the organiser said about the event, completed by the domain.
    ///
    /// # Panics
    /// Never: the first fact of a house says it.
    pub fn details(&self) -> Arc<EventDetails> {
        match CatalogEvent::from_recorded(&self.log[0]) {
            Ok(CatalogEvent::EventCreated(created)) => created.details,
            other => panic!("a house begins with its event: {other:?}"),
        }
    }

    /// The event as the write side shows it.
    ///
    /// # Panics
    /// Never: a house begins with its event.
    pub fn event(&self) -> EventView {
        let stream = StreamId::from(Self::EVENT);
        let facts: Vec<_> = self.log.iter().filter(|fact| fact.stream == stream).cloned().collect();
        let version = facts.last().map_or(Version::NONE, |fact| fact.version);
        let at = self.now;
        let view = command::view_again(&facts, &ViewOf { stream, version, at });
        view.ok().flatten().expect("a house begins with its event")
    }

    /// A section as the write side shows it; `None` if the viewer sees no such section.
    pub fn section(&mut self, viewer: Caller, name: &str) -> Option<SectionView> {
        let see = SeeSection {
            event_id: Self::EVENT,
            name: name.to_owned(),
        };
        self.see(viewer, &see).ok()
    }

    /// Answers a question from the book.
    ///
    /// # Errors
    /// When the viewer may not see it, or there is no such thing.
    pub fn see<Q: Question>(&mut self, viewer: Caller, question: &Q) -> Result<Q::Answer, Refusal> {
        loop {
            let ctx = Context {
                now: self.now,
                ids: &CountingIds::default(),
                floor: newest(),
            };
            match command::answer(&mut self.book, &ctx, viewer, question) {
                Ran::Done { value, .. } => return Ok(value),
                Ran::Refused { refusal, .. } => return Err(refusal),
                Ran::Load(wants) => wants.0.into_iter().for_each(|(stream, after)| self.load(stream, after)),
            }
        }
    }

    /// What a step means right now, if anything. Time passes by itself.
    pub fn asked(&mut self, step: &Step) -> Option<Asked> {
        let event_id = Self::EVENT;
        Some(match *step {
            Step::Wait { time } => {
                self.now += time;
                return None;
            }
            Step::Publish => by(ORGANISER, PublishEvent { event_id }),
            Step::OpenSales => by(ORGANISER, OpenSales { event_id }),
            Step::CloseSales => by(ORGANISER, CloseSales { event_id }),
            Step::CancelEvent => {
                let reason = None;
                by(ORGANISER, CancelEvent { event_id, reason })
            }
            Step::Block { section, seats, back } => self.block(section, seats, back)?,
            Step::Hold {
                customer: number,
                section,
                quantity,
                seats,
            } => {
                let section = &self.draft.sections[section % self.draft.sections.len()];
                let hold = HoldSeats {
                    event_id,
                    section: section.name.as_str().to_owned(),
                    quantity,
                    specific_seats: seats.and_then(|first| neighbours(&section.seating, first, quantity)),
                    customer: HoldFor::Caller,
                };
                by(customer(number), hold)
            }
            Step::Pay {
                by,
                reservation,
                payment,
                fresh,
            } => self.pay(by, reservation, payment, fresh)?,
            Step::Authorize { reservation } => {
                let (reservation_id, owner) = *some(&self.reservations, reservation)?;
                let method = card();
                by(owner, AuthorizePayment { reservation_id, method })
            }
            Step::CancelReservation {
                by: number,
                reservation,
            } => {
                let (reservation_id, owner) = *some(&self.reservations, reservation)?;
                by(number.map_or(owner, customer), CancelReservation { reservation_id })
            }
            Step::Refund { payment, amount } => {
                let refund = RefundPayment {
                    payment_id: *some(&self.payments, payment)?,
                    amount: amount.map(|amount| Money::new(amount, self.draft.currency)),
                    reason: Label::new("goodwill").expect("a short plain text"),
                };
                by(ORGANISER, refund)
            }
            Step::Answer { call, how } => {
                // The latest calls are the ones that matter most.
                let call = self.calls.iter().rev().nth(call)?;
                let (payment_id, answer) = (call.payment_id(), answer(call, how));
                world(ReportPayment { payment_id, answer })
            }
            Step::Stray { payment, how } => {
                let payment_id = *some(&self.payments, payment)?;
                let answer = match how % 4 {
                    0 => authorization(how),
                    1 => GatewayAnswer::Captured,
                    2 => GatewayAnswer::Voided,
                    _ => GatewayAnswer::NeverAuthorized,
                };
                world(ReportPayment { payment_id, answer })
            }
            Step::Deadline { which } => {
                let deadlines: Vec<_> = self.deadlines.values().collect();
                due(**some(&deadlines, which)?)
            }
        })
    }

    fn block(&self, section: usize, first: usize, back: bool) -> Option<Asked> {
        let section = &self.draft.sections[section % self.draft.sections.len()];
        let seats = match &section.seating {
            Seating::GeneralAdmission { .. } => TakenSeats::Places(1),
            seating @ Seating::Numbered { .. } => TakenSeats::Seats(neighbours(seating, first, 1)?),
        };
        let (event_id, section) = (Self::EVENT, section.name.as_str().to_owned());
        Some(if back {
            by(
                ORGANISER,
                UnblockSeats {
                    event_id,
                    section,
                    seats,
                },
            )
        } else {
            by(
                ORGANISER,
                BlockSeats {
                    event_id,
                    section,
                    seats,
                },
            )
        })
    }

    fn pay(&self, number: Option<u128>, reservation: usize, payment: Option<usize>, fresh: bool) -> Option<Asked> {
        let (reservation_id, owner) = *some(&self.reservations, reservation)?;
        let payment_id = match payment {
            Some(_) if fresh => Some(PaymentId::new(Uuid::from_u128(1_000_000 + self.log.len() as u128))),
            Some(payment) => some(&self.payments, payment).copied(),
            None => None,
        };
        let method = match payment {
            None if fresh => paypal(),
            _ => card(),
        };
        let pay = PayReservation {
            reservation_id,
            payment_id,
            method: Some(method),
        };
        Some(by(number.map_or(owner, customer), pay))
    }
}

/// A command that somebody asks for.
pub fn by(actor: Actor, command: impl Into<AnyCommand>) -> Asked {
    Asked {
        caller: actor.into(),
        command: command.into(),
    }
}

fn world(command: impl Into<AnyCommand>) -> Asked {
    Asked {
        caller: Caller::World,
        command: command.into(),
    }
}

fn due(deadline: Deadline) -> Asked {
    match deadline.key.kind {
        DeadlineKind::HoldExpiry => world(ExpireHold { deadline }),
        DeadlineKind::GatewayRetry => world(RetryPayment { deadline }),
        DeadlineKind::CancellationChunk => world(SettleCancellation { deadline }),
        DeadlineKind::EventStart => world(CompleteEvent { deadline }),
    }
}

/// So many seats of one row from that place of the section on; beyond the end of the row they do not exist. Nothing in
/// general admission.
fn neighbours(seating: &Seating, first: usize, quantity: u32) -> Option<Vec<SeatId>> {
    let Seating::Numbered { rows } = seating else {
        return None;
    };
    let mut place = u32::try_from(first).ok()? % seating.capacity().max(1);
    let row = rows.iter().find(|row| {
        let here = place < row.seats;
        if !here {
            place -= row.seats;
        }
        here
    })?;
    let seat = |number| SeatId {
        row: row.row.clone(),
        number,
    };
    Some((place + 1..=place + quantity).map(seat).collect())
}

fn some<T>(all: &[T], number: usize) -> Option<&T> {
    (!all.is_empty()).then(|| &all[all.len() - 1 - number % all.len()])
}

fn answer(call: &GatewayCall, how: u8) -> GatewayAnswer {
    match call {
        GatewayCall::Authorize { .. } | GatewayCall::LookUp { .. } => authorization(how),
        GatewayCall::Capture { .. } => GatewayAnswer::Captured,
        GatewayCall::Void { .. } => GatewayAnswer::Voided,
        GatewayCall::Refund { refund_id, .. } => GatewayAnswer::Refunded(*refund_id),
    }
}

fn authorization(how: u8) -> GatewayAnswer {
    match how {
        0..130 => GatewayAnswer::Authorized(Authorization::Approved { last_four: None }),
        130..150 => GatewayAnswer::Authorized(must_act()),
        150..165 => GatewayAnswer::Authorized(Authorization::Pending { ask_again_at: None }),
        165..220 => GatewayAnswer::Authorized(Authorization::Declined {
            reason: DeclineReason::Declined,
        }),
        _ => GatewayAnswer::NeverAuthorized,
    }
}

fn must_act() -> Authorization {
    let until = DateTime::from_timestamp(4_000_000_000, 0).expect("a date within range");
    Authorization::MustAct(NextAction::redirect("https://bank.test/agree", until))
}

fn paypal() -> PaymentMethod {
    PaymentMethod {
        kind: MethodKind::Paypal,
        token: MethodToken::new("tok_paypal").expect("a token, not a card number"),
    }
}

fn card() -> PaymentMethod {
    PaymentMethod {
        kind: MethodKind::Card,
        token: MethodToken::new("tok_visa").expect("a token, not a card number"),
    }
}
