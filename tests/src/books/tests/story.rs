//! Books that are right, which each test makes wrong in one place.

use chrono::{DateTime, TimeDelta};
use ticketing_ports::vocabulary::ids::TicketId;
use ticketing_ports::vocabulary::money::{Currency, Money};
use uuid::Uuid;

use crate::books::*;
use crate::journal::{Entry, HeldLine};
use crate::wire::{Event, Line, Payment, PricePart, Reservation, Sales, Seat, SectionCounts, Ticket};

/// The books of an event with three reservations: A-1 is held, A-2 and A-3 are paid, and A-4 was paid, cancelled and
/// refunded.
pub(super) struct Story {
    pub(super) books: Books,
    pub(super) answers: Answers,
}

pub(super) const HELD: u128 = 1;
pub(super) const PAID: u128 = 2;
pub(super) const REFUNDED: u128 = 3;

impl Story {
    pub(super) fn new() -> Self {
        let mut paid = reservation(PAID, ReservationStatus::Completed, &["A-2", "A-3"]);
        paid.tickets = [21, 22].map(ticket).into();
        let mut refunded = reservation(REFUNDED, ReservationStatus::Refunded, &["A-4"]);
        refunded.tickets = [31].map(ticket).into();
        let reservations = [reservation(HELD, ReservationStatus::Held, &["A-1"]), paid, refunded];
        let payments = [
            payment(PAID, PaymentStatus::Captured, 2_000, 0),
            payment(REFUNDED, PaymentStatus::Refunded, 1_000, 1_000),
        ];
        let counts = SectionCounts {
            total_capacity: 10,
            available: 7,
            reserved: 1,
            sold: 2,
            blocked: 0,
        };
        let books = Books {
            sections: [("Stalls".to_owned(), counts)].into(),
            histories: [HELD, PAID, REFUNDED].map(|of| (id(of), vec![1, 2, 3])).into(),
            listed: Some([HELD, PAID, REFUNDED].map(id).into()),
            reservations: reservations.map(|of| (of.reservation_id, of)).into(),
            payments: payments.map(|of| (of.payment_id, of)).into(),
            sales: Some(Sales {
                total_revenue: euros(3_000),
                refunded: euros(1_000),
                tickets_sold: 2,
            }),
            refunds_in_full: true,
            max_seats_per_customer: Some(4),
            terms: terms(),
        };
        let answers = Answers::from_entries(&[
            Entry::Started {
                event: ticketing_ports::vocabulary::ids::EventId::new(Uuid::from_u128(9)),
                sole_seller: true,
            },
            held(HELD, &["A-1"]),
            held(PAID, &["A-2", "A-3"]),
            held(REFUNDED, &["A-4"]),
            Entry::Paid { reservation: id(PAID) },
            Entry::Paid {
                reservation: id(REFUNDED),
            },
            Entry::Cancelled {
                reservation: id(REFUNDED),
            },
        ]);
        Self { books, answers }
    }

    pub(super) fn reservation(&mut self, of: u128) -> &mut Reservation {
        self.books.reservations.get_mut(&id(of)).unwrap()
    }

    pub(super) fn payment(&mut self, of: u128) -> &mut Payment {
        self.books.payments.get_mut(&payment_id(of)).unwrap()
    }

    pub(super) fn counts(&mut self) -> &mut SectionCounts {
        self.books.sections.get_mut("Stalls").unwrap()
    }

    pub(super) fn check(&self) -> Vec<Discrepancy> {
        check(&self.books, &self.answers)
    }
}

/// The terms of an event that sells three tickets, each at 10.00.
pub(super) fn terms() -> Terms {
    let event = serde_json::json!({
        "event_id": Uuid::from_u128(9),
        "starts_at": "2027-01-15T08:00:00Z",
        "refund_policy": [],
        "max_seats_per_customer": null,
        "sections": [{ "name": "Stalls", "ticket_types": [] }, { "name": "Boxes", "ticket_types": [] }],
        "pricing_tiers": [
            { "section": "Stalls", "ticket_type": null, "tier": "regular", "quantity": 3,
              "price": { "amount": 1_000, "currency": "EUR" } },
            { "section": "Boxes", "ticket_type": null, "tier": "regular", "quantity": null,
              "price": { "amount": 1_000, "currency": "EUR" } },
        ],
        "pools": [],
    });
    (&serde_json::from_value::<Event>(event).unwrap()).into()
}

pub(super) fn id(of: u128) -> ReservationId {
    ReservationId::new(Uuid::from_u128(of))
}

pub(super) fn payment_id(of: u128) -> PaymentId {
    PaymentId::new(Uuid::from_u128(of))
}

pub(super) fn ticket(of: u128) -> Ticket {
    Ticket {
        ticket_id: TicketId::new(Uuid::from_u128(of)),
    }
}

pub(super) fn seat(text: &str) -> Seat {
    Seat {
        seat_id: SeatId::parse(text).unwrap(),
    }
}

pub(super) fn euros(cents: i64) -> Money {
    Money::new(cents, Currency::EUR)
}

pub(super) fn held(of: u128, seats: &[&str]) -> Entry {
    Entry::Held {
        customer: 0,
        reservation: id(of),
        lines: vec![HeldLine::from(&line(seats))],
        guest: false,
    }
}

pub(super) fn line(seats: &[&str]) -> Line {
    Line {
        section: "Stalls".to_owned(),
        ticket_type: None,
        tier: "regular".to_owned(),
        code: None,
        unit_price: euros(1_000),
        price_parts: vec![PricePart {
            part: "base".to_owned(),
            included: false,
            amount: euros(1_000 * i64::try_from(seats.len()).unwrap()),
        }],
        total_amount: euros(1_000 * i64::try_from(seats.len()).unwrap()),
        seats: seats.iter().map(|text| seat(text)).collect(),
        quantity: u32::try_from(seats.len()).unwrap(),
    }
}

pub(super) fn reservation(of: u128, status: ReservationStatus, seats: &[&str]) -> Reservation {
    let was_paid = status != ReservationStatus::Held;
    let lines = vec![line(seats)];
    let quantity = lines[0].quantity;
    Reservation {
        reservation_id: id(of),
        event_id: ticketing_ports::vocabulary::ids::EventId::new(Uuid::from_u128(9)),
        lines,
        total_amount: euros(1_000 * i64::from(quantity)),
        status,
        expires_at: DateTime::UNIX_EPOCH + TimeDelta::minutes(5),
        completed_at: was_paid.then_some(DateTime::UNIX_EPOCH),
        payment_id: was_paid.then(|| payment_id(of)),
        tickets: Vec::new(),
        server_time: DateTime::UNIX_EPOCH,
    }
}

pub(super) fn payment(of: u128, status: PaymentStatus, amount: i64, refunded: i64) -> Payment {
    Payment {
        payment_id: payment_id(of),
        reservation_id: id(of),
        amount: euros(amount),
        refunded_amount: euros(refunded),
        status,
    }
}
