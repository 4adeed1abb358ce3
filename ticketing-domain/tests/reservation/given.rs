//! The reservation, the facts and the commands that the tests of reservations share.

use ticketing_domain::inventory::{InventoryCommand, ReleaseReason, TakenSeats};
use ticketing_domain::payment::Charge;
use ticketing_domain::payment::{PaymentCommand, RefundCause};
use ticketing_domain::reservation::{
    CancelReason, Line, ReservationCancelled, ReservationCommand, ReservationCompleted, ReservationEvent,
    ReservationHeld, ReservationPaymentDeclined, ReservationPaymentStarted, ReservationRefunded, SagaCommand,
    SagaInput,
};
use ticketing_ports::log::deadlines::{DeadlineKey, DeadlineKind};
use ticketing_ports::log::streams::StreamId;
use ticketing_ports::vocabulary::ids::{
    CustomerId, EventId, LineId, PaymentId, RefundId, ReservationId, SectionId, TicketId, UserId,
};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::payment::{DeclineReason, MethodKind, MethodToken, PaymentMethod};
use ticketing_ports::vocabulary::reservation::{LineKind, Sale, Ticket};
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::{Allocation, Label};
use ticketing_testkit::scenario::{after, start};
use uuid::Uuid;

pub(super) const RESERVATION: ReservationId = ReservationId::new(Uuid::from_u128(1));
pub(super) const PAYMENT: PaymentId = PaymentId::new(Uuid::from_u128(2));
pub(super) const OTHER_PAYMENT: PaymentId = PaymentId::new(Uuid::from_u128(3));
pub(super) const EVENT: EventId = EventId::new(Uuid::from_u128(4));
pub(super) const SECTION: SectionId = SectionId::new(Uuid::from_u128(5));

pub(super) const ALICE: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(6)),
    role: Role::Customer,
};

pub(super) const MALLORY: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(7)),
    role: Role::Customer,
};

pub(super) const ADMIN: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(8)),
    role: Role::Admin,
};

pub(super) fn held() -> ReservationHeld {
    ReservationHeld {
        reservation_id: RESERVATION,
        event_id: EVENT,
        customer_id: CustomerId::from(ALICE.user_id),
        lines: [line(100)].into(),
        total: eur(200),
        held_until: after(300),
        at: start(),
        order_secret: None,
    }
}

/// The payment is under way.
pub(super) fn started() -> ReservationPaymentStarted {
    ReservationPaymentStarted {
        payment_id: PAYMENT,
        person: None,
    }
}

/// The line of the hold: two places at this price each.
fn line(unit_price: i64) -> Line {
    Line {
        line_id: LineId::first_of(RESERVATION),
        kind: LineKind::Ticket,
        section_id: SECTION,
        section: label("General"),
        ticket_type: None,
        tier_id: None,
        tier: label("regular"),
        seats: TakenSeats::Places(2),
        allocation: Allocation::GeneralAdmission,
        unit_price: eur(unit_price),
        code: None,
        price_parts: Vec::new(),
        total: eur(2 * unit_price),
    }
}

pub(super) fn for_nothing() -> ReservationHeld {
    ReservationHeld {
        lines: [line(0)].into(),
        total: eur(0),
        ..held()
    }
}

pub(super) fn take_by(by: Actor) -> ReservationCommand {
    ReservationCommand::TakeForNothing { by: by.into() }
}

pub(super) fn paying() -> Vec<ReservationEvent> {
    vec![held().into(), started().into()]
}

/// The facts of a reservation with a payment under way, after this many declined payments.
pub(super) fn paying_again(declines: u32) -> Vec<ReservationEvent> {
    let mut history = paying();
    for decline in 1..=declines {
        history.push(declined_event(decline).into());
        history.push(started().into());
    }
    history
}

pub(super) fn paid() -> Vec<ReservationEvent> {
    let mut history = paying();
    history.push(completed().into());
    history
}

pub(super) fn paid_and_refunded() -> Vec<ReservationEvent> {
    let mut history = paid();
    history.push(
        ReservationRefunded {
            amount: eur(200),
            refunded_in_total: eur(200),
            was_completed: true,
        }
        .into(),
    );
    history
}

pub(super) fn completed() -> ReservationCompleted {
    let ticket = |id| Ticket {
        ticket_id: TicketId::new(Uuid::from_u128(id)),
        line_id: LineId::first_of(RESERVATION),
        seat_id: None,
    };
    ReservationCompleted {
        sale: Sale {
            reservation_id: RESERVATION,
            payment_id: Some(PAYMENT),
            event_id: EVENT,
            customer_id: ALICE.user_id.into(),
            lines: vec![line(100).sold()],
            total_amount: eur(200),
            sold_at: start(),
        },
        tickets: vec![ticket(1_000), ticket(1_001)],
    }
}

pub(super) fn declined_event(declines: u32) -> ReservationPaymentDeclined {
    ReservationPaymentDeclined {
        payment_id: PAYMENT,
        reason: DeclineReason::InsufficientFunds,
        declines,
    }
}

pub(super) fn given_up(reason: CancelReason) -> ReservationCancelled {
    ReservationCancelled {
        reason,
        was_completed: false,
    }
}

pub(super) fn declined(reason: DeclineReason) -> SagaInput {
    SagaInput::PaymentDeclined {
        payment_id: PAYMENT,
        reason,
    }
}

pub(super) fn pay_by(by: Actor) -> ReservationCommand {
    ReservationCommand::StartPayment {
        by: by.into(),
        payment_id: PAYMENT,
        method: visa(),
        charge: Charge::AuthorizeAndCapture,
    }
}

pub(super) fn cancel_by(by: Actor) -> ReservationCommand {
    ReservationCommand::Cancel {
        by: by.into(),
        refund: eur(0),
    }
}

pub(super) fn payment(command: PaymentCommand) -> SagaCommand {
    SagaCommand::Payment {
        payment_id: PAYMENT,
        command,
    }
}

pub(super) fn refund_all(cause: RefundCause) -> SagaCommand {
    let refund_id = RefundId::new(Uuid::from_u128(1_000));
    payment(PaymentCommand::Refund {
        refund_id,
        amount: None,
        cause,
        reason: None,
    })
}

pub(super) fn capture_if_free() -> SagaCommand {
    SagaCommand::CaptureIfFree {
        lines: held().lines,
        payment_id: PAYMENT,
    }
}

pub(super) fn sell() -> SagaCommand {
    SagaCommand::SellSeats {
        customer_id: ALICE.user_id.into(),
        lines: held().lines,
        payment_id: Some(PAYMENT),
    }
}

pub(super) fn release(reason: ReleaseReason) -> SagaCommand {
    SagaCommand::Inventory {
        section_id: SECTION,
        command: InventoryCommand::Release {
            reservation_id: RESERVATION,
            reason,
        },
    }
}

pub(super) fn expiry() -> DeadlineKey {
    DeadlineKey {
        stream: StreamId::from(RESERVATION),
        kind: DeadlineKind::HoldExpiry,
    }
}

pub(super) fn visa() -> PaymentMethod {
    PaymentMethod {
        kind: MethodKind::Card,
        token: MethodToken::new("tok_visa").expect("tok_visa is a token that the sandbox knows"),
    }
}

fn label(text: &str) -> Label {
    Label::new(text).expect("a short plain text is a valid label")
}

pub(super) fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}
