//! One command's way through the reducers: each fact is applied as it is decided, so that the next decision sees it.

use std::collections::BTreeMap;

use ticketing_ports::deadlines::DeadlineChange;
use ticketing_ports::ids::{PaymentId, ReservationId, SectionId};
use ticketing_ports::streams::{StreamId, Version};

use super::EventBook;
use super::command::{Fact, StagedFact};
use crate::catalog::{self, CatalogCommand, CatalogEffect};
use crate::inventory::{self, InventoryCommand, InventoryRefusal};
use crate::payment::{self, GatewayCall, PaymentCommand, PaymentEvent};
use crate::reducer::Context;
use crate::refusal::Refusal;
use crate::reservation::{self, Reaction, ReservationCommand, SagaCommand, SagaInput};

pub(super) struct Unit<'a> {
    pub(super) book: &'a mut EventBook,
    pub(super) ctx: Context<'a>,
    /// What was looked at, in the versions before this command.
    pub(super) relied_on: BTreeMap<StreamId, Version>,
    pub(super) facts: Vec<StagedFact>,
    pub(super) deadlines: Vec<DeadlineChange>,
    pub(super) calls: Vec<GatewayCall>,
}

impl<'a> Unit<'a> {
    pub(super) fn new(book: &'a mut EventBook, ctx: Context<'a>) -> Self {
        // Every decision rests on what the catalog says: a cancelled event sells nothing.
        let catalog = StreamId::from(book.event_id);
        let relied_on = BTreeMap::from([(catalog, book.version(catalog))]);
        Self {
            book,
            ctx,
            relied_on,
            facts: Vec::new(),
            deadlines: Vec::new(),
            calls: Vec::new(),
        }
    }

    pub(super) fn rely_on(&mut self, stream: impl Into<StreamId>) {
        let stream = stream.into();
        let version = self.book.version(stream);
        self.relied_on.entry(stream).or_insert(version);
    }

    pub(super) fn catalog(&mut self, command: &CatalogCommand) -> Result<(), Refusal> {
        let loaded = self.book.catalog.get_or_insert_default();
        let decision = catalog::decide(&loaded.state, command, &self.ctx)?;
        for event in decision.events {
            loaded.state.evolve(&event);
            loaded.version = loaded.version.next();
            self.facts.push(StagedFact {
                stream: StreamId::from(self.book.event_id),
                version: loaded.version,
                fact: Fact::Catalog(event),
            });
        }
        self.deadlines.extend(decision.deadlines);
        let event_id = self.book.event_id;
        for CatalogEffect::OpenSection(section) in decision.effects {
            let open = InventoryCommand::Open {
                section_id: section.section_id,
                event_id,
                name: section.name,
                seating: section.seating,
            };
            self.inventory(section.section_id, &open)
                .map_err(|_| Refusal::AlreadyExists)?;
        }
        Ok(())
    }

    pub(super) fn inventory(
        &mut self,
        section_id: SectionId,
        command: &InventoryCommand,
    ) -> Result<(), InventoryRefusal> {
        self.rely_on(section_id);
        let loaded = self.book.sections.entry(section_id).or_default();
        let decision = inventory::decide(&loaded.state, command, &self.ctx)?;
        for event in decision.events {
            loaded.state.evolve(&event);
            loaded.version = loaded.version.next();
            if let Some(confirmed) = &mut self.book.confirmed {
                confirmed.assume(section_id, loaded.version, &event);
            }
            self.facts.push(StagedFact {
                stream: StreamId::from(section_id),
                version: loaded.version,
                fact: Fact::Inventory(event),
            });
        }
        self.deadlines.extend(decision.deadlines);
        Ok(())
    }

    pub(super) fn reservation(&mut self, id: ReservationId, command: &ReservationCommand) -> Result<(), Refusal> {
        self.rely_on(id);
        let loaded = self.book.reservations.entry(id).or_default();
        let reaction = reservation::decide(&loaded.state, command, &self.ctx)?;
        self.carry_out(id, reaction);
        Ok(())
    }

    pub(super) fn report(&mut self, id: ReservationId, input: &SagaInput) {
        self.rely_on(id);
        let loaded = self.book.reservations.entry(id).or_default();
        let reaction = reservation::react(&loaded.state, input, &self.ctx);
        self.carry_out(id, reaction);
    }

    /// Decides a command about a payment, and tells its reservation what came of it.
    pub(super) fn payment(&mut self, id: PaymentId, command: &PaymentCommand) -> Result<(), Refusal> {
        self.rely_on(id);
        let loaded = self.book.payments.entry(id).or_default();
        let decision = payment::decide(&loaded.state, command, &self.ctx)?;
        let mut reports = Vec::new();
        for event in decision.events {
            loaded.state.evolve(&event);
            loaded.version = loaded.version.next();
            if let Some(order) = loaded.state.order() {
                reports.extend(report_of(id, order.capture, &event).map(|input| (order.reservation_id, input)));
            }
            self.facts.push(StagedFact {
                stream: StreamId::from(id),
                version: loaded.version,
                fact: Fact::Payment(event),
            });
        }
        self.deadlines.extend(decision.deadlines);
        self.calls.extend(decision.effects);
        for (reservation_id, input) in reports {
            self.report(reservation_id, &input);
        }
        Ok(())
    }

    fn carry_out(&mut self, id: ReservationId, reaction: Reaction) {
        let loaded = self.book.reservations.entry(id).or_default();
        for event in reaction.events {
            loaded.state.evolve(&event);
            loaded.version = loaded.version.next();
            self.facts.push(StagedFact {
                stream: StreamId::from(id),
                version: loaded.version,
                fact: Fact::Reservation(event),
            });
        }
        self.deadlines.extend(reaction.deadlines);
        for command in reaction.commands {
            match command {
                SagaCommand::SellSeats {
                    section_id,
                    command,
                    payment_id,
                } => {
                    // Seats of a cancelled event are nobody's, also when the money for them was under way.
                    let sold = self.book.not_cancelled().is_ok() && self.inventory(section_id, &command).is_ok();
                    let input = if sold {
                        SagaInput::SeatsSold { payment_id }
                    } else {
                        SagaInput::SeatsGone { payment_id }
                    };
                    self.report(id, &input);
                }
                // A refusal here means that it is so already: a lapsed hold was released when somebody took its seats,
                // a payment was void, nothing was left to refund.
                SagaCommand::Inventory { section_id, command } => drop(self.inventory(section_id, &command)),
                SagaCommand::Payment { payment_id, command } => drop(self.payment(payment_id, &command)),
            }
        }
    }
}

/// What a reservation has to know about a fact of its payment.
fn report_of(payment_id: PaymentId, capture: bool, event: &PaymentEvent) -> Option<SagaInput> {
    Some(match event {
        PaymentEvent::PaymentAuthorized(_) => SagaInput::PaymentAuthorized { payment_id, capture },
        PaymentEvent::PaymentDeclined(declined) => SagaInput::PaymentDeclined {
            payment_id,
            reason: declined.reason,
        },
        PaymentEvent::PaymentCaptured(_) => SagaInput::PaymentCaptured { payment_id },
        PaymentEvent::PaymentRefunded(refunded) => SagaInput::PaymentRefunded {
            amount: refunded.amount,
            in_full: refunded.in_full,
            cause: refunded.cause,
        },
        PaymentEvent::PaymentRequested(_)
        | PaymentEvent::CaptureRequested(_)
        | PaymentEvent::VoidRequested(_)
        | PaymentEvent::PaymentVoided(_)
        | PaymentEvent::RefundRequested(_) => return None,
    })
}
