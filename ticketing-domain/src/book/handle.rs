use ticketing_ports::deadlines::{Deadline, DeadlineChange, DeadlineKind};
use ticketing_ports::gateway::{Authorization, DeclineReason};
use ticketing_ports::ids::{CustomerId, PaymentId, RefundId, ReservationId};
use ticketing_ports::payment::PaymentMethod;
use ticketing_ports::roles::{Actor, Role};
use ticketing_ports::seating::{Label, SeatId};

use super::EventBook;
use super::command::{Command, Fact, GatewayAnswer, Outcome, Question, Reply, Work};
use super::unit::Unit;
use crate::catalog::{CatalogCommand, Listing};
use crate::inventory::{self, InventoryCommand, InventoryEvent, InventoryRefusal, ReleaseReason, SeatWish};
use crate::payment::{PaymentCommand, PaymentEvent, PaymentState, RefundCause};
use crate::policy;
use crate::reducer::Context;
use crate::refunds;
use crate::refusal::Refusal;
use crate::reservation::{ReservationCommand, ReservationHeld, ReservationState, SagaInput};

impl EventBook {
    /// Takes one command through the reducers, applies what follows to this book and returns it for the commit.
    ///
    /// Everything that [`EventBook::missing`] names must have been loaded.
    ///
    /// # Errors
    /// When the command is refused; the book is unchanged then.
    pub fn handle(&mut self, command: &Command, ctx: &Context<'_>) -> Result<Work, Refusal> {
        let mut unit = Unit::new(self, *ctx);
        let outcome = match command {
            Command::CreateEvent { by, draft } => {
                let event_id = unit.book.event_id;
                unit.catalog_reply(&CatalogCommand::Create {
                    event_id,
                    by: *by,
                    draft: draft.clone(),
                })
            }
            Command::Publish { by } => unit.catalog_reply(&CatalogCommand::Publish { by: *by }),
            Command::OpenSales { by } => unit.catalog_reply(&CatalogCommand::OpenSales { by: *by }),
            Command::CloseSales { by } => unit.catalog_reply(&CatalogCommand::CloseSales { by: *by }),
            Command::CancelEvent { by, reason } => unit.catalog_reply(&CatalogCommand::Cancel {
                by: *by,
                reason: reason.clone(),
            }),
            Command::Hold {
                by,
                customer_id,
                section,
                quantity,
                specific_seats,
            } => unit.hold(*by, *customer_id, section, *quantity, specific_seats.as_deref()),
            Command::Authorize {
                by,
                reservation_id,
                method,
            } => {
                let payment_id = ctx.new_id(PaymentId::new);
                unit.start_payment(*by, *reservation_id, payment_id, method, false)?;
                Ok(Outcome::Pending(Question::Authorized { payment_id }))
            }
            Command::Pay {
                by,
                reservation_id,
                payment_id,
                method,
            } => unit.pay(*by, *reservation_id, *payment_id, method.as_ref()),
            Command::CancelReservation { by, reservation_id } => unit.cancel(*by, *reservation_id),
            Command::Refund {
                by,
                payment_id,
                amount,
                reason,
            } => unit.refund(*by, *payment_id, *amount, reason),
            Command::GatewayAnswered { payment_id, answer } => unit.gateway_answered(*payment_id, answer),
            Command::DeadlineDue(deadline) => unit.deadline_due(deadline),
        }?;
        let Unit {
            relied_on,
            facts,
            deadlines,
            calls,
            ..
        } = unit;
        Ok(Work {
            relied_on,
            facts,
            deadlines,
            calls,
            outcome,
        })
    }
}

