use ticketing_ports::Timestamp;
use ticketing_ports::vocabulary::ids::{CodeId, CustomerId, EventId, ReservationId, SectionId};
use ticketing_ports::vocabulary::seating::{Label, SeatCounts, Seating};

use super::claim::{Claim, ClaimKind, CustomerHold};
use super::event::{InventoryEvent, SectionOpened};
use super::parts::Counted;
use super::section::Section;
use super::undo::{InventoryUndo, Undone};

/// The state of one section, as computed from its facts; empty until the section is opened.
///
/// A clone shares the plan of the seats with the original, and copies the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InventoryState {
    section: Option<Box<Section>>,
}

impl InventoryState {
    /// Applies a fact. A fact that contradicts earlier ones is applied only as far as no seat is taken twice: seats
    /// that are taken already are left out, and a reservation that had seats before has only the new ones.
    pub fn evolve(&mut self, event: &InventoryEvent) -> InventoryUndo {
        let undone = match (&mut self.section, event) {
            (None, InventoryEvent::SectionOpened(opened)) => {
                self.section = Some(Box::new(Section::open(opened)));
                Undone::Opened
            }
            (None, _) | (Some(_), InventoryEvent::SectionOpened(_)) => Undone::Nothing,
            (Some(section), InventoryEvent::SeatsHeld(held)) => {
                let until = held.held_until;
                section.give(
                    held.reservation_id,
                    held.customer_id,
                    &held.seats,
                    &held.parts,
                    ClaimKind::Held { until },
                )
            }
            (Some(section), InventoryEvent::HoldExtended(extended)) => {
                section.extend(extended.reservation_id, extended.held_until)
            }
            (Some(section), InventoryEvent::SeatsRetaken(retaken)) => section.give(
                retaken.reservation_id,
                retaken.customer_id,
                &retaken.seats,
                &retaken.parts,
                ClaimKind::Sold,
            ),
            (Some(section), InventoryEvent::SeatsReleased(released)) => Undone::Claim {
                reservation: released.reservation_id,
                before: section.release(released.reservation_id),
            },
            (Some(section), InventoryEvent::SeatsSold(sold)) => section.sell(sold.reservation_id, sold.customer_id),
            (Some(section), InventoryEvent::SeatsBlocked(blocked)) => Undone::Blocked(section.block(&blocked.seats)),
            (Some(section), InventoryEvent::SeatsUnblocked(unblocked)) => {
                Undone::Unblocked(section.unblock(&unblocked.seats))
            }
        };
        InventoryUndo(undone)
    }

    /// Undoes the latest fact, given what [`evolve`](Self::evolve) returned for it.
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

    /// Returns whether the section was opened.
    pub fn is_open(&self) -> bool {
        self.section.is_some()
    }

    /// Returns the section's id; `None` if the section was not opened.
    pub fn section_id(&self) -> Option<SectionId> {
        Some(self.opened()?.section_id)
    }

    /// Returns the event on sale that the section belongs to; `None` if the section was not opened.
    pub fn event_id(&self) -> Option<EventId> {
        Some(self.opened()?.event_id)
    }

    /// Returns the section's name; `None` if the section was not opened.
    pub fn name(&self) -> Option<&Label> {
        Some(&self.opened()?.name)
    }

    /// Returns the section's rows or capacity; `None` if the section was not opened.
    pub fn seating(&self) -> Option<&Seating> {
        Some(&self.opened()?.seating)
    }

    /// Returns how many seats are available, held, sold and blocked at `now`. The seats of a hold that has run out
    /// count as available.
    pub fn counts(&self, now: Timestamp) -> SeatCounts {
        self.section()
            .map_or_else(SeatCounts::default, |section| section.counts(now))
    }

    /// Returns when each hold ran out that has run out at `now` and is not released yet, the earliest first.
    pub fn lapsed(&self, now: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        let holds = self.section().into_iter().flat_map(Section::holds);
        holds.map(|(until, _)| until).take_while(move |until| *until <= now)
    }

    /// Returns when the next hold runs out: the first of those that have not run out at `now`. `None` if there is no
    /// such hold.
    pub fn next_lapse(&self, now: Timestamp) -> Option<Timestamp> {
        self.section()?.next_lapse(now)
    }

    /// Returns the seats that a reservation has in this section, even if its hold has run out and is not released
    /// yet. `None` if the reservation has no seats here.
    pub fn claim(&self, reservation: ReservationId) -> Option<Claim> {
        let section = self.section()?;
        let claim = section.claim(reservation)?;
        Some(Claim {
            kind: claim.kind,
            seats: section.name_seats(&claim.places),
        })
    }

    /// Returns whether a reservation has seats in this section, even if its hold has run out and is not released yet.
    pub fn has_claim(&self, reservation: ReservationId) -> bool {
        self.section()
            .is_some_and(|section| section.claim(reservation).is_some())
    }

    /// Returns the reservations that have seats in this section, in the order of their ids.
    pub fn reservations(&self) -> impl Iterator<Item = ReservationId> + '_ {
        self.section()
            .into_iter()
            .flat_map(|section| section.claims.keys().copied())
    }

    /// Returns what a customer holds in this section, for each reservation, in the order of their ids. Holds that have
    /// run out and are not released yet are among them. Those from facts that did not tell their customer are not.
    pub fn held_by(&self, customer: CustomerId) -> impl Iterator<Item = CustomerHold> + '_ {
        let section = self.section();
        section.into_iter().flat_map(move |section| section.held_by(customer))
    }

    /// Returns how many of these places were sold to a customer, as far as the facts told their customer.
    pub fn sold_with(&self, customer: CustomerId, counted: Counted) -> u32 {
        self.section().map_or(0, |section| section.sold_with(customer, counted))
    }

    /// Returns how many of these places are held and sold. Holds that have run out count until they are released.
    pub fn taken(&self, counted: Counted) -> u32 {
        self.section().map_or(0, |section| section.taken(counted))
    }

    /// Returns each code that is used for places of this section, and for how many. Holds that have run out count until they
    /// are released.
    pub fn uses_of_codes(&self) -> impl Iterator<Item = (CodeId, u32)> + '_ {
        let section = self.section().into_iter();
        section.flat_map(|section| section.parts.uses_of_codes())
    }

    /// Returns how many of these places a reservation has.
    pub fn taken_by(&self, reservation: ReservationId, counted: Counted) -> u32 {
        self.section()
            .map_or(0, |section| section.taken_by(reservation, counted))
    }

    /// Returns the holds that have run out and are not released yet, and have some of these places: when each ran out,
    /// and how many it has. The oldest comes first.
    pub fn lapsed_with(
        &self,
        counted: Counted,
        now: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, ReservationId, u32)> + '_ {
        let section = self.section().into_iter();
        section.flat_map(move |section| section.lapsed_with(counted, now))
    }

    pub(super) fn section(&self) -> Option<&Section> {
        self.section.as_deref()
    }

    fn opened(&self) -> Option<&SectionOpened> {
        Some(&*self.section()?.opened)
    }
}
