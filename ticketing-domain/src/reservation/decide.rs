use chrono::TimeDelta;
use ticketing_ports::Timestamp;
use ticketing_ports::log::deadlines::{Deadline, DeadlineChange, DeadlineKey, DeadlineKind};
use ticketing_ports::log::streams::StreamId;
use ticketing_ports::vocabulary::buyer::Buyer;
use ticketing_ports::vocabulary::event_details::HoldExtensions;
use ticketing_ports::vocabulary::ids::{CustomerId, PaymentId, RefundId};

use super::command::ReservationCommand;
use super::event::{
    CancelReason, ReservationCancelled, ReservationEvent, ReservationExtended, ReservationPaymentGivenUp,
};
use super::line::{Lines, sections_of};
use super::saga_command::{ReservationDecision, SagaCommand};
use super::state::{HoldTerms, PaidWith, ReservationState};
use super::versioned::{ReservationHeld, ReservationPaymentStarted};
use crate::inventory::{InventoryCommand, ReleaseReason};
use crate::payment::{PaymentCommand, PaymentRequest, RefundCause};
use crate::policy;
use crate::reducer::Context;
use crate::refusal::Refusal;
use crate::stored::StoredEvent as _;
use crate::transition::{Action, StateName};

/// Decides what a person asks of one reservation.
///
/// # Errors
/// When the reservation is somebody else's or has run out, or its status does not allow what the person asks for.
pub fn decide(
    state: &ReservationState,
    command: &ReservationCommand,
    ctx: &Context<'_>,
) -> Result<ReservationDecision, Refusal> {
    use ReservationState::{Absent, Completed, Held, PaymentPending};

    if let ReservationCommand::Open(held) = command {
        return match state {
            Absent => open(held, ctx),
            _ => Err(Refusal::AlreadyExists),
        };
    }
    let (Some(terms), Some(by)) = (state.terms(), command.by()) else {
        return Err(Refusal::state(StateName::Absent, Action::Change));
    };
    if !terms.belongs_to(by) {
        return Err(Refusal::ReservationNotFound(terms.reservation_id));
    }
    if let ReservationCommand::Cancel { .. } = command {
        may_be_cancelled(state, ctx.now)?;
    }
    if let ReservationCommand::Extend {
        hold_seconds,
        extensions,
        ..
    } = command
    {
        return extend(state, terms, *hold_seconds, *extensions, ctx);
    }
    match state {
        Held { terms, .. } => held(state, terms, command, ctx),
        PaymentPending { terms, payment_id, .. } => payment_pending(state, terms, *payment_id, command, ctx),
        Completed { terms, paid } => completed(state, terms, paid, command, ctx),
        _ => Err(not_possible(state, terms, Action::Pay, ctx.now)),
    }
}

/// Begins the reservation, and sets the deadline at which its hold runs out. Several lines are refused as long as an
/// older build works on the log, since that build could not read them.
fn open(held: &ReservationHeld, ctx: &Context<'_>) -> Result<ReservationDecision, Refusal> {
    let event = ReservationEvent::from(held.clone());
    if !event.is_read_by_all(ctx.floor) {
        return Err(Refusal::UpdateUnderWay);
    }
    let key = DeadlineKey {
        stream: StreamId::from(held.reservation_id),
        kind: DeadlineKind::HoldExpiry,
    };
    let expiry = Deadline {
        key,
        due_at: held.held_until,
        lane: held.event_id.into(),
    };
    Ok(ReservationDecision::event(event).with_deadline(DeadlineChange::Set(expiry)))
}

/// Lets the hold last longer, in every section. The customer has to ask before the hold has run out, and before a
/// payment is under way.
fn extend(
    state: &ReservationState,
    terms: &HoldTerms,
    hold_seconds: u32,
    extensions: Option<HoldExtensions>,
    ctx: &Context<'_>,
) -> Result<ReservationDecision, Refusal> {
    let ReservationState::Held { .. } = state else {
        return Err(not_possible(state, terms, Action::Extend, ctx.now));
    };
    terms.not_run_out(ctx.now)?;
    let seconds = |seconds: u32| TimeDelta::seconds(i64::from(seconds));
    let longest = extensions.map_or(terms.held_until, |most| terms.held_at + seconds(most.max_hold_seconds));
    let held_until = longest.min(terms.held_until + seconds(hold_seconds));
    let limit = extensions.map_or(0, |most| most.at_most);
    if terms.extensions >= limit || held_until <= terms.held_until {
        return Err(Refusal::NoMoreExtensions {
            extensions: terms.extensions,
            expires_at: terms.held_until,
        });
    }
    let extended = ReservationEvent::from(ReservationExtended {
        held_until,
        extensions: terms.extensions + 1,
    });
    if !extended.is_read_by_all(ctx.floor) {
        return Err(Refusal::UpdateUnderWay);
    }
    let expiry = Deadline {
        key: terms.expiry_key(),
        due_at: held_until,
        lane: terms.event_id.into(),
    };
    Ok(ReservationDecision::event(extended)
        .with_deadline(DeadlineChange::Set(expiry))
        .with_effects(terms.extend_to(held_until)))
}

