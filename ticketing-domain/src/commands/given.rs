//! Helpers for tests of commands: they set up an event and its history, run a command, and show what followed.

mod requests;

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta};
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::{Deadline, DeadlineChange, DeadlineKind};
use ticketing_ports::log::identity::SchemaGeneration;
use ticketing_ports::log::streams::{Aggregate, Metadata, StreamId, Version};
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::vocabulary::event_details::{PricingTier, Venue};
use ticketing_ports::vocabulary::ids::{IdSource, PaymentId, ReservationId, UserId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::payment::{NextAction, PaymentMethod};
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::{RowPlan, SeatCounts, Seating};
use uuid::Uuid;

use super::{
    AuthorizePayment, CancelEvent, CreateEvent, GatewayAnswer, OpenSales, PublishEvent, ReportPayment,
    SettleCancellation,
};
use crate::book::{Book, Caller, Page, Ran, Staged, Stop, UnitOfWork};
use crate::catalog::{EventDraft, Listing, SectionDraft};
use crate::command::{Command, Performed, perform};
use crate::generations::newest;
use crate::inventory::Inventory;
use crate::payment::GatewayCall;
use crate::reducer::Context;
use crate::refusal::Refusal;

pub(super) use requests::{EVENT, balcony, card, floor, floor_and_balcony, label, paying, paypal, seat};

/// The types of the facts that follow when money is set aside for a payment, and the customer starts another payment
/// with another means of payment.
pub(super) const ANOTHER_INSTEAD: [&str; 4] = [
    "ReservationPaymentGivenUp",
    "VoidRequested",
    "ReservationPaymentStarted",
    "PaymentRequested",
];
pub(super) const ORGANISER: Actor = actor(1, Role::EventOwner);
pub(super) const ADMIN: Actor = actor(5, Role::Admin);
pub(super) const ALICE: Actor = actor(10, Role::Customer);
pub(super) const BOB: Actor = actor(11, Role::Customer);

const fn actor(id: u128, role: Role) -> Actor {
    Actor {
        user_id: UserId::new(Uuid::from_u128(id)),
        role,
    }
}

#[derive(Debug, Default)]
struct CountingIds(AtomicU64);

impl IdSource for CountingIds {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(1_000 + u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }
}

/// A box office for tests, with one lane, in which the facts of a command count as committed at once. A stream that
/// is missing in the book is loaded as a stream without facts.
pub(super) struct House {
    pub(super) now: Timestamp,
    pub(super) schema_floor: SchemaGeneration,
    pub(super) max_live_holds: Option<u32>,
    book: Book,
    ids: CountingIds,
    deadlines: Vec<Deadline>,
    calls: Vec<GatewayCall>,
}

/// What followed from one command.
#[derive(Debug)]
pub(super) struct Happened<C: Command> {
    pub(super) performed: Performed<C>,
    pub(super) staged: Staged,
}

impl<C: Command> Happened<C> {
    /// Returns the types of the facts, in their order.
    pub(super) fn facts(&self) -> Vec<String> {
        let new = self
            .staged
            .facts
            .iter()
            .map(|staged| staged.fact.to_new_event(Metadata::default()));
        new.map(|event| event.event_type.into_owned()).collect()
    }

    pub(super) fn reply(self) -> C::Reply {
        match self.performed {
            Performed::Replied { reply, .. } => reply,
            other => panic!("no reply: {other:?}"),
        }
    }
}

/// Makes a box office with one draft: a floor of five places and a balcony of four seats, at 25.00 each.
pub(super) fn a_draft() -> House {
    a_draft_with(|_| {})
}

fn a_draft_with(change: impl FnOnce(&mut EventDraft)) -> House {
    let mut house = House::empty();
    let mut draft = Box::new(house.draft());
    change(&mut draft);
    house
        .asks(ORGANISER, CreateEvent { event_id: EVENT, draft })
        .expect("the catalog accepts the draft");
    house
}

pub(super) fn on_sale() -> House {
    opened(a_draft())
}

/// Makes a box office with the same event on sale, but with seats that cost nothing.
pub(super) fn free_on_sale() -> House {
    House::with(|draft| {
        for tier in &mut draft.pricing_tiers {
            tier.price.amount = 0;
        }
    })
}

fn opened(mut house: House) -> House {
    house
        .asks(ORGANISER, PublishEvent { event_id: EVENT })
        .expect("the organiser can publish a draft");
    house
        .asks(ORGANISER, OpenSales { event_id: EVENT })
        .expect("the organiser can open the sales of a published event");
    house
}

impl House {
    /// Makes a box office without an event.
    pub(super) fn empty() -> Self {
        Self {
            now: DateTime::from_timestamp(1_800_000_000, 0).expect("the seconds are within the range of dates"),
            schema_floor: newest(),
            max_live_holds: None,
            book: Book::new(EVENT.into()),
            ids: CountingIds::default(),
            deadlines: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// Makes a box office with the event on sale after `change` was made to its draft.
    pub(super) fn with(change: impl FnOnce(&mut EventDraft)) -> Self {
        opened(a_draft_with(change))
    }

    pub(super) fn draft(&self) -> EventDraft {
        let tier =
            |section: &str| PricingTier::always(label(section), label("regular"), Money::new(2_500, Currency::EUR));
        let rows = vec![RowPlan::numbered(label("A"), 4)];
        EventDraft {
            hold_seconds: Some(300),
            ..EventDraft::new(
                label("An evening"),
                Currency::EUR,
                self.now + TimeDelta::days(30),
                Venue {
                    name: label("Hall"),
                    city: label("Ghent"),
                    country: label("BE"),
                    timezone: label("Europe/Brussels"),
                },
                vec![
                    SectionDraft::new(label("Floor"), Seating::GeneralAdmission { capacity: 5 }),
                    SectionDraft::new(label("Balcony"), Seating::Numbered { rows }),
                ],
                vec![tier("Floor"), tier("Balcony")],
            )
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "tests build each command right in the call"
    )]
    pub(super) fn asks<C: Command>(&mut self, by: impl Into<Caller>, command: C) -> Result<Happened<C>, Refusal> {
        let caller = by.into();
        loop {
            let ctx = Context {
                now: self.now,
                ids: &self.ids,
                floor: self.schema_floor,
                max_live_holds: self.max_live_holds,
            };
            match perform(&mut self.book, &ctx, caller, &command) {
                Ran::Refused { refusal, .. } => return Err(refusal),
                Ran::Load(wants) => {
                    for stream in wants.0.into_keys() {
                        let read = self.book.absorb(stream, Version::NONE, &[], Page::Last);
                        read.expect("the book can take in a stream without facts");
                    }
                }
                Ran::Done { value, staged } => {
                    self.book.confirm(self.book.savepoint());
                    self.note(&staged);
                    return Ok(Happened {
                        performed: value,
                        staged,
                    });
                }
            }
        }
    }

    fn note(&mut self, staged: &Staged) {
        for change in &staged.deadlines {
            self.deadlines.retain(|deadline| deadline.key != change.key());
            if let DeadlineChange::Set(deadline) = change {
                self.deadlines.push(*deadline);
            }
        }
        self.calls.extend(staged.calls.iter().cloned());
    }

    pub(super) fn wait(&mut self, seconds: i64) {
        self.now += TimeDelta::seconds(seconds);
    }

    /// Returns the deadline of this kind; `None` if none is set.
    pub(super) fn deadline(&self, kind: DeadlineKind) -> Option<Deadline> {
        self.deadlines
            .iter()
            .find(|deadline| deadline.key.kind == kind)
            .copied()
    }

    /// Cancels the event, and settles its reservations when the deadline comes.
    pub(super) fn cancel_event_and_settle(&mut self) -> Happened<SettleCancellation> {
        let (event_id, reason) = (EVENT, None);
        self.asks(ORGANISER, CancelEvent { event_id, reason })
            .expect("the organiser may cancel the event");
        let deadline = self.deadline(DeadlineKind::CancellationChunk);
        let deadline = deadline.expect("a cancelled event has a deadline for its reservations");
        self.asks(Caller::World, SettleCancellation { deadline })
            .expect("a deadline is never refused")
    }

    /// Returns the counts of a section.
    pub(super) fn counts(&mut self, section: &str) -> SeatCounts {
        self.looks(|unit| {
            let id = unit.listing()?.details.section(section).map(|found| found.section_id);
            let id = id.ok_or_else(|| Refusal::no_section(section))?;
            Ok(unit.get::<Inventory>(id)?.counts(unit.now()))
        })
    }

    /// Returns the catalog entry of the event.
    pub(super) fn listing(&mut self) -> Listing {
        self.looks(|unit| Ok(unit.listing()?.clone()))
    }

    /// Returns what somebody sees, all of whose streams are in memory.
    pub(super) fn sees<T: std::fmt::Debug>(&mut self, by: Caller, look: impl FnOnce(&UnitOfWork<'_>) -> T) -> T {
        self.looks_as(by, |unit| Ok(look(unit)))
    }

    fn looks<T: std::fmt::Debug>(&mut self, look: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, Stop>) -> T {
        self.looks_as(Caller::World, look)
    }

    fn looks_as<T: std::fmt::Debug>(
        &mut self,
        by: Caller,
        look: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, Stop>,
    ) -> T {
        let ctx = Context {
            now: self.now,
            ids: &self.ids,
            floor: self.schema_floor,
            max_live_holds: self.max_live_holds,
        };
        match self.book.run(&ctx, by, look) {
            Ran::Done { value, .. } => value,
            other => panic!("what the test asks for cannot be seen: {other:?}"),
        }
    }

    pub(super) fn calls(&self) -> &[GatewayCall] {
        &self.calls
    }

    /// Holds `quantity` places on the floor, the section of general admission.
    pub(super) fn hold(&mut self, by: Actor, quantity: u32) -> ReservationId {
        let held = self
            .asks(by, floor(quantity))
            .expect("enough places are free for the hold");
        held.reply().reservation_id
    }

    /// Starts a payment by card, which the gateway has not answered yet.
    pub(super) fn start_paying(&mut self, by: Actor, reservation_id: ReservationId) -> PaymentId {
        let started = self
            .asks(by, paying(reservation_id))
            .expect("the customer can pay for the hold");
        let payments = started.staged.facts.iter().map(|fact| fact.stream);
        let payment = payments
            .into_iter()
            .find(|stream| stream.aggregate == Aggregate::Payment);
        PaymentId::new(payment.expect("one of the facts is of the new payment").id)
    }

    /// Starts a payment, and then reports in the gateway's place that the money is set aside.
    pub(super) fn authorise(&mut self, by: Actor, reservation_id: ReservationId, method: PaymentMethod) -> PaymentId {
        self.asks(by, AuthorizePayment { reservation_id, method })
            .expect("the customer can pay for the hold");
        let payment_id = self
            .calls
            .last()
            .expect("the command has called the gateway")
            .payment_id();
        self.gateway_says(payment_id, approved());
        payment_id
    }

    pub(super) fn gateway_says(&mut self, payment_id: PaymentId, answer: GatewayAnswer) -> Vec<String> {
        let report = ReportPayment { payment_id, answer };
        self.asks(Caller::World, report)
            .expect("the payment that the gateway reports on exists")
            .facts()
    }

    /// Holds `quantity` places on the floor and pays for them.
    pub(super) fn buy(&mut self, by: Actor, quantity: u32) -> (ReservationId, PaymentId) {
        let reservation_id = self.hold(by, quantity);
        let payment_id = self.start_paying(by, reservation_id);
        self.gateway_says(payment_id, approved());
        self.gateway_says(payment_id, GatewayAnswer::Captured);
        (reservation_id, payment_id)
    }

    pub(super) fn version(&self, stream: impl Into<StreamId>) -> Option<Version> {
        self.book.version(stream.into())
    }
}

/// Makes the answer by which the gateway says that the customer has to confirm the payment on the bank's page. The
/// customer can do so until this many seconds after the beginning of the test.
pub(super) fn must_act(seconds: i64) -> GatewayAnswer {
    let until = a_draft().now + TimeDelta::seconds(seconds);
    GatewayAnswer::Authorized(Authorization::MustAct(NextAction::redirect("https://bank.test", until)))
}

pub(super) fn approved() -> GatewayAnswer {
    GatewayAnswer::Authorized(Authorization::Approved { last_four: None })
}
