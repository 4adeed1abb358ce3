//! One book that random people, gateways and timers get at, and the log of everything it staged.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use proptest::collection::vec;
use proptest::prelude::*;
use ticketing_domain::book::{Command, EventBook, GatewayAnswer, Work};
use ticketing_domain::catalog::{EventDraft, SectionDraft};
use ticketing_domain::payment::GatewayCall;
use ticketing_domain::reducer::Context;
use ticketing_domain::refusal::Refusal;
use ticketing_ports::Timestamp;
use ticketing_ports::deadlines::{Deadline, DeadlineChange, DeadlineKey};
use ticketing_ports::event_details::{PricingTier, RefundRule, Venue};
use ticketing_ports::gateway::{Authorization, DeclineReason};
use ticketing_ports::ids::{CommitId, EventId, PaymentId, ReservationId, UserId};
use ticketing_ports::money::{Currency, Money};
use ticketing_ports::payment::{MethodKind, MethodToken, PaymentMethod};
use ticketing_ports::roles::{Actor, Role};
use ticketing_ports::seating::{Label, RowPlan, SeatId, Seating};
use ticketing_ports::streams::{Aggregate, Metadata, Position, RecordedEvent, StreamId};
use ticketing_testkit::scenario::{CountingIds, start};
use uuid::Uuid;

pub(crate) const SECTIONS: [&str; 2] = ["Floor", "Balcony"];
pub(crate) const ORGANISER: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(1)),
    role: Role::Admin,
};
const EVENT: EventId = EventId::new(Uuid::from_u128(2));

/// Numbers choose among what is there at that moment.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Hold {
        customer: u128,
        section: usize,
        quantity: u32,
        seats: Option<u32>,
    },
    Pay {
        by: Option<u128>,
        reservation: usize,
        payment: Option<usize>,
        fresh: bool,
    },
    Authorize {
        reservation: usize,
    },
    CancelReservation {
        by: Option<u128>,
        reservation: usize,
    },
    Refund {
        payment: usize,
        cents: Option<i64>,
    },
    /// The gateway answers a call, perhaps one that it has answered before.
    Answer {
        call: usize,
        how: u8,
    },
    /// An answer that nobody asked for.
    Stray {
        payment: usize,
        how: u8,
    },
    /// A deadline is delivered, due or not, perhaps for the second time.
    Deadline {
        which: usize,
    },
    Wait {
        seconds: i64,
    },
    OpenSales,
    CloseSales,
    CancelEvent,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let n = || 0..6_usize;
    let by = || prop_oneof![9 => Just(None), 1 => (0..3_u128).prop_map(Some)];
    let step = prop_oneof![
        12 => (0..3_u128, 0..2_usize, 1..4_u32, prop::option::of(1..4_u32))
            .prop_map(|(customer, section, quantity, seats)| Step::Hold { customer, section, quantity, seats }),
        12 => (by(), n(), prop::option::weighted(0.3, n()), any::<bool>())
            .prop_map(|(by, reservation, payment, fresh)| Step::Pay { by, reservation, payment, fresh }),
        3 => n().prop_map(|reservation| Step::Authorize { reservation }),
        4 => (by(), n()).prop_map(|(by, reservation)| Step::CancelReservation { by, reservation }),
        3 => (n(), prop::option::of(1..6_000_i64)).prop_map(|(payment, cents)| Step::Refund { payment, cents }),
        30 => (n(), any::<u8>()).prop_map(|(call, how)| Step::Answer { call, how }),
        2 => (n(), any::<u8>()).prop_map(|(payment, how)| Step::Stray { payment, how }),
        12 => n().prop_map(|which| Step::Deadline { which }),
        8 => prop_oneof![6 => 1..40_i64, 3 => 40..400_i64, 1 => Just(3 * 86_400)]
            .prop_map(|seconds| Step::Wait { seconds }),
        2 => Just(Step::OpenSales),
        1 => Just(Step::CloseSales),
        1 => Just(Step::CancelEvent),
    ];
    vec(step, 1..30)
}

pub(crate) struct House {
    pub(crate) book: EventBook,
    pub(crate) now: Timestamp,
    pub(crate) log: Vec<RecordedEvent>,
    pub(crate) streams: BTreeSet<StreamId>,
    ids: CountingIds,
    deadlines: BTreeMap<DeadlineKey, Deadline>,
    calls: Vec<GatewayCall>,
    reservations: Vec<(ReservationId, Actor)>,
    payments: Vec<PaymentId>,
}