/// Decides a command while the seats are held and no payment is under way.
fn held(
    state: &ReservationState,
    terms: &HoldTerms,
    command: &ReservationCommand,
    ctx: &Context<'_>,
) -> Result<ReservationDecision, Refusal> {
    match command {
        ReservationCommand::StartPayment {
            by,
            payment_id,
            method,
            charge,
        } => {
            terms.not_run_out(ctx.now)?;
            let person = terms.person(*by)?;
            if terms.costs_nothing() {
                return Err(Refusal::invalid(
                    "reservation_id",
                    "costs nothing: there is no money to set aside",
                ));
            }
            let request = PaymentRequest {
                payment_id: *payment_id,
                reservation_id: terms.reservation_id,
                event_id: terms.event_id,
                customer_id: terms.customer_id,
                amount: terms.total,
                method: method.clone(),
                charge: *charge,
                wanted_by: terms.held_until,
            };
            Ok(ReservationDecision::event(ReservationPaymentStarted {
                payment_id: *payment_id,
                person,
            })
            .with_effect(payment(*payment_id, PaymentCommand::Request(Box::new(request)))))
        }
        ReservationCommand::TakeForNothing { by } if terms.costs_nothing() => {
            terms.not_run_out(ctx.now)?;
            let customer_id = terms.person(*by)?.unwrap_or(terms.customer_id);
            Ok(ReservationDecision::nothing().with_effect(terms.sell(customer_id, None)))
        }
        ReservationCommand::Cancel { .. } => Ok(give_up_hold(terms, CancelReason::Customer, ReleaseReason::Cancelled)),
        _ => Err(not_possible(state, terms, Action::Pay, ctx.now)),
    }
}

/// Decides a command while a payment is under way.
fn payment_pending(
    state: &ReservationState,
    terms: &HoldTerms,
    pending: PaymentId,
    command: &ReservationCommand,
    ctx: &Context<'_>,
) -> Result<ReservationDecision, Refusal> {
    match command {
        ReservationCommand::Capture { payment_id, .. } if *payment_id == pending => {
            terms.not_run_out(ctx.now)?;
            Ok(ReservationDecision::nothing().with_effect(payment(pending, PaymentCommand::Capture)))
        }
        ReservationCommand::GivePaymentUp { .. } => {
            terms.not_run_out(ctx.now)?;
            let given_up = ReservationPaymentGivenUp { payment_id: pending };
            Ok(ReservationDecision::event(given_up).with_effect(payment(pending, PaymentCommand::Void)))
        }
        ReservationCommand::Cancel { .. } => {
            let given_up = give_up_hold(terms, CancelReason::Customer, ReleaseReason::Cancelled);
            Ok(given_up.with_effect(payment(pending, PaymentCommand::Void)))
        }
        _ => Err(not_possible(state, terms, Action::Pay, ctx.now)),
    }
}

/// Decides a command after the seats were sold.
fn completed(
    state: &ReservationState,
    terms: &HoldTerms,
    paid: &PaidWith,
    command: &ReservationCommand,
    ctx: &Context<'_>,
) -> Result<ReservationDecision, Refusal> {
    let ReservationCommand::Cancel { refund, .. } = command else {
        return Err(not_possible(state, terms, Action::Pay, ctx.now));
    };
    let cancelled = ReservationDecision::event(ReservationCancelled {
        reason: CancelReason::Customer,
        was_completed: true,
    })
    .with_effects(terms.release(ReleaseReason::Cancelled));
    let Some(payment_id) = paid.payment_id.filter(|_| !refund.is_zero()) else {
        return Ok(cancelled);
    };
    let refund = PaymentCommand::Refund {
        refund_id: ctx.new_id(RefundId::new),
        amount: Some(*refund),
        cause: RefundCause::Policy,
        reason: None,
    };
    Ok(cancelled.with_effect(payment(payment_id, refund)))
}

