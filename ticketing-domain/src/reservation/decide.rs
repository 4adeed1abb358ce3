use ticketing_ports::Timestamp;
use ticketing_ports::deadlines::{Deadline, DeadlineChange, DeadlineKey, DeadlineKind};
use ticketing_ports::ids::RefundId;
use ticketing_ports::roles::Actor;
use ticketing_ports::streams::StreamId;

use super::command::ReservationCommand;
use super::event::{CancelReason, ReservationCancelled, ReservationPaymentStarted};
use super::react::{ReservationDecision, SagaCommand};
use super::state::{Booking, ReservationState};
use crate::inventory::{InventoryCommand, ReleaseReason};
use crate::payment::{PaymentCommand, RefundCause};
use crate::policy;
use crate::reducer::Context;
use crate::refusal::Refusal;

/// Decides what a person asks of one reservation.
///
/// # Errors
/// When it is not theirs, has run out, or its status does not allow it.
pub fn decide(
    state: &ReservationState,
    command: &ReservationCommand,
    ctx: &Context<'_>,
) -> Result<ReservationDecision, Refusal> {
    use ReservationState::{Absent, Cancelled, Compensated, Completed, Expired, Held, PaymentPending, Refunded};

    match (state, command) {
        (Absent, ReservationCommand::Open(held)) => {
            let key = DeadlineKey {
                stream: StreamId::from(held.reservation_id),
                kind: DeadlineKind::HoldExpiry,
            };
            let expiry = Deadline {
                key,
                due_at: held.held_until,
                lane: held.event_id.into(),
            };
            Ok(ReservationDecision::event(held.clone()).with_deadline(DeadlineChange::Set(expiry)))
        }
        (_, ReservationCommand::Open(_)) => Err(Refusal::AlreadyExists),

        (
            Held { booking, .. },
            ReservationCommand::StartPayment {
                by,
                payment_id,
                method,
                capture,
            },
        ) => {
            booking.belongs_to(*by)?;
            booking.not_run_out(ctx.now)?;
            Ok(ReservationDecision::event(ReservationPaymentStarted {
                payment_id: *payment_id,
            })
            .with_effect(SagaCommand::Payment {
                payment_id: *payment_id,
                command: PaymentCommand::Request {
                    payment_id: *payment_id,
                    reservation_id: booking.reservation_id,
                    event_id: booking.event_id,
                    customer_id: booking.customer_id,
                    amount: booking.total,
                    method: method.clone(),
                    capture: *capture,
                    wanted_by: booking.held_until,
                },
            }))
        }
        (
            PaymentPending {
                booking,
                payment_id: pending,
                ..
            },
            ReservationCommand::Capture { by, payment_id },
        ) if pending == payment_id => {
            booking.belongs_to(*by)?;
            booking.not_run_out(ctx.now)?;
            Ok(ReservationDecision::nothing().with_effect(SagaCommand::Payment {
                payment_id: *payment_id,
                command: PaymentCommand::Capture,
            }))
        }

        (Held { booking, .. }, ReservationCommand::Cancel { by, .. }) => {
            booking.belongs_to(*by)?;
            booking.not_run_out(ctx.now)?;
            Ok(give_up_hold(booking, CancelReason::Customer, ReleaseReason::Cancelled))
        }
        (
            PaymentPending {
                booking, payment_id, ..
            },
            ReservationCommand::Cancel { by, .. },
        ) => {
            booking.belongs_to(*by)?;
            Ok(
                give_up_hold(booking, CancelReason::Customer, ReleaseReason::Cancelled).with_effect(
                    SagaCommand::Payment {
                        payment_id: *payment_id,
                        command: PaymentCommand::Void,
                    },
                ),
            )
        }
        (Completed { booking, paid }, ReservationCommand::Cancel { by, refund }) => {
            booking.belongs_to(*by)?;
            let cancelled = ReservationCancelled {
                reason: CancelReason::Customer,
                was_completed: true,
            };
            let reaction = ReservationDecision::event(cancelled).with_effect(booking.release(ReleaseReason::Cancelled));
            Ok(if refund.is_zero() {
                reaction
            } else {
                reaction.with_effect(SagaCommand::Payment {
                    payment_id: paid.payment_id,
                    command: PaymentCommand::Refund {
                        refund_id: ctx.new_id(RefundId::new),
                        amount: Some(*refund),
                        cause: RefundCause::Policy,
                        reason: None,
                    },
                })
            })
        }

        (
            Held { booking, .. }
            | PaymentPending { booking, .. }
            | Completed { booking, .. }
            | Expired { booking, .. }
            | Cancelled { booking, .. }
            | Compensated { booking, .. }
            | Refunded { booking, .. },
            ReservationCommand::StartPayment { by, .. }
            | ReservationCommand::Capture { by, .. }
            | ReservationCommand::Cancel { by, .. },
        ) => {
            booking.belongs_to(*by)?;
            if let Expired { .. } = state {
                return Err(booking.run_out());
            }
            let action = match command {
                ReservationCommand::Cancel { .. } => "cancel",
                _ => "pay",
            };
            let from = state
                .status_at(ctx.now)
                .expect("a reservation with a booking has a status")
                .as_str();
            Err(Refusal::state(from, action))
        }
        (
            Absent,
            ReservationCommand::StartPayment { .. }
            | ReservationCommand::Capture { .. }
            | ReservationCommand::Cancel { .. },
        ) => Err(Refusal::state("absent", "change")),
    }
}

/// Ends a hold that was not paid.
pub(super) fn give_up_hold(booking: &Booking, reason: CancelReason, release: ReleaseReason) -> ReservationDecision {
    ReservationDecision::event(ReservationCancelled {
        reason,
        was_completed: false,
    })
    .with_deadline(DeadlineChange::Clear(booking.expiry_key()))
    .with_effect(booking.release(release))
}

impl Booking {
    fn belongs_to(&self, actor: Actor) -> Result<(), Refusal> {
        if policy::may_act_for(actor, self.customer_id) {
            Ok(())
        } else {
            Err(Refusal::ReservationNotFound(self.reservation_id))
        }
    }

    fn not_run_out(&self, now: Timestamp) -> Result<(), Refusal> {
        if now < self.held_until {
            Ok(())
        } else {
            Err(self.run_out())
        }
    }

    pub fn run_out(&self) -> Refusal {
        Refusal::ReservationExpired {
            reservation_id: self.reservation_id,
            expired_at: self.held_until,
        }
    }

    pub(super) fn expiry_key(&self) -> DeadlineKey {
        DeadlineKey {
            stream: StreamId::from(self.reservation_id),
            kind: DeadlineKind::HoldExpiry,
        }
    }

    pub(super) fn release(&self, reason: ReleaseReason) -> SagaCommand {
        SagaCommand::Inventory {
            section_id: self.section_id,
            command: InventoryCommand::Release {
                reservation_id: self.reservation_id,
                reason,
            },
        }
    }
}
