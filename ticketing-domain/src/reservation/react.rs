use ticketing_ports::deadlines::{Deadline, DeadlineChange};
use ticketing_ports::gateway::DeclineReason;
use ticketing_ports::ids::{PaymentId, RefundId, SectionId, TicketId};
use ticketing_ports::read_models::Sale;
use ticketing_ports::reservation::Ticket;

use super::command::SagaInput;
use super::decide::give_up_hold;
use super::event::{
    CancelReason, CompensationReason, ReservationCancelled, ReservationCompensated, ReservationCompleted,
    ReservationEvent, ReservationExpired, ReservationPaymentDeclined, ReservationPaymentGivenUp, ReservationRefunded,
};
use super::state::{Booking, ReservationState};
use crate::inventory::{InventoryCommand, ReleaseReason};
use crate::payment::{PaymentCommand, RefundCause};
use crate::reducer::Context;

/// So many declined payments end a hold.
pub const MAX_DECLINES: u32 = 3;

/// What a saga wants to happen, as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reaction {
    pub events: Vec<ReservationEvent>,
    pub deadlines: Vec<DeadlineChange>,
    pub commands: Vec<SagaCommand>,
}

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
        payment_id: PaymentId,
    },
    Payment {
        payment_id: PaymentId,
        command: PaymentCommand,
    },
}

impl Reaction {
    pub fn nothing() -> Self {
        Self::default()
    }

    pub fn event(event: impl Into<ReservationEvent>) -> Self {
        Self {
            events: vec![event.into()],
            ..Self::default()
        }
    }

    #[must_use]
    pub fn command(mut self, command: SagaCommand) -> Self {
        self.commands.push(command);
        self
    }

    #[must_use]
    pub fn deadline(mut self, change: DeadlineChange) -> Self {
        self.deadlines.push(change);
        self
    }
}

/// Reacts to what the world reports. An input that comes twice, or too late to matter, is no error; money that comes
/// too late is turned into the same seats if they are free, else into a refund.
pub fn react(state: &ReservationState, input: &SagaInput, ctx: &Context<'_>) -> Reaction {
    match input {
        SagaInput::HoldRanOut => hold_ran_out(state, ctx),
        SagaInput::EventCancelled => event_cancelled(state, ctx),
        SagaInput::PaymentAuthorized { payment_id, capture } => authorized(state, *payment_id, *capture, ctx),
        SagaInput::PaymentDeclined { payment_id, reason } => declined(state, *payment_id, *reason),
        SagaInput::PaymentCaptured { payment_id } => captured(state, *payment_id, ctx),
        SagaInput::SeatsSold { payment_id } => seats_sold(state, *payment_id, ctx),
        SagaInput::SeatsGone { payment_id } => seats_gone(state, *payment_id, ctx),
        SagaInput::PaymentRefunded { amount, in_full, cause } => match state {
            _ if *cause == RefundCause::NoSeats => Reaction::nothing(),
            ReservationState::Cancelled { paid: Some(_), .. } => Reaction::event(ReservationRefunded {
                amount: *amount,
                was_completed: false,
            }),
            ReservationState::Completed { booking, .. } if *in_full => Reaction::event(ReservationRefunded {
                amount: *amount,
                was_completed: true,
            })
            .command(booking.release(ReleaseReason::Refunded)),
            _ => Reaction::nothing(),
        },
    }
}

fn hold_ran_out(state: &ReservationState, ctx: &Context<'_>) -> Reaction {
    let (ReservationState::Held { booking, .. } | ReservationState::PaymentPending { booking, .. }) = state else {
        return match state.booking() {
            Some(booking) => Reaction::nothing().deadline(DeadlineChange::Clear(booking.expiry_key())),
            None => Reaction::nothing(),
        };
    };
    if ctx.now < booking.held_until {
        let later = Deadline {
            key: booking.expiry_key(),
            due_at: booking.held_until,
            lane: booking.event_id.into(),
        };
        return Reaction::nothing().deadline(DeadlineChange::Set(later));
    }
    expire(state, booking)
}

/// Ends a hold that ran out. A payment under way is let go, or dealt with when its answer comes.
fn expire(state: &ReservationState, booking: &Booking) -> Reaction {
    let payment_id = match state {
        ReservationState::PaymentPending { payment_id, .. } => Some(*payment_id),
        _ => None,
    };
    let reaction = Reaction::event(ReservationExpired { payment_id })
        .deadline(DeadlineChange::Clear(booking.expiry_key()))
        .command(booking.release(ReleaseReason::Expired));
    match payment_id {
        Some(payment_id) => reaction.command(SagaCommand::Payment {
            payment_id,
            command: PaymentCommand::Void,
        }),
        None => reaction,
    }
}

