//! What the aggregates ask of each other: the effects of a decision, carried out in the same unit of work.

use ticketing_ports::vocabulary::event_details::EventDetails;
use ticketing_ports::vocabulary::ids::{CustomerId, EventId, PaymentId, ReservationId, SectionId};

use super::quotas::tickets_of;
use super::stop::Declined;
use super::unit_of_work::{CarryOut, Made, UnitOfWork};
use crate::catalog::{Catalog, CatalogEffect, Listing};
use crate::inventory::{Inventory, InventoryCommand, InventoryRefusal, ReleaseReason};
use crate::payment::{Charge, GatewayCall, Payment, PaymentCommand, PaymentEvent};
use crate::quotas::parts_of;
use crate::reducer::NoEffect;
use crate::refusal::Refusal;
use crate::reservation::{HoldTerms, Line, Reservation, SagaCommand, SagaInput, seats_in, sections_of};

impl CarryOut for Catalog {
    fn carry_out(
        unit: &mut UnitOfWork<'_>,
        event_id: EventId,
        _: &Made<Self>,
        effects: Vec<CatalogEffect>,
    ) -> Result<(), Declined<Refusal>> {
        for CatalogEffect::OpenSection(section) in effects {
            let open = InventoryCommand::Open {
                section_id: section.section_id,
                event_id,
                name: section.name,
                seating: section.seating,
            };
            unit.begin::<Inventory>(section.section_id);
            let opened = unit.decide::<Inventory>(section.section_id, &open);
            opened.map_err(|declined| match declined {
                Declined::Refused(_) => Declined::Refused(Refusal::AlreadyExists),
                Declined::Load => Declined::Load,
            })?;
        }
        Ok(())
    }
}

impl CarryOut for Inventory {
    fn carry_out(
        _: &mut UnitOfWork<'_>,
        _: SectionId,
        _: &Made<Self>,
        _: Vec<NoEffect>,
    ) -> Result<(), Declined<InventoryRefusal>> {
        Ok(())
    }
}

impl CarryOut for Payment {
    /// Stages the calls to the gateway, and reports the payment's facts to its reservation.
    fn carry_out(
        unit: &mut UnitOfWork<'_>,
        id: PaymentId,
        made: &Made<Self>,
        effects: Vec<GatewayCall>,
    ) -> Result<(), Declined<Refusal>> {
        unit.call(effects);
        let Some(terms) = unit.get::<Payment>(id).map_err(|_| Declined::Load)?.terms() else {
            return Ok(());
        };
        let (reservation_id, charge) = (terms.reservation_id, terms.charge);
        let reports: Vec<_> = unit
            .made(made)
            .filter_map(|event| report_of(id, charge, event))
            .collect();
        for report in reports {
            unit.decide::<Reservation>(reservation_id, &report.into())?;
        }
        Ok(())
    }
}

impl CarryOut for Reservation {
    fn carry_out(
        unit: &mut UnitOfWork<'_>,
        id: ReservationId,
        _: &Made<Self>,
        effects: Vec<SagaCommand>,
    ) -> Result<(), Declined<Refusal>> {
        for command in effects {
            match command {
                SagaCommand::SellSeats {
                    customer_id,
                    lines,
                    payment_id,
                } => {
                    let input = if unit.event_is_cancelled() {
                        // The seats of a cancelled event are never sold, even if a payment for them was already
                        // under way.
                        let release = ReleaseReason::EventCancelled;
                        SagaInput::SeatsGone { payment_id, release }
                    } else if unit.sell(id, customer_id, &lines) {
                        SagaInput::SeatsSold {
                            customer_id,
                            payment_id,
                        }
                    } else {
                        let release = ReleaseReason::Expired;
                        SagaInput::SeatsGone { payment_id, release }
                    };
                    unit.decide::<Reservation>(id, &input.into())?;
                }
                SagaCommand::CaptureIfFree { lines, payment_id } => {
                    let customer = unit.customer_when_sold(id);
                    let would_sell = |customer| unit.would_sell(id, customer, &lines);
                    let free = !unit.event_is_cancelled() && customer.is_some_and(would_sell);
                    let command = if free {
                        PaymentCommand::Capture
                    } else {
                        PaymentCommand::Void
                    };
                    drop(unit.decide::<Payment>(payment_id, &command));
                }
                SagaCommand::ExtendHold {
                    section_id,
                    held_until,
                    before,
                } => {
                    let extend = InventoryCommand::Extend {
                        reservation_id: id,
                        held_until,
                    };
                    let extended = unit.decide::<Inventory>(section_id, &extend);
                    extended.map_err(|declined| match declined {
                        Declined::Load => Declined::Load,
                        Declined::Refused(_) => Declined::Refused(Refusal::ReservationExpired {
                            reservation_id: id,
                            expired_at: before,
                        }),
                    })?;
                }
                // A refusal by the inventory or the payment is ignored, because it means that nothing is left to do:
                // the lapsed hold was released when somebody took its seats, the payment was voided, or nothing is
                // left to refund. A stream that is not loaded is noted as a miss, so that the whole command is run
                // again.
                SagaCommand::Inventory { section_id, command } => {
                    drop(unit.decide::<Inventory>(section_id, &command));
                }
                SagaCommand::Payment { payment_id, command } => drop(unit.decide::<Payment>(payment_id, &command)),
            }
        }
        Ok(())
    }
}