impl Unit<'_> {
    fn catalog_reply(&mut self, command: &CatalogCommand) -> Result<Outcome, Refusal> {
        if self.book.listing().is_none() && !matches!(command, CatalogCommand::Create { .. }) {
            return Err(Refusal::EventNotFound(self.book.event_id));
        }
        self.catalog(command)?;
        let view = self
            .book
            .event_view(self.ctx.now)
            .ok_or(Refusal::EventNotFound(self.book.event_id))?;
        Ok(Outcome::Reply(Reply::Event(view)))
    }

    fn hold(
        &mut self,
        by: Actor,
        customer_id: Option<CustomerId>,
        section: &str,
        quantity: u32,
        specific_seats: Option<&[SeatId]>,
    ) -> Result<Outcome, Refusal> {
        let customer_id = customer_id.unwrap_or_else(|| by.user_id.into());
        if customer_id != CustomerId::from(by.user_id) && by.role != Role::Admin {
            return Err(Refusal::Forbidden);
        }
        let listing = self.book.visible_listing(Some(by))?;
        let terms = listing.terms(section, quantity, self.ctx.now)?;
        let reservation_id = self.ctx.new_id(ReservationId::new);
        let wish = match specific_seats {
            Some(seats) => SeatWish::Exactly(seats.to_vec()),
            None => SeatWish::BestAvailable,
        };
        let held_until = terms.held_until;
        let hold = inventory::HoldSeats {
            reservation_id,
            quantity,
            wish,
            held_until,
        };
        self.inventory(terms.section_id, &InventoryCommand::Hold(hold))
            .map_err(|refusal| hold_refused(refusal, &terms.section))?;
        let Some(Fact::Inventory(InventoryEvent::SeatsHeld(held))) = self.facts.last().map(|staged| &staged.fact)
        else {
            unreachable!("an accepted hold ends with the seats it holds");
        };
        let open = ReservationCommand::Open(ReservationHeld {
            reservation_id,
            event_id: self.book.event_id,
            customer_id,
            section_id: terms.section_id,
            section: terms.section,
            tier: terms.tier,
            seats: held.seats.clone(),
            allocation: held.allocation,
            unit_price: terms.unit_price,
            total: terms.total,
            held_until,
            at: self.ctx.now,
        });
        self.reservation(reservation_id, &open)?;
        self.reservation_reply(reservation_id)
    }

    fn start_payment(
        &mut self,
        by: Actor,
        reservation_id: ReservationId,
        payment_id: PaymentId,
        method: &PaymentMethod,
        capture: bool,
    ) -> Result<(), Refusal> {
        self.book.own_reservation(by, reservation_id)?;
        self.book.not_cancelled()?;
        let start = ReservationCommand::StartPayment {
            by,
            payment_id,
            method: method.clone(),
            capture,
        };
        self.reservation(reservation_id, &start)
    }

    fn pay(
        &mut self,
        by: Actor,
        reservation_id: ReservationId,
        payment_id: Option<PaymentId>,
        method: Option<&PaymentMethod>,
    ) -> Result<Outcome, Refusal> {
        let state = self.book.own_reservation(by, reservation_id)?;
        let under_way = match state {
            ReservationState::PaymentPending { payment_id, .. } => Some(*payment_id),
            _ => None,
        };
        let known = match payment_id {
            None => under_way,
            Some(id) => match self.book.payment_state(id).and_then(PaymentState::order) {
                None => None,
                Some(order) if order.reservation_id == reservation_id => Some(id),
                Some(_) => return Err(Refusal::PaymentNotFound(id)),
            },
        };
        let payment_id = match known {
            Some(id) => {
                if let Some(PaymentState::Authorized(_)) = self.book.payment_state(id) {
                    self.book.not_cancelled()?;
                    self.reservation(reservation_id, &ReservationCommand::Capture { by, payment_id: id })?;
                }
                id
            }
            None => {
                let Some(method) = method else {
                    return Err(match payment_id {
                        Some(id) => Refusal::PaymentNotFound(id),
                        None => Refusal::invalid("payment_method", "is required to start a payment"),
                    });
                };
                let id = payment_id.unwrap_or_else(|| self.ctx.new_id(PaymentId::new));
                self.start_payment(by, reservation_id, id, method, true)?;
                id
            }
        };
        Ok(Outcome::Pending(Question::Paid {
            payment_id,
            reservation_id,
        }))
    }

    fn cancel(&mut self, by: Actor, reservation_id: ReservationId) -> Result<Outcome, Refusal> {
        let state = self.book.own_reservation(by, reservation_id)?;
        let booking = state.booking().ok_or(Refusal::ReservationNotFound(reservation_id))?;
        let paid_with = state.paid().map(|paid| paid.payment_id);
        let by_policy = self.book.listing().map(|listing| {
            refunds::by_policy(
                &listing.details.refund_policy,
                listing.details.starts_at,
                self.ctx.now,
                booking.total,
            )
        });
        let left = paid_with
            .and_then(|id| self.book.payment_state(id))
            .and_then(PaymentState::refundable);
        let refund = match (by_policy, left) {
            (Some(share), Some(left)) if share.amount > left.amount => left,
            (Some(share), _) => share,
            (None, _) => ticketing_ports::money::Money::zero(booking.total.currency),
        };
        self.reservation(reservation_id, &ReservationCommand::Cancel { by, refund })?;
        match (paid_with, self.requested_refund()) {
            (Some(payment_id), Some(refund_id)) => Ok(Outcome::Pending(Question::CancelledAndRefunded {
                payment_id,
                refund_id,
                reservation_id,
            })),
            _ => self.reservation_reply(reservation_id),
        }
    }

    fn refund(
        &mut self,
        by: Actor,
        payment_id: PaymentId,
        amount: Option<ticketing_ports::money::Money>,
        reason: &Label,
    ) -> Result<Outcome, Refusal> {
        if !policy::may_refund(by) {
            return Err(Refusal::Forbidden);
        }
        let belongs_here = self.book.payment_state(payment_id).and_then(PaymentState::order);
        if belongs_here.is_none_or(|order| order.event_id != self.book.event_id) {
            return Err(Refusal::PaymentNotFound(payment_id));
        }
        let refund_id = self.ctx.new_id(RefundId::new);
        let command = PaymentCommand::Refund {
            refund_id,
            amount,
            cause: RefundCause::Admin,
            reason: Some(reason.clone()),
        };
        self.payment(payment_id, &command)?;
        Ok(Outcome::Pending(Question::Refunded { payment_id, refund_id }))
    }

    fn gateway_answered(&mut self, payment_id: PaymentId, answer: &GatewayAnswer) -> Result<Outcome, Refusal> {
        let command = match answer {
            GatewayAnswer::Authorized(authorization) => PaymentCommand::RecordAuthorization(authorization.clone()),
            GatewayAnswer::NeverAuthorized => PaymentCommand::RecordAuthorization(Authorization::Declined {
                reason: DeclineReason::Interrupted,
            }),
            GatewayAnswer::Captured => PaymentCommand::RecordCaptured,
            GatewayAnswer::Voided => PaymentCommand::RecordVoided,
            GatewayAnswer::Refunded(refund_id) => PaymentCommand::RecordRefunded(*refund_id),
        };
        self.payment(payment_id, &command)?;
        Ok(Outcome::Reply(Reply::Done))
    }

    fn deadline_due(&mut self, deadline: &Deadline) -> Result<Outcome, Refusal> {
        let id = deadline.key.stream.id;
        match deadline.key.kind {
            DeadlineKind::HoldExpiry => self.report(ReservationId::new(id), &SagaInput::HoldRanOut),
            DeadlineKind::GatewayRetry => self.payment(PaymentId::new(id), &PaymentCommand::Retry)?,
            DeadlineKind::EventStart => self.catalog(&CatalogCommand::Start)?,
            DeadlineKind::CancellationChunk => self.settle_cancellation(deadline)?,
        }
        if self.facts.is_empty() && self.deadlines.is_empty() && self.calls.is_empty() {
            // Nothing waits for it any more.
            self.deadlines.push(DeadlineChange::Clear(deadline.key));
        }
        Ok(Outcome::Reply(Reply::Done))
    }

    /// Settles the next chunk of reservations of a cancelled event, and asks to be called again while there are more.
    fn settle_cancellation(&mut self, deadline: &Deadline) -> Result<(), Refusal> {
        if self.book.listing().is_none_or(|listing| !listing.settling) {
            return Ok(());
        }
        let sections: Vec<_> = self.book.sections.keys().copied().collect();
        for section_id in &sections {
            self.rely_on(*section_id);
        }
        for reservation_id in self.book.next_to_settle() {
            self.report(reservation_id, &SagaInput::EventCancelled);
            for section_id in sections.iter().copied() {
                // Seats whose reservation does not answer for them must not stay taken.
                let command = InventoryCommand::Release {
                    reservation_id,
                    reason: ReleaseReason::EventCancelled,
                };
                drop(self.inventory(section_id, &command));
            }
        }
        if self.book.next_to_settle().is_empty() {
            self.catalog(&CatalogCommand::FinishCancellation)
        } else {
            self.deadlines.push(DeadlineChange::Set(Deadline {
                due_at: self.ctx.now,
                ..*deadline
            }));
            Ok(())
        }
    }

    fn reservation_reply(&self, id: ReservationId) -> Result<Outcome, Refusal> {
        let view = self
            .book
            .reservation_view(id, self.ctx.now)
            .ok_or(Refusal::ReservationNotFound(id))?;
        Ok(Outcome::Reply(Reply::Reservation(view)))
    }

    fn requested_refund(&self) -> Option<RefundId> {
        self.facts.iter().find_map(|staged| match &staged.fact {
            Fact::Payment(PaymentEvent::RefundRequested(requested)) => Some(requested.refund_id),
            _ => None,
        })
    }
}

