use ticketing_ports::log::deadlines::{Deadline, DeadlineChange};
use ticketing_ports::vocabulary::ids::{CustomerId, PaymentId, RefundId, TicketId};
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::reservation::Sale;
use ticketing_ports::vocabulary::reservation::Ticket;

use super::command::SagaInput;
use super::decide::give_up_hold;
use super::event::{
    CancelReason, CompensationReason, ReservationCancelled, ReservationCompensated, ReservationEvent,
    ReservationExpired, ReservationMoneyReturned, ReservationPaymentDeclined, ReservationPaymentGivenUp,
};
use super::line::{Line, Lines};
use super::saga_command::{ReservationDecision, SagaCommand};
use super::state::{HoldTerms, ReservationState};
use super::versioned::{ReservationCompleted, ReservationRefunded};
use crate::inventory::ReleaseReason;
use crate::payment::{Charge, PaymentCommand, RefundCause};
use crate::reducer::Context;
use crate::stored::StoredEvent as _;

/// A hold ends when this many payments for it have been declined.
pub const MAX_DECLINES: u32 = 3;

/// Reacts to a report. A report that comes twice, or too late to matter, is never refused. Money that comes after the
/// hold has ended buys the same seats if they are still free; if they are not, the money is released or given back.
pub fn react(state: &ReservationState, input: &SagaInput, ctx: &Context<'_>) -> ReservationDecision {
    match input {
        SagaInput::HoldRanOut => hold_ran_out(state, ctx),
        SagaInput::EventCancelled => event_cancelled(state, ctx),
        SagaInput::PaymentAuthorized { payment_id, charge } => authorized(state, *payment_id, *charge, ctx),
        SagaInput::PaymentDeclined { payment_id, reason } => declined(state, *payment_id, *reason),
        SagaInput::PaymentCaptured { payment_id } => captured(state, *payment_id, ctx),
        SagaInput::SeatsSold {
            customer_id,
            payment_id,
        } => seats_sold(state, *customer_id, *payment_id, ctx),
        SagaInput::SeatsGone { payment_id, release } => seats_gone(state, *payment_id, *release, ctx),
        SagaInput::PaymentRefunded {
            payment_id,
            amount,
            refunded_in_total,
            in_full,
            cause,
        } => {
            let returned = ReservationMoneyReturned {
                amount: *amount,
                refunded_in_total: *refunded_in_total,
            };
            refunded(state, *payment_id, returned, *in_full, *cause, ctx)
        }
    }
}

/// Records that money went back. If the whole payment for valid tickets went back, the seats become free again. Money
/// that was taken without need, beside the payment that the reservation names, is not money of the reservation.
fn refunded(
    state: &ReservationState,
    payment: PaymentId,
    returned: ReservationMoneyReturned,
    in_full: bool,
    cause: RefundCause,
    ctx: &Context<'_>,
) -> ReservationDecision {
    let ended = |was_completed| ReservationRefunded {
        amount: returned.amount,
        refunded_in_total: returned.refunded_in_total,
        was_completed,
    };
    match state {
        ReservationState::Compensated { payment_id, .. }
        | ReservationState::Cancelled {
            paid: None,
            payment_id: Some(payment_id),
            ..
        } if *payment_id == payment => keep_status(returned, ctx),
        _ if cause == RefundCause::NoSeats => ReservationDecision::nothing(),
        ReservationState::Cancelled { paid: Some(_), .. } => ReservationDecision::event(ended(false)),
        ReservationState::Completed { terms, .. } if in_full => {
            ReservationDecision::event(ended(true)).with_effects(terms.release(ReleaseReason::Refunded))
        }
        ReservationState::Completed { .. } | ReservationState::Refunded { .. } => keep_status(returned, ctx),
        _ => ReservationDecision::nothing(),
    }
}

/// Records that money went back, unless an older build that still runs could not read that.
fn keep_status(returned: ReservationMoneyReturned, ctx: &Context<'_>) -> ReservationDecision {
    let event = ReservationEvent::from(returned);
    if event.is_read_by_all(ctx.floor) {
        ReservationDecision::event(event)
    } else {
        ReservationDecision::nothing()
    }
}

