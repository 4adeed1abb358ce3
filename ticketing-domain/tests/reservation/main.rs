//! The reservation saga, told as given / when / then.

use ticketing_domain::inventory::{InventoryCommand, ReleaseReason, TakenSeats};
use ticketing_domain::payment::{Charge, PaymentCommand, PaymentRequest, RefundCause};
use ticketing_domain::refusal::Refusal;
use ticketing_domain::reservation::{
    CancelReason, CompensationReason, Reservation, ReservationCancelled, ReservationCommand, ReservationCompensated,
    ReservationCompleted, ReservationEvent, ReservationExpired, ReservationHeld, ReservationPaymentDeclined,
    ReservationPaymentGivenUp, ReservationPaymentStarted, ReservationRefunded, SagaCommand, SagaInput,
};
use ticketing_domain::transition::Action;
use ticketing_ports::log::deadlines::{Deadline, DeadlineChange, DeadlineKey, DeadlineKind};
use ticketing_ports::log::streams::StreamId;
use ticketing_ports::vocabulary::ids::{
    CustomerId, EventId, PaymentId, RefundId, ReservationId, SectionId, TicketId, UserId,
};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::payment::{MethodKind, MethodToken, PaymentMethod};
use ticketing_ports::vocabulary::reservation::ReservationStatus;
use ticketing_ports::vocabulary::reservation::Sale;
use ticketing_ports::vocabulary::reservation::Ticket;
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::seating::{Allocation, Label};
use ticketing_testkit::scenario::{after, given, start};
use uuid::Uuid;

