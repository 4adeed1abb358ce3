//! The former versions of the facts of a reservation: from when it was of one section, and told no total of refunds.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, LineId, PaymentId, ReservationId, SectionId, TicketId};
use ticketing_ports::vocabulary::money::Money;
use ticketing_ports::vocabulary::reservation::{LineKind, Sale, SoldLine, Ticket, is_told_without_lines};
use ticketing_ports::vocabulary::seating::{Allocation, Label, SeatId};

use super::line::Line;
use super::versioned::{ReservationCompleted, ReservationHeld, ReservationPaymentStarted, ReservationRefunded};
use crate::inventory::TakenSeats;

/// Turns a fact into version 4; `None` if a line has a code or parts of its price, which that version cannot tell.
pub(super) fn held_at_plain_prices(held: ReservationHeld) -> Option<ReservationHeld> {
    let is_plain = |line: &Line| line.code.is_none() && line.price_parts.is_empty();
    held.lines.iter().all(is_plain).then_some(held)
}

/// Turns a fact into version 4; `None` if a line has a code or parts of its price, which that version cannot tell.
pub(super) fn completed_at_plain_prices(completed: ReservationCompleted) -> Option<ReservationCompleted> {
    let is_plain = |line: &SoldLine| line.code.is_none() && line.price_parts.is_empty();
    completed.sale.lines.iter().all(is_plain).then_some(completed)
}

/// Turns a fact into version 3; `None` if version 4 cannot tell it either, or if the order is of a guest.
pub(super) fn held_by_an_account(held: ReservationHeld) -> Option<ReservationHeld> {
    let held = held_at_plain_prices(held)?;
    held.order_secret.is_none().then_some(held)
}

/// Turns a fact into version 1; `None` if the order is of a guest, which that version cannot tell.
pub(super) fn paid_by_an_account(started: ReservationPaymentStarted) -> Option<ReservationPaymentStarted> {
    started.person.is_none().then_some(started)
}

/// Turns a fact into version 2, which tells neither ticket types nor the ids of tiers; `None` if a line has a type, or
/// version 3 cannot tell the fact either.
pub(super) fn held_without_types(held: ReservationHeld) -> Option<ReservationHeld> {
    let mut held = held_by_an_account(held)?;
    for line in Arc::make_mut(&mut held.lines) {
        line.tier_id = None;
    }
    held.lines.iter().all(|line| line.ticket_type.is_none()).then_some(held)
}

/// Turns a fact into version 3, which tells neither ticket types nor the ids of tiers; `None` if version 4 cannot tell
/// it either, or if a line has a type.
pub(super) fn completed_without_types(completed: ReservationCompleted) -> Option<ReservationCompleted> {
    let mut completed = completed_at_plain_prices(completed)?;
    let lines = &mut completed.sale.lines;
    for line in lines.iter_mut() {
        line.tier_id = None;
    }
    lines.iter().all(|line| line.ticket_type.is_none()).then_some(completed)
}

/// Version 1 of [`ReservationHeld`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HeldOneLine {
    reservation_id: ReservationId,
    event_id: EventId,
    customer_id: CustomerId,
    section_id: SectionId,
    section: Label,
    tier: Label,
    seats: TakenSeats,
    allocation: Allocation,
    unit_price: Money,
    total: Money,
    held_until: Timestamp,
    at: Timestamp,
}

/// Turns a fact into version 1; `None` if that version cannot tell it.
pub(super) fn held_one_line(held: ReservationHeld) -> Option<HeldOneLine> {
    let held = held_by_an_account(held)?;
    let ReservationHeld {
        reservation_id, lines, ..
    } = held;
    let [line] = &*lines else { return None };
    if !is_told_without_lines(
        reservation_id,
        line.kind,
        line.line_id,
        line.ticket_type.as_ref(),
        line.code.as_ref(),
        &line.price_parts,
    ) {
        return None;
    }
    let line = line.clone();
    Some(HeldOneLine {
        reservation_id,
        event_id: held.event_id,
        customer_id: held.customer_id,
        section_id: line.section_id,
        section: line.section,
        tier: line.tier,
        seats: line.seats,
        allocation: line.allocation,
        unit_price: line.unit_price,
        total: held.total,
        held_until: held.held_until,
        at: held.at,
    })
}

/// Reads version 1: the fact of a reservation with one line.
pub(super) fn held_with_lines(held: HeldOneLine) -> ReservationHeld {
    let line = Line {
        line_id: LineId::first_of(held.reservation_id),
        kind: LineKind::Ticket,
        section_id: held.section_id,
        section: held.section,
        ticket_type: None,
        tier_id: None,
        tier: held.tier,
        seats: held.seats,
        allocation: held.allocation,
        unit_price: held.unit_price,
        code: None,
        price_parts: Vec::new(),
        total: held.total,
    };
    ReservationHeld {
        reservation_id: held.reservation_id,
        event_id: held.event_id,
        customer_id: held.customer_id,
        lines: [line].into(),
        total: held.total,
        held_until: held.held_until,
        at: held.at,
        order_secret: None,
    }
}

