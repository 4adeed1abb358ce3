use ticketing_ports::log::deadlines::{Deadline, DeadlineChange};
use ticketing_ports::vocabulary::ids::{PaymentId, RefundId, SectionId, TicketId};
use ticketing_ports::vocabulary::payment::DeclineReason;
use ticketing_ports::vocabulary::reservation::Sale;
use ticketing_ports::vocabulary::reservation::Ticket;

use super::command::SagaInput;
use super::decide::give_up_hold;
use super::event::{
    CancelReason, CompensationReason, ReservationCancelled, ReservationCompensated, ReservationCompleted,
    ReservationEvent, ReservationExpired, ReservationPaymentDeclined, ReservationPaymentGivenUp, ReservationRefunded,
};
use super::state::{Booking, ReservationState};
use crate::inventory::{InventoryCommand, ReleaseReason};
use crate::payment::{PaymentCommand, RefundCause};
use crate::reducer::{Context, Decision};

/// So many declined payments end a hold.
pub const MAX_DECLINES: u32 = 3;

/// What the reservation records, and its commands to the other aggregates.
pub type ReservationDecision = Decision<ReservationEvent, SagaCommand>;

/// A command of the saga to another aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SagaCommand {
    Inventory {
        section_id: SectionId,
        command: InventoryCommand,
    },
    /// Sell the seats of this reservation, and report [`SagaInput::SeatsSold`] or [`SagaInput::SeatsGone`].
    SellSeats {
        section_id: SectionId,
        command: InventoryCommand,
        /// `None` if they cost nothing.
        payment_id: Option<PaymentId>,
    },
    /// Take the money if the seats of this reservation could be sold to it now, else let go of it.
    CaptureIfFree {
        section_id: SectionId,
        command: InventoryCommand,
        payment_id: PaymentId,
    },
    Payment {
        payment_id: PaymentId,
        command: PaymentCommand,
    },
}

/// Reacts to what the world reports. An input that comes twice, or too late to matter, is no error; money that comes
/// too late is turned into the same seats if they are free, else let go of or given back.
pub fn react(state: &ReservationState, input: &SagaInput, ctx: &Context<'_>) -> ReservationDecision {
    match input {
        SagaInput::HoldRanOut => hold_ran_out(state, ctx),
        SagaInput::EventCancelled => event_cancelled(state, ctx),
        SagaInput::PaymentAuthorized { payment_id, capture } => authorized(state, *payment_id, *capture, ctx),
        SagaInput::PaymentDeclined { payment_id, reason } => declined(state, *payment_id, *reason),
        SagaInput::PaymentCaptured { payment_id } => captured(state, *payment_id, ctx),
        SagaInput::SeatsSold { payment_id } => seats_sold(state, *payment_id, ctx),
        SagaInput::SeatsGone { payment_id } => seats_gone(state, *payment_id, ctx),
        SagaInput::PaymentRefunded { amount, in_full, cause } => match state {
            _ if *cause == RefundCause::NoSeats => ReservationDecision::nothing(),
            ReservationState::Cancelled { paid: Some(_), .. } => ReservationDecision::event(ReservationRefunded {
                amount: *amount,
                was_completed: false,
            }),
            ReservationState::Completed { booking, .. } if *in_full => {
                ReservationDecision::event(ReservationRefunded {
                    amount: *amount,
                    was_completed: true,
                })
                .with_effect(booking.release(ReleaseReason::Refunded))
            }
            _ => ReservationDecision::nothing(),
        },
    }
}

fn hold_ran_out(state: &ReservationState, ctx: &Context<'_>) -> ReservationDecision {
    let (ReservationState::Held { booking, .. } | ReservationState::PaymentPending { booking, .. }) = state else {
        return match state.booking() {
            Some(booking) => ReservationDecision::nothing().with_deadline(DeadlineChange::Clear(booking.expiry_key())),
            None => ReservationDecision::nothing(),
        };
    };
    if ctx.now < booking.held_until {
        let later = Deadline {
            key: booking.expiry_key(),
            due_at: booking.held_until,
            lane: booking.event_id.into(),
        };
        return ReservationDecision::nothing().with_deadline(DeadlineChange::Set(later));
    }
    expire(state, booking)
}

/// Ends a hold that ran out. A payment under way is let go, or dealt with when its answer comes.
fn expire(state: &ReservationState, booking: &Booking) -> ReservationDecision {
    let payment_id = match state {
        ReservationState::PaymentPending { payment_id, .. } => Some(*payment_id),
        _ => None,
    };
    let reaction = run_out(booking, payment_id);
    match payment_id {
        Some(payment_id) => reaction.with_effect(SagaCommand::Payment {
            payment_id,
            command: PaymentCommand::Void,
        }),
        None => reaction,
    }
}

fn run_out(booking: &Booking, payment_id: Option<PaymentId>) -> ReservationDecision {
    ReservationDecision::event(ReservationExpired { payment_id })
        .with_deadline(DeadlineChange::Clear(booking.expiry_key()))
        .with_effect(booking.release(ReleaseReason::Expired))
}

