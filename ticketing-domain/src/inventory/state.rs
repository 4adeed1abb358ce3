use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{EventId, ReservationId, SectionId};
use ticketing_ports::vocabulary::seating::{Label, SeatCounts, SeatId, Seating};

use super::event::{InventoryEvent, SectionOpened, TakenSeats};
use super::section::{Floor, Section};
use super::undo::{InventoryUndo, Undone};

/// What a reservation has in a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub kind: ClaimKind,
    /// In the order in which they were taken.
    pub seats: TakenSeats,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimKind {
    Held { until: Timestamp },
    Sold,
}

/// All that is known of one section; nothing before it is opened.
///
/// Cloning copies claims and bits but shares the plan of the seats.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InventoryState {
    section: Option<Box<Section>>,
}

impl InventoryState {
    /// Takes a fact in. A fact that contradicts the earlier ones changes as much as leaves no place taken twice:
    /// seats that are gone are passed by, and a reservation has the seats that it was given last.
    pub fn evolve(&mut self, event: &InventoryEvent) -> InventoryUndo {
        let undone = match (&mut self.section, event) {
            (None, InventoryEvent::SectionOpened(opened)) => {
                self.section = Some(Box::new(Section::open(opened)));
                Undone::Opened
            }
            (None, _) | (Some(_), InventoryEvent::SectionOpened(_)) => Undone::Nothing,
            (Some(section), InventoryEvent::SeatsHeld(held)) => {
                let until = held.held_until;
                section.give(held.reservation_id, &held.seats, ClaimKind::Held { until })
            }
            (Some(section), InventoryEvent::SeatsRetaken(retaken)) => {
                section.give(retaken.reservation_id, &retaken.seats, ClaimKind::Sold)
            }
            (Some(section), InventoryEvent::SeatsReleased(released)) => Undone::Claim {
                reservation: released.reservation_id,
                before: section.release(released.reservation_id),
            },
            (Some(section), InventoryEvent::SeatsSold(sold)) => section.sell(sold.reservation_id),
            (Some(section), InventoryEvent::SeatsBlocked(blocked)) => Undone::Blocked(section.block(&blocked.seats)),
            (Some(section), InventoryEvent::SeatsUnblocked(unblocked)) => {
                Undone::Unblocked(section.unblock(&unblocked.seats))
            }
        };
        InventoryUndo(undone)
    }

    /// Takes the latest fact back: what `evolve` answered makes the state what it was before.
    pub fn undo(&mut self, InventoryUndo(undone): InventoryUndo) {
        match (&mut self.section, undone) {
            (section @ Some(_), Undone::Opened) => *section = None,
            (Some(section), undone) => section.undo(undone),
            (None, _) => {}
        }
    }

    pub(super) fn of(section: Section) -> Self {
        Self {
            section: Some(Box::new(section)),
        }
    }

    pub fn is_open(&self) -> bool {
        self.section.is_some()
    }

    pub fn section_id(&self) -> Option<SectionId> {
        Some(self.opened()?.section_id)
    }

    pub fn event_id(&self) -> Option<EventId> {
        Some(self.opened()?.event_id)
    }

    pub fn name(&self) -> Option<&Label> {
        Some(&self.opened()?.name)
    }

    pub fn seating(&self) -> Option<&Seating> {
        Some(&self.opened()?.seating)
    }

    /// Counts as they are at `now`: a hold that has run out counts as available. Looks at those holds only.
    pub fn counts(&self, now: Timestamp) -> SeatCounts {
        self.section()
            .map_or_else(SeatCounts::default, |section| section.counts(now))
    }

    /// What the reservation has here, also when its hold ran out but was not released yet.
    pub fn claim(&self, reservation: ReservationId) -> Option<Claim> {
        let section = self.section()?;
        let claim = section.claim(reservation)?;
        Some(Claim {
            kind: claim.kind,
            seats: section.name_seats(&claim.places),
        })
    }

    /// Reservations that have something here, in the order of their ids.
    pub fn reservations(&self) -> impl Iterator<Item = ReservationId> + '_ {
        self.section()
            .into_iter()
            .flat_map(|section| section.claims.keys().copied())
    }

    /// Seats of a numbered section that are not free at `now`, in the section's order.
    pub fn taken_seats(&self, now: Timestamp) -> Vec<SeatId> {
        let Some(section) = self.section() else {
            return Vec::new();
        };
        let Floor::Numbered(map) = section.floor() else {
            return Vec::new();
        };
        let free = section.free_seats(map, now);
        let taken = map.plan.indexes().filter(|seat| !free.contains(*seat));
        taken.map(|seat| map.plan.seat_id(seat)).collect()
    }

    pub(super) fn section(&self) -> Option<&Section> {
        self.section.as_deref()
    }

    fn opened(&self) -> Option<&SectionOpened> {
        Some(&*self.section()?.opened)
    }
}