fn event_cancelled(state: &ReservationState, ctx: &Context<'_>) -> Reaction {
    match state {
        ReservationState::Held { booking, .. } => {
            give_up_hold(booking, CancelReason::EventCancelled, ReleaseReason::EventCancelled)
        }
        ReservationState::PaymentPending {
            booking, payment_id, ..
        } => give_up_hold(booking, CancelReason::EventCancelled, ReleaseReason::EventCancelled).command(
            SagaCommand::Payment {
                payment_id: *payment_id,
                command: PaymentCommand::Void,
            },
        ),
        ReservationState::Completed { booking, paid } => Reaction::event(ReservationCancelled {
            reason: CancelReason::EventCancelled,
            was_completed: true,
        })
        .command(booking.release(ReleaseReason::EventCancelled))
        .command(refund_everything(paid.payment_id, RefundCause::EventCancelled, ctx)),
        ReservationState::Absent
        | ReservationState::Expired { .. }
        | ReservationState::Cancelled { .. }
        | ReservationState::Compensated { .. }
        | ReservationState::Refunded { .. } => Reaction::nothing(),
    }
}

fn authorized(state: &ReservationState, payment: PaymentId, capture: bool, ctx: &Context<'_>) -> Reaction {
    let command = |command| SagaCommand::Payment {
        payment_id: payment,
        command,
    };
    match state {
        ReservationState::PaymentPending {
            booking, payment_id, ..
        } if *payment_id == payment => {
            if ctx.now >= booking.held_until {
                expire(state, booking)
            } else if capture {
                Reaction::nothing().command(command(PaymentCommand::Capture))
            } else {
                Reaction::nothing()
            }
        }
        // Nobody waits for this money any more.
        _ => Reaction::nothing().command(command(PaymentCommand::Void)),
    }
}

fn declined(state: &ReservationState, payment: PaymentId, reason: DeclineReason) -> Reaction {
    match state {
        ReservationState::PaymentPending {
            booking,
            declines,
            payment_id,
        } if *payment_id == payment => {
            if reason == DeclineReason::Interrupted {
                return Reaction::event(ReservationPaymentGivenUp { payment_id: payment });
            }
            let declines = declines + 1;
            let mut reaction = Reaction::event(ReservationPaymentDeclined {
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
                    .deadline(DeadlineChange::Clear(booking.expiry_key()))
                    .command(booking.release(ReleaseReason::Declined));
            }
            reaction
        }
        _ => Reaction::nothing(),
    }
}

fn captured(state: &ReservationState, payment: PaymentId, ctx: &Context<'_>) -> Reaction {
    match state {
        ReservationState::PaymentPending {
            booking, payment_id, ..
        }
        | ReservationState::Expired {
            booking,
            payment_id: Some(payment_id),
        } if *payment_id == payment => {
            let reservation_id = booking.reservation_id;
            Reaction::nothing().command(SagaCommand::SellSeats {
                section_id: booking.section_id,
                command: InventoryCommand::Sell {
                    reservation_id,
                    seats: booking.seats.clone(),
                },
                payment_id: payment,
            })
        }
        _ => Reaction::nothing().command(refund_everything(payment, RefundCause::NoSeats, ctx)),
    }
}

fn seats_sold(state: &ReservationState, payment_id: PaymentId, ctx: &Context<'_>) -> Reaction {
    let Some(booking) = state.booking() else {
        return Reaction::nothing();
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
    Reaction::event(ReservationCompleted {
        sale,
        tickets: tickets.collect(),
    })
    .deadline(DeadlineChange::Clear(booking.expiry_key()))
}

fn seats_gone(state: &ReservationState, payment_id: PaymentId, ctx: &Context<'_>) -> Reaction {
    let Some(booking) = state.booking() else {
        return Reaction::nothing();
    };
    Reaction::event(ReservationCompensated {
        reason: CompensationReason::PaidTooLate,
        payment_id,
    })
    .deadline(DeadlineChange::Clear(booking.expiry_key()))
    .command(refund_everything(payment_id, RefundCause::NoSeats, ctx))
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