/// Ends the hold if its time is up. If the deadline came too early, the deadline is set again.
fn hold_ran_out(state: &ReservationState, ctx: &Context<'_>) -> ReservationDecision {
    let (ReservationState::Held { terms, .. } | ReservationState::PaymentPending { terms, .. }) = state else {
        return match state.terms() {
            Some(terms) => ReservationDecision::nothing().with_deadline(DeadlineChange::Clear(terms.expiry_key())),
            None => ReservationDecision::nothing(),
        };
    };
    if ctx.now < terms.held_until {
        let later = Deadline {
            key: terms.expiry_key(),
            due_at: terms.held_until,
            lane: terms.event_id.into(),
        };
        return ReservationDecision::nothing().with_deadline(DeadlineChange::Set(later));
    }
    expire(state, terms)
}

/// Ends a hold that ran out. Money that is set aside for it is released. If the gateway has not answered yet, what
/// happens to the money is decided when the answer comes.
fn expire(state: &ReservationState, terms: &HoldTerms) -> ReservationDecision {
    let payment_id = match state {
        ReservationState::PaymentPending { payment_id, .. } => Some(*payment_id),
        _ => None,
    };
    let reaction = run_out(terms, payment_id);
    match payment_id {
        Some(payment_id) => reaction.with_effect(SagaCommand::Payment {
            payment_id,
            command: PaymentCommand::Void,
        }),
        None => reaction,
    }
}

/// Records that the hold ran out, clears its deadline and frees the seats.
fn run_out(terms: &HoldTerms, payment_id: Option<PaymentId>) -> ReservationDecision {
    ReservationDecision::event(ReservationExpired { payment_id })
        .with_deadline(DeadlineChange::Clear(terms.expiry_key()))
        .with_effects(terms.release(ReleaseReason::Expired))
}

/// Undoes the reservation because its event was cancelled.
fn event_cancelled(state: &ReservationState, ctx: &Context<'_>) -> ReservationDecision {
    match state {
        ReservationState::Held { terms, .. } => {
            give_up_hold(terms, CancelReason::EventCancelled, ReleaseReason::EventCancelled)
        }
        ReservationState::PaymentPending { terms, payment_id, .. } => {
            give_up_hold(terms, CancelReason::EventCancelled, ReleaseReason::EventCancelled).with_effect(
                SagaCommand::Payment {
                    payment_id: *payment_id,
                    command: PaymentCommand::Void,
                },
            )
        }
        ReservationState::Completed { terms, paid } => {
            let cancelled = ReservationDecision::event(ReservationCancelled {
                reason: CancelReason::EventCancelled,
                was_completed: true,
            })
            .with_effects(terms.release(ReleaseReason::EventCancelled));
            match paid.payment_id {
                Some(payment_id) => {
                    cancelled.with_effect(refund_everything(payment_id, RefundCause::EventCancelled, ctx))
                }
                None => cancelled,
            }
        }
        ReservationState::Absent
        | ReservationState::Expired { .. }
        | ReservationState::Cancelled { .. }
        | ReservationState::Compensated { .. }
        | ReservationState::Refunded { .. } => ReservationDecision::nothing(),
    }
}

/// Handles the report that the money of a payment is set aside. Takes the money if the customer asked for that, or
/// releases it if the reservation no longer waits for this payment.
fn authorized(state: &ReservationState, payment: PaymentId, charge: Charge, ctx: &Context<'_>) -> ReservationDecision {
    let command = |command| SagaCommand::Payment {
        payment_id: payment,
        command,
    };
    let capture = charge == Charge::AuthorizeAndCapture;
    match state {
        ReservationState::PaymentPending { terms, payment_id, .. } if *payment_id == payment => {
            if ctx.now >= terms.held_until && capture {
                run_out(terms, Some(payment)).with_effect(terms.capture_if_free(payment))
            } else if ctx.now >= terms.held_until {
                expire(state, terms)
            } else if capture {
                ReservationDecision::nothing().with_effect(command(PaymentCommand::Capture))
            } else {
                ReservationDecision::nothing()
            }
        }
        // The customer paid after the hold had run out, and gets the seats only if they are still free.
        ReservationState::Expired {
            terms,
            payment_id: Some(payment_id),
        } if *payment_id == payment && capture => {
            ReservationDecision::nothing().with_effect(terms.capture_if_free(payment))
        }
        // The reservation no longer waits for this payment, so the money is released.
        _ => ReservationDecision::nothing().with_effect(command(PaymentCommand::Void)),
    }
}

