//! Settling the reservations of a cancelled event, some at a time: holds are released, paid reservations refunded in
//! full.
//!
//! As long as reservations are left, each commit also sets the deadline that sends this command again, so that the
//! settling goes on, even after a restart. Every section of the event is in the read set, so that nothing is
//! committed if a section is added or a seat taken meanwhile. The command is never refused.

use serde::{Deserialize, Serialize};
use ticketing_ports::log::deadlines::{Deadline, DeadlineChange};
use ticketing_ports::read_models::events::EventView;
use ticketing_ports::vocabulary::ids::{EventId, ReservationId, SectionId};

use crate::book::{Stop, UnitOfWork};
use crate::catalog::{Catalog, CatalogCommand};
use crate::command::{Address, Command, Never, Outcome};
use crate::inventory::{Inventory, InventoryCommand, ReleaseReason};
use crate::payment::Payment;
use crate::reservation::{Reservation, ReservationState, SagaInput};

/// How many reservations of a cancelled event are settled in one commit at most.
pub const CANCELLATION_CHUNK: usize = 100;

/// Settles the next reservations of a cancelled event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettleCancellation {
    /// The deadline that has come.
    pub deadline: Deadline,
}

impl Command for SettleCancellation {
    const NAME: &'static str = "settle_cancellation";

    type Reply = EventView;
    type Awaits = Never;

    fn address(&self) -> Address {
        Address::Lane(self.deadline.lane)
    }

    fn run(&self, unit: &mut UnitOfWork<'_>) -> Result<Outcome<Self>, Stop> {
        let event_id = EventId::new(self.deadline.key.stream.id);
        let listing = unit.get::<Catalog>(event_id)?.listing();
        if listing.is_some_and(|listing| listing.settling) {
            self.settle(unit, event_id)?;
        }
        unit.clear_if_idle(self.deadline.key);
        Ok(Outcome::Reply(event_id))
    }
}

impl SettleCancellation {
    fn settle(&self, unit: &mut UnitOfWork<'_>, event_id: EventId) -> Result<(), Stop> {
        let (sections, next) = next_to_settle(unit)?;
        load_all(unit, &next)?;
        for reservation_id in next {
            unit.decide::<Reservation>(reservation_id, &SagaInput::EventCancelled.into())?;
            for section_id in &sections {
                // Seats that the reservation itself has not released are released here, so that no seat stays taken.
                let release = InventoryCommand::Release {
                    reservation_id,
                    reason: ReleaseReason::EventCancelled,
                };
                drop(unit.decide::<Inventory>(*section_id, &release));
            }
        }
        let (_, more) = next_to_settle(unit)?;
        if more.is_empty() {
            unit.decide::<Catalog>(event_id, &CatalogCommand::FinishCancellation)?;
        } else {
            unit.change_deadline(DeadlineChange::Set(Deadline {
                due_at: unit.now(),
                ..self.deadline
            }));
        }
        Ok(())
    }
}

/// Returns the ids of all sections, and of the next reservations that still have seats in any of them.
fn next_to_settle(unit: &UnitOfWork<'_>) -> Result<(Vec<SectionId>, Vec<ReservationId>), Stop> {
    let sections = unit.every::<Inventory>()?;
    let with_seats = sections.iter().flat_map(|(_, section)| section.reservations());
    let next = with_seats.take(CANCELLATION_CHUNK).collect();
    Ok((sections.into_iter().map(|(id, _)| id).collect(), next))
}

/// Looks at all these reservations and their payments before anything is decided, so that all streams that are
/// missing are loaded together.
fn load_all(unit: &UnitOfWork<'_>, reservations: &[ReservationId]) -> Result<(), Stop> {
    for id in reservations {
        let payment = unit.get::<Reservation>(*id).map(ReservationState::payment_id);
        if let Ok(Some(payment)) = payment {
            drop(unit.get::<Payment>(payment));
        }
    }
    if unit.has_missed() { Err(Stop::Load) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use ticketing_ports::log::deadlines::DeadlineKind;

    use super::*;
    use crate::book::Caller;
    use crate::commands::CancelEvent;
    use crate::commands::given::{ALICE, BOB, EVENT, ORGANISER, on_sale};

    #[test]
    fn holds_are_released_and_paid_seats_refunded_in_full() {
        let mut house = on_sale();
        house.buy(ALICE, 1);
        house.hold(BOB, 1);
        let settled = house.cancel_event_and_settle();
        let expected = [
            "ReservationCancelled",
            "SeatsReleased",
            "RefundRequested",
            "ReservationCancelled",
            "SeatsReleased",
            "CancellationFinished",
        ];
        assert_eq!(settled.facts(), expected);
    }

    #[test]
    fn it_rests_on_every_section_also_on_one_where_nobody_has_a_seat() {
        let mut house = on_sale();
        house.hold(ALICE, 1);
        let (event_id, reason) = (EVENT, None);
        let cancelled = house.asks(ORGANISER, CancelEvent { event_id, reason }).unwrap();
        let sections = cancelled.reply().details.sections.clone();
        let deadline = house.deadline(DeadlineKind::CancellationChunk).unwrap();
        let settled = house.asks(Caller::World, SettleCancellation { deadline }).unwrap();
        assert_eq!(sections.len(), 2);
        for section in sections {
            assert!(settled.staged.read_set.contains_key(&section.section_id.into()));
        }
    }

    #[test]
    fn an_event_that_is_not_cancelled_has_nothing_to_settle() {
        let mut house = on_sale();
        let start = house.deadline(DeadlineKind::EventStart).unwrap();
        let mut deadline = start;
        deadline.key.kind = DeadlineKind::CancellationChunk;
        let nothing = house.asks(Caller::World, SettleCancellation { deadline }).unwrap();
        assert!(nothing.facts().is_empty());
    }
}
