//! How much of an event one customer may have: how many seats, and how many holds that wait to be paid.
//!
//! Nothing is counted beforehand: what a customer has is added up from the claims of all sections.
//!
//! If there is a limit, a hold, a sale and an extension read all sections, even if they have nothing to add up. So the
//! log commits them only if no section has changed since. Without that, two servers that decide about one customer at
//! the same time, or one that commits late, could exceed the limit together.

use std::collections::BTreeSet;

use ticketing_ports::vocabulary::buyer::Buyer;
use ticketing_ports::vocabulary::ids::{CustomerId, ReservationId};
use ticketing_ports::vocabulary::roles::Role;

use super::quotas::tickets_of;
use super::stop::Stop;
use super::unit_of_work::{Every, UnitOfWork};
use crate::inventory::{CUSTOMERS_SINCE, CustomerHold, Inventory};
use crate::refusal::Refusal;
use crate::reservation::Line;

impl UnitOfWork<'_> {
    /// Checks that a customer may hold this many more seats, in a reservation more. `by` is who asks, for the customer or
    /// as the customer.
    ///
    /// # Errors
    /// When the customer would have too many seats or too many holds, when an older build on the log would not tell
    /// whose the seats are, or when a section is not loaded.
    pub(crate) fn may_hold_more(&self, by: Buyer, customer: CustomerId, requested: u32) -> Result<(), Stop> {
        let most_seats = self.most_seats()?;
        let most_holds = self.most_holds(by);
        if most_seats.is_none() && most_holds.is_none() {
            return Ok(());
        }
        if most_seats.is_some() && !self.facts_tell_customers() {
            return Err(Refusal::UpdateUnderWay.into());
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
                let has = Some(has);
                return Err(Refusal::CustomerLimitReached {
                    requested,
                    has,
                    limit,
                    code: None,
                }
                .into());
            }
        }
        Ok(())
    }

    /// Reads all sections if there is a limit, so that a hold is extended only if the customer has taken nothing else
    /// meanwhile.
    ///
    /// # Errors
    /// When a section is not loaded.
    pub(crate) fn read_for_limits(&self, by: Buyer, lines: &[Line]) -> Result<(), Stop> {
        let has_limit = self.most_seats()?.is_some() || self.most_holds(by).is_some();
        if has_limit || self.have_limited_codes(&tickets_of(lines))? {
            self.every::<Inventory>()?;
        }
        Ok(())
    }

    /// Returns whether a customer may have the seats of a reservation that is to be sold. What is still held was
    /// counted when it was held. But a hold that ran out no longer counts, so the customer may meanwhile have other
    /// seats. If a section is not loaded, returns `false` and notes its stream as a miss.
    pub(super) fn may_still_have(&self, reservation: ReservationId, customer: CustomerId, lines: &[Line]) -> bool {
        let Ok(most_seats) = self.most_seats() else {
            return false;
        };
        let tickets = tickets_of(lines);
        let Ok(has_limited_codes) = self.have_limited_codes(&tickets) else {
            return false;
        };
        if most_seats.is_none() && !has_limited_codes {
            return true;
        }
        let Ok(sections) = self.every::<Inventory>() else {
            return false;
        };
        if self.all_held(reservation, customer, lines) {
            return true;
        }
        if self.may_use_codes(customer, reservation, &tickets, false).is_err() {
            return false;
        }
        let Some(limit) = most_seats else { return true };
        let has = self.has_beside(&sections, reservation, customer);
        // If the fact could not tell whose the seats are, they would count for nobody.
        has.saturating_add(quantity(lines)) <= limit && self.facts_tell_customers()
    }

    /// Checks that a customer may have the seats of a guest's order, which were held before anybody knew whose they are.
    ///
    /// # Errors
    /// When the customer would have too many seats, or when a section is not loaded.
    pub(crate) fn may_buy(&self, reservation: ReservationId, customer: CustomerId, lines: &[Line]) -> Result<(), Stop> {
        // Nobody has proven yet to be this customer.
        self.may_use_codes(customer, reservation, &tickets_of(lines), false)?;
        let Some(limit) = self.most_seats()? else {
            return Ok(());
        };
        let sections = self.every::<Inventory>()?;
        let (requested, has) = (quantity(lines), self.has_beside(&sections, reservation, customer));
        if has.saturating_add(requested) > limit {
            let has = None;
            return Err(Refusal::CustomerLimitReached {
                requested,
                has,
                limit,
                code: None,
            }
            .into());
        }
        Ok(())
    }

    /// Returns how many seats a customer has, those of one reservation not counted.
    fn has_beside(&self, sections: &Every<'_, Inventory>, reservation: ReservationId, customer: CustomerId) -> u32 {
        let holds = self.live_holds(sections, customer);
        let others = holds.iter().filter(|hold| hold.reservation_id != reservation);
        sum(others.map(|hold| hold.quantity)).saturating_add(sold(sections, customer))
    }

    /// Returns how many seats of the event one customer may have; `None` if any number.
    fn most_seats(&self) -> Result<Option<u32>, Stop> {
        Ok(self.listing()?.details.max_seats_per_customer)
    }

    /// Returns in how many reservations a customer may hold seats; `None` if any number: for an admin, who serves many
    /// people, and for a guest, of whom nobody knows which other orders are theirs.
    fn most_holds(&self, by: Buyer) -> Option<u32> {
        let is_one_customer = by.account().is_some_and(|actor| actor.role != Role::Admin);
        self.ctx().max_live_holds.filter(|_| is_one_customer)
    }

    /// Returns whether facts about seats are written in a version that tells their customer.
    fn facts_tell_customers(&self) -> bool {
        self.ctx().floor >= CUSTOMERS_SINCE
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

fn quantity(lines: &[Line]) -> u32 {
    sum(lines.iter().map(|line| line.seats.quantity()))
}

fn sum(quantities: impl Iterator<Item = u32>) -> u32 {
    quantities.fold(0, u32::saturating_add)
}