/// Counts a declined payment. If it was the last one allowed, the reservation is undone and its seats become free.
fn declined(state: &ReservationState, payment: PaymentId, reason: DeclineReason) -> ReservationDecision {
    match state {
        ReservationState::PaymentPending {
            terms,
            declines,
            payment_id,
        } if *payment_id == payment => {
            if reason == DeclineReason::Interrupted {
                return ReservationDecision::event(ReservationPaymentGivenUp { payment_id: payment });
            }
            let declines = declines + 1;
            let mut reaction = ReservationDecision::event(ReservationPaymentDeclined {
                payment_id: payment,
                reason,
                declines,
            });
            if declines >= MAX_DECLINES {
                let compensated = ReservationCompensated {
                    reason: CompensationReason::DeclinedTooOften,
                    payment_id: payment,
                };
                reaction.events.push(compensated.into());
                reaction = reaction
                    .with_deadline(DeadlineChange::Clear(terms.expiry_key()))
                    .with_effects(terms.release(ReleaseReason::Declined));
            }
            reaction
        }
        _ => ReservationDecision::nothing(),
    }
}

/// Sells the seats for money that was taken. Money that the reservation does not wait for is given back.
fn captured(state: &ReservationState, payment: PaymentId, ctx: &Context<'_>) -> ReservationDecision {
    match state {
        ReservationState::PaymentPending { terms, payment_id, .. }
        | ReservationState::Expired {
            terms,
            payment_id: Some(payment_id),
        } if *payment_id == payment => {
            ReservationDecision::nothing().with_effect(terms.sell(terms.customer_when_sold(), Some(payment)))
        }
        _ => ReservationDecision::nothing().with_effect(refund_everything(payment, RefundCause::NoSeats, ctx)),
    }
}

/// Issues the tickets for seats that the inventory has sold.
fn seats_sold(
    state: &ReservationState,
    customer_id: CustomerId,
    payment_id: Option<PaymentId>,
    ctx: &Context<'_>,
) -> ReservationDecision {
    let Some(terms) = state.terms() else {
        return ReservationDecision::nothing();
    };
    let tickets = terms.lines.iter().flat_map(|line| {
        let seats = line.seats.seats();
        (0..line.seats.quantity() as usize).map(move |index| Ticket {
            ticket_id: ctx.new_id(TicketId::new),
            line_id: line.line_id,
            seat_id: seats.get(index).cloned(),
        })
    });
    let sale = Sale {
        reservation_id: terms.reservation_id,
        payment_id,
        event_id: terms.event_id,
        customer_id,
        lines: terms.lines.iter().map(Line::sold).collect(),
        total_amount: terms.total,
        sold_at: ctx.now,
    };
    ReservationDecision::event(ReservationCompleted {
        sale,
        tickets: tickets.collect(),
    })
    .with_deadline(DeadlineChange::Clear(terms.expiry_key()))
}

/// Undoes the reservation because the seats of a line are gone. Seats of other lines that are still held become free,
/// and the money goes back if the customer has paid.
fn seats_gone(
    state: &ReservationState,
    payment_id: Option<PaymentId>,
    release: ReleaseReason,
    ctx: &Context<'_>,
) -> ReservationDecision {
    let Some(terms) = state.terms() else {
        return ReservationDecision::nothing();
    };
    let Some(payment_id) = payment_id else {
        return run_out(terms, None);
    };
    let still_held = state.is_live().then(|| terms.release(release));
    ReservationDecision::event(ReservationCompensated {
        reason: CompensationReason::PaidTooLate,
        payment_id,
    })
    .with_deadline(DeadlineChange::Clear(terms.expiry_key()))
    .with_effects(still_held.into_iter().flatten())
    .with_effect(refund_everything(payment_id, RefundCause::NoSeats, ctx))
}

impl HoldTerms {
    fn capture_if_free(&self, payment_id: PaymentId) -> SagaCommand {
        SagaCommand::CaptureIfFree {
            lines: Lines::clone(&self.lines),
            payment_id,
        }
    }
}

fn refund_everything(payment_id: PaymentId, cause: RefundCause, ctx: &Context<'_>) -> SagaCommand {
    let refund_id = ctx.new_id(RefundId::new);
    let command = PaymentCommand::Refund {
        refund_id,
        amount: None,
        cause,
        reason: None,
    };
    SagaCommand::Payment { payment_id, command }
}
