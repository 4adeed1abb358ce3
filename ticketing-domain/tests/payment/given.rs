//! The payment, the facts and the commands that the tests of payments share.

use ticketing_domain::payment::{
    CaptureRequested, Charge, MethodFingerprint, PaymentAuthorized, PaymentCaptured, PaymentCommand, PaymentDeclined,
    PaymentEvent, PaymentRequested,
};
use ticketing_ports::log::deadlines::{Deadline, DeadlineChange, DeadlineKey, DeadlineKind};
use ticketing_ports::log::streams::StreamId;
use ticketing_ports::outside::gateway::Authorization;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, RefundId, ReservationId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::payment::{DeclineReason, MethodKind, MethodToken, NextAction, PaymentMethod};
use ticketing_testkit::scenario::{after, start};
use uuid::Uuid;

pub(super) const PAYMENT: PaymentId = PaymentId::new(Uuid::from_u128(1));
pub(super) const RESERVATION: ReservationId = ReservationId::new(Uuid::from_u128(2));
pub(super) const EVENT: EventId = EventId::new(Uuid::from_u128(3));
pub(super) const CUSTOMER: CustomerId = CustomerId::new(Uuid::from_u128(4));
pub(super) const REFUND: RefundId = RefundId::new(Uuid::from_u128(5));

pub(super) fn captured() -> Vec<PaymentEvent> {
    vec![
        requested(),
        authorized().into(),
        CaptureRequested { at: start() }.into(),
        PaymentCaptured { at: start() }.into(),
    ]
}

pub(super) fn requested() -> PaymentEvent {
    PaymentRequested {
        payment_id: PAYMENT,
        reservation_id: RESERVATION,
        event_id: EVENT,
        customer_id: CUSTOMER,
        amount: eur(100),
        method: MethodKind::Card,
        method_fingerprint: Some(MethodFingerprint::of(PAYMENT, &visa())),
        charge: Charge::AuthorizeAndCapture,
        at: start(),
    }
    .into()
}

pub(super) fn authorized() -> PaymentAuthorized {
    PaymentAuthorized {
        last_four: Some("4242".to_owned()),
        at: start(),
    }
}

pub(super) fn given_up() -> PaymentDeclined {
    PaymentDeclined {
        reason: DeclineReason::Interrupted,
        at: start(),
    }
}

pub(super) fn must_act(until: i64) -> PaymentCommand {
    let action = NextAction::client_secret("hush", after(until));
    PaymentCommand::RecordAuthorization(Authorization::MustAct(action))
}

pub(super) fn never_heard_of() -> PaymentCommand {
    PaymentCommand::RecordAuthorization(Authorization::Declined {
        reason: DeclineReason::Interrupted,
    })
}

pub(super) fn approved() -> PaymentCommand {
    PaymentCommand::RecordAuthorization(Authorization::Approved {
        last_four: Some("4242".to_owned()),
    })
}

pub(super) fn ask_again(seconds: i64) -> DeadlineChange {
    DeadlineChange::Set(Deadline {
        key: retry_key(),
        due_at: after(seconds),
        lane: EVENT.into(),
    })
}

pub(super) fn no_more() -> DeadlineChange {
    DeadlineChange::Clear(retry_key())
}

pub(super) fn retry_key() -> DeadlineKey {
    DeadlineKey {
        stream: StreamId::from(PAYMENT),
        kind: DeadlineKind::GatewayRetry,
    }
}

pub(super) fn visa() -> PaymentMethod {
    PaymentMethod {
        kind: MethodKind::Card,
        token: MethodToken::new("tok_visa").expect("tok_visa is a token that the sandbox knows"),
    }
}

pub(super) fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}