fn event_cancelled(state: &ReservationState, ctx: &Context<'_>) -> ReservationDecision {
    match state {
        ReservationState::Held { booking, .. } => {
            give_up_hold(booking, CancelReason::EventCancelled, ReleaseReason::EventCancelled)
        }
        ReservationState::PaymentPending {
            booking, payment_id, ..
        } => give_up_hold(booking, CancelReason::EventCancelled, ReleaseReason::EventCancelled).with_effect(
            SagaCommand::Payment {
                payment_id: *payment_id,
                command: PaymentCommand::Void,
            },
        ),
        ReservationState::Completed { booking, paid } => {
            let cancelled = ReservationDecision::event(ReservationCancelled {
                reason: CancelReason::EventCancelled,
                was_completed: true,
            })
            .with_effect(booking.release(ReleaseReason::EventCancelled));
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

fn authorized(state: &ReservationState, payment: PaymentId, capture: bool, ctx: &Context<'_>) -> ReservationDecision {
    let command = |command| SagaCommand::Payment {
        payment_id: payment,
        command,
    };
    match state {
        ReservationState::PaymentPending {
            booking, payment_id, ..
        } if *payment_id == payment => {
            if ctx.now >= booking.held_until && capture {
                run_out(booking, Some(payment)).with_effect(booking.capture_if_free(payment))
            } else if ctx.now >= booking.held_until {
                expire(state, booking)
            } else if capture {
                ReservationDecision::nothing().with_effect(command(PaymentCommand::Capture))
            } else {
                ReservationDecision::nothing()
            }
        }
        // The customer has paid, only late.
        ReservationState::Expired {
            booking,
            payment_id: Some(payment_id),
        } if *payment_id == payment && capture => {
            ReservationDecision::nothing().with_effect(booking.capture_if_free(payment))
        }
        // Nobody waits for this money any more.
        _ => ReservationDecision::nothing().with_effect(command(PaymentCommand::Void)),
    }
}

fn declined(state: &ReservationState, payment: PaymentId, reason: DeclineReason) -> ReservationDecision {
    match state {
        ReservationState::PaymentPending {
            booking,
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
                    .with_deadline(DeadlineChange::Clear(booking.expiry_key()))
                    .with_effect(booking.release(ReleaseReason::Declined));
            }
            reaction
        }
        _ => ReservationDecision::nothing(),
    }
}

fn captured(state: &ReservationState, payment: PaymentId, ctx: &Context<'_>) -> ReservationDecision {
    match state {
        ReservationState::PaymentPending {
            booking, payment_id, ..
        }
        | ReservationState::Expired {
            booking,
            payment_id: Some(payment_id),
        } if *payment_id == payment => ReservationDecision::nothing().with_effect(SagaCommand::SellSeats {
            section_id: booking.section_id,
            command: booking.sell(),
            payment_id: Some(payment),
        }),
        _ => ReservationDecision::nothing().with_effect(refund_everything(payment, RefundCause::NoSeats, ctx)),
    }
}

fn seats_sold(state: &ReservationState, payment_id: Option<PaymentId>, ctx: &Context<'_>) -> ReservationDecision {
    let Some(booking) = state.booking() else {
        return ReservationDecision::nothing();
    };
    let seats = booking.seats.seats();
    let tickets = (0..booking.seats.quantity() as usize).map(|index| Ticket {
        ticket_id: ctx.new_id(TicketId::new),
        seat_id: seats.get(index).cloned(),
    });
    let sale = Sale {
        reservation_id: booking.reservation_id,
        payment_id,
        event_id: booking.event_id,
        customer_id: booking.customer_id,
        section: booking.section.clone(),
        tier: booking.tier.clone(),
        quantity: booking.seats.quantity(),
        unit_price: booking.unit_price,
        total_amount: booking.total,
        sold_at: ctx.now,
    };
    ReservationDecision::event(ReservationCompleted {
        sale,
        tickets: tickets.collect(),
    })
    .with_deadline(DeadlineChange::Clear(booking.expiry_key()))
}

fn seats_gone(state: &ReservationState, payment_id: Option<PaymentId>, ctx: &Context<'_>) -> ReservationDecision {
    let Some(booking) = state.booking() else {
        return ReservationDecision::nothing();
    };
    let Some(payment_id) = payment_id else {
        return run_out(booking, None);
    };
    ReservationDecision::event(ReservationCompensated {
        reason: CompensationReason::PaidTooLate,
        payment_id,
    })
    .with_deadline(DeadlineChange::Clear(booking.expiry_key()))
    .with_effect(refund_everything(payment_id, RefundCause::NoSeats, ctx))
}

impl Booking {
    pub(super) fn sell(&self) -> InventoryCommand {
        InventoryCommand::Sell {
            reservation_id: self.reservation_id,
            seats: self.seats.clone(),
        }
    }

    fn capture_if_free(&self, payment_id: PaymentId) -> SagaCommand {
        SagaCommand::CaptureIfFree {
            section_id: self.section_id,
            command: self.sell(),
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
