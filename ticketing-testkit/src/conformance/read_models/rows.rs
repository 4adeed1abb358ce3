//! Builds rows such as the domain would make. The number that a function gets becomes the id of its row.

use std::sync::Arc;

use chrono::TimeDelta;
use ticketing_ports::log::streams::Version;
use ticketing_ports::read_models::changes::{Change, SeatMove};
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::read_models::payments::PaymentView;
use ticketing_ports::read_models::reservations::{ReservationLine, ReservationView};
use ticketing_ports::vocabulary::event_details::{EventDetails, EventStatus, Venue};
use ticketing_ports::vocabulary::ids::{
    CustomerId, EventId, FeeId, LineId, PaymentId, ReservationId, SectionId, TicketId, TicketTypeId, TierId,
};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::payment::{MethodKind, PaymentStatus};
use ticketing_ports::vocabulary::pricing::{FeePer, PricePart, PriceRules};
use ticketing_ports::vocabulary::reservation::{LineKind, NamedTicketType, ReservationStatus, Sale, SoldLine};
use ticketing_ports::vocabulary::seating::{Allocation, Label, SeatId};
use uuid::Uuid;

use crate::conformance::fixtures::{at, user};

pub(super) fn event_id(number: usize) -> EventId {
    EventId::new(Uuid::from_u128(0xE0_0000_0000 + number as u128))
}

pub(super) fn section_id(number: usize) -> SectionId {
    SectionId::new(Uuid::from_u128(0x5E_0000_0000 + number as u128))
}

fn tier_id(number: usize) -> TierId {
    TierId::new(Uuid::from_u128(0x7E_0000_0000 + number as u128))
}

pub(super) fn reservation_id(number: usize) -> ReservationId {
    ReservationId::new(Uuid::from_u128(0x50_0000_0000 + number as u128))
}

pub(super) fn payment_id(number: usize) -> PaymentId {
    PaymentId::new(Uuid::from_u128(0x9A_0000_0000 + number as u128))
}

pub(super) fn ticket_id(number: usize) -> TicketId {
    TicketId::new(Uuid::from_u128(0x71_0000_0000 + number as u128))
}

/// Returns the id of the second line of a reservation.
pub(super) fn line_id(number: usize) -> LineId {
    LineId::new(Uuid::from_u128(0x11_0000_0000 + number as u128))
}

pub(super) fn customer(number: usize) -> CustomerId {
    user(number).into()
}

pub(super) fn label(text: &str) -> Label {
    Label::new(text).expect("the rules use proper labels")
}

pub(super) fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

/// Returns a draft event that belongs to the first user. The event begins `number` seconds after noon.
pub(super) fn event(number: usize) -> EventView {
    EventView {
        event_id: event_id(number),
        owner_id: user(1),
        status: EventStatus::Draft,
        created_at: at(0),
        version: Version(1),
        details: Arc::new(EventDetails {
            name: label(&format!("Night {number} of the \"Proms\", ä")),
            category: Some(label("concert")),
            genre: None,
            currency: Currency::EUR,
            starts_at: at(number as i64),
            venue: Venue {
                name: label("Sportpaleis"),
                city: label("Antwerp"),
                country: label("BE"),
                timezone: label("Europe/Brussels"),
            },
            sections: Vec::new(),
            pricing_tiers: Vec::new(),
            hold_seconds: 300,
            extensions: None,
            max_seats_per_order: 8,
            max_seats_per_customer: None,
            refund_policy: Vec::new(),
            pools: Vec::new(),
            price_rules: PriceRules::default(),
        }),
    }
}

/// Returns an event of the public list that begins at that time.
pub(super) fn public(number: usize, starts: i64) -> EventView {
    let mut view = event(number);
    let mut details = (*view.details).clone();
    details.starts_at = at(starts);
    view.details = Arc::new(details);
    view.status = EventStatus::SalesOpen;
    view
}

pub(super) fn created(number: usize) -> Change {
    Change::EventCreated(event(number))
}

pub(super) fn opened(event: usize, section: usize, capacity: u32) -> Change {
    Change::SectionOpened {
        event_id: event_id(event),
        section_id: section_id(section),
        name: label(&format!("Section {section}")),
        capacity,
        at: at(0),
    }
}

/// Returns the change that adds these numbers to the counts of a section. The number of blocked seats changes so that
/// the sum of all counts stays the same.
pub(super) fn moved(section: usize, available: i64, held: i64, sold: i64) -> Change {
    Change::SeatsMoved {
        section_id: section_id(section),
        moved: SeatMove {
            available,
            held,
            sold,
            blocked: -(available + held + sold),
        },
        at: at(1),
    }
}