const RESERVATION: ReservationId = ReservationId::new(Uuid::from_u128(1));
const PAYMENT: PaymentId = PaymentId::new(Uuid::from_u128(2));
const OTHER_PAYMENT: PaymentId = PaymentId::new(Uuid::from_u128(3));
const EVENT: EventId = EventId::new(Uuid::from_u128(4));
const SECTION: SectionId = SectionId::new(Uuid::from_u128(5));
const ALICE: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(6)),
    role: Role::Customer,
};
const MALLORY: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(7)),
    role: Role::Customer,
};
const ADMIN: Actor = Actor {
    user_id: UserId::new(Uuid::from_u128(8)),
    role: Role::Admin,
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
fn a_payment_is_requested_for_the_price_that_was_fixed_with_the_hold() {
    given::<Reservation>([held().into()])
        .when(pay_by(ALICE))
        .then([ReservationPaymentStarted { payment_id: PAYMENT }])
        .with_effects([SagaCommand::Payment {
            payment_id: PAYMENT,
            command: PaymentCommand::Request(Box::new(PaymentRequest {
                payment_id: PAYMENT,
                reservation_id: RESERVATION,
                event_id: EVENT,
                customer_id: ALICE.user_id.into(),
                amount: eur(200),
                method: visa(),
                charge: Charge::AuthorizeAndCapture,
                wanted_by: after(300),
            })),
        }]);
}

#[test]
fn what_costs_nothing_is_sold_without_a_payment() {
    given::<Reservation>([for_nothing().into()])
        .when(take_by(ALICE))
        .then::<ReservationEvent>([])
        .with_effects([SagaCommand::SellSeats {
            section_id: SECTION,
            command: seats_of_the_hold(),
            payment_id: None,
        }]);
    let completed = ReservationCompleted {
        sale: Sale {
            payment_id: None,
            unit_price: eur(0),
            total_amount: eur(0),
            ..completed().sale
        },
        ..completed()
    };
    given::<Reservation>([for_nothing().into()])
        .when(SagaInput::SeatsSold { payment_id: None })
        .then([completed.clone()])
        .with_deadlines([DeadlineChange::Clear(expiry())]);
    let taken: [ReservationEvent; 2] = [for_nothing().into(), completed.into()];
    given::<Reservation>(taken.clone())
        .when(cancel_by(ALICE))
        .then([ReservationCancelled {
            was_completed: true,
            ..given_up(CancelReason::Customer)
        }])
        .with_effects([release(ReleaseReason::Cancelled)]);
    given::<Reservation>(taken)
        .when(SagaInput::EventCancelled)
        .then([ReservationCancelled {
            was_completed: true,
            ..given_up(CancelReason::EventCancelled)
        }])
        .with_effects([release(ReleaseReason::EventCancelled)]);
}

#[test]
fn what_costs_nothing_is_never_paid_and_what_costs_something_never_taken_for_nothing() {
    let refused = "costs nothing: there is no money to set aside";
    given::<Reservation>([for_nothing().into()])
        .when(pay_by(ALICE))
        .then_refused(Refusal::invalid("reservation_id", refused));
    given::<Reservation>([held().into()])
        .when(take_by(ALICE))
        .then_refused(Refusal::state(ReservationStatus::Held, Action::Pay));
    given::<Reservation>([for_nothing().into()])
        .at(after(300))
        .when(take_by(ALICE))
        .then_refused(Refusal::ReservationExpired {
            reservation_id: RESERVATION,
            expired_at: after(300),
        });
}

#[test]
fn who_gives_a_payment_up_keeps_the_seats_and_the_attempts() {
    given::<Reservation>(paying_again(2))
        .when(ReservationCommand::GivePaymentUp { by: ALICE })
        .then([ReservationPaymentGivenUp { payment_id: PAYMENT }])
        .with_effects([payment(PaymentCommand::Void)])
        .with_deadlines([]);
    for (nothing_to_give_up, status) in [
        (vec![held().into()], ReservationStatus::Held),
        (paid(), ReservationStatus::Completed),
    ] {
        given::<Reservation>(nothing_to_give_up)
            .when(ReservationCommand::GivePaymentUp { by: ALICE })
            .then_refused(Refusal::state(status, Action::Pay));
    }
}

#[test]
fn nobody_can_pay_or_cancel_or_even_see_what_is_not_theirs_but_an_admin_can() {
    let not_found = Refusal::ReservationNotFound(RESERVATION);
    given::<Reservation>([held().into()])
        .when(pay_by(MALLORY))
        .then_refused(not_found.clone());
    given::<Reservation>([held().into()])
        .when(cancel_by(MALLORY))
        .then_refused(not_found);
    given::<Reservation>([held().into()])
        .when(cancel_by(ADMIN))
        .then([given_up(CancelReason::Customer)]);
}

#[test]
fn a_hold_that_ran_out_cannot_be_paid_even_if_no_timer_has_said_so() {
    given::<Reservation>([held().into()])
        .at(after(300))
        .when(pay_by(ALICE))
        .then_refused(Refusal::ReservationExpired {
            reservation_id: RESERVATION,
            expired_at: after(300),
        });
}

#[test]
fn an_approved_payment_is_captured_at_once_if_that_was_asked_for() {
    given::<Reservation>(paying())
        .when(SagaInput::PaymentAuthorized {
            payment_id: PAYMENT,
            charge: Charge::AuthorizeAndCapture,
        })
        .then::<ReservationEvent>([])
        .with_effects([payment(PaymentCommand::Capture)]);
}

#[test]
fn an_approval_after_the_hold_ran_out_takes_the_money_only_if_the_seats_are_free() {
    let approved = |charge| SagaInput::PaymentAuthorized {
        payment_id: PAYMENT,
        charge,
    };
    let expired = ReservationExpired {
        payment_id: Some(PAYMENT),
    };
    given::<Reservation>(paying())
        .at(after(300))
        .when(approved(Charge::AuthorizeAndCapture))
        .then([expired.clone()])
        .with_effects([release(ReleaseReason::Expired), capture_if_free()]);
    let mut ended = paying();
    ended.push(expired.clone().into());
    given::<Reservation>(ended.clone())
        .at(after(400))
        .when(approved(Charge::AuthorizeAndCapture))
        .then::<ReservationEvent>([])
        .with_effects([capture_if_free()]);

    // Nobody asked to take it.
    given::<Reservation>(paying())
        .at(after(300))
        .when(approved(Charge::AuthorizeOnly))
        .then([expired])
        .with_effects([release(ReleaseReason::Expired), payment(PaymentCommand::Void)]);
    given::<Reservation>(ended)
        .at(after(400))
        .when(approved(Charge::AuthorizeOnly))
        .then::<ReservationEvent>([])
        .with_effects([payment(PaymentCommand::Void)]);
}

#[test]
fn an_approval_for_a_reservation_that_was_cancelled_is_voided() {
    let mut history = paying();
    history.push(given_up(CancelReason::Customer).into());
    given::<Reservation>(history)
        .when(SagaInput::PaymentAuthorized {
            payment_id: PAYMENT,
            charge: Charge::AuthorizeAndCapture,
        })
        .then::<ReservationEvent>([])
        .with_effects([payment(PaymentCommand::Void)]);
}

#[test]
fn captured_money_buys_the_seats_and_issues_a_ticket_for_each() {
    given::<Reservation>(paying())
        .when(SagaInput::PaymentCaptured { payment_id: PAYMENT })
        .then::<ReservationEvent>([])
        .with_effects([sell()]);
    given::<Reservation>(paying())
        .when(SagaInput::SeatsSold {
            payment_id: Some(PAYMENT),
        })
        .then([completed()])
        .with_deadlines([DeadlineChange::Clear(expiry())]);
}

#[test]
fn money_captured_after_the_hold_ended_buys_the_same_seats_if_they_are_free() {
    let mut history = paying();
    history.push(
        ReservationExpired {
            payment_id: Some(PAYMENT),
        }
        .into(),
    );
    given::<Reservation>(history)
        .at(after(400))
        .when(SagaInput::PaymentCaptured { payment_id: PAYMENT })
        .then::<ReservationEvent>([])
        .with_effects([sell()]);
}

#[test]
fn money_captured_when_the_seats_are_gone_goes_back() {
    let mut history = paying();
    history.push(
        ReservationExpired {
            payment_id: Some(PAYMENT),
        }
        .into(),
    );
    given::<Reservation>(history)
        .when(SagaInput::SeatsGone {
            payment_id: Some(PAYMENT),
        })
        .then([ReservationCompensated {
            reason: CompensationReason::PaidTooLate,
            payment_id: PAYMENT,
        }])
        .with_effects([refund_all(RefundCause::NoSeats)]);
}

#[test]
fn money_captured_for_a_reservation_that_was_cancelled_goes_back() {
    let mut history = paying();
    history.push(given_up(CancelReason::Customer).into());
    given::<Reservation>(history)
        .when(SagaInput::PaymentCaptured { payment_id: PAYMENT })
        .then::<ReservationEvent>([])
        .with_effects([refund_all(RefundCause::NoSeats)]);
}

#[test]
fn after_a_declined_payment_the_hold_stays_and_the_customer_may_try_again() {
    given::<Reservation>(paying())
        .when(declined(DeclineReason::InsufficientFunds))
        .then([declined_event(1)])
        .with_effects([]);
    given::<Reservation>(paying_again(1))
        .when(SagaInput::HoldRanOut)
        .then::<ReservationEvent>([]);
}

#[test]
fn the_third_declined_payment_ends_the_hold() {
    given::<Reservation>(paying_again(2))
        .when(declined(DeclineReason::Declined))
        .then::<ReservationEvent>([
            ReservationPaymentDeclined {
                payment_id: PAYMENT,
                reason: DeclineReason::Declined,
                declines: 3,
            }
            .into(),
            ReservationCompensated {
                reason: CompensationReason::DeclinedTooOften,
                payment_id: PAYMENT,
            }
            .into(),
        ])
        .with_effects([release(ReleaseReason::Declined)]);
}

#[test]
fn an_attempt_that_never_reached_the_gateway_is_not_held_against_the_customer() {
    given::<Reservation>(paying_again(2))
        .when(declined(DeclineReason::Interrupted))
        .then([ReservationPaymentGivenUp { payment_id: PAYMENT }])
        .with_effects([]);
}

#[test]
fn an_answer_about_another_payment_than_the_one_under_way_never_buys_seats() {
    given::<Reservation>(paying())
        .when(SagaInput::PaymentAuthorized {
            payment_id: OTHER_PAYMENT,
            charge: Charge::AuthorizeAndCapture,
        })
        .then::<ReservationEvent>([])
        .with_effects([SagaCommand::Payment {
            payment_id: OTHER_PAYMENT,
            command: PaymentCommand::Void,
        }]);
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
            by: ALICE,
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
        amount: eur(200),
        in_full,
        cause: RefundCause::Admin,
    };
    given::<Reservation>(paid())
        .when(report(true))
        .then([ReservationRefunded {
            amount: eur(200),
            was_completed: true,
        }])
        .with_effects([release(ReleaseReason::Refunded)]);
    given::<Reservation>(paid()).when(report(false)).then_nothing();
}