impl House {
    /// On sale.
    pub(crate) fn open() -> Self {
        let mut house = Self {
            book: EventBook::new(EVENT),
            now: start(),
            log: Vec::new(),
            streams: BTreeSet::new(),
            ids: CountingIds::default(),
            deadlines: BTreeMap::new(),
            calls: Vec::new(),
            reservations: Vec::new(),
            payments: Vec::new(),
        };
        let by = ORGANISER;
        let draft = Box::new(draft(house.now));
        for command in [
            Command::CreateEvent { by, draft },
            Command::Publish { by },
            Command::OpenSales { by },
        ] {
            house.handle(&command).unwrap();
        }
        house
    }

    /// Does what the step says, if there is anything it could mean right now; returns the command and its answer.
    pub(crate) fn take(&mut self, step: &Step) -> Option<(Command, Result<Work, Refusal>)> {
        let command = self.command(step)?;
        let answer = self.handle(&command);
        Some((command, answer))
    }

    /// Loads what is missing without handling anything.
    pub(crate) fn prepare(&mut self, command: &Command) {
        loop {
            let missing = self.book.missing(command);
            if missing.is_empty() {
                return;
            }
            for stream in missing {
                self.streams.insert(stream);
                let events: Vec<_> = self.log.iter().filter(|fact| fact.stream == stream).cloned().collect();
                self.book.load(stream, &events).unwrap();
            }
        }
    }

    pub(crate) fn handle(&mut self, command: &Command) -> Result<Work, Refusal> {
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
                commit_id: CommitId::new(Uuid::nil()),
                event_type: new.event_type,
                event_version: new.event_version,
                data: new.data,
                metadata: new.metadata,
                recorded_at: self.now,
            });
            let is_new = fact.version.0 == 1;
            if is_new && fact.stream.aggregate == Aggregate::Reservation {
                let customer = command.by().unwrap();
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
            Step::Wait { seconds } => {
                self.now += TimeDelta::seconds(seconds);
                return None;
            }
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
                let named = seats.filter(|_| section == 1).map(|first| {
                    let seat = |n| SeatId::parse(&format!("A-{n}")).unwrap();
                    (first..first + quantity).map(seat).collect()
                });
                Command::Hold {
                    by: customer(number),
                    customer_id: None,
                    section: SECTIONS[section].to_owned(),
                    quantity,
                    specific_seats: named,
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
            Step::Refund { payment, cents } => Command::Refund {
                by: ORGANISER,
                payment_id: *some(&self.payments, payment)?,
                amount: cents.map(|cents| Money::new(cents, Currency::EUR)),
                reason: Label::new("goodwill").unwrap(),
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

fn customer(number: u128) -> Actor {
    Actor {
        user_id: UserId::new(Uuid::from_u128(10 + number)),
        role: Role::Customer,
    }
}

fn card() -> PaymentMethod {
    PaymentMethod {
        kind: MethodKind::Card,
        token: MethodToken::new("tok_visa").unwrap(),
    }
}

fn draft(now: Timestamp) -> EventDraft {
    let label = |text: &str| Label::new(text).unwrap();
    let tier = |section: &str, cents: i64| PricingTier {
        section: label(section),
        tier: label("regular"),
        price: Money::new(cents, Currency::EUR),
        available_from: None,
        available_until: None,
    };
    let row = |row: &str, seats: u32| RowPlan { row: label(row), seats };
    EventDraft {
        name: label("A lawful evening"),
        category: None,
        genre: None,
        currency: Currency::EUR,
        starts_at: now + TimeDelta::days(5),
        venue: Venue {
            name: label("Hall"),
            city: label("Ghent"),
            country: label("BE"),
            timezone: label("Europe/Brussels"),
        },
        sections: vec![
            SectionDraft {
                name: label(SECTIONS[0]),
                seating: Seating::GeneralAdmission { capacity: 5 },
            },
            SectionDraft {
                name: label(SECTIONS[1]),
                seating: Seating::Numbered {
                    rows: vec![row("A", 4), row("B", 2)],
                },
            },
        ],
        pricing_tiers: vec![tier(SECTIONS[0], 1_001), tier(SECTIONS[1], 5_003)],
        hold_seconds: Some(60),
        max_seats_per_order: Some(4),
        refund_policy: Some(vec![RefundRule {
            hours_before: 72,
            percent: 50,
        }]),
    }
}
