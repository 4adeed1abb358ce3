//! One book that people, gateways and timers get at, and the log of everything it staged.

use std::collections::{BTreeMap, BTreeSet};

use ticketing_domain::book::{Command, EventBook, GatewayAnswer, Work};
use ticketing_domain::catalog::EventDraft;
use ticketing_domain::payment::GatewayCall;
use ticketing_domain::reducer::Context;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::Timestamp;
use ticketing_ports::deadlines::{Deadline, DeadlineChange, DeadlineKey};
use ticketing_ports::gateway::{Authorization, DeclineReason};
use ticketing_ports::ids::{CommitId, EventId, PaymentId, ReservationId, UserId};
use ticketing_ports::money::Money;
use ticketing_ports::payment::{MethodKind, MethodToken, PaymentMethod};
use ticketing_ports::roles::{Actor, Role};
use ticketing_ports::seating::{Label, SeatId, Seating};
use ticketing_ports::streams::{Aggregate, Metadata, Position, RecordedEvent, StreamId};
use uuid::Uuid;

use super::Step;
use crate::scenario::CountingIds;

/// Whose event it is, and an admin, so that refunds are this actor's business too.
pub const ORGANISER: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(1)),
    role: Role::Admin,
};
const EVENT: EventId = EventId::new(Uuid::from_u128(2));

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
    pub book: EventBook,
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
            book: EventBook::new(EVENT),
            now,
            log: Vec::new(),
            streams: BTreeSet::new(),
            ids: CountingIds::default(),
            deadlines: BTreeMap::new(),
            calls: Vec::new(),
            reservations: Vec::new(),
            payments: Vec::new(),
        };
        let create = Command::CreateEvent {
            by: ORGANISER,
            draft: Box::new(draft),
        };
        if let Err(refusal) = house.handle(&create) {
            panic!("the event cannot be created: {refusal:?}");
        }
        house
    }

    /// Does what the step says, if there is anything it could mean right now; returns the command and its answer.
    pub fn take(&mut self, step: &Step) -> Option<(Command, Result<Work, Refusal>)> {
        let command = self.command(step)?;
        let answer = self.handle(&command);
        Some((command, answer))
    }

    /// Loads what is missing without handling anything.
    pub fn prepare(&mut self, command: &Command) {
        loop {
            let missing = self.book.missing(command);
            if missing.is_empty() {
                return;
            }
            for stream in missing {
                self.streams.insert(stream);
                let events: Vec<_> = self.log.iter().filter(|fact| fact.stream == stream).cloned().collect();
                self.book
                    .load(stream, &events)
                    .expect("the log has what the book staged");
            }
        }
    }

    pub fn handle(&mut self, command: &Command) -> Result<Work, Refusal> {
        self.prepare(command);
        let ctx = Context {
            now: self.now,
            ids: &self.ids,
        };
        let work = self.book.handle(command, &ctx)?;
        for fact in &work.facts {
            let new = fact.to_new_event(Metadata::default());
            self.streams.insert(fact.stream);
            self.log.push(RecordedEvent {
                position: Position(self.log.len() as u64 + 1),
                stream: fact.stream,
                version: fact.version,
                lane: self.book.event_id().into(),
                commit_id: CommitId::new(Uuid::nil()),
                event_type: new.event_type,
                event_version: new.event_version,
                data: new.data,
                metadata: new.metadata,
                recorded_at: self.now,
            });
            let is_new = fact.version.0 == 1;
            if is_new && fact.stream.aggregate == Aggregate::Reservation {
                let customer = command.by().expect("people open reservations");
                self.reservations.push((ReservationId::new(fact.stream.id), customer));
            }
            if is_new && fact.stream.aggregate == Aggregate::Payment {
                self.payments.push(PaymentId::new(fact.stream.id));
            }
        }
        for change in &work.deadlines {
            match change {
                DeadlineChange::Set(deadline) => drop(self.deadlines.insert(deadline.key, *deadline)),
                DeadlineChange::Clear(key) => drop(self.deadlines.remove(key)),
            }
        }
        self.calls.extend(work.calls.iter().cloned());
        Ok(work)
    }

    fn command(&mut self, step: &Step) -> Option<Command> {
        let some_reservation = |reservation: usize| some(&self.reservations, reservation).copied();
        Some(match *step {
            Step::Wait { time } => {
                self.now += time;
                return None;
            }
            Step::Publish => Command::Publish { by: ORGANISER },
            Step::OpenSales => Command::OpenSales { by: ORGANISER },
            Step::CloseSales => Command::CloseSales { by: ORGANISER },
            Step::CancelEvent => Command::CancelEvent {
                by: ORGANISER,
                reason: None,
            },
            Step::Hold {
                customer: number,
                section,
                quantity,
                seats,
            } => {
                let section = &self.draft.sections[section % self.draft.sections.len()];
                Command::Hold {
                    by: customer(number),
                    customer_id: None,
                    section: section.name.as_str().to_owned(),
                    quantity,
                    specific_seats: seats.and_then(|first| neighbours(&section.seating, first, quantity)),
                }
            }
            Step::Pay {
                by,
                reservation,
                payment,
                fresh,
            } => {
                let (reservation_id, owner) = some_reservation(reservation)?;
                let payment_id = match payment {
                    Some(_) if fresh => Some(PaymentId::new(Uuid::from_u128(1_000_000 + self.log.len() as u128))),
                    Some(payment) => some(&self.payments, payment).copied(),
                    None => None,
                };
                Command::Pay {
                    by: by.map_or(owner, customer),
                    reservation_id,
                    payment_id,
                    method: Some(card()),
                }
            }
            Step::Authorize { reservation } => {
                let (reservation_id, by) = some_reservation(reservation)?;
                let method = card();
                Command::Authorize {
                    by,
                    reservation_id,
                    method,
                }
            }
            Step::CancelReservation { by, reservation } => {
                let (reservation_id, owner) = some_reservation(reservation)?;
                let by = by.map_or(owner, customer);
                Command::CancelReservation { by, reservation_id }
            }
            Step::Refund { payment, amount } => Command::Refund {
                by: ORGANISER,
                payment_id: *some(&self.payments, payment)?,
                amount: amount.map(|amount| Money::new(amount, self.draft.currency)),
                reason: Label::new("goodwill").expect("a short plain text"),
            },
            Step::Answer { call, how } => {
                // The latest calls are the ones that matter most.
                let call = self.calls.iter().rev().nth(call)?;
                Command::GatewayAnswered {
                    payment_id: call.payment_id(),
                    answer: answer(call, how),
                }
            }
            Step::Stray { payment, how } => {
                let payment_id = *some(&self.payments, payment)?;
                let answer = match how % 4 {
                    0 => authorization(how),
                    1 => GatewayAnswer::Captured,
                    2 => GatewayAnswer::Voided,
                    _ => GatewayAnswer::NeverAuthorized,
                };
                Command::GatewayAnswered { payment_id, answer }
            }
            Step::Deadline { which } => {
                let deadlines: Vec<_> = self.deadlines.values().collect();
                Command::DeadlineDue(**some(&deadlines, which)?)
            }
        })
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
        0..150 => GatewayAnswer::Authorized(Authorization::Approved { last_four: None }),
        150..220 => GatewayAnswer::Authorized(Authorization::Declined {
            reason: DeclineReason::Declined,
        }),
        _ => GatewayAnswer::NeverAuthorized,
    }
}

fn card() -> PaymentMethod {
    PaymentMethod {
        kind: MethodKind::Card,
        token: MethodToken::new("tok_visa").expect("a token, not a card number"),
    }
}
