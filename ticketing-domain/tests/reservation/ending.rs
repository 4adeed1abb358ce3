//! How a reservation ends: its hold runs out, or somebody cancels or refunds it.

use ticketing_domain::inventory::ReleaseReason;
use ticketing_domain::payment::{PaymentCommand, RefundCause};
use ticketing_domain::refusal::Refusal;
use ticketing_domain::reservation::{
    CancelReason, Reservation, ReservationCancelled, ReservationCommand, ReservationEvent, ReservationExpired,
    ReservationMoneyReturned, ReservationRefunded, SagaInput,
};
use ticketing_domain::transition::Action;
use ticketing_ports::log::deadlines::{Deadline, DeadlineChange};
use ticketing_ports::vocabulary::ids::RefundId;
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_testkit::scenario::{after, given};
use uuid::Uuid;

use super::given::{
    ALICE, EVENT, PAYMENT, cancel_by, eur, expiry, given_up, held, paid, paid_and_refunded, payment, refund_all,
    release,
};

#[test]
fn a_hold_leaves_a_deadline_that_ends_it() {
    given::<Reservation>([])
        .when(ReservationCommand::Open(held()))
        .then([held()])
        .with_deadlines([DeadlineChange::Set(Deadline {
            key: expiry(),
            due_at: after(300),
            lane: EVENT.into(),
        })]);
}

#[test]
fn a_deadline_that_comes_early_is_set_again_and_one_that_comes_twice_changes_nothing() {
    let again = Deadline {
        key: expiry(),
        due_at: after(300),
        lane: EVENT.into(),
    };
    given::<Reservation>([held().into()])
        .at(after(299))
        .when(SagaInput::HoldRanOut)
        .then::<ReservationEvent>([])
        .with_deadlines([DeadlineChange::Set(again)]);
    given::<Reservation>([held().into(), ReservationExpired { payment_id: None }.into()])
        .at(after(301))
        .when(SagaInput::HoldRanOut)
        .then::<ReservationEvent>([])
        .with_effects([])
        .with_deadlines([DeadlineChange::Clear(expiry())]);
}

#[test]
fn cancelling_a_paid_reservation_gives_back_seats_and_the_share_of_the_policy() {
    let refund = PaymentCommand::Refund {
        refund_id: RefundId::new(Uuid::from_u128(1_000)),
        amount: Some(eur(100)),
        cause: RefundCause::Policy,
        reason: None,
    };
    given::<Reservation>(paid())
        .when(ReservationCommand::Cancel {
            by: ALICE.into(),
            refund: eur(100),
        })
        .then([ReservationCancelled {
            reason: CancelReason::Customer,
            was_completed: true,
        }])
        .with_effects([release(ReleaseReason::Cancelled), payment(refund)]);
}

#[test]
fn cancelling_twice_is_refused() {
    given::<Reservation>([held().into(), given_up(CancelReason::Customer).into()])
        .when(cancel_by(ALICE))
        .then_refused(Refusal::state(ReservationStatus::Cancelled, Action::Cancel));
}

#[test]
fn a_cancelled_event_refunds_every_paid_reservation_in_full() {
    given::<Reservation>(paid())
        .when(SagaInput::EventCancelled)
        .then([ReservationCancelled {
            reason: CancelReason::EventCancelled,
            was_completed: true,
        }])
        .with_effects([
            release(ReleaseReason::EventCancelled),
            refund_all(RefundCause::EventCancelled),
        ]);
    given::<Reservation>(paid_and_refunded())
        .when(SagaInput::EventCancelled)
        .then_nothing();
}

#[test]
fn a_full_refund_by_an_admin_takes_the_tickets_back_and_a_partial_one_does_not() {
    let report = |in_full| SagaInput::PaymentRefunded {
        payment_id: PAYMENT,
        amount: eur(200),
        refunded_in_total: eur(200),
        in_full,
        cause: RefundCause::Admin,
    };
    given::<Reservation>(paid())
        .when(report(true))
        .then([ReservationRefunded {
            amount: eur(200),
            refunded_in_total: eur(200),
            was_completed: true,
        }])
        .with_effects([release(ReleaseReason::Refunded)]);
    given::<Reservation>(paid())
        .when(report(false))
        .then([ReservationMoneyReturned {
            amount: eur(200),
            refunded_in_total: eur(200),
        }]);
}