impl EventBook {
    fn own_reservation(&self, by: Actor, id: ReservationId) -> Result<&ReservationState, Refusal> {
        let state = self.reservations.get(&id).map(|loaded| &loaded.state);
        let own = state.filter(|state| {
            state.booking().is_some_and(|booking| {
                booking.event_id == self.event_id && policy::may_act_for(by, booking.customer_id)
            })
        });
        own.ok_or(Refusal::ReservationNotFound(id))
    }

    pub(super) fn not_cancelled(&self) -> Result<(), Refusal> {
        match self.listing() {
            Some(Listing {
                status: ticketing_ports::event_details::EventStatus::Cancelled,
                event_id,
                ..
            }) => Err(Refusal::EventCancelled(*event_id)),
            _ => Ok(()),
        }
    }
}

fn hold_refused(refusal: InventoryRefusal, section: &Label) -> Refusal {
    match refusal {
        InventoryRefusal::InsufficientInventory { requested, available } => Refusal::InsufficientInventory {
            requested,
            available,
            section: section.as_str().to_owned(),
        },
        InventoryRefusal::SeatsUnavailable(seats) => Refusal::SeatsUnavailable { seats },
        InventoryRefusal::UnknownSeats(seats) => {
            let names: Vec<_> = seats.iter().take(20).map(ToString::to_string).collect();
            Refusal::invalid(
                "specific_seats",
                format!("the section has no seat {}", names.join(", ")),
            )
        }
        InventoryRefusal::RepeatedSeat(seat) => {
            Refusal::invalid("specific_seats", format!("seat {seat} is named twice"))
        }
        InventoryRefusal::NotNumbered => Refusal::invalid("specific_seats", "the section has no numbered seats"),
        InventoryRefusal::QuantityMismatch => Refusal::invalid("quantity", "must be the number of specific seats"),
        InventoryRefusal::AlreadyHeld => Refusal::AlreadyExists,
        InventoryRefusal::NotOpen
        | InventoryRefusal::AlreadyOpen
        | InventoryRefusal::NothingToRelease
        | InventoryRefusal::AlreadySold
        | InventoryRefusal::NotBlocked => Refusal::SectionNotFound(section.as_str().to_owned()),
    }
}