/// Version 2 of [`ReservationCompleted`]. Version 1 has the same fields, but every sale in it has a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CompletedOneLine {
    reservation_id: ReservationId,
    payment_id: Option<PaymentId>,
    event_id: EventId,
    customer_id: CustomerId,
    section: Label,
    tier: Label,
    quantity: u32,
    unit_price: Money,
    total_amount: Money,
    sold_at: Timestamp,
    tickets: Vec<TicketOfTheLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct TicketOfTheLine {
    ticket_id: TicketId,
    seat_id: Option<SeatId>,
}

/// Turns a fact into version 2; `None` if that version cannot tell it.
pub(super) fn completed_one_line(completed: ReservationCompleted) -> Option<CompletedOneLine> {
    let ReservationCompleted { sale, tickets } = completed;
    let [line] = sale.lines.as_slice() else { return None };
    if !is_told_without_lines(
        sale.reservation_id,
        line.kind,
        line.line_id,
        line.ticket_type.as_ref(),
        line.code.as_ref(),
        &line.price_parts,
    ) {
        return None;
    }
    let tickets = tickets.into_iter().map(|ticket| TicketOfTheLine {
        ticket_id: ticket.ticket_id,
        seat_id: ticket.seat_id,
    });
    Some(CompletedOneLine {
        reservation_id: sale.reservation_id,
        payment_id: sale.payment_id,
        event_id: sale.event_id,
        customer_id: sale.customer_id,
        section: line.section.clone(),
        tier: line.tier.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        total_amount: sale.total_amount,
        sold_at: sale.sold_at,
        tickets: tickets.collect(),
    })
}

/// Turns a fact into version 1; `None` if that version cannot tell it. A sale that cost nothing gets a made-up payment
/// id, which is the reservation's own id.
pub(super) fn completed_with_some_payment(completed: ReservationCompleted) -> Option<CompletedOneLine> {
    let completed = completed_one_line(completed)?;
    let payment_id = completed.payment_id.or(Some(completed.made_up_payment()));
    Some(CompletedOneLine {
        payment_id,
        ..completed
    })
}

/// Reads version 2: the fact of a reservation with one line.
pub(super) fn completed_with_lines(completed: CompletedOneLine) -> ReservationCompleted {
    let line_id = LineId::first_of(completed.reservation_id);
    let line = SoldLine {
        line_id,
        kind: LineKind::Ticket,
        section_id: None,
        section: completed.section,
        ticket_type: None,
        tier_id: None,
        tier: completed.tier,
        quantity: completed.quantity,
        unit_price: completed.unit_price,
        code: None,
        price_parts: Vec::new(),
        total: completed.total_amount,
    };
    let tickets = completed.tickets.into_iter().map(|ticket| Ticket {
        ticket_id: ticket.ticket_id,
        line_id,
        seat_id: ticket.seat_id,
    });
    ReservationCompleted {
        sale: Sale {
            reservation_id: completed.reservation_id,
            payment_id: completed.payment_id,
            event_id: completed.event_id,
            customer_id: completed.customer_id,
            lines: vec![line],
            total_amount: completed.total_amount,
            sold_at: completed.sold_at,
        },
        tickets: tickets.collect(),
    }
}

/// Reads version 1, and removes the made-up payment id of a sale that cost nothing.
pub(super) fn completed_without_made_up_payment(completed: CompletedOneLine) -> ReservationCompleted {
    let made_up = completed.made_up_payment();
    let payment_id = completed.payment_id.filter(|payment| *payment != made_up);
    completed_with_lines(CompletedOneLine {
        payment_id,
        ..completed
    })
}

impl CompletedOneLine {
    fn made_up_payment(&self) -> PaymentId {
        PaymentId::new(self.reservation_id.uuid())
    }
}

/// Version 1 of [`ReservationRefunded`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RefundedWithoutTotal {
    amount: Money,
    was_completed: bool,
}

/// Turns a fact into version 1, which tells every refund.
#[expect(clippy::needless_pass_by_value, reason = "`stored_events!` passes the value itself")]
pub(super) fn refunded_without_total(refunded: ReservationRefunded) -> Option<RefundedWithoutTotal> {
    Some(RefundedWithoutTotal {
        amount: refunded.amount,
        was_completed: refunded.was_completed,
    })
}

/// Reads version 1. Until then no refund of a part was recorded for a reservation, so the total is the amount.
#[expect(clippy::needless_pass_by_value, reason = "`stored_events!` passes the value itself")]
pub(super) fn refunded_with_total(refunded: RefundedWithoutTotal) -> ReservationRefunded {
    ReservationRefunded {
        amount: refunded.amount,
        refunded_in_total: refunded.amount,
        was_completed: refunded.was_completed,
    }
}