fn held() -> ReservationHeld {
    ReservationHeld {
        reservation_id: RESERVATION,
        event_id: EVENT,
        customer_id: CustomerId::from(ALICE.user_id),
        section_id: SECTION,
        section: label("General"),
        tier: label("regular"),
        seats: TakenSeats::Places(2),
        allocation: Allocation::GeneralAdmission,
        unit_price: eur(100),
        total: eur(200),
        held_until: after(300),
        at: start(),
    }
}

fn for_nothing() -> ReservationHeld {
    ReservationHeld {
        unit_price: eur(0),
        total: eur(0),
        ..held()
    }
}

fn take_by(by: Actor) -> ReservationCommand {
    ReservationCommand::TakeForNothing { by }
}

fn paying() -> Vec<ReservationEvent> {
    vec![held().into(), ReservationPaymentStarted { payment_id: PAYMENT }.into()]
}

/// Under way again after so many declined payments.
fn paying_again(declines: u32) -> Vec<ReservationEvent> {
    let mut history = paying();
    for decline in 1..=declines {
        history.push(declined_event(decline).into());
        history.push(ReservationPaymentStarted { payment_id: PAYMENT }.into());
    }
    history
}

fn paid() -> Vec<ReservationEvent> {
    let mut history = paying();
    history.push(completed().into());
    history
}

