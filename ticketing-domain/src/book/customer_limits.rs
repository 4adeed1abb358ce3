//! How much of an event one customer may have: how many seats, and how many holds that wait to be paid.
//!
//! Nothing is counted beforehand: what a customer has is added up from the claims of all sections, and is a part of
//! the read set. So two orders of one customer never exceed a limit together, whoever decides on them.

use std::collections::BTreeSet;

use ticketing_ports::vocabulary::ids::{CustomerId, ReservationId};

use super::stop::Stop;
use super::unit_of_work::{Every, UnitOfWork};
use crate::inventory::{CustomerHold, Inventory};
use crate::refusal::Refusal;
use crate::reservation::Line;

impl UnitOfWork<'_> {
    /// Checks that a customer may hold this many more seats, in a reservation more.
    ///
    /// # Errors
    /// When the customer would have too many seats or too many holds, or when a section is not loaded.
    pub(crate) fn may_hold_more(&self, customer: CustomerId, requested: u32) -> Result<(), Stop> {
        let most_seats = self.listing()?.details.max_seats_per_customer;
        let most_holds = self.ctx().max_live_holds;
        if most_seats.is_none() && most_holds.is_none() {
            return Ok(());
        }
        let sections = self.every::<Inventory>()?;
        let holds = self.live_holds(&sections, customer);
        if let Some(limit) = most_holds {
            let reservations: BTreeSet<_> = holds.iter().map(|hold| hold.reservation_id).collect();
            if reservations.len() >= limit as usize {
                let reservations = reservations.into_iter().collect();
                return Err(Refusal::TooManyHolds { limit, reservations }.into());
            }
        }
        if let Some(limit) = most_seats {
            let has = sum(holds.iter().map(|hold| hold.quantity)).saturating_add(sold(&sections, customer));
            if has.saturating_add(requested) > limit {
                return Err(Refusal::CustomerLimitReached { requested, has, limit }.into());
            }
        }
        Ok(())
    }

    /// Returns whether a customer may have the seats of a reservation that is to be sold. What is still held was
    /// counted when it was held. But a hold that ran out no longer counts, so the customer may meanwhile have other
    /// seats. If a section is not loaded, returns `false` and notes its stream as a miss.
    pub(super) fn may_still_have(&self, reservation: ReservationId, customer: CustomerId, lines: &[Line]) -> bool {
        let Ok(listing) = self.listing() else { return false };
        let Some(limit) = listing.details.max_seats_per_customer else {
            return true;
        };
        if self.all_held(reservation, customer, lines) {
            return true;
        }
        let Ok(sections) = self.every::<Inventory>() else {
            return false;
        };
        let others = self.live_holds(&sections, customer);
        let others = others.iter().filter(|hold| hold.reservation_id != reservation);
        let has = sum(others.map(|hold| hold.quantity)).saturating_add(sold(&sections, customer));
        let wanted = sum(lines.iter().map(|line| line.seats.quantity()));
        has.saturating_add(wanted) <= limit
    }

    fn all_held(&self, reservation: ReservationId, customer: CustomerId, lines: &[Line]) -> bool {
        lines.iter().all(|line| {
            let section = self.get::<Inventory>(line.section_id);
            let is_live = |hold: CustomerHold| hold.reservation_id == reservation && self.now() < hold.until;
            section.is_ok_and(|section| section.held_by(customer).any(is_live))
        })
    }

    /// Returns what a customer holds in these sections. Holds that have run out are not among it.
    fn live_holds(&self, sections: &Every<'_, Inventory>, customer: CustomerId) -> Vec<CustomerHold> {
        let holds = sections.iter().flat_map(|(_, section)| section.held_by(customer));
        holds.filter(|hold| self.now() < hold.until).collect()
    }
}

fn sold(sections: &Every<'_, Inventory>, customer: CustomerId) -> u32 {
    sum(sections.iter().map(|(_, section)| section.sold_to(customer)))
}

fn sum(quantities: impl Iterator<Item = u32>) -> u32 {
    quantities.fold(0, u32::saturating_add)
}
