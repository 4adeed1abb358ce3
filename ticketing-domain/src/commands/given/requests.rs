//! What people ask for in the tests of commands.

use ticketing_ports::vocabulary::ids::{EventId, ReservationId};
use ticketing_ports::vocabulary::payment::{MethodKind, MethodToken, PaymentMethod};
use ticketing_ports::vocabulary::seating::{Label, SeatId};
use uuid::Uuid;

use crate::commands::{HoldSeats, PayReservation, WantedLine};

/// The event that everything is about.
pub(in crate::commands) const EVENT: EventId = EventId::new(Uuid::from_u128(2));

pub(in crate::commands) fn label(text: &str) -> Label {
    Label::new(text).expect("the text is a valid label")
}

pub(in crate::commands) fn seat(text: &str) -> SeatId {
    SeatId::parse(text).expect("the text is a valid seat, such as A-1")
}

pub(in crate::commands) fn floor(quantity: u32) -> HoldSeats {
    HoldSeats::best(EVENT, "Floor", quantity)
}

pub(in crate::commands) fn balcony(seats: &[&str]) -> HoldSeats {
    HoldSeats {
        lines: vec![balcony_line(seats)],
        ..floor(1)
    }
}

fn balcony_line(seats: &[&str]) -> WantedLine {
    WantedLine::exactly("Balcony", seats.iter().copied().map(seat).collect())
}

/// Asks for `quantity` places on the floor and for these seats of the balcony, in one order.
pub(in crate::commands) fn floor_and_balcony(quantity: u32, seats: &[&str]) -> HoldSeats {
    let mut both = floor(quantity);
    both.lines.push(balcony_line(seats));
    both
}

pub(in crate::commands) fn card() -> PaymentMethod {
    PaymentMethod {
        kind: MethodKind::Card,
        token: MethodToken::new("tok_visa").expect("the text is a valid token, not a card number"),
    }
}

pub(in crate::commands) fn paypal() -> PaymentMethod {
    PaymentMethod {
        kind: MethodKind::Paypal,
        token: MethodToken::new("tok_paypal").expect("the text is a valid token, not a card number"),
    }
}

pub(in crate::commands) fn paying(reservation_id: ReservationId) -> PayReservation {
    PayReservation {
        reservation_id,
        payment_id: None,
        method: Some(card()),
    }
}
