//! Chooses the command that a step of a script means at the moment.

use chrono::DateTime;
use ticketing_domain::book::Caller;
use ticketing_domain::commands::{
    AuthorizePayment, BlockSeats, CancelEvent, CancelReservation, CloseSales, ExtendHold, GatewayAnswer, HoldFor,
    HoldSeats, OpenSales, PayReservation, PublishEvent, RefundPayment, ReportPayment, UnblockSeats, WantedLine,
};
use ticketing_domain::inventory::TakenSeats;
use ticketing_domain::payment::GatewayCall;
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::vocabulary::ids::{PaymentId, ReservationId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::payment::{DeclineReason, MethodKind, MethodToken, NextAction, PaymentMethod};
use ticketing_ports::vocabulary::seating::{Label, SeatId, Seating};
use uuid::Uuid;

use super::House;
use crate::generators::purchases::Step;
use crate::generators::purchases::asked::{Asked, ORGANISER, by, customer, due, world};

impl House {
    /// Returns the command that a step means at the moment; `None` if it means nothing. A step that waits moves the
    /// clock.
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
                next_section,
                with_code,
            } => {
                let lines = self.lines(section, quantity, seats, next_section);
                by(customer(number), hold_of(lines, with_code))
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
            Step::Extend { by: who, reservation } => {
                let (reservation_id, asking) = self.reservation(who, reservation)?;
                by(asking, ExtendHold { reservation_id })
            }
            Step::CancelReservation { by: who, reservation } => {
                let (reservation_id, asking) = self.reservation(who, reservation)?;
                by(asking, CancelReservation::from(reservation_id))
            }
            Step::Refund { payment, amount } => {
                let refund = RefundPayment {
                    payment_id: *some(&self.payments, payment)?,
                    amount: amount.map(|amount| Money::new(amount, self.draft.currency)),
                    reason: Label::new("goodwill").expect("a short plain text is a valid label"),
                };
                by(ORGANISER, refund)
            }
            Step::Answer { call, how } => {
                // A step with number 0 means the latest call, 1 the one before it, and so on: late calls are the most
                // interesting.
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

    /// Chooses a reservation, and returns who asks about it: the customer of that number, or the one whose it is.
    fn reservation(&self, who: Option<u128>, reservation: usize) -> Option<(ReservationId, Caller)> {
        let (reservation_id, owner) = *some(&self.reservations, reservation)?;
        Some((reservation_id, who.map_or(owner, |number| customer(number).into())))
    }

    /// Makes the lines of an order: `quantity` seats of one section, and `of_next` seats more unless `of_next` is `None`.
    /// These are of the section after it, or sometimes of the last ticket type of the same section.
    fn lines(&self, section: usize, quantity: u32, seats: Option<usize>, of_next: Option<u32>) -> Vec<WantedLine> {
        let sections = &self.draft.sections;
        let number = section % sections.len();
        let section = &sections[number];
        // Sometimes no type is named, and sometimes one of the section's.
        let types = &section.ticket_types;
        let ticket_type = types.get(quantity as usize % (types.len() + 1));
        let line = WantedLine {
            section: section.name.as_str().to_owned(),
            ticket_type: ticket_type.map(|of| of.name.as_str().to_owned()),
            quantity,
            specific_seats: seats.and_then(|first| neighbours(&section.seating, first, quantity)),
        };
        let next = of_next.map(|of_next| {
            let is_same = !types.is_empty() && (quantity + of_next).is_multiple_of(2);
            let next = if is_same {
                section
            } else {
                &sections[(number + 1) % sections.len()]
            };
            let after = seats.filter(|_| is_same).map(|first| first + quantity as usize);
            WantedLine {
                section: next.name.as_str().to_owned(),
                ticket_type: next.ticket_types.last().map(|of| of.name.as_str().to_owned()),
                quantity: of_next,
                specific_seats: after.and_then(|first| neighbours(&next.seating, first, of_next)),
            }
        });
        std::iter::once(line).chain(next).collect()
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
        Some(by(number.map_or(owner, |number| customer(number).into()), pay))
    }
}

/// Returns `quantity` seats of one row that follow each other. `first` is the number of the first seat within the whole
/// section. The last seats may lie beyond the end of the row. `None` in a section of general admission.
fn neighbours(seating: &Seating, first: usize, quantity: u32) -> Option<Vec<SeatId>> {
    let Seating::Numbered { rows } = seating else {
        return None;
    };
    let mut place = u32::try_from(first).ok()? % seating.capacity().max(1);
    let row = rows.iter().find(|row| {
        let here = place < row.places.seats();
        if !here {
            place -= row.places.seats();
        }
        here
    })?;
    let beyond = (1_000..).map(|number| SeatId::numbered(row.row.clone(), number));
    let seats = row.seats().chain(beyond).skip(place as usize);
    Some(seats.take(quantity as usize).collect())
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
    let until = DateTime::from_timestamp(4_000_000_000, 0).expect("the date is within range");
    Authorization::MustAct(NextAction::redirect("https://bank.test/agree", until))
}

fn paypal() -> PaymentMethod {
    PaymentMethod {
        kind: MethodKind::Paypal,
        token: MethodToken::new("tok_paypal").expect("the token is valid, because it is no card number"),
    }
}

fn card() -> PaymentMethod {
    PaymentMethod {
        kind: MethodKind::Card,
        token: MethodToken::new("tok_visa").expect("the token is valid, because it is no card number"),
    }
}

fn hold_of(lines: Vec<WantedLine>, with_code: bool) -> HoldSeats {
    HoldSeats {
        event_id: House::EVENT,
        lines,
        customer: HoldFor::Caller,
        code: with_code.then(|| House::CODE.to_lowercase()),
    }
}
