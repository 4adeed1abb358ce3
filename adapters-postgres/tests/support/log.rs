//! A made-up log for tests and benchmarks: the changes at a position depend only on the number of the position.

use std::sync::Arc;

use chrono::{TimeDelta, TimeZone, Utc};
use ticketing_ports::Timestamp;
use ticketing_ports::log::identity::Mark;
use ticketing_ports::log::streams::{Position, Version};
use ticketing_ports::read_models::changes::{Change, SeatMove};
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::read_models::reservations::{ReservationLine, ReservationView};
use ticketing_ports::read_models::store::ProjectedBatch;
use ticketing_ports::vocabulary::event_details::{EventDetails, EventStatus, Venue};
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, LineId, PaymentId, ReservationId, SectionId, UserId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::pricing::PriceRules;
use ticketing_ports::vocabulary::reservation::{LineKind, ReservationStatus, Sale, SoldLine};
use ticketing_ports::vocabulary::seating::{Allocation, Label, SeatId};
use uuid::Uuid;

pub(crate) const CAPACITY: u32 = 10_000_000;

/// Returns the time this many seconds after noon of 2027-03-14 in UTC.
pub(crate) fn at(seconds: u64) -> Timestamp {
    let noon = Utc.with_ymd_and_hms(2027, 3, 14, 12, 0, 0).single();
    let seconds = i64::try_from(seconds).expect("the seconds that tests pass fit into an `i64`");
    noon.expect("noon is unambiguous in UTC") + TimeDelta::seconds(seconds)
}

pub(crate) fn event_id() -> EventId {
    EventId::new(Uuid::from_u128(1))
}

pub(crate) fn customer() -> CustomerId {
    CustomerId::new(Uuid::from_u128(2))
}

pub(crate) fn section_id(number: u128) -> SectionId {
    SectionId::new(Uuid::from_u128(0x5E_0000 + number))
}

/// Makes an id that is sorted like a version 7 UUID: first a rising number (in place of the time), and then bits that
/// look random.
pub(crate) fn reservation_id(position: u64) -> ReservationId {
    ReservationId::new(Uuid::from_u64_pair(
        position >> 6,
        position.wrapping_mul(0x9E37_79B9_7F4A_7C15),
    ))
}

pub(crate) fn label(text: &str) -> Label {
    Label::new(text).expect("the tests use valid labels")
}

pub(crate) fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

/// Returns the changes at a position: the first position creates an event with two sections, and each later position
/// holds a seat in both sections and sells a ticket.
pub(crate) fn changes(position: u64) -> Vec<Change> {
    if position == 1 {
        return vec![Change::EventCreated(event()), opened(1), opened(2)];
    }
    vec![
        held(1, 1, position),
        held(2, 1, position),
        Change::ReservationHeld(reservation(position)),
        Change::TicketsSold(sale(position)),
    ]
}

/// Makes the batch with the changes of all positions after `after`, up to and including `upto`.
pub(crate) fn batch(after: u64, upto: u64) -> ProjectedBatch {
    ProjectedBatch {
        after: Mark::of_no_log(Position(after)),
        upto: Mark::of_no_log(Position(upto)),
        changes: (after + 1..=upto).flat_map(changes).collect(),
    }
}

pub(crate) fn event() -> EventView {
    EventView {
        event_id: event_id(),
        owner_id: UserId::new(Uuid::from_u128(3)),
        status: EventStatus::SalesOpen,
        created_at: at(0),
        version: Version(1),
        details: Arc::new(EventDetails {
            name: label("Night of the Proms"),
            category: None,
            genre: None,
            currency: Currency::EUR,
            starts_at: at(1_000_000),
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

pub(crate) fn opened(section: u128) -> Change {
    Change::SectionOpened {
        event_id: event_id(),
        section_id: section_id(section),
        name: label(&format!("Section {section}")),
        capacity: CAPACITY,
        at: at(0),
    }
}

/// Makes a change that holds this many seats of the section; a negative number frees them.
pub(crate) fn held(section: u128, seats: i64, position: u64) -> Change {
    Change::SeatsMoved {
        section_id: section_id(section),
        moved: SeatMove {
            available: -seats,
            held: seats,
            ..SeatMove::default()
        },
        at: at(position),
    }
}

pub(crate) fn reservation(position: u64) -> ReservationView {
    ReservationView {
        reservation_id: reservation_id(position),
        event_id: event_id(),
        customer_id: customer(),
        lines: vec![ReservationLine {
            line_id: LineId::first_of(reservation_id(position)),
            kind: LineKind::Ticket,
            section: label("Section 1"),
            ticket_type: None,
            tier: label("regular"),
            seats: vec![SeatId::numbered(label("A"), 7)],
            quantity: 1,
            unit_price: eur(1_500),
            code: None,
            price_parts: Vec::new(),
            total: eur(1_500),
            allocation: Allocation::Adjacent,
        }],
        total_amount: eur(1_500),
        refunded_amount: eur(0),
        status: ReservationStatus::Held,
        expires_at: at(position + 300),
        created_at: at(position),
        completed_at: None,
        payment_id: None,
        tickets: Vec::new(),
        version: Version(1),
    }
}

pub(crate) fn sale(position: u64) -> Sale {
    Sale {
        reservation_id: reservation_id(position),
        payment_id: Some(PaymentId::new(reservation_id(position).uuid())),
        event_id: event_id(),
        customer_id: customer(),
        lines: vec![SoldLine {
            line_id: LineId::first_of(reservation_id(position)),
            kind: LineKind::Ticket,
            section_id: Some(section_id(1)),
            section: label("Section 1"),
            ticket_type: None,
            tier_id: None,
            tier: label("regular"),
            quantity: 1,
            unit_price: eur(1_500),
            code: None,
            price_parts: Vec::new(),
            total: eur(1_500),
        }],
        total_amount: eur(1_500),
        sold_at: at(position),
    }
}