/// Checks that the customer may still give up a reservation.
///
/// # Errors
/// Fails if the hold has run out, or the reservation has ended.
pub fn may_be_cancelled(state: &ReservationState, now: Timestamp) -> Result<(), Refusal> {
    use ReservationState::{Completed, Held, PaymentPending};

    match (state, state.terms()) {
        (Held { terms, .. }, _) => terms.not_run_out(now),
        (PaymentPending { .. } | Completed { .. }, _) => Ok(()),
        (_, Some(terms)) => Err(not_possible(state, terms, Action::Cancel, now)),
        (_, None) => Err(Refusal::state(StateName::Absent, Action::Cancel)),
    }
}

fn not_possible(state: &ReservationState, terms: &HoldTerms, action: Action, now: Timestamp) -> Refusal {
    if let ReservationState::Expired { .. } = state {
        return terms.run_out();
    }
    let from = state.status_at(now).expect("a reservation with terms has a status");
    Refusal::state(from, action)
}

fn payment(payment_id: PaymentId, command: PaymentCommand) -> SagaCommand {
    SagaCommand::Payment { payment_id, command }
}

/// Cancels a reservation that has not been paid for, and frees its seats.
pub(super) fn give_up_hold(terms: &HoldTerms, reason: CancelReason, release: ReleaseReason) -> ReservationDecision {
    ReservationDecision::event(ReservationCancelled {
        reason,
        was_completed: false,
    })
    .with_deadline(DeadlineChange::Clear(terms.expiry_key()))
    .with_effects(terms.release(release))
}

impl HoldTerms {
    /// Returns whether a buyer may see and change this reservation. A signed-in person may if they are its customer or an
    /// admin, a guest if the order was made with the secret that the guest has shown.
    pub fn belongs_to(&self, buyer: Buyer) -> bool {
        match buyer {
            Buyer::Person(actor) => policy::may_act_for(actor, self.customer_id),
            Buyer::Guest(shown) => self.guest.is_some_and(|guest| guest.secret == shown.secret),
        }
    }

    /// Returns the person to whom an order of a guest is to be sold; `None` if the order is of an account.
    ///
    /// # Errors
    /// When no address was given for the order, so that nobody knows who the person is.
    pub(crate) fn person(&self, by: Buyer) -> Result<Option<CustomerId>, Refusal> {
        let Some(guest) = self.guest else { return Ok(None) };
        let given = match by {
            Buyer::Guest(shown) => shown.person,
            Buyer::Person(_) => None,
        };
        given.or(guest.person).map(Some).ok_or(Refusal::AddressMissing)
    }

    /// Returns the customer of the reservation from its sale on: for a guest's order the person with whom its payment was
    /// started, otherwise the customer for whom it is held.
    pub fn customer_when_sold(&self) -> CustomerId {
        self.guest.and_then(|guest| guest.person).unwrap_or(self.customer_id)
    }

    fn not_run_out(&self, now: Timestamp) -> Result<(), Refusal> {
        if now < self.held_until {
            Ok(())
        } else {
            Err(self.run_out())
        }
    }

    /// Returns whether the seats cost nothing, so that there is nothing to pay.
    pub fn costs_nothing(&self) -> bool {
        self.total.is_zero()
    }

    /// Returns the refusal that tells when the hold ran out.
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

    /// Lets the holds of all lines last until then.
    fn extend_to(&self, held_until: Timestamp) -> impl Iterator<Item = SagaCommand> {
        sections_of(&self.lines).map(move |section_id| SagaCommand::ExtendHold {
            section_id,
            held_until,
            before: self.held_until,
        })
    }

    /// Frees the seats of all lines.
    pub(super) fn release(&self, reason: ReleaseReason) -> impl Iterator<Item = SagaCommand> {
        sections_of(&self.lines).map(move |section_id| SagaCommand::Inventory {
            section_id,
            command: InventoryCommand::Release {
                reservation_id: self.reservation_id,
                reason,
            },
        })
    }

    /// Sells the seats of all lines or none.
    pub(super) fn sell(&self, customer_id: CustomerId, payment_id: Option<PaymentId>) -> SagaCommand {
        SagaCommand::SellSeats {
            customer_id,
            lines: Lines::clone(&self.lines),
            payment_id,
        }
    }
}