impl UnitOfWork<'_> {
    /// Sells the seats of all lines to a reservation, or none: returns `false` if a section refuses, if the customer has too
    /// many other seats by now, or if a quota has no room. Each section is asked once, for the seats of all its lines, so
    /// what it is asked first is what it does then.
    fn sell(&mut self, reservation_id: ReservationId, customer_id: CustomerId, lines: &[Line]) -> bool {
        let all_would = match lines {
            [_] if self.has_all_claims(reservation_id, lines) => {
                self.may_still_have(reservation_id, customer_id, lines)
            }
            _ => self.would_sell(reservation_id, customer_id, lines),
        };
        let Ok(details) = self.details() else {
            return false;
        };
        all_would
            && self.make_room_for(reservation_id, lines)
            && self.make_room_for_customer(reservation_id, customer_id, lines)
            && sections_of(lines).all(|section_id| {
                let sell = sell(reservation_id, customer_id, section_id, lines, &details);
                self.decide::<Inventory>(section_id, &sell).is_ok()
            })
    }

    /// Returns whether all sections would sell the seats of these lines to a reservation, and whether the customer may
    /// have them. All sections are asked, also after one has refused, so that all streams that are not loaded are noted
    /// together.
    fn would_sell(&self, reservation_id: ReservationId, customer_id: CustomerId, lines: &[Line]) -> bool {
        let Ok(details) = self.details() else {
            return false;
        };
        let mut all_would = self.may_still_have(reservation_id, customer_id, lines);
        all_would &= self.has_room_for(reservation_id, lines);
        for section_id in sections_of(lines) {
            let sell = sell(reservation_id, customer_id, section_id, lines, &details);
            all_would &= self.would_do::<Inventory>(section_id, &sell);
        }
        all_would
    }

    fn customer_when_sold(&self, reservation_id: ReservationId) -> Option<CustomerId> {
        let reservation = self.get::<Reservation>(reservation_id).ok()?;
        reservation.terms().map(HoldTerms::customer_when_sold)
    }

    /// Returns whether an aggregate would accept a command now. If the aggregate's stream is not loaded, returns
    /// `false` and notes the stream as a miss.
    fn would_do<A: CarryOut>(&self, id: A::Id, command: &A::Command) -> bool {
        self.get::<A>(id)
            .is_ok_and(|state| A::decide(state, command, self.ctx()).is_ok())
    }

    /// Returns whether the event was cancelled. If the catalog's stream is not loaded, returns `false` and notes the
    /// stream as a miss.
    fn event_is_cancelled(&self) -> bool {
        let catalog = self.event_id().map(|event_id| self.get::<Catalog>(event_id));
        let listing = catalog.ok().and_then(Result::ok).and_then(|state| state.listing());
        listing.is_some_and(Listing::is_cancelled)
    }
}

fn sell(
    reservation_id: ReservationId,
    customer_id: CustomerId,
    section_id: SectionId,
    lines: &[Line],
    details: &EventDetails,
) -> InventoryCommand {
    InventoryCommand::Sell {
        reservation_id,
        customer_id,
        seats: seats_in(section_id, lines),
        parts: parts_of(details, section_id, &tickets_of(lines)),
    }
}

/// Returns what a reservation is told about a fact of its payment; `None` if the fact does not concern the
/// reservation.
fn report_of(payment_id: PaymentId, charge: Charge, event: &PaymentEvent) -> Option<SagaInput> {
    Some(match event {
        PaymentEvent::PaymentAuthorized(_) => SagaInput::PaymentAuthorized { payment_id, charge },
        PaymentEvent::PaymentDeclined(declined) => SagaInput::PaymentDeclined {
            payment_id,
            reason: declined.reason,
        },
        PaymentEvent::PaymentCaptured(_) => SagaInput::PaymentCaptured { payment_id },
        PaymentEvent::PaymentRefunded(refunded) => SagaInput::PaymentRefunded {
            payment_id,
            amount: refunded.amount,
            refunded_in_total: refunded.refunded_in_total,
            in_full: refunded.in_full,
            cause: refunded.cause,
        },
        PaymentEvent::PaymentRequested(_)
        | PaymentEvent::PaymentDeferred(_)
        | PaymentEvent::CaptureRequested(_)
        | PaymentEvent::VoidRequested(_)
        | PaymentEvent::PaymentVoided(_)
        | PaymentEvent::RefundRequested(_) => return None,
    })
}