/// A reservation by which the first customer holds two seats.
pub(super) fn reservation(number: usize) -> ReservationView {
    let seat = |seat| SeatId::numbered(label("North-2"), seat);
    ReservationView {
        reservation_id: reservation_id(number),
        event_id: event_id(1),
        customer_id: customer(1),
        lines: vec![ReservationLine {
            line_id: LineId::first_of(reservation_id(number)),
            kind: LineKind::Ticket,
            section: label("Section 1"),
            ticket_type: None,
            tier: label("regular"),
            seats: vec![seat(12), seat(13)],
            quantity: 2,
            unit_price: eur(1_500),
            code: None,
            price_parts: Vec::new(),
            total: eur(3_000),
            allocation: Allocation::Adjacent,
        }],
        total_amount: eur(3_000),
        refunded_amount: eur(0),
        status: ReservationStatus::Held,
        expires_at: at(0) + TimeDelta::minutes(5),
        created_at: at(0),
        completed_at: None,
        payment_id: None,
        tickets: Vec::new(),
        version: Version(1),
    }
}

/// A reservation by which the first customer holds the same two seats, and three places of the second section.
pub(super) fn reservation_of_two_sections(number: usize) -> ReservationView {
    let mut view = reservation(number);
    view.lines.push(ReservationLine {
        line_id: line_id(number),
        section: label("Section 2"),
        ticket_type: Some(student()),
        tier: label("late"),
        seats: Vec::new(),
        quantity: 3,
        unit_price: eur(1_000),
        price_parts: price_parts(),
        total: eur(3_300),
        allocation: Allocation::GeneralAdmission,
        ..view.lines[0].clone()
    });
    view.total_amount = eur(6_300);
    view
}

/// The price of three tickets at 10.00, with a fee of 1.00 each.
fn price_parts() -> Vec<PricePart> {
    vec![
        PricePart::Base { amount: eur(3_000) },
        PricePart::Fee {
            fee_id: FeeId::new(Uuid::from_u128(0x88_0000_0001)),
            name: label("booking"),
            per: FeePer::Ticket,
            included: false,
            amount: eur(300),
        },
    ]
}

pub(super) fn student() -> NamedTicketType {
    NamedTicketType {
        ticket_type_id: TicketTypeId::new(Uuid::from_u128(0x77_0000_0001)),
        name: label("student"),
    }
}

pub(super) fn payment(number: usize) -> PaymentView {
    PaymentView {
        payment_id: payment_id(number),
        reservation_id: reservation_id(number),
        event_id: event_id(1),
        customer_id: customer(1),
        amount: eur(3_000),
        refunded_amount: eur(0),
        status: PaymentStatus::Pending,
        method: MethodKind::ApplePay,
        last_four: None,
        created_at: at(0),
        updated_at: at(0),
        version: Version(1),
    }
}

/// A sale of `quantity` tickets of the first event to the first customer.
pub(super) fn sale(number: usize, quantity: u32, unit_price: i64) -> Sale {
    Sale {
        reservation_id: reservation_id(number),
        payment_id: Some(payment_id(number)),
        event_id: event_id(1),
        customer_id: customer(1),
        lines: vec![SoldLine {
            line_id: LineId::first_of(reservation_id(number)),
            kind: LineKind::Ticket,
            section_id: Some(section_id(1)),
            section: label("Section 1"),
            ticket_type: None,
            tier_id: Some(tier_id(1)),
            tier: label("regular"),
            quantity,
            unit_price: eur(unit_price),
            code: None,
            price_parts: Vec::new(),
            total: eur(unit_price * i64::from(quantity)),
        }],
        total_amount: eur(unit_price * i64::from(quantity)),
        sold_at: at(number as i64),
    }
}

/// A sale of two tickets at 15.00 of the first section, and of three tickets at 10.00 of the second one.
pub(super) fn sale_of_two_sections(number: usize) -> Sale {
    let mut sale = sale(number, 2, 1_500);
    sale.lines.push(SoldLine {
        line_id: line_id(number),
        section_id: Some(section_id(2)),
        section: label("Section 2"),
        ticket_type: Some(student()),
        tier_id: Some(tier_id(2)),
        tier: label("late"),
        quantity: 3,
        unit_price: eur(1_000),
        price_parts: price_parts(),
        total: eur(3_300),
        ..sale.lines[0].clone()
    });
    sale.total_amount = eur(6_300);
    sale
}