fn paid_and_refunded() -> Vec<ReservationEvent> {
    let mut history = paid();
    history.push(
        ReservationRefunded {
            amount: eur(200),
            was_completed: true,
        }
        .into(),
    );
    history
}

fn completed() -> ReservationCompleted {
    let ticket = |id| Ticket {
        ticket_id: TicketId::new(Uuid::from_u128(id)),
        seat_id: None,
    };
    ReservationCompleted {
        sale: Sale {
            reservation_id: RESERVATION,
            payment_id: Some(PAYMENT),
            event_id: EVENT,
            customer_id: ALICE.user_id.into(),
            section: label("General"),
            tier: label("regular"),
            quantity: 2,
            unit_price: eur(100),
            total_amount: eur(200),
            sold_at: start(),
        },
        tickets: vec![ticket(1_000), ticket(1_001)],
    }
}

fn declined_event(declines: u32) -> ReservationPaymentDeclined {
    ReservationPaymentDeclined {
        payment_id: PAYMENT,
        reason: DeclineReason::InsufficientFunds,
        declines,
    }
}

fn given_up(reason: CancelReason) -> ReservationCancelled {
    ReservationCancelled {
        reason,
        was_completed: false,
    }
}

fn declined(reason: DeclineReason) -> SagaInput {
    SagaInput::PaymentDeclined {
        payment_id: PAYMENT,
        reason,
    }
}

fn pay_by(by: Actor) -> ReservationCommand {
    ReservationCommand::StartPayment {
        by,
        payment_id: PAYMENT,
        method: visa(),
        charge: Charge::AuthorizeAndCapture,
    }
}

fn cancel_by(by: Actor) -> ReservationCommand {
    ReservationCommand::Cancel { by, refund: eur(0) }
}

fn payment(command: PaymentCommand) -> SagaCommand {
    SagaCommand::Payment {
        payment_id: PAYMENT,
        command,
    }
}

fn refund_all(cause: RefundCause) -> SagaCommand {
    let refund_id = RefundId::new(Uuid::from_u128(1_000));
    payment(PaymentCommand::Refund {
        refund_id,
        amount: None,
        cause,
        reason: None,
    })
}

fn capture_if_free() -> SagaCommand {
    SagaCommand::CaptureIfFree {
        section_id: SECTION,
        command: seats_of_the_hold(),
        payment_id: PAYMENT,
    }
}

fn sell() -> SagaCommand {
    SagaCommand::SellSeats {
        section_id: SECTION,
        command: seats_of_the_hold(),
        payment_id: Some(PAYMENT),
    }
}

fn seats_of_the_hold() -> InventoryCommand {
    InventoryCommand::Sell {
        reservation_id: RESERVATION,
        seats: TakenSeats::Places(2),
    }
}

fn release(reason: ReleaseReason) -> SagaCommand {
    SagaCommand::Inventory {
        section_id: SECTION,
        command: InventoryCommand::Release {
            reservation_id: RESERVATION,
            reason,
        },
    }
}

fn expiry() -> DeadlineKey {
    DeadlineKey {
        stream: StreamId::from(RESERVATION),
        kind: DeadlineKind::HoldExpiry,
    }
}

fn visa() -> PaymentMethod {
    PaymentMethod {
        kind: MethodKind::Card,
        token: MethodToken::new("tok_visa").expect("a token of the sandbox"),
    }
}

fn label(text: &str) -> Label {
    Label::new(text).expect("a short plain text")
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}
